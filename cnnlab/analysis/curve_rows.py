"""What curves are drawn of, as rows of one kind: epochs, single steps, looks at the layers, and what was spent by then.

All rows have the columns of the store's metrics; of single steps the epoch has a fraction.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from cnnlab.runs.schema import METRICS, polars_schema

# A forward pass is one, a backward pass counts as two.
# Source: Amodei and Hernandez 2018, "AI and compute", appendix, openai.com/index/ai-and-compute.
PASSES = 3
MEASURED = ("loss", "accuracy", "learning_rate")
ROWS = {**polars_schema(METRICS), "epoch": pl.Float64()}


@dataclass(frozen=True)
class Spent:
    """What a step of a run takes.

    Attributes:
        batch_size: Images of a step; None where not known.
        macs: Of one image, forward; None where not known.
        reason: Why its operations are not known.
    """

    batch_size: int | None = None
    macs: int | None = None
    reason: str = "its operations are not known"


def epoch_rows(metrics: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of the store's metrics as `ROWS`, with the metric `error` beside each accuracy."""
    rows = metrics.cast({"epoch": pl.Float64})
    errors = rows.filter(pl.col("metric") == "accuracy")
    return pl.concat([rows, errors.with_columns(metric=pl.lit("error"), value=1 - pl.col("value"))])


def placed_steps(steps: pl.DataFrame) -> pl.DataFrame:
    """Return the store's steps with the part of the epoch and the time at which each was done.

    Steps that were written together have one time: those between are spread evenly.
    """
    first, last = pl.col("step").min().over("run_id", "epoch"), pl.col("step").max().over("run_id", "epoch")
    length = (last - first + 1).max().over("run_id")  # the last epoch of a live run is not whole
    return steps.with_columns(
        epoch=pl.col("epoch") - 1 + (pl.col("step") - first + 1) / length,
        elapsed_s=_spread(pl.col("elapsed_s")).over("run_id", "output", order_by="step"),
    )


def step_rows(steps: pl.DataFrame, metric: str) -> pl.DataFrame:
    """Return one metric of single steps as `ROWS` of the split `train`.

    Args:
        steps: From `placed_steps`.
        metric: `loss`, `accuracy`, `error` or `learning_rate`; of others there are no rows.
    """
    value = {"error": 1 - pl.col("accuracy")}.get(metric, pl.col(metric) if metric in MEASURED else None)
    if value is None:
        return pl.DataFrame(schema=ROWS)
    rows = steps.filter(pl.col("accuracy").is_not_null()) if metric in ("accuracy", "error") else steps
    if metric == "learning_rate":  # one per step, whatever the outputs
        rows = rows.filter(pl.col("output") == pl.col("output").first().over("run_id"))
        rows = rows.with_columns(output=pl.lit(""))
    rows = rows.with_columns(split=pl.lit("train"), metric=pl.lit(metric), value=value)
    return rows.select(*ROWS).cast(ROWS)  # type: ignore[arg-type]


def _spread(times: pl.Expr) -> pl.Expr:
    """Return times of which only the last of equal neighbours is right, the others evenly between; the first from 0."""
    is_last = times != times.shift(-1)
    known = pl.when(is_last | is_last.is_null()).then(times)
    # A step before the first, at 0 s, makes the first ones rise too.
    return pl.concat([pl.lit(0.0).cast(pl.Float64).head(1), known]).interpolate().slice(1)


def gradient_rows(probes: pl.DataFrame, metrics: pl.DataFrame) -> pl.DataFrame:
    """Return the norm of the gradient of all layers together (L2), at each look, as `ROWS` with metric `gradient_norm`.

    Args:
        probes: Columns of the store's probes; frozen layers have no gradient.
        metrics: Of the same runs, for the times of the epochs.
    """
    norm = pl.col("gradient_norm")
    looks = probes.drop_nulls("gradient_norm").group_by("run_id", "epoch", "step", maintain_order=True)
    totals = looks.agg(value=(norm * norm).sum().sqrt())
    times = metrics.group_by("run_id", "epoch").agg(elapsed_s=pl.col("elapsed_s").max())
    rows = totals.join(times, on=["run_id", "epoch"], how="left", maintain_order="left")
    return rows.select(
        "run_id",
        "epoch",
        "step",
        split=pl.lit("train"),
        output=pl.lit(""),
        metric=pl.lit("gradient_norm"),
        value="value",
        elapsed_s="elapsed_s",
    ).cast(ROWS)  # type: ignore[arg-type]


def with_spent(rows: pl.DataFrame, spent: Mapping[str, Spent]) -> pl.DataFrame:
    """Return rows with `images`, seen in training by then, and `operations`; null where not known.

    A step takes a batch of images; operations are multiply-accumulates of one image x images x `PASSES`. Layers that
    stay frozen count as others do, and validation counts for nothing.
    """
    batches = {run_id: one.batch_size for run_id, one in spent.items()}
    macs = {run_id: one.macs for run_id, one in spent.items()}
    run = pl.col("run_id")
    images = pl.col("step") * run.replace_strict(batches, default=None, return_dtype=pl.Float64)
    rows = rows.with_columns(images=images)
    per_image = run.replace_strict(macs, default=None, return_dtype=pl.Float64) * PASSES
    return rows.with_columns(operations=pl.col("images") * per_image)
