"""One run's row of the summary, from its folder.

A run that was killed has no result: what it measured still counts, so epochs done, the best
epoch and its validation accuracy come from its metrics.
"""

import functools
import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from cnnlab.errors import StoreError
from cnnlab.files import read_bytes, read_json, size_of
from cnnlab.runs import tables
from cnnlab.runs.annotations import Annotations, read_annotations
from cnnlab.runs.checkpoint import checkpoint_path
from cnnlab.runs.lines import unpack
from cnnlab.runs.migrations import upgrade
from cnnlab.runs.origin import origin_of
from cnnlab.runs.schema import SUMMARY
from cnnlab.runs.status import RunStatus

# With libyaml a config takes 0.3 ms, without it 2.2 ms (measured).
_YAML_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
UNREADABLE = "unreadable"


def summary_row(run_dir: Path, status: RunStatus) -> dict[str, Any]:
    """Return the columns of `schema.SUMMARY` for one run; what is not known is None."""
    row = index_row(run_dir, status)
    return {name: row[name] for name in SUMMARY.names}


def index_row(run_dir: Path, status: RunStatus) -> dict[str, Any]:
    """Return the columns of `schema.INDEX` for one run, but for the stamp of its status."""
    row: dict[str, Any] = dict.fromkeys(SUMMARY.names) | {"made_name": run_dir.name, "made_notes": None}
    row |= {"run_id": run_dir.name, "state": status.state}
    row |= {"started_at": moment(status.started_at), "ended_at": moment(status.ended_at)}
    row["failure"] = status.failure["kind"] if status.failure else None
    row["disk_bytes"] = size_of(run_dir) if status.has_ended else None
    row |= _of_folder(run_dir, status, row["failure"])
    return row | said_of(read_annotations(run_dir), row["made_name"], row["made_notes"])


def said_of(said: Annotations, made_name: str, made_notes: str | None) -> dict[str, Any]:
    """Return the columns that people decide."""
    return {
        "name": said.name or made_name,
        "notes": made_notes if said.notes is None else said.notes,
        "tags": list(said.tags),
        "is_starred": said.is_starred,
        "is_archived": said.is_archived,
    }


def _of_folder(run_dir: Path, status: RunStatus, failure: str | None) -> dict[str, Any]:
    try:
        run = upgrade(read_json(run_dir / "run.json", {}), f"The run {run_dir.name!r}")
    except StoreError:  # one damaged or newer folder must not hide all the others
        return {"failure": failure or UNREADABLE}
    config = read_config_values(run_dir / "config.yaml")
    row = {"made_name": run.get("name") or run_dir.name, "made_notes": config.get("notes")}
    row |= {name: run.get(name) for name in ("group_id", "study_id", "trial_id")}
    row |= {"created_at": moment(run.get("created_at"))} | _of_config(config)
    if (origin := origin_of(run)) is not None:
        row |= {"origin": origin.title, "is_foreign": not origin.has_config}
    if status.state == "queued" and not checkpoint_path(run_dir).exists():
        return row | {"epochs_done": 0}  # what an earlier attempt measured does not count
    doctor = read_json(run_dir / "doctor.json")
    row["serious_findings"] = doctor.get("serious") if isinstance(doctor, dict) else None
    result = read_json(run_dir / "result.json")
    if isinstance(result, dict):
        return row | _known(_of_result(unpack(result)))
    return row | _known(_of_metrics(run_dir, tables.metrics_stamp(run_dir), _asked_output(config)))


def moment(text: Any) -> datetime | None:
    """Return the UTC time that an ISO text says, None where it says none."""
    try:
        time = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def read_config_values(path: Path) -> dict[str, Any]:
    """Return the nested values of a config without checking them: it was checked when it was written."""
    data = read_bytes(path)
    return _config_values(data) if data else {}


@functools.lru_cache(maxsize=4096)
def _config_values(data: bytes) -> dict[str, Any]:
    try:
        values = yaml.load(data, Loader=_YAML_LOADER)
    except yaml.YAMLError:
        return {}
    return values if isinstance(values, dict) else {}


def _part(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = values.get(name)
    return part if isinstance(part, Mapping) else {}


def _of_config(config: Mapping[str, Any]) -> dict[str, Any]:
    data, training = _part(config, "data"), _part(config, "training")
    row = {name: training.get(name) for name in ("optimizer", "learning_rate", "batch_size", "epochs", "seed")}
    return row | {
        "dataset": data.get("dataset"),
        "dataset_version": data.get("version"),
        "architecture": _part(config, "architecture").get("name"),
        "augmentation": config.get("augmentation"),
        "backend": _part(config, "compute").get("backend"),
    }


def _of_result(result: Mapping[str, Any]) -> dict[str, Any]:
    names = ("num_params", "trainable_params", "macs", "depth", "epochs_done", "best_epoch", "train_s", "images_per_s")
    output = result.get("main_output")
    test, val = _part(_part(result, "test"), str(output)), _part(_part(result, "val"), str(output))
    return {name: result.get(name) for name in names} | {
        "dataset_version": result.get("dataset_version"),
        "main_output": output,
        "val_accuracy": val.get("accuracy"),
        "test_accuracy": test.get("accuracy"),
        "test_correct": test.get("correct"),
        "test_n": test.get("n"),
        "test_loss": test.get("loss"),
    }


def _asked_output(config: Mapping[str, Any]) -> str | None:
    outputs = _part(config, "data").get("outputs")
    return str(outputs[0]) if outputs else None


@functools.lru_cache(maxsize=512)
def _of_metrics(run_dir: Path, _stamp: tuple[int, ...], main_output: str | None) -> dict[str, Any]:
    # Pages ask every second, a long tail takes milliseconds, and it grows once an epoch: hence the cache.
    rows = tables.metric_rows(run_dir)
    val = [row for row in rows if row["split"] == "val"]
    output = main_output or next((row["output"] for row in rows if row["output"]), None)
    losses = _by_epoch(val, "loss", "") or _by_epoch(val, "loss", output)
    accuracies = _by_epoch(val, "accuracy", output) or _by_epoch(val, "accuracy", "")
    best = best_epoch(losses, accuracies)
    elapsed = [row["elapsed_s"] for row in rows if row["elapsed_s"] is not None]
    return {
        "epochs_done": max((row["epoch"] for row in val or rows), default=0),
        "best_epoch": best,
        "val_accuracy": accuracies.get(best) if best else None,
        "train_s": max(elapsed, default=None),
        "main_output": output,
    }


def _by_epoch(rows: Iterable[dict[str, Any]], metric: str, output: str | None) -> dict[int, float]:
    return {
        row["epoch"]: row["value"]
        for row in rows
        if row["metric"] == metric and row["output"] == output and row["value"] is not None
    }


def best_epoch(losses: Mapping[int, float], accuracies: Mapping[int, float]) -> int | None:
    """Return the epoch of the lowest validation loss, else of the highest accuracy; never that of a NaN."""
    finite = {epoch: loss for epoch, loss in losses.items() if not math.isnan(loss)}
    if finite:
        return min(finite, key=lambda epoch: (finite[epoch], epoch))
    known = {epoch: -accuracy for epoch, accuracy in accuracies.items() if not math.isnan(accuracy)}
    return min(known, key=lambda epoch: (known[epoch], epoch)) if known else None


def _known(values: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is None, so that it hides nothing that the config said."""
    return {name: value for name, value in values.items() if value is not None}
