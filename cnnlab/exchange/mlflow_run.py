"""A run of MLflow, from whichever of its stores, as our importer takes it."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cnnlab.exchange.found import FoundRun, ImportRunsError, Series
from cnnlab.exchange.limits import is_within, json_mapping, read_text
from cnnlab.runs.status import ENDED

# RunStatus of MLflow's service.proto, by number and by name.
STATUSES = {1: "RUNNING", 2: "SCHEDULED", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}
# How a run that MLflow takes for running ended is not known.
STATES = {"FINISHED": "completed", "FAILED": "failed", "KILLED": "cancelled", "RUNNING": "lost", "SCHEDULED": "lost"}
RUN_NAME, NOTE = "mlflow.runName", "mlflow.note.content"
# What an export of ours leaves with a run: see `cnnlab.exchange.to_mlflow`.
OWN_RUN, OWN_STATE, OWN_FAILURE = "cnnlab.run.json", "cnnlab.state", "cnnlab.failure"
OWN_CONFIG = "config.yaml"
# Databases hold no infinity: MLflow writes the largest number in its place.
LARGEST = sys.float_info.max

# Timestamp in milliseconds, step, value.
Rows = Sequence[tuple[int, int, float]]


@dataclass(frozen=True)
class MLflowRun:
    """What a store of MLflow says of a run; times in milliseconds since 1970."""

    run_id: str
    name: str
    experiment: str
    status: str
    start_ms: int | None
    end_ms: int | None
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    metrics: Mapping[str, Rows]
    artifacts: Path | None = None
    root: Path | None = None
    troubles: Sequence[str] = field(default_factory=tuple)


def found(run: MLflowRun) -> FoundRun:
    """Return the run as our importer takes it."""
    tags = dict(run.tags)
    own_run, own_config, files = _own(run, tags)
    failure, state = tags.pop(OWN_FAILURE, ""), tags.pop(OWN_STATE, "")
    stamps = [rows[0][0] for rows in run.metrics.values() if rows]
    start_ms = run.start_ms or min(stamps, default=None)
    return FoundRun(
        key=run.run_id,
        name=run.name or tags.get(RUN_NAME, "") or run.run_id,
        identity=run.run_id,
        series=[_series(name, rows, start_ms) for name, rows in run.metrics.items() if rows],
        parameters=dict(run.parameters),
        tags={name: value for name, value in tags.items() if name not in (RUN_NAME, NOTE)},
        notes=tags.get(NOTE, ""),
        experiment=run.experiment,
        state=state if state in ENDED else STATES.get(run.status, "lost"),
        said_status=run.status,
        failure=failure,
        started_s=start_ms / 1000 if start_ms else None,
        ended_s=run.end_ms / 1000 if run.end_ms else None,
        has_own_names=OWN_RUN in run.tags,
        own_config=own_config,
        own_run=own_run,
        own_files=files,
        troubles=run.troubles,
    )


def _own(run: MLflowRun, tags: dict[str, str]) -> tuple[Mapping[str, object] | None, str | None, dict[str, Path]]:
    """Return what an export of ours left with the run: its `run.json`, its config, its other files."""
    said = tags.pop(OWN_RUN, "")
    if not said or run.artifacts is None or run.root is None:
        return None, None, {}
    config = run.artifacts / OWN_CONFIG
    if not config.is_file():
        return None, None, {}
    files = {path.name: path for path in run.artifacts.iterdir() if path.is_file() and is_within(path, run.root)}
    try:
        return json_mapping(said, OWN_RUN), read_text(config, run.root), files
    except ImportRunsError:
        return None, None, {}


def _series(name: str, rows: Rows, start_ms: int | None) -> Series:
    ordered = sorted(rows, key=lambda row: (row[1], row[0]))
    steps = np.array([row[1] for row in ordered], np.int64)
    if steps.size > 1 and steps.min() == steps.max():  # logged without a step: the time is their order
        steps = np.arange(steps.size, dtype=np.int64)
    times = np.array([row[0] for row in ordered], np.float64)
    values = np.array([row[2] for row in ordered], np.float64)
    values[np.abs(values) >= LARGEST] = np.copysign(np.inf, values[np.abs(values) >= LARGEST])
    elapsed = np.maximum(times - start_ms, 0) / 1000 if start_ms else np.full(times.size, np.nan)
    return Series(name, steps, elapsed, values)


def mapping_of(pairs: Iterable[tuple[object, object]]) -> dict[str, str]:
    """Return the pairs as texts."""
    return {str(name): "" if value is None else str(value) for name, value in pairs}
