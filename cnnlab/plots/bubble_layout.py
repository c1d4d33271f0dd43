"""The axes of the bubble charts, and where the names of bubbles have room."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl

from cnnlab.plots.bubble_sizes import SIZE_STRIP, diameter_px, log_ticks, si
from cnnlab.plots.labels import shortened
from cnnlab.plots.placing import BAR_ENDS, Box, Mark, place_labels

Scale = Literal["log", "linear"]

# Names beside more points than that would be a thicket; hover names every point.
LABELLED_POINTS = 14
# What a page's column leaves for the plot on a phone, on half a screen and on a whole one.
WIDTHS_PX = (270.0, 520.0, 1150.0)
# Above and below the plot, for titles and the legend; as drawn, it is a little more or less.
MARGINS_PX = 130
# A point without an interval ends where it stands.
LOWEST = pl.min_horizontal("low", "accuracy")
HIGHEST = pl.max_horizontal("high", "accuracy")


@dataclass(frozen=True)
class Axes:
    """Ranges as plotly wants them: those of a logarithmic x as powers of ten."""

    scale: Scale
    x_range: tuple[float, float]
    y_range: tuple[float, float]

    @property
    def right_end(self) -> float:
        """Return the largest cost on the axis."""
        return float(10 ** self.x_range[1]) if self.scale == "log" else self.x_range[1]

    def shares(self, costs: np.ndarray) -> np.ndarray:
        """Return how far to the right costs stand, in [0, 1]."""
        low, high = self.x_range
        return ((np.log10(costs) if self.scale == "log" else costs) - low) / (high - low)

    def layout(self) -> dict[str, Any]:
        """Return what `update_layout` takes."""
        ticks_of_y = share_ticks(*self.y_range)
        digits = 0 if ticks_of_y and all(round(100 * tick, 6).is_integer() for tick in ticks_of_y) else 1
        texts_of_y = [f"{100 * tick:.{digits}f}%" for tick in ticks_of_y]
        y = {"range": list(self.y_range), "tickvals": ticks_of_y, "ticktext": texts_of_y}
        if self.scale == "linear":
            return {"xaxis": {"type": "linear", "range": list(self.x_range), "tickformat": "~s"}, "yaxis": y}
        ticks = log_ticks(*self.x_range)
        texts = [si(tick) for tick in ticks]
        return {
            "xaxis": {"type": "log", "range": list(self.x_range), "tickvals": ticks, "ticktext": texts},
            "yaxis": y,
        }


def axes_of(tables: Sequence[pl.DataFrame], cost: str, scale: Scale) -> Axes:
    """Return axes wide enough for the bubbles of all tables and their names."""
    table = pl.concat([one.select(pl.col(cost).alias("cost"), low=LOWEST, high=HIGHEST) for one in tables])
    costs = table["cost"].to_numpy()
    if scale == "log":
        powers = np.log10(costs)
        pad = max(0.25, 0.12 * float(np.ptp(powers)))
        x_range = float(powers.min()) - pad, float(powers.max()) + pad
    else:
        # From zero, so that twice as far is twice as dear; a little less for the bubbles that stand there.
        x_range = -0.06 * float(costs.max()), 1.12 * float(costs.max())
    low, high = float(np.min(table["low"].to_numpy())), float(np.max(table["high"].to_numpy()))
    low, high = max(0.0, low), min(1.0, high)
    space = max(0.01, 0.15 * (high - low))
    return Axes(scale, x_range, (low - space, high + space))


def share_ticks(low: float, high: float) -> list[float]:
    """Return up to eight round shares between `low` and `high`, none below 0 or above 1."""
    low, high = max(0.0, low), min(1.0, high)
    step = next((one for one in (0.002, 0.005, 0.01, 0.02, 0.05, 0.1) if (high - low) / one <= 7.5), 0.2)
    places = range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)
    return [round(place * step, 6) for place in places]


def label_positions(
    table: pl.DataFrame,
    cost: str,
    axes: Axes,
    sizeref: float,
    height_px: int,
    preferred: Sequence[int] = (),
    stairs: Sequence[tuple[float, float]] = (),
) -> list[str | None]:
    """Return on which of `placing.SIDES` each row's name stands, None for those without room.

    Args:
        table: Rows of the points.
        cost: The column to the right.
        axes: As drawn.
        sizeref: plotly's, for the bubbles.
        height_px: Of the figure.
        preferred: Indices of the rows to name where there are too many to name all.
        stairs: Cost and accuracy of the steps of a staircase that is drawn.
    """
    count = table.height
    named = set(range(count)) if count <= LABELLED_POINTS else _some_of(table["index"], preferred)
    first = {place for place, index in enumerate(table["index"]) if index in set(preferred)}
    plot_px = (height_px - MARGINS_PX) * (1 - SIZE_STRIP)
    y_low, y_high = axes.y_range
    scale = plot_px / (y_high - y_low)
    shares = axes.shares(table[cost].to_numpy()).tolist()
    rows = table.select("label", "accuracy", "num_params", low_end=LOWEST, high_end=HIGHEST)
    marks = [
        Mark(
            x=share,
            y_px=(y_high - accuracy) * scale,
            radius_px=diameter_px(size, sizeref) / 2,
            label=shortened(label) if place in named else "",
            top_px=(y_high - high) * scale,
            bottom_px=(y_high - low) * scale,
            is_preferred=place in first,
        )
        for place, (share, (label, accuracy, size, low, high)) in enumerate(zip(shares, rows.iter_rows(), strict=True))
    ]
    lines = _stair_lines(stairs, axes, scale)
    return place_labels(marks, WIDTHS_PX, lines) if named else [None] * count


def names_at_bars(part: pl.DataFrame, cost: str, texts: Sequence[str]) -> dict[str, Any] | None:
    """Return the trace of the names over the ends of intervals, None without any.

    Args:
        part: Rows of points, with their `position`.
        texts: Of each row.
    """
    rows = part.with_columns(text=pl.Series(texts, dtype=pl.String)).filter(pl.col("position").is_in(BAR_ENDS))
    if rows.is_empty():
        return None
    end = pl.when(pl.col("position") == "above bar").then(HIGHEST).otherwise(LOWEST).alias("end")
    sides = {"above bar": "top center", "below bar": "bottom center"}
    return {
        "type": "scatter",
        "x": rows[cost].to_numpy(),
        "y": rows.select(end)["end"].to_numpy(),
        "mode": "text",
        "text": rows["text"].to_list(),
        "textposition": [sides[position] for position in rows["position"]],
        "hoverinfo": "skip",
        "showlegend": False,
        "cliponaxis": False,
    }


def _stair_lines(stairs: Sequence[tuple[float, float]], axes: Axes, scale: float) -> list[Box]:
    """Return the level and the upright lines of a staircase as boxes without breadth."""
    shares = [*axes.shares(np.array([cost for cost, _ in stairs], dtype=np.float64)).tolist(), 1.0]
    heights = [(axes.y_range[1] - accuracy) * scale for _, accuracy in stairs]
    level = [(shares[place], height, shares[place + 1], height) for place, height in enumerate(heights)]
    upright = [(shares[place], heights[place], shares[place], heights[place - 1]) for place in range(1, len(heights))]
    return level + upright


def _some_of(indices: pl.Series, preferred: Sequence[int]) -> set[int]:
    """Return the places of the preferred points, or evenly chosen ones where they are too many as well."""
    wanted = set(preferred)
    places = [place for place, index in enumerate(indices) if index in wanted]
    if len(places) <= LABELLED_POINTS:
        return set(places)
    return {places[round(step * (len(places) - 1) / (LABELLED_POINTS - 1))] for step in range(LABELLED_POINTS)}


def is_drawable(value: float | None) -> bool:
    """Return whether a cost has a place on a logarithmic axis."""
    return value is not None and math.isfinite(value) and value > 0
