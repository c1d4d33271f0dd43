"""The points of learning curves, from the long table of metrics: one line per run, or one per group."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cnnlab.analysis.intervals import student_quantile
from cnnlab.analysis.smoothing import smoothed
from cnnlab.plots.labels import with_n

Horizontal = Literal["epoch", "step", "elapsed_s", "images", "operations"]
Numbers = NDArray[np.float64]
MISSING = pl.lit(math.nan)


@dataclass(frozen=True)
class Curve:
    """One line: a run, or the mean of a group, on one split. NaN is a gap.

    `low` and `high` are the interval around `smooth`, which is `y` where nothing is smoothed; `n` is of how many runs
    each point is the mean.
    """

    index: int
    key: str
    label: str
    split: str
    x: Numbers
    y: Numbers
    smooth: Numbers
    low: Numbers
    high: Numbers
    n: NDArray[np.int64]
    is_mean: bool = False

    @property
    def title(self) -> str:
        """What legends and sentences call it: of a group with its n, that of the point most runs are in."""
        return with_n(self.label, int(self.n.max(initial=0))) if self.is_mean else self.label


def metric_rows(
    metrics: pl.DataFrame, metric: str, output: str | None, splits: Sequence[str], wanted: list[str]
) -> pl.DataFrame:
    """Return one output's rows per run; null and infinity become NaN, all are gaps."""
    rows = metrics.filter(
        (pl.col("metric") == metric) & pl.col("split").is_in(list(splits)) & pl.col("run_id").is_in(wanted)
    )
    if output is not None:
        rows = rows.filter(pl.col("output") == output)
    else:
        first = pl.col("output").first().over("run_id")
        has_all = (pl.col("output") == "").any().over("run_id")
        rows = rows.filter(pl.col("output") == pl.when(has_all).then(pl.lit("")).otherwise(first))
    finite = pl.when(pl.col("value").is_finite()).then("value").otherwise(MISSING)
    return rows.with_columns(value=finite)


def run_points(
    rows: pl.DataFrame, smoothing: float, *, is_by_step: bool = False
) -> dict[tuple[str, str], pl.DataFrame]:
    """Return the points of each run and split in order of time, with `mean` and `smooth`.

    Their `smooth` is the exponential mean of all points so far; each run is its own key. By steps, a point as far from
    the last as an epoch's is smoothed by as much as so many steps are.
    """
    parts = rows.partition_by("run_id", "split", as_dict=True, maintain_order=True)
    return {(str(run_id), str(split)): _points(part, smoothing, is_by_step) for (run_id, split), part in parts.items()}


def _points(part: pl.DataFrame, smoothing: float, is_by_step: bool) -> pl.DataFrame:
    # To sort 400,000 steps takes longer than to see that they are in order, as they mostly are.
    if (np.diff(part["step"].to_numpy()) < 0).any():
        part = part.sort("epoch", "step", maintain_order=True)
    if is_by_step and part.height > 1:
        smoothing **= max(1.0, float(np.median(np.diff(part["step"].to_numpy()))))
    smooth = smoothed(part["value"].to_numpy(), smoothing)
    return part.with_columns(mean=pl.col("value"), smooth=smooth)


def group_points(
    rows: pl.DataFrame, key_of: Mapping[str, str], x: Horizontal, *, is_by_step: bool = False
) -> dict[tuple[str, str], pl.DataFrame]:
    """Return mean, interval and n of each epoch's last values, or of each step's; a NaN lowers n and nothing else.

    Args:
        rows: The points of all runs, from `run_points`.
        key_of: The group of each run.
        x: The column that is drawn to the right.

    Returns:
        The points by group and split. The interval is that of the smoothed lines: what the seeds differ in, without
        the noise of single points.
    """
    ends = rows if is_by_step else rows.group_by("run_id", "split", "epoch", maintain_order=True).last()
    ends = ends.with_columns(key=pl.col("run_id").replace_strict(key_of, return_dtype=pl.String))
    value, smooth = (pl.col(name).fill_nan(None) for name in ("value", "smooth"))
    by = "step" if is_by_step else "epoch"
    others = [pl.col(name).mean() for name in dict.fromkeys(("epoch", "step", x)) if name != by]
    means = ends.group_by("key", "split", by).agg(
        *others, mean=value.mean(), smooth=smooth.mean(), deviation=smooth.std(ddof=1), n=value.count()
    )
    quantiles = {n: student_quantile(n) for n in means["n"].unique()}
    half = pl.col("n").replace_strict(quantiles, return_dtype=pl.Float64) * pl.col("deviation") / pl.col("n").sqrt()
    means = means.with_columns(low=pl.col("smooth") - half, high=pl.col("smooth") + half).sort(by)
    parts = means.partition_by("key", "split", as_dict=True)
    return {(str(key), str(split)): part for (key, split), part in parts.items()}


def curve_of(part: pl.DataFrame, *, index: int, key: str, label: str, split: str, x: Horizontal) -> Curve:
    """Return one line from its points, which are in order of time."""

    def column(name: str) -> Numbers:
        return part[name].cast(pl.Float64).to_numpy()

    # A single run has no interval; of 20,000 steps two arrays of nothing would be a third of a megabyte.
    unknown = np.broadcast_to(np.nan, part.height)
    is_mean = "low" in part.columns
    return Curve(
        index=index,
        key=key,
        label=label,
        split=split,
        x=column(x),
        y=column("mean"),
        smooth=column("smooth"),
        low=column("low") if is_mean else unknown,
        high=column("high") if is_mean else unknown,
        n=part["n"].cast(pl.Int64).to_numpy() if is_mean else np.broadcast_to(np.int64(1), part.height),
        is_mean=is_mean,
    )
