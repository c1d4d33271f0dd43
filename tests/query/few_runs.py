"""A few made-up runs as `queries.summaries` and `fields.fields` return them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from cnnlab.runs.schema import SUMMARY, polars_schema

BEGIN = datetime(2026, 11, 1, 12, 30, tzinfo=UTC)
# What is not said is null, or as a run has it that nobody wrote about.
RUNS: dict[str, dict[str, Any]] = {
    "a": {"architecture": "resnet", "test_accuracy": 0.95, "tags": ["baseline", "old"], "name": "Deep one",
          "epochs": 20, "depth": 20},
    "b": {"architecture": "resnet", "test_accuracy": 0.85, "optimizer": "sgd", "is_starred": True, "epochs": 10,
          "depth": 56},
    "c": {"architecture": "vgg", "test_accuracy": 0.90, "optimizer": "adam", "disk_bytes": 5_000_000, "train_s": 90.0,
          "depth": 16},
    "d": {"architecture": "lenet5", "state": "failed", "failure": "nan_loss", "is_archived": True, "notes": "Too fast"},
    "e": {"architecture": "vgg", "state": "running", "tags": ["base-2"], "test_accuracy": float("nan"), "depth": 19},
}  # fmt: skip
FIELDS: dict[str, list[Any]] = {
    "run_id": list(RUNS),
    "architecture.parameters.depth": [20, 56, 16, None, 19],
    "architecture.parameters.width": ["16", "[8, 16]", "0.5", None, None],
    "tricks.decay_all": [True, False, None, None, None],
    "training.momentum": [0.9, 0.9, None, 0.95, 0.5],
    "result.test.label.accuracy": [0.95, 0.85, 0.9, None, None],
    "result.kept_epoch": [3, 4, 5, None, None],
}


def few_runs() -> pl.DataFrame:
    """Return the runs, one made a day."""
    base = {"state": "completed", "tags": [], "is_starred": False, "is_archived": False}
    rows = [
        {"run_id": run_id, "name": f"run {run_id}", "created_at": BEGIN + timedelta(days=day), **base, **said}
        for day, (run_id, said) in enumerate(RUNS.items())
    ]
    return pl.DataFrame(rows, schema=polars_schema(SUMMARY), orient="row")


def few_fields() -> pl.DataFrame:
    """Return their settings and numbers."""
    return pl.DataFrame(FIELDS, strict=False)
