"""Runs that differ in their seed only, taken together: mean, Student's interval, number of runs."""

import math
from typing import Any

import polars as pl

from cnnlab.analysis.intervals import student

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
    "n": pl.Int64,
    "members": pl.List(pl.String),
    "missing": pl.List(pl.String),
}


def summarise(summaries: pl.DataFrame, value: str = "test_accuracy", confidence: float = 0.95) -> pl.DataFrame:
    """Return one row per group, in order of first appearance.

    Args:
        summaries: One row per run, with group_id, run_id and `value`. A run without a group is its own.
        value: The column that is averaged.
        confidence: Of the interval.

    Returns:
        The columns of `GROUP_SCHEMA`: `n` runs have a number and make the mean and the interval (null
        below two); `members` are all run ids, `missing` those whose number is null or NaN. Name, data
        set, architecture and costs are those of the first run that knows them.
    """
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in summaries.iter_rows(named=True):
        groups.setdefault(row.get("group_id") or row["run_id"], []).append(row)
    rows = [_group(group_id, members, value, confidence) for group_id, members in groups.items()]
    return pl.DataFrame(rows, schema=GROUP_SCHEMA, orient="row")


def is_known(value: float | None) -> bool:
    """Return whether a number is neither null nor NaN nor infinite."""
    return value is not None and math.isfinite(value)


def _group(group_id: str, rows: list[dict[str, Any]], value: str, confidence: float) -> dict[str, Any]:
    def first(column: str) -> Any:
        return next((row[column] for row in rows if row.get(column) is not None), None)

    known = [row for row in rows if is_known(row[value])]
    mean, low, high = student([row[value] for row in known], confidence)
    return {
        "group_id": group_id,
        **{column: first(column) for column in ("name", "dataset", "architecture", "num_params", "macs")},
        "mean": _or_null(mean),
        "low": _or_null(low),
        "high": _or_null(high),
        "n": len(known),
        "members": [row["run_id"] for row in rows],
        "missing": [row["run_id"] for row in rows if not is_known(row[value])],
    }


def _or_null(value: float) -> float | None:
    return None if math.isnan(value) else value
