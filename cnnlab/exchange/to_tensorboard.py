"""Runs as TensorBoard's event files: scalars, and the table of hyperparameters.

Each run is a folder with sub-folders `train` and `val` that have the same tags, so that both curves are in one chart,
as Keras does it. Steps are optimizer steps, the tag `epoch` says which epoch each is of, the wall time is that of the
training. Numbers are rounded to float32, as TensorBoard reads no others; config and result are texts with every digit
(`tensorboard_own`), by which a run comes back.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cnnlab.exchange.event_files import write_records
from cnnlab.exchange.event_making import (
    experiment_event,
    scalar_event,
    session_end_event,
    session_start_event,
    text_event,
    version_event,
)
from cnnlab.exchange.events import Parameter
from cnnlab.exchange.selection import RunToExport, safe_name, shown_settings
from cnnlab.exchange.tensorboard_folders import MARK
from cnnlab.exchange.tensorboard_own import OWN_END, SCALARS, scalars_of, texts_of

_STATUSES = {"completed": 1, "failed": 2, "cancelled": 2, "lost": 0}
# Said elsewhere.
_TEXTS = ("name", "notes")
# The columns of numbers in the table of hyperparameters, by sub-folder and tag.
_METRICS = {("val", "accuracy"): "validation accuracy", ("val", "loss"): "validation loss"}


def to_tensorboard(runs: Sequence[RunToExport], folder: Path, tell: Callable[[int], None]) -> None:
    """Write one folder per run, and beside them what the table of hyperparameters shows."""
    settings, folders = shown_settings(runs), folders_of(runs)
    kinds: dict[str, Parameter] = {}
    measured: set[str] = set()
    for place, run in enumerate(runs):
        own = parameters(run, settings)
        for name, value in own.items():
            # A setting that is text somewhere is text everywhere.
            kinds[name] = value if kinds.get(name) is None or isinstance(value, str) else kinds[name]
        scalars = scalars_of(run)
        measured |= scalars.keys()
        _write_run(run, folder / folders[run.run_id], own, scalars)
        tell(place + 1)
    first = min(run.started_s for run in runs)
    metrics = _METRICS | {("", name): title for name, title in SCALARS.items() if name in measured}
    _write(folder, first, [experiment_event(first, kinds, metrics)])


def folders_of(runs: Sequence[RunToExport]) -> dict[str, str]:
    """Return the folder of each run, which TensorBoard shows as its name: the run's name and the end of its id."""
    short = {run.run_id: f"{safe_name(run.name)} {run.run_id.rpartition('-')[2]}" for run in runs}
    taken = list(short.values())
    return {run_id: name if taken.count(name) == 1 else run_id for run_id, name in short.items()}


def parameters(run: RunToExport, settings: Sequence[str]) -> dict[str, Parameter]:
    """Return the settings that the table of hyperparameters shows of a run; what is not set is left out."""
    return {
        name: _plain(run.settings[name])
        for name in settings
        if run.settings.get(name) is not None and name not in _TEXTS
    }


def _plain(value: Any) -> Parameter:
    if isinstance(value, bool | str):
        return value
    return float(value) if isinstance(value, int | float) else str(value)


def _write_run(run: RunToExport, folder: Path, own: Mapping[str, Parameter], scalars: Mapping[str, float]) -> None:
    by_split: dict[str, list[bytes]] = {}
    last = run.started_s
    for point in run.points():
        split, _, tag = point.name.partition("/")
        by_split.setdefault(split, []).append(scalar_event(tag, point.step, point.time_s, point.value))
        last = max(last, point.time_s)
    for split, events in by_split.items():
        _write(folder / split, run.started_s, events)
    about = [session_start_event(run.started_s, own, run.run_id)]
    about += [text_event(tag, run.started_s, text) for tag, text in texts_of(run).items()]
    about += [scalar_event(name, 0, last, value) for name, value in scalars.items()]
    if run.status.has_ended:
        about += [session_end_event(run.ended_s or last, _STATUSES[run.status.state])]
    _write(folder, run.started_s, about)


def _write(folder: Path, started_s: float, events: Sequence[bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / f"events.out.{MARK}.{int(started_s):010d}{OWN_END}", "wb") as file:
        write_records(file, [version_event(started_s), *events])
