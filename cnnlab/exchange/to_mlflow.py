"""Runs as a database of MLflow, which `mlflow ui` opens: parameters, metrics, tags and artifacts.

SQLite and not a folder `mlruns`: since version 3 MLflow opens such folders only when told to. MLflow is not needed to
write it (`mlflow_schema`). Artifacts lie beside the database, their place is written without the folder, so that the
whole can be moved: MLflow is to be started in the folder, as `README.md` there says.
"""

import hashlib
import json
import math
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from cnnlab.exchange.mlflow_run import LARGEST, NOTE, OWN_CONFIG, OWN_FAILURE, OWN_RUN, OWN_STATE, RUN_NAME
from cnnlab.exchange.mlflow_schema import statements
from cnnlab.exchange.selection import Point, RunToExport, text_of
from cnnlab.runs.sources import MODEL

DATABASE, ARTIFACTS = "mlflow.db", "mlartifacts"
EXPERIMENT = "CNN Lab"
LONGEST_KEY, LONGEST_PARAMETER, LONGEST_TAG, LONGEST_NAME = 250, 6000, 5000, 250
# What MLflow takes in names of metrics and parameters.
_NOT_IN_NAMES = re.compile(r"[^/\w.\- ]")
_STATUSES = {"completed": "FINISHED", "failed": "FAILED", "cancelled": "KILLED", "lost": "FAILED"}
_STATUSES |= {"queued": "SCHEDULED", "running": "RUNNING", "paused": "KILLED"}
_EXPORTED = ("result.json", "environment.json", "layers.parquet", "person.jsonl")
_PREDICTIONS = "predictions.parquet"
_README = """# Runs exported from CNN Lab

Open them with MLflow 2.8 or later. Start it in this folder, which it needs to find the artifacts:

    mlflow ui --backend-store-uri sqlite:///mlflow.db

A version later than 2.8 first brings the database up to date. `python -m cnnlab import-runs FOLDER` reads it too.
"""


def to_mlflow(
    runs: Sequence[RunToExport], folder: Path, tell: Callable[[int], None], *, predictions: bool, models: bool
) -> None:
    """Write `mlflow.db` with an experiment 'CNN Lab', and the artifacts of each run."""
    wanted = (*_EXPORTED, *([_PREDICTIONS] if predictions else ()), *([MODEL] if models else ()))
    begun = round(min(run.started_s for run in runs) * 1000)
    with closing(sqlite3.connect(folder / DATABASE)) as database:
        # Nobody sees the file before it is whole: no write need wait for the disk.
        for statement in ("PRAGMA synchronous = OFF", "PRAGMA journal_mode = MEMORY", *statements()):
            database.execute(statement)
        for number, name in enumerate(("Default", EXPERIMENT)):
            place = f"{ARTIFACTS}/{number}"
            database.execute(
                "INSERT INTO experiments VALUES (?, ?, ?, 'active', ?, ?)", (number, name, place, begun, begun)
            )
        # Where MLflow's page lists it: among trainings, not among applications of language models.
        database.execute("INSERT INTO experiment_tags VALUES ('mlflow.experimentKind', 'custom_model_development', 1)")
        for done, run in enumerate(runs):
            _write_run(database, run)
            _copy_artifacts(run, folder / artifacts_of(run.run_id), wanted)
            tell(done + 1)
        database.commit()
    (folder / "README.md").write_text(_README, encoding="utf-8")


def run_uuid(run_id: str) -> str:
    """Return the 32 hexadecimal digits that a run has in MLflow."""
    return hashlib.sha256(run_id.encode()).hexdigest()[:32]


def artifacts_of(run_id: str) -> str:
    """Return where the artifacts of a run lie in the exported folder."""
    return f"{ARTIFACTS}/1/{run_uuid(run_id)}/artifacts"


def _write_run(database: sqlite3.Connection, run: RunToExport) -> None:
    uuid = run_uuid(run.run_id)
    database.execute(
        "INSERT INTO runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time, "
        "end_time, source_version, lifecycle_stage, artifact_uri, experiment_id) "
        "VALUES (?, ?, 'LOCAL', 'cnnlab', '', '', ?, ?, ?, '', 'active', ?, 1)",
        (
            uuid,
            run.name[:LONGEST_NAME],
            _STATUSES[run.status.state],
            _milliseconds(run.started_s),
            None if run.ended_s is None else _milliseconds(run.ended_s),
            artifacts_of(run.run_id),
        ),
    )
    parameters = {_name(name): text_of(value)[:LONGEST_PARAMETER] for name, value in run.settings.items()}
    _write_pairs(database, "params", uuid, ((name, value) for name, value in parameters.items() if name != "notes"))
    _write_pairs(database, "tags", uuid, _tags(run).items())
    _write_metrics(database, uuid, run.points())


def _write_pairs(database: sqlite3.Connection, table: str, uuid: str, pairs: Iterable[tuple[str, str]]) -> None:
    database.executemany(
        f'INSERT INTO {table} ("key", value, run_uuid) VALUES (?, ?, ?)', ((name, value, uuid) for name, value in pairs)
    )


def _tags(run: RunToExport) -> dict[str, str]:
    said: dict[str, Any] = {name: run.said.get(name) for name in ("run_id", "name", "group_id", "created_at", "origin")}
    tags = {
        RUN_NAME: run.name[:LONGEST_NAME],
        "mlflow.source.name": "cnnlab",
        "mlflow.source.type": "LOCAL",
        "mlflow.user": "",
        OWN_RUN: json.dumps(said, ensure_ascii=False),
        "cnnlab.run_id": run.run_id,
        OWN_STATE: run.status.state,
    }
    tags |= {
        name: text[:LONGEST_TAG] for name, text in (run.origin.tags if run.origin else {}).items() if name not in tags
    }
    if run.notes:
        tags[NOTE] = run.notes[:LONGEST_TAG]
    if run.status.failure:
        tags[OWN_FAILURE] = f"{run.status.failure['kind']}: {run.status.failure['message']}"[:LONGEST_TAG]
    return tags


def _write_metrics(database: sqlite3.Connection, uuid: str, points: Iterable[Point]) -> None:
    latest: dict[str, tuple[int, int, float, int]] = {}
    rows = set()
    for point in points:
        is_nan = math.isnan(point.value)
        value = 0.0 if is_nan else max(-LARGEST, min(LARGEST, point.value))
        name, stamp = _name(point.name), _milliseconds(point.time_s)
        rows.add((name, value, stamp, uuid, point.step, int(is_nan)))
        latest[name] = max(latest.get(name, (-1, -1, 0.0, 0)), (point.step, stamp, value, int(is_nan)))
    database.executemany("INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?)", sorted(rows))
    database.executemany(
        "INSERT INTO latest_metrics VALUES (?, ?, ?, ?, ?, ?)",
        ((name, value, stamp, step, is_nan, uuid) for name, (step, stamp, value, is_nan) in latest.items()),
    )


def _copy_artifacts(run: RunToExport, folder: Path, wanted: Sequence[str]) -> None:
    folder.mkdir(parents=True)
    (folder / OWN_CONFIG).write_bytes(run.config_text)
    for name in wanted:
        if (run.folder / name).is_file():
            shutil.copyfile(run.folder / name, folder / name)


def _name(name: str) -> str:
    """Return a name as MLflow takes it: what it does not take becomes '_'."""
    return _NOT_IN_NAMES.sub("_", name).strip("/").replace("//", "/")[:LONGEST_KEY] or "_"


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
