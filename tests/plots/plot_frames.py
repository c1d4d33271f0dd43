"""Small frames in the columns of the store, made by hand."""

import math
from typing import Any

import plotly.graph_objects as go
import polars as pl

METRICS = {
    "run_id": pl.String,
    "epoch": pl.Int32,
    "step": pl.Int64,
    "split": pl.String,
    "output": pl.String,
    "metric": pl.String,
    "value": pl.Float64,
    "elapsed_s": pl.Float64,
}


def metrics(values: dict[str, list[float | None]], metric: str = "loss", output: str = "", split: str = "val"):
    """One row per run and epoch; 10 steps and 2 s an epoch."""
    rows = [
        (run_id, epoch, epoch * 10, split, output, metric, value, epoch * 2.0)
        for run_id, line in values.items()
        for epoch, value in enumerate(line, 1)
    ]
    return pl.DataFrame(rows, schema=METRICS, orient="row")


def summaries(*runs: dict[str, Any]) -> pl.DataFrame:
    """One row per run; what is not given is as below."""
    usual = {
        "name": "",
        "state": "completed",
        "architecture": "lenet5",
        "dataset": "digits",
        "group_id": None,
        "num_params": 60_000,
        "macs": 400_000,
        "test_accuracy": 0.9,
        "test_correct": 324,
        "test_n": 360,
    }
    rows = [{"run_id": f"run{place}", **usual, **run} for place, run in enumerate(runs)]
    schema: dict[str, Any] = {
        "num_params": pl.Int64,
        "macs": pl.Int64,
        "test_accuracy": pl.Float64,
        "test_correct": pl.Int64,
    }
    text: dict[str, Any] = {"run_id": pl.String, "name": pl.String, "group_id": pl.String, "architecture": pl.String}
    return pl.DataFrame(rows, schema_overrides=schema | text, infer_schema_length=None)


def named(figure: go.Figure, text: str) -> list[Any]:
    """The traces whose name is `text`."""
    return [trace for trace in figure.data if trace.name == text]


def cell_texts(figure: go.Figure) -> list[list[str]]:
    """What stands in the cells of a table of colours, in whichever ink."""
    inks = [trace.text for trace in figure.data if trace.type == "heatmap"]
    return [["".join(texts) for texts in zip(*rows, strict=True)] for rows in zip(*inks, strict=True)]


NAN = math.nan
