"""One row of the queue, typed."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cnnlab.launch.database import Database
from cnnlab.launch.engines.base import Handle

IN_LINE = "ORDER BY priority DESC, place"
KEPT_ENDED = 2000


@dataclass(frozen=True)
class Wanted:
    """How a run is to be started: what a retry keeps.

    Attributes:
        environment: Added to the trainer's environment, above what it inherits.
    """

    command: tuple[str, ...]
    slots: int = 1
    priority: int = 0
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Job:
    """What the queue knows of a run: `starting` is reserved, `running` has a parent, `ended` is kept for a retry."""

    run_dir: Path
    state: str
    attempt: int
    priority: int
    place: float
    slots: int
    slot_ids: tuple[str, ...]
    command: tuple[str, ...]
    environment: Mapping[str, str]
    submitted_at: str
    started_at: str | None
    token: str | None
    reserved_at: float | None
    pid: int | None
    pid_created: float | None
    false_starts: int
    not_before: float

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> Self:
        value = dict(row)
        return cls(
            **value
            | {
                "run_dir": Path(value["run_dir"]),
                "slot_ids": tuple(json.loads(value["slot_ids"])),
                "command": tuple(json.loads(value["command"])),
                "environment": json.loads(value["environment"]),
            }
        )

    @property
    def handle(self) -> Handle | None:
        return None if self.pid is None else Handle(self.pid, self.pid_created)

    @property
    def wanted(self) -> Wanted:
        return Wanted(self.command, self.slots, self.priority, self.environment)


def enter(database: Database, run_dir: Path, attempt: int, wanted: Wanted, queued_at: str) -> None:
    """Put a run at the end of the line."""
    with database.transaction() as change:
        change.execute(
            "INSERT OR REPLACE INTO jobs "
            "(run_dir, state, attempt, priority, place, slots, command, environment, submitted_at) "
            "VALUES (?, 'queued', ?, ?, (SELECT COALESCE(MAX(place), 0) + 1 FROM jobs), ?, ?, ?, ?)",
            (
                str(run_dir),
                attempt,
                wanted.priority,
                wanted.slots,
                json.dumps(wanted.command),
                json.dumps(dict(wanted.environment)),
                queued_at,
            ),
        )
        change.execute(
            "DELETE FROM jobs WHERE state = 'ended' AND run_dir NOT IN "
            "(SELECT run_dir FROM jobs WHERE state = 'ended' ORDER BY submitted_at DESC LIMIT ?)",
            (KEPT_ENDED,),
        )


def in_line(database: Database) -> list[Job]:
    """Return what waits, first come what is started first."""
    return _jobs(database, f"SELECT * FROM jobs WHERE state = 'queued' {IN_LINE}")


def has_line(database: Database) -> bool:
    """Return whether anything waits."""
    return bool(database.rows("SELECT 1 FROM jobs WHERE state = 'queued' LIMIT 1"))


def active(database: Database) -> list[Job]:
    """Return what holds slots."""
    return _jobs(database, "SELECT * FROM jobs WHERE state IN ('starting', 'running') ORDER BY started_at, place")


def find(database: Database, run_dir: Path) -> Job | None:
    """Return the row of a run, None where the queue never had it."""
    found = _jobs(database, "SELECT * FROM jobs WHERE run_dir = ?", str(run_dir))
    return found[0] if found else None


def _jobs(database: Database, sql: str, *values: object) -> list[Job]:
    return [Job.from_row(row) for row in database.rows(sql, *values)]
