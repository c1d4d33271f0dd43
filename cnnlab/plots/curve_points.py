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

Horizontal = Literal["epoch", "elapsed_s", "step"]
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """One line: a run, or the mean of a group, on one split. NaN is a gap."""

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


def metric_rows(
    metrics: pl.DataFrame, metric: str, output: str | None, splits: Sequence[str], wanted: list[str]
) -> pl.DataFrame:
    """Return one output's rows per run; null becomes NaN, both are gaps."""
    rows = metrics.filter(
        (pl.col("metric") == metric) & pl.col("split").is_in(list(splits)) & pl.col("run_id").is_in(wanted)
    )
    if output is not None:
        rows = rows.filter(pl.col("output") == output)
    else:
        first = pl.col("output").first().over("run_id")
        has_all = (pl.col("output") == "").any().over("run_id")
        rows = rows.filter(pl.col("output") == pl.when(has_all).then(pl.lit("")).otherwise(first))
    return rows.with_columns(pl.col("value").fill_null(math.nan))


def run_points(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with the columns of `group_points`, each run being its own key."""
    missing = pl.lit(math.nan)
    return rows.with_columns(key=pl.col("run_id"), mean=pl.col("value"), low=missing, high=missing, n=pl.lit(1))


def group_points(rows: pl.DataFrame, key_of: Mapping[str, str]) -> pl.DataFrame:
    """Return mean, interval and n of each epoch's last values; a NaN lowers n and nothing else."""
    ends = (
        rows.sort("epoch", "step")
        .group_by("run_id", "split", "epoch", maintain_order=True)
        .last()
        .with_columns(key=pl.col("run_id").replace_strict(key_of, return_dtype=pl.String))
    )
    value = pl.col("value").fill_nan(None)
    means = ends.group_by("key", "split", "epoch").agg(
        mean=value.mean(),
        deviation=value.std(ddof=1),
        n=value.count(),
        step=pl.col("step").mean(),
        elapsed_s=pl.col("elapsed_s").mean(),
    )
    quantiles = {n: student_quantile(n) for n in means["n"].unique()}
    half = pl.col("n").replace_strict(quantiles, return_dtype=pl.Float64) * pl.col("deviation") / pl.col("n").sqrt()
    return means.with_columns(low=pl.col("mean") - half, high=pl.col("mean") + half)


def curve_of(
    part: pl.DataFrame, *, index: int, key: str, label: str, split: str, x: Horizontal, smoothing: float
) -> Curve:
    """Return one line from its points, in order of time."""
    part = part.sort("epoch", "step")

    def column(name: str) -> Numbers:
        return part[name].cast(pl.Float64).to_numpy()

    y = column("mean")
    return Curve(
        index=index,
        key=key,
        label=label,
        split=split,
        x=column(x),
        y=y,
        smooth=smoothed(y, smoothing),
        low=column("low"),
        high=column("high"),
        n=part["n"].cast(pl.Int64).to_numpy(),
    )
