"""Trials out of the folder of a Keras Tuner search: `oracle.json` and `trial_*/trial.json`.

A trial becomes a run with its hyperparameters as config. Keras Tuner keeps of a training only its best epoch, one
number for each metric and execution: the run has their mean at that epoch. Steps are epochs, counted from 0. Source:
`Trial.get_state` and `Oracle.get_state` of keras-tuner 1.4, https://github.com/keras-team/keras-tuner.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from cnnlab.exchange.found import FoundRun, ImportRunsError, Scalar, Series, Tell
from cnnlab.exchange.limits import MOST_BYTES, json_mapping, read_text

ORACLE, TRIAL = "oracle.json", "trial.json"
STATES = {"COMPLETED": "completed", "STOPPED": "completed", "FAILED": "failed", "INVALID": "failed"}


class KerasTunerSource:
    """The trials of a search; of several where a folder holds their projects."""

    tool = "keras-tuner"

    def __init__(self, path: Path):
        self._root = path
        self._trials = {
            trial.parent.relative_to(path).as_posix(): trial
            for project in _projects(path)
            for trial in sorted(project.glob(f"trial_*/{TRIAL}"), key=_number)
        }
        self._oracles = {project: _oracle(project) for project in _projects(path)}
        self.notes: Sequence[str] = ()

    def run_keys(self) -> list[str]:
        """Return the folders of the trials, in their order."""
        return list(self._trials)

    def read(self, key: str, tell: Tell) -> FoundRun:
        """Return one trial; raises `ImportRunsError` where its file is damaged."""
        path = self._trials[key]
        project = path.parent.parent
        said = json_mapping(read_text(path, self._root, MOST_BYTES), f"{key}/{TRIAL}")
        status = str(said.get("status") or "")
        trial_id = str(said.get("trial_id", key))
        tell(1.0)
        experiment = project.resolve().name
        return FoundRun(
            key=key,
            name=f"{experiment} trial {trial_id}",
            identity=f"{experiment}/{trial_id}/{self._oracles[project].get('search_start', '')}",
            series=_series(_part(said, "metrics")),
            parameters=_values(_part(said, "hyperparameters")),
            tags={name: str(said[name]) for name in ("score", "best_step") if said.get(name) is not None},
            experiment=experiment,
            state=STATES.get(status, "lost"),
            said_status=status,
            failure=str(said.get("message") or ""),
            started_s=_begun(self._oracles[project], trial_id),
        )


def is_search(folder: Path) -> bool:
    """Return whether a folder is that of a search, or holds folders of searches."""
    return bool(_projects(folder))


def _projects(folder: Path) -> list[Path]:
    try:
        candidates = [folder, *sorted(path for path in folder.iterdir() if path.is_dir() and not path.is_symlink())]
    except OSError:
        return []
    return [path for path in candidates if next(path.glob(f"trial_*/{TRIAL}"), None) is not None]


def _number(path: Path) -> tuple[int, str]:
    name = path.parent.name
    digits = re.search(r"\d+$", name)
    return (int(digits[0]) if digits and len(digits[0]) < 18 else 0, name)


def _oracle(project: Path) -> Mapping[str, Any]:
    """Return when trials began; nothing where the file is missing or damaged."""
    try:
        return _part(json_mapping(read_text(project / ORACLE, project, MOST_BYTES), ORACLE), "display")
    except ImportRunsError:
        return {}


def _part(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = value.get(name)
    return part if isinstance(part, Mapping) else {}


def _values(hyperparameters: Mapping[str, Any]) -> dict[str, Scalar]:
    values = _part(hyperparameters, "values")
    return {str(name): value if isinstance(value, Scalar) else str(value) for name, value in values.items()}


def _series(metrics: Mapping[str, Any]) -> list[Series]:
    found = []
    for name, history in _part(metrics, "metrics").items():
        rows = [row for row in map(_row, _observations(history)) if row is not None]
        if rows:
            steps, values = np.array([row[0] for row in rows], np.int64), np.array([row[1] for row in rows], np.float64)
            found.append(Series(str(name), steps, np.full(len(rows), np.nan), values, epochs=np.maximum(steps + 1, 1)))
    return found


def _observations(history: Any) -> list[Any]:
    observations = history.get("observations") if isinstance(history, Mapping) else None
    return observations if isinstance(observations, list) else []


def _row(observation: Any) -> tuple[int, float] | None:
    """Return epoch and mean over the executions of a trial, None where it says neither."""
    try:
        values = [float(value) for value in observation["value"]]
        return int(observation["step"]), float(np.mean(values)) if values else float("nan")
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _begun(display: Mapping[str, Any], trial_id: str) -> float | None:
    """Return when a trial began; Keras Tuner writes the time of its machine."""
    try:
        return datetime.fromisoformat(str(_part(display, "trial_start")[trial_id])).timestamp()
    except (KeyError, ValueError, OverflowError, OSError):
        return None
