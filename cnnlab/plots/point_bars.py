"""Horizontal bars with intervals, one per point: what the charts of accuracy and of density share."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
import polars as pl

from cnnlab.plots.labels import escaped, unique_labels
from cnnlab.plots.palette import NEUTRAL, colour_of, with_alpha
from cnnlab.plots.template import new_figure

# More bars than that would be a page of their own; the table has them all.
MOST_BARS = 30
BAR_PX = 24


def add_point_bars(
    table: pl.DataFrame,
    value: str,
    title: str,
    text: Callable[[float], str],
    hover: Callable[[Mapping[str, Any]], str],
    architectures: Sequence[str],
) -> go.Figure:
    """Return bars from zero in the order of `table`, coloured by architecture, each with its number.

    Args:
        table: Columns index, title, architecture, `value`, `low` and `high` (null where there is no interval).
        value: The column that is drawn.
        title: Of its axis, with unit.
        text: The number at a bar's end.
        hover: All numbers of a row.
        architectures: Of the whole page, so that colours are the same on each chart.
    """
    figure = new_figure(x_title=title, y_title="", height_px=max(220, 110 + BAR_PX * table.height))
    labels = unique_labels(table["title"])
    values, high = table[value].to_numpy(), table["high"].fill_null(math.nan).to_numpy()
    colours = colour_of(architectures)
    fills = [colours[name] for name in table["architecture"]]
    figure.add_bar(
        y=labels,
        x=values,
        orientation="h",
        marker={"color": [with_alpha(colour, 0.55) for colour in fills], "line": {"color": fills, "width": 1}},
        customdata=table["index"].to_numpy().astype(np.int32),
        hovertext=[hover(row) for row in table.iter_rows(named=True)],
        hovertemplate="%{hovertext}<extra></extra>",
        error_x={
            "type": "data",
            "symmetric": False,
            "array": high - values,
            "arrayminus": values - table["low"].fill_null(math.nan).to_numpy(),
            "thickness": 1.5,
            "width": 3,
            "color": NEUTRAL,
        },
        showlegend=False,
        cliponaxis=False,
    )
    # Behind the interval's end, where plotly's own texts would lie on it.
    ends = np.nanmax(np.stack([values, high]), axis=0)
    figure.add_scatter(
        y=labels,
        x=ends,
        mode="text",
        text=[f"  {escaped(text(number))}" for number in values],
        textposition="middle right",
        hoverinfo="skip",
        showlegend=False,
        cliponaxis=False,
    )
    figure.update_layout(clickmode="event+select", bargap=0.3, hovermode="closest")
    figure.update_xaxes(range=[0, 1.18 * float(ends.max())])
    # Given outright: around texts plotly would leave room for more bars.
    figure.update_yaxes(range=[table.height - 0.4, -0.6], type="category", showgrid=False)
    return figure
