"""What the rules look at: the tables of one run and what is known of its data, nothing else."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cnnlab.config import RunConfig
from cnnlab.runs.schema import METRICS, PREDICTIONS, PROBES, STEPS, Table, polars_schema

Line = tuple[NDArray[np.int64], NDArray[np.float64]]  # epochs or steps, and the values there


def _no_rows(table: Table) -> Callable[[], pl.DataFrame]:
    return lambda: pl.DataFrame(schema=polars_schema(table))


@dataclass(frozen=True)
class DataFacts:
    """What is known of the data set.

    Attributes:
        classes: Names by output, in the order of the labels; the first output is the main one.
        class_counts: Images per class by output and split.
        counts: Images per split.
        copies: Images of val and test of which train has an exact copy, by split.
    """

    classes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    class_counts: Mapping[str, Mapping[str, Sequence[int]]] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    copies: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Evidence:
    """Everything of one run that a rule may look at; each part may be empty.

    Attributes:
        metrics, steps, probes, predictions: Frames with the columns of `cnnlab.runs.schema`.
        brings_scaling: The architecture takes raw pixels and scales them itself.
    """

    config: RunConfig
    metrics: pl.DataFrame = field(default_factory=_no_rows(METRICS))
    steps: pl.DataFrame = field(default_factory=_no_rows(STEPS))
    probes: pl.DataFrame = field(default_factory=_no_rows(PROBES))
    predictions: pl.DataFrame = field(default_factory=_no_rows(PREDICTIONS))
    data: DataFacts = field(default_factory=DataFacts)
    brings_scaling: bool = False

    def epochs_of(self, split: str, metric: str, output: str = "") -> Line:
        """Return one metric over the epochs, missing values left out; the last of an epoch counts."""
        rows = self.metrics.filter(
            (pl.col("split") == split) & (pl.col("metric") == metric) & (pl.col("output") == output)
        ).drop_nulls("value")
        by_epoch = dict(rows.select("epoch", "value").iter_rows())
        epochs = sorted(by_epoch)
        return np.array(epochs, np.int64), np.array([by_epoch[epoch] for epoch in epochs], np.float64)

    def both(self, metric: str, output: str = "") -> tuple[NDArray[np.int64], NDArray[Any], NDArray[Any]]:
        """Return the epochs that have finite values on train and val, and both values."""
        train, val = (self.epochs_of(split, metric, output) for split in ("train", "val"))
        common, ours, theirs = np.intersect1d(train[0], val[0], return_indices=True)
        one, two = train[1][ours], val[1][theirs]
        is_finite = np.isfinite(one) & np.isfinite(two)
        return common[is_finite], one[is_finite], two[is_finite]

    def step_losses(self) -> Line:
        """Return the loss of all outputs together at each step."""
        rows = self.steps.filter(pl.col("output") == "").drop_nulls("loss")
        return rows["step"].to_numpy().astype(np.int64), rows["loss"].to_numpy().astype(np.float64)

    @property
    def main_output(self) -> str | None:
        known = self.data.classes or dict.fromkeys(name for name in self.metrics["output"].to_list() if name)
        return next(iter(known), None)

    def chance_accuracy(self, output: str | None = None, split: str = "val") -> float | None:
        """Return what always answering the most frequent class would reach; None where the classes are not known."""
        name = output or self.main_output
        counts = self.data.class_counts.get(name or "", {}).get(split, ())
        if sum(counts):
            return max(counts) / sum(counts)
        classes = self.data.classes.get(name or "", ())
        return 1 / len(classes) if classes else None

    def entropy(self, output: str) -> float | None:
        """Return the loss of answers that know how frequent the classes of val are, and nothing else."""
        counts = np.array(self.data.class_counts.get(output, {}).get("val", ()), np.float64)
        shares = counts[counts > 0] / max(1.0, counts.sum())
        return float(-(shares * np.log(shares)).sum()) or None

    @property
    def chance_loss(self) -> float | None:
        """The loss of answers that know nothing but the number of classes, over all outputs."""
        counts = [len(classes) for classes in self.data.classes.values()]
        return sum(math.log(count) for count in counts if count) or None

    @property
    def epochs_done(self) -> int:
        return int(self.metrics["epoch"].max() or 0)  # type: ignore[arg-type]

    @property
    def rate(self) -> float:
        return self.config.training.learning_rate

    def looks(self) -> list[pl.DataFrame]:
        """Return the rows of each look at the layers, in their order."""
        parts = self.probes.sort("epoch", "position").partition_by("epoch", maintain_order=True)
        return [part for part in parts if not part.is_empty()]


def kernels(look: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of layers that weigh their inputs, without those that only scale them."""
    return look.filter((pl.col("num_weights") > 0) & ~pl.col("kind").str.ends_with("Normalization"))


def finite(values: Any) -> NDArray[np.float64]:
    """Return the finite ones of a column or list as numbers."""
    array = np.array([math.nan if value is None else value for value in values], np.float64)
    return array[np.isfinite(array)]


def number(value: float) -> str:
    """Return a number as sentences say it: three digits."""
    if not math.isfinite(value):
        return "not a number"
    return f"{value:.3g}" if abs(value) < 1e4 else f"{value:.1e}"


def share(value: float) -> str:
    """Return a share in percent, small ones with two digits."""
    percent = 100 * value
    return f"{percent:.0f} %" if percent >= 9.95 or not percent else f"{percent:.2g} %"
