"""Where each metric of a run ended, and between which values it moved."""

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class MetricEnd:
    """One metric of one split and output; `n` numbers were kept, NaN among them. Values are null without a number."""

    split: str
    output: str
    metric: str
    n: int
    last: float | None
    low: float | None
    high: float | None


def metric_ends(metrics: pl.DataFrame) -> list[MetricEnd]:
    """Return one row per metric, split and output, in the order in which they come first.

    Args:
        metrics: Columns of `schema.METRICS`, of one run in the order of measuring.
    """
    value = pl.col("value")
    known = value.fill_nan(None).drop_nulls()
    rows = metrics.group_by("metric", "output", "split", maintain_order=True).agg(
        n=value.drop_nulls().len(), last=value.drop_nulls().last(), low=known.min(), high=known.max()
    )
    return [MetricEnd(**row) for row in rows.iter_rows(named=True)]
