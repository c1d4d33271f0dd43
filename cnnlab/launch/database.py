"""The queue's file: what is wanted and what is reserved, in SQLite.

It holds intent only; how a run stands is in its folder. One file per user and machine, for
slots and pids are a machine's. Several processes use it at once; whoever changes it does so
in one `BEGIN IMMEDIATE` transaction.
"""

import contextlib
import os
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from cnnlab.errors import QueueError
from cnnlab.processes import host_name

QUEUE_VARIABLE = "CNNLAB_QUEUE"
BUSY_S = 30.0
VERSION = 3

_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    run_dir TEXT PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('queued', 'starting', 'running', 'ended')),
    attempt INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    place REAL NOT NULL,
    slots INTEGER NOT NULL,
    slot_ids TEXT NOT NULL DEFAULT '[]',
    command TEXT NOT NULL,
    environment TEXT NOT NULL DEFAULT '{}',
    submitted_at TEXT NOT NULL,
    started_at TEXT,
    token TEXT,
    reserved_at REAL,
    pid INTEGER,
    pid_created REAL,
    false_starts INTEGER NOT NULL DEFAULT 0,
    not_before REAL NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS jobs_by_state ON jobs (state, priority DESC, place);
CREATE TABLE IF NOT EXISTS waiting (pid INTEGER PRIMARY KEY, pid_created REAL, kind TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS studies (
    study_dir TEXT PRIMARY KEY,
    trainer TEXT,
    pid INTEGER,
    pid_created REAL,
    starts INTEGER NOT NULL DEFAULT 0,
    started_at REAL NOT NULL DEFAULT 0,
    not_before REAL NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS choices (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS waiter (one INTEGER PRIMARY KEY CHECK (one = 1), pid INTEGER, pid_created REAL);
"""


def default_path() -> Path:
    """Return where the queue of this user and machine is."""
    if given := os.environ.get(QUEUE_VARIABLE):
        return Path(given).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "cnnlab" / "queue.sqlite"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "cnnlab" / "queue.sqlite"
    base = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    # Homes on a network drive are shared by machines, whose slots are not.
    return base / "cnnlab" / f"queue-{host_name()}.sqlite"


class Database:
    """One open connection, shared by the threads of this process."""

    def __init__(self, path: Path):
        self.path = path
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None

    def __del__(self) -> None:
        self.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Hold the queue for one change; what raises within changes nothing."""
        with self._lock, self._clear_words():
            connection = self._open()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise

    def rows(self, sql: str, *values: object) -> list[sqlite3.Row]:
        """Return what a query finds, without holding up anybody."""
        with self._lock, self._clear_words():
            return self._open().execute(sql, values).fetchall()

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def _open(self) -> sqlite3.Connection:
        if self._connection is not None and self._file == _identity(self.path):
            return self._connection
        self.close()  # first use, or somebody deleted the file under us
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise QueueError(
                f"The queue's folder {str(self.path.parent)!r} cannot be made: {error.strerror}. "
                f"Set {QUEUE_VARIABLE} to a file that can be written."
            ) from error
        connection = sqlite3.connect(self.path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        self._connection, self._file = connection, _identity(self.path)
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.row_factory = sqlite3.Row
        _use_wal(connection)
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version == VERSION:
            return
        if version > VERSION:
            raise QueueError(
                f"The queue {str(self.path)!r} was made by a newer version of CNN Lab. "
                f"Update this one, or set {QUEUE_VARIABLE} to another file."
            )
        connection.execute("BEGIN IMMEDIATE")
        for statement in _SCHEMA.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")

    @contextlib.contextmanager
    def _clear_words(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise QueueError(
                f"The queue {str(self.path)!r} cannot be used now: {error}. "
                "Check that its disk has room and can be written, then try again."
            ) from error
        except sqlite3.DatabaseError as error:
            raise QueueError(
                f"The queue {str(self.path)!r} is damaged: {error}. "
                "Delete it and queue the waiting runs again; no run is lost with it."
            ) from error


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _use_wal(connection: sqlite3.Connection) -> None:
    """Let readers and a writer work at once, where the file system can; the switch itself does not wait its turn."""
    deadline = time.monotonic() + BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
