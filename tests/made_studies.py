"""Studies as supervisor and workers leave them, made in milliseconds through the same writing functions."""

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from made_runs import make_run

from cnnlab import processes
from cnnlab.runs import trials
from cnnlab.runs.store import Store
from cnnlab.runs.studies import Study, create_study, study, study_dir
from cnnlab.runs.study_status import StudyStatus, write_status
from cnnlab.settings.study import StudyConfig, study_from_dict

BEGAN = datetime(2026, 1, 1, 12, tzinfo=UTC)
SPACE: dict[str, Any] = {
    "training.learning_rate": {"kind": "float", "low": 1e-4, "high": 1e-1, "log": True},
    "training.optimizer": {"kind": "choice", "values": ["sgd", "adam"]},
    "training.momentum": {"kind": "float", "low": 0.0, "high": 0.9, "only_if": {"training.optimizer": ["sgd"]}},
    "training.batch_size": {"kind": "choice", "values": [32, 64, 128]},
}


def make_config(**values: Any) -> StudyConfig:
    """Return a small study of four searched fields."""
    base: dict[str, Any] = {"run": {"training": {"epochs": 4}}, "space": SPACE, "budget": {"trials": 40}}
    return study_from_dict(base | values)


def drawn(count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Return values for so many trials, drawn at random from `SPACE`."""
    random = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        values: dict[str, Any] = {
            "training.learning_rate": float(f"{10 ** random.uniform(-4, -1):.6g}"),
            "training.optimizer": str(random.choice(["sgd", "adam"])),
        }
        if values["training.optimizer"] == "sgd":
            values["training.momentum"] = float(f"{random.uniform(0, 0.9):.6g}")
        found.append({**values, "training.batch_size": int(random.choice([32, 64, 128]))})
    return found


def accuracy(values: dict[str, Any]) -> float:
    """Return what a training with such values reaches: best at a learning rate of 0.01, a little better with Adam."""
    away = np.log10(values["training.learning_rate"]) + 2
    return float(0.95 - 0.1 * away**2 - 0.02 * (values["training.optimizer"] == "sgd"))


def make_study(
    store: Store,
    count: int = 12,
    statuses: Sequence[str] = (),
    state: str = "completed",
    has_runs: bool = False,
    workers: int = 2,
    is_compact: bool = True,
    is_alive: bool = False,
    reason: str | None = None,
    **values: Any,
) -> Study:
    """Write a study of `count` trials; the first have `statuses`, all others are completed.

    With `is_alive` this very process stands for its supervisor. Without `has_runs` its trials name runs
    that are not in the store, which makes a thousand in a moment.
    """
    made = create_study(store, make_config(**{"workers": workers, **values}))
    folder = study_dir(store, made.study_id)
    for number, tried in enumerate(drawn(count)):
        status = statuses[number] if number < len(statuses) else "completed"
        _write_trial(store, made, number, status, tried, has_runs, workers)
    at = BEGAN.isoformat(timespec="milliseconds")
    ended = None if state == "running" else at
    status = StudyStatus(state=state, width=workers, trials=40, starts=1, started_at=at, ended_at=ended, reason=reason)
    write_status(folder, _alive(status) if is_alive else status)
    if is_compact:
        trials.compact(folder)
    return study(store, made.study_id)


def _alive(status: StudyStatus) -> StudyStatus:
    pid, space = os.getpid(), processes.process_space()
    return replace(status, process_space=space, pid=pid, pid_created=processes.created_of(pid))


def _write_trial(
    store: Store, made: Study, number: int, status: str, tried: dict[str, Any], has_runs: bool, workers: int
) -> None:
    reached = accuracy(tried)
    begin = BEGAN + timedelta(seconds=10 * (number // workers))
    row: dict[str, Any] = {"number": number + 1, "status": status, "values": tried}
    if status != "waiting":
        row |= {"worker": f"worker{number % workers}", "started_at": begin.isoformat(), "epochs_done": 4, "attempts": 1}
        row["run_ids"] = [_run(store, status, reached, tried)] if has_runs else [f"20260101-120000-{number:04x}"]
    if status in ("completed", "stopped"):
        found = {"val_accuracy": reached, "macs": 1e6 * (1 + number % 7), "val_loss": 1 - reached}
        row["objectives"] = {goal.metric: found[goal.metric] for goal in made.config.objectives}
    if status in ("completed", "stopped", "failed", "cancelled"):
        row["ended_at"] = (begin + timedelta(seconds=9)).isoformat()
    if status in ("failed", "stopped"):
        row["reason"] = "The loss is not a number in epoch 3." if status == "failed" else "worse than the median"
    trials.say(study_dir(store, made.study_id), f"{number:04d}", **row)


def _run(store: Store, status: str, reached: float, tried: dict[str, Any]) -> str:
    states = {"stopped": "cancelled", "waiting": "queued"}
    training = {path.removeprefix("training."): value for path, value in tried.items()}
    return make_run(store.root, states.get(status, status), reached, training={"epochs": 4, **training}, name="a trial")
