"""MLflow's store in SQLite, which is its default since version 3: `mlflow.db`, read as it is, without MLflow.

The tables `experiments`, `runs`, `params`, `tags` and `metrics` have had these columns since MLflow 1.0; what later
versions added is passed over. A number that is none is 0 with `is_nan`, an infinity the largest number. Source: models
of MLflow, https://github.com/mlflow/mlflow/blob/master/mlflow/store/tracking/dbmodels/models.py.
"""

import math
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cnnlab.exchange.found import FoundRun, ImportRunsError, Tell, counted
from cnnlab.exchange.mlflow_files import local_path
from cnnlab.exchange.mlflow_run import MLflowRun, found, mapping_of

MAGIC = b"SQLite format 3\0"
# What MLflow calls its database, and how others end.
DATABASE, SUFFIXES = "mlflow.db", (".db", ".sqlite", ".sqlite3")
NEEDED = {"experiments", "runs", "params", "tags", "metrics"}


class MLflowDatabase:
    """The runs of a database that are not deleted."""

    tool = "mlflow"

    def __init__(self, path: Path):
        self._path = path
        if not path.stat().st_size:
            raise ImportRunsError(
                f"{path.name!r} is empty: it has 0 bytes. Expected the 'mlflow.db' of a tracking server. "
                "Copy the file again, or choose another."
            )
        with self._open() as database:
            missing = NEEDED - {
                name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type='table'")
            }
            if missing:
                raise ImportRunsError(
                    f"{path.name!r} is a database, but not of MLflow: it has no table {', '.join(sorted(missing))}. "
                    "Expected the 'mlflow.db' of a tracking server. Choose another file."
                )
            rows = database.execute(
                "SELECT run_uuid, lifecycle_stage FROM runs ORDER BY start_time, run_uuid"
            ).fetchall()
        self._keys = [str(run_id) for run_id, stage in rows if stage != "deleted"]
        deleted = len(rows) - len(self._keys)
        self.notes: Sequence[str] = [f"Deleted in MLflow, so left out: {counted(deleted, 'run')}."] if deleted else []

    def run_keys(self) -> list[str]:
        """Return the ids of the runs, oldest first."""
        return self._keys

    def read(self, key: str, tell: Tell) -> FoundRun:
        """Return one run."""
        with self._open() as database:
            row = database.execute(
                "SELECT r.name, e.name, r.status, r.start_time, r.end_time, r.artifact_uri FROM runs r "
                "LEFT JOIN experiments e ON e.experiment_id = r.experiment_id WHERE r.run_uuid = ?",
                (key,),
            ).fetchone()
            params, tags = (
                mapping_of(database.execute(f"SELECT key, value FROM {table} WHERE run_uuid = ? ORDER BY key", (key,)))
                for table in ("params", "tags")
            )
            metrics, damaged = _metrics(database, key)
        if row is None:
            raise ImportRunsError(f"The run {key!r} has gone. Expected it in {self._path.name!r}. Import again.")
        return found(
            MLflowRun(
                run_id=key,
                name=str(row[0] or ""),
                experiment=str(row[1] or ""),
                status=str(row[2] or ""),
                start_ms=_whole(row[3]),
                end_ms=_whole(row[4]),
                parameters=params,
                tags=tags,
                metrics=metrics,
                artifacts=self._artifacts(str(row[5] or "")),
                root=self._path.parent,
                troubles=[f"{counted(damaged, 'value')} without a number left out"] if damaged else [],
            )
        )

    def _artifacts(self, uri: str) -> Path | None:
        """Return the folder of a run's artifacts where it lies beside the database."""
        path = local_path(uri.replace("mlflow-artifacts:/", "mlartifacts/"))
        return None if path is None else path if path.is_absolute() else self._path.parent / path

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        # Read-only and without triggers or views: the file may be a stranger's.
        database = sqlite3.connect(f"file:{quote(str(self._path))}?mode=ro", uri=True, timeout=10)
        try:
            database.execute("PRAGMA trusted_schema = OFF")
            yield database
        except (sqlite3.Error, OverflowError) as error:
            raise ImportRunsError(
                f"{self._path.name!r} cannot be read as a database: {error}. Expected the 'mlflow.db' of a tracking "
                "server. Stop the server, copy the file again and try once more."
            ) from None
        finally:
            database.close()


def is_database(path: Path) -> bool:
    """Return whether a file begins as databases of SQLite do."""
    try:
        with open(path, "rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def databases_in(folder: Path) -> list[Path]:
    """Return the databases that lie in a folder, MLflow's own name first."""
    found = [path for path in folder.iterdir() if path.suffix in SUFFIXES and is_database(path)]
    return sorted(found, key=lambda path: (path.name != DATABASE, path.name))


def _metrics(database: sqlite3.Connection, run_id: str) -> tuple[dict[str, list[tuple[int, int, float]]], int]:
    metrics: dict[str, list[tuple[int, int, float]]] = {}
    damaged = 0
    query = "SELECT key, value, timestamp, step, is_nan FROM metrics WHERE run_uuid = ? ORDER BY key"
    for name, value, stamp, step, is_nan in database.execute(query, (run_id,)):
        try:
            row = (int(stamp), int(step), math.nan if is_nan else float(value))
        except (TypeError, ValueError):
            damaged += 1
            continue
        metrics.setdefault(str(name), []).append(row)
    return metrics, damaged


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and value > 0 else None
