"""A square of classes against classes that can be read and clicked from 2 to 1,000 of them.

Its axes count places, and plotly writes class names in place of the numbers (`labelalias`): so names thin out and
come back as one zooms, and every point is a few integers. On top of the coloured cells lie points, invisible and as
large as the cells, because Streamlit hears of clicks on points alone. Where cells would be smaller than two pixels
the points themselves are drawn, those that are not zero: a browser leaves most such cells out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from cnnlab.plots.inked_cells import add_inked_cells
from cnnlab.plots.palette import CATEGORICAL, NEUTRAL
from cnnlab.plots.template import new_figure

# Up to that many classes the number stands in its cell; beyond, it is in the hover text.
ANNOTATED_CLASSES = 20
# Up to that many every class has its name beside it, and every cell can be pointed at.
NAMED_CLASSES = 40
# Beyond that cells are smaller than two pixels, and are drawn as points.
CELL_CLASSES = 250
DOT_PX = 4
CHOSEN = CATEGORICAL[3]


@dataclass(frozen=True)
class Square:
    """What stands in the cells, and how it is drawn.

    Attributes:
        values: `(n, n)` what is coloured; NaN is blank.
        counts: `(n, n)` whole numbers; cells where they are zero cannot be clicked among many classes.
        text: What is written into a cell.
        hover: After the names of the classes; `customdata` is cell, count, value.
    """

    values: NDArray[Any]
    counts: NDArray[np.int64]
    low: float
    high: float
    colours: Sequence[tuple[float, str]]
    title: str
    tick_format: str
    text: Callable[[float], str]
    hover: str


def square_figure(
    labels: Sequence[str],
    order: NDArray[np.int64] | None,
    chosen: tuple[int, int] | None = None,
    *,
    x_title: str,
    y_title: str,
    height_px: int,
) -> go.Figure:
    """Return an empty square with the classes on both sides.

    Args:
        labels: Of the classes by their numbers, fit for a figure.
        order: The numbers of the classes from left to right and top to bottom.
        chosen: Row and column, as numbers of classes, of a cell to be marked.
    """
    n = len(labels)
    order = np.arange(n) if order is None else order
    figure = new_figure(x_title=x_title, y_title=y_title, height_px=height_px)
    names = {str(place): labels[number] for place, number in enumerate(order)}
    # Between two classes there is nothing to name.
    names |= {f"{place}.5": " " for place in range(-1, n)} | {"−0.5": " "}
    axis: dict[str, Any] = {
        "constrain": "domain",
        "showgrid": False,
        "labelalias": names,
        "range": [-0.5, n - 0.5],
        "minallowed": -0.5,
        "maxallowed": n - 0.5,
    }
    if n <= NAMED_CLASSES:
        axis |= {"tickmode": "linear", "tick0": 0, "dtick": 1}
    if n > ANNOTATED_CLASSES:
        axis["tickfont"] = {"size": 9}
    figure.update_xaxes(**axis, side="bottom")
    figure.update_yaxes(**{**axis, "range": [n - 0.5, -0.5]}, scaleanchor="x", scaleratio=1)
    if chosen is not None:
        _mark(figure, order, chosen)
    figure.update_layout(hovermode="closest", hoverdistance=max(2, round(230 / n)))
    return figure


def _mark(figure: go.Figure, order: NDArray[np.int64], chosen: tuple[int, int]) -> None:
    row, column = (int(np.flatnonzero(order == number)[0]) for number in chosen)
    figure.add_shape(
        type="rect", x0=column - 0.5, x1=column + 0.5, y0=row - 0.5, y1=row + 0.5,
        line={"color": CHOSEN, "width": 2},
    )  # fmt: skip


def add_cells(figure: go.Figure, square: Square, order: NDArray[np.int64] | None) -> None:
    """Draw the cells, and the points that hear of clicks."""
    n = len(square.values)
    order = np.arange(n) if order is None else order
    values, counts = (array[np.ix_(order, order)] for array in (square.values, square.counts))
    if n <= CELL_CLASSES:
        _add_heatmap(figure, square, values)
    rows, columns = np.nonzero(np.ones_like(counts) if n <= NAMED_CLASSES else counts)
    if n > CELL_CLASSES:  # the strongest on top
        strongest = np.argsort(np.abs(np.nan_to_num(values[rows, columns])), kind="stable")
        rows, columns = rows[strongest], columns[strongest]
    cells = order[rows] * n + order[columns]
    customdata: NDArray[Any] = np.column_stack([cells, counts[rows, columns]])
    if "customdata[2]" in square.hover:
        customdata = np.column_stack([customdata, np.nan_to_num(values[rows, columns])]).astype(np.float32)
        if n * n > 2**24:  # the largest whole number that float32 holds for sure
            customdata = customdata.astype(np.float64)
    add_points = figure.add_scatter if n <= NAMED_CLASSES else figure.add_scattergl
    add_points(
        x=columns.astype(np.int16),
        y=rows.astype(np.int16),
        customdata=customdata if customdata.dtype.kind == "f" else customdata.astype(np.int32),
        mode="markers",
        marker=_dots(square, values[rows, columns]) if n > CELL_CLASSES else _invisible(n),
        selected={"marker": {"opacity": 1 if n > CELL_CLASSES else 0}},
        unselected={"marker": {"opacity": 1 if n > CELL_CLASSES else 0}},
        hovertemplate=f"true %{{y}}<br>predicted %{{x}}<br>{square.hover}<extra></extra>",
        showlegend=False,
    )


def _add_heatmap(figure: go.Figure, square: Square, values: NDArray[Any]) -> None:
    n = len(values)
    gap = 1 if n <= NAMED_CLASSES else 0
    look: dict[str, Any] = {"xgap": gap, "ygap": gap, "colorbar": _colour_bar(square), "hoverinfo": "skip"}
    if n > ANNOTATED_CLASSES:
        ends = {"zmin": square.low, "zmax": square.high}
        figure.add_heatmap(z=small(values), colorscale=square.colours, showscale=True, **ends, **look)
        return
    texts = [[square.text(value) for value in row] for row in values.tolist()]
    # Numbers in the cells say more than a bar of colours, which takes their room.
    add_inked_cells(
        figure, values, texts, scale=square.colours, low=square.low, high=square.high, sent=small(values),
        textfont={"size": 12 if n <= 12 else 9}, showscale=False, **look,
    )  # fmt: skip


def _invisible(n: int) -> dict[str, Any]:
    # Never wider than a cell on a telephone, so that two do not lie over each other; what is nearest is taken.
    return {"symbol": "square", "size": max(3, round(240 / n)), "opacity": 0, "color": NEUTRAL}


def _dots(square: Square, values: NDArray[Any]) -> dict[str, Any]:
    return {
        "symbol": "square",
        "size": DOT_PX,
        "color": small(values),
        "cmin": square.low,
        "cmax": square.high,
        "colorscale": square.colours if square.low < 0 else _without_empty(square.colours),
        "showscale": True,
        "colorbar": _colour_bar(square),
    }


def _colour_bar(square: Square) -> dict[str, Any]:
    return {
        "title": {"text": square.title, "side": "right"},
        "tickformat": square.tick_format,
        "thickness": 10,
        "outlinewidth": 0,
    }


def _without_empty(colours: Sequence[tuple[float, str]]) -> list[tuple[float, str]]:
    """Leave out the end of a scale that is the page's own colour: a point of it would not be seen."""
    first = colours[2][0]
    return [((place - first) / (1 - first), colour) for place, colour in colours[2:]]


def small(values: NDArray[Any]) -> NDArray[Any]:
    """Return whole numbers in the fewest bytes that hold them, and others as float32: a figure travels as text."""
    if values.dtype.kind == "f":
        return values.astype(np.float32)
    if not values.size:
        return values
    low, high = int(values.min()), int(values.max())
    kinds = (np.uint8, np.uint16, np.int32) if low >= 0 else (np.int8, np.int16, np.int32)
    return values.astype(next(kind for kind in kinds if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max))
