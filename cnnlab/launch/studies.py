"""Studies at work: each has a supervisor (`cnnlab.tuning.supervisor`), which is started again when it was killed.

The queue knows of them by a row; whoever moves the queue on looks after them too, so a study goes on
whether or not a dashboard is open. What a study is and how it stands is in its folder.
"""

import contextlib
import json
import sqlite3
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from cnnlab.launch.database import QUEUE_VARIABLE, Database
from cnnlab.launch.engines.local import start_detached
from cnnlab.processes import created_of, is_alive
from cnnlab.runs.study_status import read_status

LOG = "log.txt"
# One that falls over again and again is started ever more rarely.
LONGEST_BACK_OFF_S = 60.0
SETTLED_S = 60.0


def register(database: Database, study_dir: Path, trainer: Sequence[str] | None = None) -> None:
    """Look after a study from now on, and start its supervisor where it has none.

    Args:
        trainer: Replaces the trainer's command line for its runs; the run folder is added to it.
    """
    with database.transaction() as change:
        change.execute(
            "INSERT INTO studies (study_dir, trainer) VALUES (?, ?) "
            "ON CONFLICT (study_dir) DO UPDATE SET trainer = excluded.trainer, starts = 0, not_before = 0",
            (str(study_dir), json.dumps(list(trainer)) if trainer else None),
        )
    look_after(database)


def look_after(database: Database) -> None:
    """Start the supervisors that are not there and forget the studies that have come to rest."""
    for row in database.rows("SELECT * FROM studies"):
        if not is_alive(row["pid"], row["pid_created"]):
            with contextlib.suppress(OSError):  # too many processes, say: whoever looks next tries again
                _see_to(database, row["study_dir"])


def _see_to(database: Database, folder: str) -> None:
    with database.transaction() as change:
        row = change.execute("SELECT * FROM studies WHERE study_dir = ?", (folder,)).fetchone()
        if row is None or is_alive(row["pid"], row["pid_created"]):
            return
        if not Path(folder, "study.json").exists() or read_status(Path(folder)).has_ended:
            change.execute("DELETE FROM studies WHERE study_dir = ?", (folder,))
        elif time.time() >= row["not_before"]:
            _start(database, change, row)


def _start(database: Database, change: sqlite3.Connection, row: sqlite3.Row) -> None:
    now = time.time()
    starts = 0 if now - row["started_at"] > SETTLED_S else row["starts"]
    arguments = [sys.executable, "-m", "cnnlab.tuning.supervisor", row["study_dir"]]
    arguments += ["--trainer", row["trainer"]] if row["trainer"] else []
    with open(Path(row["study_dir"]) / LOG, "ab") as log:
        process = start_detached(arguments, {QUEUE_VARIABLE: str(database.path)}, output=log.fileno())
    change.execute(
        "UPDATE studies SET pid = ?, pid_created = ?, starts = ?, started_at = ?, not_before = ? WHERE study_dir = ?",
        (
            process.pid,
            created_of(process.pid),
            starts + 1,
            now,
            now + (min(2.0**starts, LONGEST_BACK_OFF_S) if starts else 0.0),
            row["study_dir"],
        ),
    )
