"""One row of the queue, typed."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cnnlab.launch.database import Database
from cnnlab.launch.engines.base import Handle

IN_LINE = "ORDER BY priority DESC, place"


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
