"""Accuracy density: how much top-1 each million parameters brings.

Source: Canziani, Paszke and Culurciello 2016, arXiv:1605.07678, section on the parameters' information density.
It compares networks on one data set; small ones look best, also where their accuracy is of no use.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go
import polars as pl

from cnnlab.plots.bubble_rows import COST_MISSING, basis, drawn_name
from cnnlab.plots.bubbles import hover
from cnnlab.plots.labels import listed_with_reasons, plural
from cnnlab.plots.point_bars import MOST_BARS, add_point_bars
from cnnlab.plots.points import Points, without
from cnnlab.plots.template import empty_figure

UNIT = "% per million parameters"


@dataclass(frozen=True)
class DensityInfo:
    """`table`: the rows of the points with `density` and its `low` and `high` in `UNIT`, highest first."""

    table: pl.DataFrame
    points: Points

    @property
    def is_empty(self) -> bool:
        return self.table.is_empty()


def density_info(points: Points) -> DensityInfo:
    """Return top-1 in percent over parameters in millions; the interval is that of the accuracy, scaled likewise."""
    unknown = points.table.filter(pl.col("num_params").fill_null(0) <= 0)["index"]
    kept = without(points, dict.fromkeys(unknown, COST_MISSING["num_params"]))
    per_million = 100 / (pl.col("num_params") / 1e6)
    table = kept.table.with_columns(
        title=drawn_name(is_grouped=points.is_grouped),
        density=pl.col("accuracy") * per_million,
        accuracy_low=pl.col("low"),
        accuracy_high=pl.col("high"),
        low=pl.col("low") * per_million,
        high=pl.col("high") * per_million,
    )
    return DensityInfo(table.sort("density", descending=True, maintain_order=True), kept)


def density(info: DensityInfo, *, architectures: Sequence[str] | None = None) -> go.Figure:
    """Draw the highest densities as bars."""
    if info.is_empty:
        return empty_figure(f"No bar to draw: it takes a {info.points.noun} with a test accuracy and known parameters.")
    return add_point_bars(
        info.table.head(MOST_BARS),
        "density",
        f"Top-1 {UNIT}",
        _number,
        lambda row: (
            f"{hover({**row, 'low': row['accuracy_low'], 'high': row['accuracy_high']})}"
            f"<br>{_number(row['density'])} {UNIT}"
        ),
        architectures or sorted(set(info.points.table["architecture"])),
    )


def density_summary(info: DensityInfo) -> str:
    """Return one sentence: n, the highest and the lowest, how many are not drawn, and which have no density."""
    hidden = listed_with_reasons(info.points.not_shown, info.points.names)
    if info.is_empty:
        return f"No {info.points.noun} has both a test accuracy and known parameters{f': {hidden}' if hidden else ''}."
    first, last = info.table.row(0, named=True), info.table.row(-1, named=True)
    text = f"Top-1 accuracy on {info.points.tested_on} per million parameters, {plural(info.table.height, 'bar')}: "
    text += f"highest {first['label']} with {_number(first['density'])} {UNIT} ({basis(first)})"
    if info.table.height > 1:
        text += f", lowest {last['label']} with {_number(last['density'])}"
    if (more := info.table.height - MOST_BARS) > 0:
        text += f"; the {more} lowest are in the table only"
    return text + (f"; not shown: {hidden}." if hidden else ".")


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
