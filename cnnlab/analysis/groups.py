"""Runs that differ in their seed only, taken together: mean, Student's interval, number of runs, ties with the best."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import special  # not scipy.stats, whose import costs ten times as much

from cnnlab.analysis.intervals import student_share
from cnnlab.analysis.significance import holm

GROUP_SCHEMA: dict[str, type[pl.DataType] | pl.DataType] = {
    "group_id": pl.String,
    "name": pl.String,
    "dataset": pl.String,
    "architecture": pl.String,
    "num_params": pl.Int64,
    "macs": pl.Int64,
    "mean": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "error": pl.Float64,
    "n": pl.Int64,
    "members": pl.List(pl.String),
    "missing": pl.List(pl.String),
}
LEVEL = 0.05
BEST, TIED, BEHIND = "best", "tied with it", "behind"


def summarise(summaries: pl.DataFrame, value: str = "test_accuracy", confidence: float = 0.95) -> pl.DataFrame:
    """Return one row per group, in order of first appearance.

    Args:
        summaries: One row per run, with group_id, run_id and `value`. A run without a group is its own.
        value: The column that is averaged, a share in [0, 1].
        confidence: Of the interval.

    Returns:
        The columns of `GROUP_SCHEMA`: `n` runs have a number and make the mean, the interval and the standard
        error (null below two); `members` are all run ids, `missing` those whose number is null or NaN. Name, data
        set, architecture and costs are those of the first run that knows them.
    """
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in summaries.iter_rows(named=True):
        groups.setdefault(row.get("group_id") or row["run_id"], []).append(row)
    rows = [_group(group_id, members, value, confidence) for group_id, members in groups.items()]
    return pl.DataFrame(rows, schema=GROUP_SCHEMA, orient="row")


def against_best(groups: pl.DataFrame, by: Sequence[str]) -> pl.Series:
    """Return for each group whether it is `BEST`, `TIED` or `BEHIND` among those that share the columns `by`.

    By Welch's t on the accuracies alone, so that it costs nothing, with Holm's correction over the comparisons with
    the best. Null for a group of fewer than two tested runs, where alone in its class, and where no seed differs
    from another, which says nothing of chance.

    Args:
        groups: Columns mean, error and n, as `summarise` makes them, and those of `by`.
        by: What must be the same for two accuracies to answer one question, such as data set and version.
    """
    marks: list[str | None] = [None] * groups.height
    numbered = groups.with_row_index("place").filter((pl.col("n") > 1) & pl.col("error").is_not_null())
    for part in numbered.partition_by(list(by)):
        if part.height < 2:
            continue
        ordered = part.sort("mean", descending=True, maintain_order=True)
        p = holm(_welch_against_first(*(ordered[name].to_numpy() for name in ("mean", "error", "n"))).tolist())
        marks[ordered["place"][0]] = BEST
        for place, probability in zip(ordered["place"][1:], p, strict=True):
            if not math.isnan(probability):
                marks[place] = BEHIND if probability < LEVEL else TIED
    return pl.Series("against_best", marks, dtype=pl.String)


def _welch_against_first(
    means: NDArray[np.float64], errors: NDArray[np.float64], n: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the two-sided probabilities of all but the first against the first; NaN where nothing varies."""
    variance = errors**2
    both = variance[1:] + variance[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = both**2 / (variance[1:] ** 2 / (n[1:] - 1) + variance[0] ** 2 / (n[0] - 1))
        return np.asarray(2 * special.stdtr(freedom, -np.abs(means[1:] - means[0]) / np.sqrt(both)))


def is_known(value: float | None) -> bool:
    """Return whether a number is neither null nor NaN nor infinite."""
    return value is not None and math.isfinite(value)


def _group(group_id: str, rows: list[dict[str, Any]], value: str, confidence: float) -> dict[str, Any]:
    def first(column: str) -> Any:
        return next((row[column] for row in rows if row.get(column) is not None), None)

    known = [row for row in rows if is_known(row[value])]
    values = [row[value] for row in known]
    mean, low, high = student_share(values, confidence)
    error = float(np.std(values, ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else math.nan
    return {
        "group_id": group_id,
        **{column: first(column) for column in ("name", "dataset", "architecture", "num_params", "macs")},
        "mean": _or_null(mean),
        "low": _or_null(low),
        "high": _or_null(high),
        "error": _or_null(error),
        "n": len(known),
        "members": [row["run_id"] for row in rows],
        "missing": [row["run_id"] for row in rows if not is_known(row[value])],
    }


def _or_null(value: float) -> float | None:
    return None if math.isnan(value) else value
