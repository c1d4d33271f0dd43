"""Top-1 accuracy by architecture, as bars with intervals.

Source: Canziani, Paszke and Culurciello 2016, arXiv:1605.07678, figure 1. Differs from the paper: intervals.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go
import polars as pl

from cnnlab.plots.bubble_rows import basis, drawn_name
from cnnlab.plots.bubbles import hover
from cnnlab.plots.labels import listed_with_reasons, plural
from cnnlab.plots.point_bars import MOST_BARS, add_point_bars
from cnnlab.plots.points import Points
from cnnlab.plots.template import empty_figure


@dataclass(frozen=True)
class Top1BarsInfo:
    """`table`: the rows that are drawn, best first, with `of`: how many points of the architecture there are.

    `chosen_by` says by what the one of each architecture was chosen; empty where all are drawn.
    """

    table: pl.DataFrame
    points: Points
    chosen_by: str

    @property
    def is_empty(self) -> bool:
        return self.table.is_empty()


def top1_bars_info(points: Points, *, is_one_each: bool = False) -> Top1BarsInfo:
    """Return the bars, from the highest top-1 down.

    Args:
        points: Runs, groups or published networks.
        is_one_each: One bar per architecture: the point with the highest validation accuracy, because what is
            chosen by its test accuracy looks better than it is. Where none is known it is the test accuracy.
    """
    table = points.table.with_columns(of=pl.len().over("architecture"))
    chosen_by = ""
    if is_one_each:
        is_validated = table.height > 0 and table["val_accuracy"].null_count() == 0
        chosen_by = "validation accuracy" if is_validated else f"top-1 on {points.tested_on}"
        ranked = table.sort("val_accuracy" if is_validated else "accuracy", descending=True, maintain_order=True)
        table = ranked.unique("architecture", keep="first", maintain_order=True)
    return Top1BarsInfo(table.sort("accuracy", descending=True, maintain_order=True), points, chosen_by)


def top1_bars(info: Top1BarsInfo, *, architectures: Sequence[str] | None = None) -> go.Figure:
    """Draw the highest accuracies as bars from zero."""
    if info.is_empty:
        return empty_figure(f"No bar to draw: it takes a {info.points.noun} with a test accuracy.")
    table = info.table.head(MOST_BARS)
    figure = add_point_bars(
        table.with_columns(title=_titles(info, table) if info.chosen_by else _name(info)),
        "accuracy",
        f"Top-1 on {info.points.tested_on} (%)",
        lambda value: f"{100 * value:.1f} %",
        hover,
        architectures or sorted(set(info.points.table["architecture"])),
    )
    ticks = [share / 100 for share in range(0, 101, 20)]
    figure.update_xaxes(tickvals=ticks, ticktext=[f"{tick:.0%}" for tick in ticks])
    return figure


def top1_bars_summary(info: Top1BarsInfo) -> str:
    """Return one sentence: n, how the bars were chosen, the highest, the lowest, and which runs have none."""
    hidden = listed_with_reasons(info.points.not_shown, info.points.names)
    if info.is_empty:
        return f"No {info.points.noun} has a test accuracy{f': {hidden}' if hidden else ''}."
    first, last = info.table.row(0, named=True), info.table.row(-1, named=True)
    text = f"Top-1 accuracy on {info.points.tested_on}, {plural(info.table.height, 'bar')}"
    if info.chosen_by:
        text += f", of each architecture the one with the highest {info.chosen_by}"
    text += f": highest {first['label']} with {100 * first['accuracy']:.2f} % ({basis(first)})"
    if info.table.height > 1:
        text += f", lowest {last['label']} with {100 * last['accuracy']:.2f} %"
    if (more := info.table.height - MOST_BARS) > 0:
        text += f"; the {more} lowest are in the table only"
    return text + (f"; not shown: {hidden}." if hidden else ".")


def _name(info: Top1BarsInfo) -> pl.Expr:
    return drawn_name(is_grouped=info.points.is_grouped)


def _titles(info: Top1BarsInfo, table: pl.DataFrame) -> pl.Series:
    texts = [
        f"{row['architecture']} (best of {row['of']})" if row["of"] > 1 else row["architecture"]
        for row in table.iter_rows(named=True)
    ]
    return table.with_columns(label=pl.Series(texts, dtype=pl.String)).select(title=_name(info))["title"]
