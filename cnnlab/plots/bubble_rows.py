"""What a bubble shows of one run or of one group, and why a run has none."""

from collections.abc import Mapping
from typing import Any, Literal

import polars as pl

from cnnlab.analysis.groups import is_known
from cnnlab.analysis.intervals import wilson

Cost = Literal["num_params", "macs"]

COST_MISSING = {"num_params": "parameters are not known", "macs": "operations were not counted"}

SCHEMA = {
    "index": pl.Int64,
    "key": pl.String,
    "label": pl.String,
    "architecture": pl.String,
    "num_params": pl.Int64,
    "macs": pl.Int64,
    "accuracy": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "interval": pl.String,
    "n_images": pl.Int64,
    "n_runs": pl.Int64,
    "val_accuracy": pl.Float64,
}


def drawn_name(*, is_grouped: bool) -> pl.Expr:
    """Return what a point is called in charts: of a group with how many runs stand behind its mean."""
    return pl.format("{}, n = {}", "label", "n_runs") if is_grouped else pl.col("label")


def missing_accuracy(row: Mapping[str, Any]) -> str:
    """Return why a run has no accuracy, or an empty string."""
    if is_known(row["test_accuracy"]):
        return ""
    if row["test_accuracy"] is not None:
        return "its test accuracy is not a number"
    return f"no test accuracy, {row['state']}" if row.get("state") else "no test accuracy"


def run_row(row: Mapping[str, Any], called: Mapping[str, str]) -> dict[str, Any]:
    """Return the columns of `SCHEMA` but the index for one run of the summaries."""
    low, high = _wilson_of(row)
    return {
        "key": row["run_id"],
        "label": called[row["run_id"]],
        "architecture": row["architecture"] or "unknown",
        "num_params": row["num_params"],
        "macs": row["macs"],
        "accuracy": row["test_accuracy"] if is_known(row["test_accuracy"]) else None,
        "low": low,
        "high": high,
        "interval": None if low is None else "wilson",
        "n_images": row["test_n"],
        "n_runs": 1,
        "val_accuracy": row.get("val_accuracy") if is_known(row.get("val_accuracy")) else None,
    }


def group_row(
    group: Mapping[str, Any], by_run: Mapping[str, Mapping[str, Any]], titles: Mapping[str, str]
) -> dict[str, Any]:
    """Return the same for a row of `summarise`; a group of one known run keeps that run's Wilson interval."""
    known = [run_id for run_id in group["members"] if run_id not in group["missing"]]
    first = by_run[(known or group["members"])[0]]
    row = run_row(first, {first["run_id"]: titles[group["group_id"]]})
    row.update(key=group["group_id"], num_params=group["num_params"], macs=group["macs"], n_runs=group["n"])
    row["accuracy"] = group["mean"]
    row["val_accuracy"] = _mean_of([by_run[run_id].get("val_accuracy") for run_id in known])
    if group["n"] > 1:
        row.update(low=group["low"], high=group["high"], interval="student")
    return row


def _mean_of(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None and is_known(value)]
    return sum(known) / len(known) if known and len(known) == len(values) else None


def _wilson_of(row: Mapping[str, Any]) -> tuple[float | None, float | None]:
    correct, n = row["test_correct"], row["test_n"]
    return (None, None) if correct is None or not n else wilson(correct, n)


def basis(row: Mapping[str, Any]) -> str:
    """Return what the interval of a row stands on."""
    if row["interval"] == "student":
        return f"mean of n = {row['n_runs']} runs, Student's t"
    return f"n = {row['n_images']:,} images, Wilson" if row["interval"] else "no interval: n is not known"
