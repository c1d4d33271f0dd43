"""The runs that are exported, with what every format asks of them."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from cnnlab.config import flatten
from cnnlab.exchange.names import EPOCH, name_of
from cnnlab.files import read_bytes
from cnnlab.runs import queries, tables
from cnnlab.runs.facts import read_config_values
from cnnlab.runs.origin import Origin, origin_of
from cnnlab.runs.status import RunStatus, settle
from cnnlab.runs.store import Store

# The settings that tables of other tools show first.
HEADLINE = (
    "data.dataset", "architecture.name", "augmentation", "training.optimizer", "training.learning_rate",
    "training.batch_size", "training.epochs", "training.seed",
)  # fmt: skip


@dataclass(frozen=True)
class Point:
    """One number as other tools keep it."""

    name: str
    step: int
    time_s: float
    value: float


@dataclass(frozen=True)
class RunToExport:
    """One run of the store."""

    store: Store
    run_id: str

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self.store.run_dir(self.run_id)

    @cached_property
    def said(self) -> Mapping[str, Any]:
        """Its `run.json`."""
        return self.store.read_run(self.run_id)

    @cached_property
    def status(self) -> RunStatus:
        """How it stands."""
        return settle(self.folder)

    @property
    def name(self) -> str:
        """What it is called."""
        return str(self.said.get("name") or self.run_id)

    @property
    def origin(self) -> Origin | None:
        """Where it was imported from."""
        return origin_of(self.said)

    @property
    def config_text(self) -> bytes:
        """Its `config.yaml`."""
        return read_bytes(self.folder / "config.yaml") or b""

    @cached_property
    def settings(self) -> dict[str, Any]:
        """Its config by dotted place; of an imported run also the tool's own parameters."""
        return flatten(read_config_values(self.folder / "config.yaml"))

    @property
    def notes(self) -> str:
        """What a person wrote beside it."""
        return str(self.settings.get("notes") or "")

    def metrics(self) -> pl.DataFrame:
        """Return its numbers, columns of `schema.METRICS`; read anew, for those of many runs fill the memory."""
        return tables.read_metrics(self.folder)

    @cached_property
    def started_s(self) -> float:
        """When it began, in seconds since 1970; when it was made where it never began."""
        return _seconds(self.status.started_at) or _seconds(self.said.get("created_at")) or 0.0

    @cached_property
    def ended_s(self) -> float | None:
        """When it ended; None where it has not."""
        return _seconds(self.status.ended_at)

    def points(self) -> Iterator[Point]:
        """Yield the numbers in the order of measuring, under names that say split, output and metric.

        The step is the optimizer's; a further series `epoch` says which epoch each step is of. Where one step is of
        several epochs the epoch takes its place. What is missing is left out, NaN is kept.
        """
        frame = self.metrics()
        counts_steps = frame.select(pl.struct("step", "epoch").n_unique()).item() == frame["step"].n_unique()
        step_column = "step" if counts_steps else "epoch"
        if counts_steps and (self.origin is None or self.origin.has_epochs):
            ends = frame.group_by("step").agg(pl.col("epoch").first(), pl.col("elapsed_s").max()).sort("step")
            for step, epoch, elapsed in ends.iter_rows():
                yield Point(name_of("train", "", EPOCH), step, self._time(elapsed), float(epoch))
        columns = ("split", "output", "metric", step_column, "value", "elapsed_s")
        for split, output, metric, step, value, elapsed in frame.select(columns).iter_rows():
            if value is not None:
                yield Point(name_of(split, output, metric), step, self._time(elapsed), value)

    def _time(self, elapsed: float | None) -> float:
        return self.started_s + (elapsed if elapsed is not None and math.isfinite(elapsed) else 0.0)


def selected(store: Store, run_ids: Sequence[str]) -> list[RunToExport]:
    """Return the runs of these ids, each once; raises `RunNotFoundError` where there is none of an id."""
    return [RunToExport(store, store.run_dir(run_id).name) for run_id in dict.fromkeys(run_ids)]


def summary_rows(store: Store, runs: Sequence[RunToExport]) -> pl.DataFrame:
    """Return the rows of the runs, columns of `schema.SUMMARY`, in their order."""
    order = {run.run_id: place for place, run in enumerate(runs)}
    rows = queries.summaries(store).filter(pl.col("run_id").is_in(list(order)))
    return rows.sort(pl.col("run_id").replace_strict(order, return_dtype=pl.Int64))


def shown_settings(runs: Sequence[RunToExport]) -> list[str]:
    """Return the settings that tell the runs apart, the headline ones first."""
    known: dict[str, set[str]] = {}
    for run in runs:
        for name, value in run.settings.items():
            known.setdefault(name, set()).add(repr(value))
    differing = [
        name
        for name, values in known.items()
        if len(values) > 1 or sum(name in run.settings for run in runs) < len(runs)
    ]
    return list(dict.fromkeys([*(name for name in HEADLINE if name in known), *differing]))


def text_of(value: Any) -> str:
    """Return a value of a config as text that `cnnlab.exchange.settings.typed` reads back."""
    return "" if value is None else str(value)


def _seconds(text: Any) -> float | None:
    try:
        return datetime.fromisoformat(str(text)).timestamp() if text else None
    except (ValueError, OverflowError):
        return None


def safe_name(text: str, longest: int = 80) -> str:
    """Return a text as part of a file name.

    >>> safe_name("lenet5 on digits"), safe_name("../a:b"), safe_name("..")
    ('lenet5 on digits', '-a-b', 'run')
    """
    kept = "".join(one if one.isalnum() or one in " -_.=+," else "-" for one in text)[:longest]
    return kept.strip(". ") or "run"
