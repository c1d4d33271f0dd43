"""Lines of several runs over one another: one per run, or one per group as the mean of its seeds with a band."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
import plotly.graph_objects as go
import polars as pl
from numpy.typing import ArrayLike, NDArray

from cnnlab.analysis.share_intervals import over_seeds_and_images
from cnnlab.plots.labels import escaped, plural
from cnnlab.plots.palette import SYMBOLS, with_alpha

Numbers = NDArray[np.float64]
Result = TypeVar("Result")
# On a line whose points are many.
MARKERS = 12


@dataclass(frozen=True)
class Overlay(Generic[Result]):
    """What is drawn in one colour: the result of one run, or those of the runs of a group."""

    key: str
    label: str
    results: tuple[Result, ...]


@dataclass(frozen=True)
class Line:
    """Points with intervals; NaN is a gap, or an end that is not known.

    Attributes:
        runs: Of how many runs each point is the mean; at 1 the interval is over images, above over seeds and images.
    """

    key: str
    label: str
    x: Numbers
    y: Numbers
    low: Numbers
    high: Numbers
    runs: NDArray[np.int64]

    @property
    def is_mean(self) -> bool:
        return bool((self.runs > 1).any())


def combined(
    values: Sequence[ArrayLike], low: Sequence[ArrayLike], high: Sequence[ArrayLike]
) -> tuple[Numbers, Numbers, Numbers, NDArray[np.int64]]:
    """Return value, low, high and number of runs of each point.

    One run keeps its own interval, over images. Of several it is that of their mean, over seeds and images; over seeds
    alone where runs bring no interval. A run that lacks a point has no part in it.

    Args:
        values: One sequence of points per run, NaN where it has none.
        low: Of each point, over images.
        high: As `low`.
    """
    if len(values) > 1:
        return over_seeds_and_images(values, low, high)
    one, least, most = (np.asarray(part[0], np.float64) for part in (values, low, high))
    return one, least, most, np.isfinite(one).astype(np.int64)


def numbers_of(lines: Sequence[Line], x: str, y: str) -> pl.DataFrame:
    """Return one row per point: run or group, `x`, `y`, the ends of its 95 % interval, and of how many runs."""
    frames = [
        pl.DataFrame(
            {
                "curve": [line.label] * len(line.x),
                x: line.x,
                y: line.y,
                "low": line.low,
                "high": line.high,
                "runs": line.runs,
            }
        )
        for line in lines
    ]
    return pl.concat(frames).fill_nan(None) if frames else pl.DataFrame()


def column(table: pl.DataFrame, name: str) -> Numbers:
    """Return a column as floats, NaN for null."""
    return table[name].cast(pl.Float64).fill_null(float("nan")).to_numpy()


def add_band(figure: go.Figure, line: Line, colour: str, **place: Any) -> None:
    """Draw the intervals of a line as an area behind it."""
    known = np.isfinite(line.low) & np.isfinite(line.high)
    if known.sum() < 2:
        return
    x, low, high = line.x[known], line.low[known], line.high[known]
    figure.add_scatter(
        x=np.concatenate([x, x[::-1]]),
        y=np.concatenate([high, low[::-1]]),
        mode="lines",
        fill="toself",
        fillcolor=with_alpha(colour, 0.16),
        line={"width": 0},
        hoverinfo="skip",
        showlegend=False,
        legendgroup=line.key,
        **place,
    )


def add_line(
    figure: go.Figure,
    line: Line,
    colour: str,
    *,
    name: str,
    hover: str,
    style: Mapping[str, Any] | None = None,
    mode: str = "lines",
    symbol: str = SYMBOLS[0],
    **options: Any,
) -> None:
    """Draw a line whose hover text ends with its interval and, of a group, with how many runs it is the mean of.

    Args:
        name: In the legend.
        hover: Of a point, with plotly's `%{x}` and `%{y}`.
        style: Of the line, such as its dash.
        mode: Of the trace.
        symbol: Of its markers; one that tells runs of one colour apart is drawn on lines too.
        options: Passed on.
    """
    is_marked = symbol != SYMBOLS[0] and mode == "lines"
    figure.add_scatter(
        x=line.x,
        y=line.y,
        mode="lines+markers" if is_marked else mode,
        line={"color": colour, "width": 2, **(style or {})},
        marker={"color": colour, "size": 7, "symbol": symbol, "maxdisplayed": MARKERS if is_marked else 0},
        name=escaped(name),
        legendgroup=line.key,
        text=_texts(line),
        hovertemplate=f"<b>{escaped(line.label)}</b><br>{hover}%{{text}}<extra></extra>",
        **options,
    )


def error_bars(line: Line, colour: str) -> dict[str, Any]:
    """Return the intervals of a line as plotly's error bars."""
    return {
        "type": "data",
        "symmetric": False,
        "array": np.nan_to_num(line.high - line.y),
        "arrayminus": np.nan_to_num(line.y - line.low),
        "thickness": 1.5,
        "width": 3,
        "color": colour,
    }


def basis(lines: Sequence[Line]) -> str:
    """Return what the intervals of these lines are over."""
    kinds = {line.is_mean for line in lines}
    if len(kinds) > 1:
        return "95 % intervals over images, of groups over seeds and images"
    return f"95 % intervals over {'seeds and images' if True in kinds else 'images'}"


def listed(texts: Sequence[str], most: int = 4) -> str:
    """Return `a, b and 3 more`."""
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return ", ".join(texts[:most]) + more


def left_out_text(count: int) -> str:
    """Return what a summary says of images without an answer; nothing where there are none."""
    return f"; {plural(count, 'image')} without an answer left out" if count else ""


def images_text(overlays: Sequence[Overlay[Any]]) -> str:
    """Return `200 images`, or of how many each curve is where they differ: `200 images (a) and 120 images (b)`."""
    counts = {one.label: sorted({result.n for result in one.results}) for one in overlays}
    if len({count for found in counts.values() for count in found}) < 2:
        return plural(most(overlays, "n"), "image")
    ends = {label: (f"{found[0]:,} to " if len(found) > 1 else "", found[-1]) for label, found in counts.items()}
    told = [f"{fewest}{plural(highest, 'image')} ({label})" for label, (fewest, highest) in ends.items()]
    return " and ".join(told) if len(told) < 3 else listed(told)


def most(overlays: Sequence[Overlay[Any]], name: str) -> int:
    """Return the highest count under this name of all results, 0 without any."""
    return max((getattr(result, name) for one in overlays for result in one.results), default=0)


def _texts(line: Line) -> list[str]:
    texts = []
    for low, high, runs in zip(line.low.tolist(), line.high.tolist(), line.runs.tolist(), strict=True):
        text = f"<br>95 % interval {low:.1%} to {high:.1%}" if np.isfinite([low, high]).all() else ""
        texts.append(text + (f"<br>mean of {plural(runs, 'run')}" if line.is_mean else ""))
    return texts
