"""A run as a tool has it becomes a run as our store has it: numbers, config, status, id."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnlab.config import config_from_yaml
from cnnlab.errors import ConfigError
from cnnlab.exchange.epochs import Counting, epochs_of
from cnnlab.exchange.found import EmptyRunError, FoundRun, Series
from cnnlab.exchange.names import EPOCH, Target, as_validation, is_validation, own_target, said_target, targets
from cnnlab.exchange.outcome import outcome
from cnnlab.exchange.settings import as_config, group_of
from cnnlab.runs.adopting import AdoptedRun
from cnnlab.runs.lines import now
from cnnlab.runs.origin import Origin, is_foreign, origin_of
from cnnlab.runs.status import Failure, failure
from cnnlab.runs.store import is_run_id

# Accuracies up to here are shares, however they were rounded; above they are percent.
HIGHEST_SHARE = 1.5
MOST_TAGS, LONGEST_TAG, LONGEST_NAME = 200, 2000, 80
_LARGEST_EPOCH = 2**31 - 1
# Copied from the export of a run of ours, beside its config.
OWN_FILES = ("result.json", "environment.json", "layers.parquet", "predictions.parquet", "model.keras", "person.jsonl")

Kept = Sequence[tuple[Series, Target]]


@dataclass(frozen=True)
class ImportOptions:
    """What a person may say about an import.

    Attributes:
        mapping: What names become; None leaves a name out. Others are guessed.
        counting: What the tool's steps are.
    """

    mapping: Mapping[str, Target | None] = field(default_factory=dict)
    counting: Counting = "auto"


def chosen_targets(run: FoundRun, options: ImportOptions) -> tuple[dict[str, Target | None], list[str]]:
    """Return what each name of a run becomes, and what is to be said of that."""
    points = {one.name: one.values.size for one in run.series if not is_epoch(one)}
    chosen = targets(points, is_ours=run.has_own_names)
    said = own_target if run.has_own_names else said_target
    chosen |= {one.name: said(*one.said) for one in run.series if one.said}
    notes = []
    if not run.has_own_names and is_validation(chosen, points):
        chosen = as_validation(chosen)
        notes.append("What it calls test was measured again and again: it counts as validation.")
    return chosen | {name: target for name, target in options.mapping.items() if name in points}, notes


def is_epoch(one: Series) -> bool:
    """Return whether a series only says which epoch a step is of."""
    return one.said is None and one.name.rpartition("/")[2].lower() == EPOCH


def adopted(run: FoundRun, tool: str, path: str, options: ImportOptions) -> AdoptedRun:
    """Return the run as the store takes it.

    Raises:
        EmptyRunError: there is neither a number nor a parameter in it.
    """
    chosen, notes = chosen_targets(run, options)
    kept = [(one, target) for one in run.series if (target := chosen.get(one.name)) and one.values.size]
    if not kept and not run.parameters and run.own_config is None:
        raise EmptyRunError(
            f"{run.key!r} holds neither numbers nor parameters. Expected a metric at least, such as 'loss'. "
            "Leave it out, or map one of its names to a place such as 'train:loss'."
        )
    validations = [one for one, target in kept if target.split == "val"]
    marks = next((one for one in run.series if is_epoch(one)), None)
    counted = epochs_of([one for one, _ in kept], validations, marks, options.counting)
    columns, percent = _columns(kept, counted.epochs)
    notes += [counted.note] if counted.note and kept else []
    notes += [f"In percent, so divided by 100: {', '.join(percent)}."] if percent else []
    own = _own(run)
    config, renamed = ({}, {}) if own else as_config(run.parameters)
    origin = Origin(
        tool=tool,
        path=path,
        key=run.key,
        imported_at=now(),
        experiment=run.experiment,
        said_status=run.said_status,
        has_config=own is not None,
        has_epochs=counted.said,
        renamed=renamed,
        tags={str(name)[:250]: str(tag)[:LONGEST_TAG] for name, tag in list(run.tags.items())[:MOST_TAGS]},
        notes=tuple(one for one in (*notes, *run.troubles, run.notes) if one),
    )
    return _of_ours(run, own, origin, columns) if own else _of_another(run, origin, config, columns, counted.said)


def _columns(kept: Kept, epochs: Sequence[NDArray[np.int64]]) -> tuple[dict[str, Any], list[str]]:
    """Return the columns of our table of metrics in the order of measuring, and which names were in percent."""
    parts: list[dict[str, Any]] = []
    percent = []
    for (one, target), of_epoch in zip(kept, epochs, strict=True):
        values = one.values
        if is_percent(target, values):
            values = values / 100
            percent.append(one.name)
        count = values.size
        labels = {"split": target.split, "output": target.output, "metric": target.metric}
        numbers = {"epoch": np.minimum(of_epoch, _LARGEST_EPOCH), "step": one.steps, "elapsed_s": one.elapsed_s}
        parts.append(
            {**numbers, "value": values, **{name: np.full(count, text, object) for name, text in labels.items()}}
        )
    names = ("epoch", "step", "split", "output", "metric", "value", "elapsed_s")
    if not parts:
        return {name: [] for name in names}, percent
    columns = {name: np.concatenate([part[name] for part in parts]) for name in names}
    order = np.lexsort((columns["step"], columns["epoch"]))  # stable: names stay in their order within a step
    return {name: column[order] for name, column in columns.items()}, percent


def is_percent(target: Target, values: NDArray[np.float64]) -> bool:
    """Return whether the numbers of a target are in percent: as it says, else where accuracies are above 1."""
    if target.is_percent is not None or target.metric != "accuracy":
        return bool(target.is_percent)
    known = values[np.isfinite(values)]
    return bool(known.size and known.max() > HIGHEST_SHARE and known.max() <= 100.5)


# === Runs of other tools ===


def _of_another(
    run: FoundRun, origin: Origin, config: Mapping[str, Any], columns: Mapping[str, Any], has_epochs: bool
) -> AdoptedRun:
    name = (run.name.strip() or run.key)[:LONGEST_NAME]
    why: Failure | None = None
    if run.state == "failed" and run.failure:
        why = {"kind": "code_error", "message": run.failure[:LONGEST_TAG], "advice": ""}
    is_measured = len(columns["epoch"]) and "result.json" not in run.own_content
    return AdoptedRun(
        run_id=_own_id(run) or _run_id(run, origin, config, columns),
        name=name,
        group_id=group_of(config, f"{origin.tool}/{run.identity}"),
        created_at=_moment(run.started_s) or origin.imported_at,
        origin=origin,
        state=run.state,
        config=config,
        metrics=columns,
        started_at=_moment(run.started_s),
        ended_at=_moment(run.ended_s),
        failure=why,
        result=outcome(columns, has_epochs=has_epochs) if is_measured else None,
        files=_own_files(run),
    )


def _own_files(run: FoundRun) -> dict[str, bytes]:
    return {name: content for name, content in run.own_content.items() if name in OWN_FILES}


def _own_id(run: FoundRun) -> str:
    """Return the id that the run had in a store of ours, empty for a run that comes from elsewhere."""
    run_id = str((run.own_run or {}).get("run_id", ""))
    return run_id if is_run_id(run_id) else ""


def _run_id(run: FoundRun, origin: Origin, config: Mapping[str, Any], columns: Mapping[str, Any]) -> str:
    """Return an id made from what is in the run: the same import has the same, and the last 8 digits say its state.

    The words in it are for people: `cnnlab.exchange.present` knows runs by the rest.
    """
    words = re.sub(r"[^a-z0-9]+", "-", (run.id_name or run.name).lower()).strip("-")[:40].strip("-") or "run"
    begun = datetime.fromtimestamp(run.started_s, UTC) if run.started_s and _moment(run.started_s) else None
    stamp = f"{begun:%Y%m%d-%H%M%S}-" if begun else "imported-"
    identity = hashlib.sha256(f"{origin.tool}\0{run.identity}".encode()).hexdigest()[:8]
    return f"{stamp}{origin.tool}-{words}-{identity}-{_digest(run, config, columns)}"


def _digest(run: FoundRun, config: Mapping[str, Any], columns: Mapping[str, Any]) -> str:
    found = hashlib.sha256()
    name = "" if run.is_named_by_place else run.id_name or run.name
    about = [name, run.state, run.started_s, run.ended_s, config, dict(run.tags)]
    found.update(json.dumps(about, sort_keys=True, ensure_ascii=False, default=str).encode())
    for name in ("epoch", "step", "value", "elapsed_s"):
        found.update(np.ascontiguousarray(columns[name]).tobytes())
    for name in ("split", "output", "metric"):
        found.update("\0".join(columns[name]).encode())
    return found.hexdigest()[:8]


def _moment(seconds: float | None) -> str | None:
    """Return an ISO time, None where there is none or it lies outside of what a calendar holds."""
    if seconds is None or not 0 < seconds < 253_370_764_800:  # the year 9999
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")


# === Runs of our own that come back ===


@dataclass(frozen=True)
class _Own:
    """What our own export said of a run: its `run.json`, its config, and where that one came from."""

    said: Mapping[str, object]
    config: str
    group_id: str
    origin: Origin | None


def _own(run: FoundRun) -> _Own | None:
    """Return what CNN Lab exported with a run; None where there is nothing that this version can read."""
    if run.own_config is None or run.own_run is None:
        return None
    said = run.own_run
    if is_foreign(said):  # another tool's, which only passed through our store
        return _Own(said, run.own_config, str(said.get("group_id")), origin_of(said))
    try:
        return _Own(said, run.own_config, config_from_yaml(run.own_config).fingerprint(), None)
    except ConfigError:
        return None


def _of_ours(run: FoundRun, own: _Own, origin: Origin, columns: Mapping[str, Any]) -> AdoptedRun:
    return AdoptedRun(
        run_id=_own_id(run) or _run_id(run, origin, {"text": own.config}, columns),
        name=str(own.said.get("name") or run.name)[:LONGEST_NAME],
        group_id=own.group_id,
        created_at=str(own.said.get("created_at") or _moment(run.started_s) or origin.imported_at),
        origin=replace(own.origin, notes=(*own.origin.notes, *run.troubles)) if own.origin else origin,
        state=run.state,
        config=own.config,
        metrics=columns,
        started_at=_moment(run.started_s),
        ended_at=_moment(run.ended_s),
        failure=_failure(run.failure),
        files=_own_files(run),
        copied={name: path for name, path in run.own_files.items() if name in OWN_FILES},
    )


def _failure(text: str) -> Failure | None:
    kind, colon, message = text.partition(": ")
    return failure(kind, message) if colon else failure("code_error", text) if text else None
