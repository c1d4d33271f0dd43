"""Precision, recall or F1 of each class with its interval, of one run as bars, of several as points side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go
import polars as pl

from cnnlab.analysis.class_scores import ClassScores
from cnnlab.plots.labels import escaped, plural, unique_labels
from cnnlab.plots.overlays import (
    Line,
    Overlay,
    basis,
    column,
    combined,
    error_bars,
    images_text,
    left_out_text,
    listed,
    most,
)
from cnnlab.plots.palette import CATEGORICAL, NEUTRAL, colour_of, symbol_of, with_alpha
from cnnlab.plots.per_class_cells import add_class_cells, cell_hover
from cnnlab.plots.template import empty_figure, new_figure

Measure = Literal["f1", "precision", "recall"]
Order = Literal["lowest", "highest", "class", "spread"]
MEASURES: dict[Measure, str] = {"f1": "F1", "precision": "Precision", "recall": "Recall"}
# More rows than that would be a page of their own; the table has them all.
MOST_CLASSES = 25
# Of more runs, points of one class would stand over four rows and repeat their colours.
MOST_POINTS = len(CATEGORICAL)


@dataclass(frozen=True)
class PerClassInfo:
    """Numbers of each class, one entry per class in all of these.

    Attributes:
        measure: A key of `MEASURES`.
        class_names: In the order drawn.
        images: Of each class, as many numbers as lines: networks may be tested on different images.
        lines: One per run or group; x is the place of the class from the top.
        n: Images of a run.
        over: The same in words; where they differ, those of each curve.
        left_out: Images without an answer, of the run that has most.
        never: Classes that no run ever predicted.
    """

    measure: Measure
    class_names: tuple[str, ...]
    images: tuple[tuple[int, ...], ...]
    lines: tuple[Line, ...]
    n: int
    over: str
    left_out: int
    never: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        return self.n == 0

    def numbers(self) -> pl.DataFrame:
        """Return one row per class and curve: class, images, curve, the measure, low, high, runs."""
        frames = [
            pl.DataFrame(
                {
                    "class": self.class_names,
                    "images": [counts[place] for counts in self.images],
                    "curve": [line.label] * len(self.class_names),
                    self.measure: line.y,
                    "low": line.low,
                    "high": line.high,
                    "runs": line.runs,
                }
            )
            for place, line in enumerate(self.lines)
        ]
        return pl.concat(frames).fill_nan(None) if frames else pl.DataFrame()


def per_class_info(
    overlays: Sequence[Overlay[ClassScores]], *, measure: Measure = "f1", order: Order = "lowest"
) -> PerClassInfo:
    """Return the numbers of each class.

    Args:
        overlays: Runs or groups over the same classes, in the order of their colours.
        measure: A key of `MEASURES`.
        order: From the lowest mean over the curves up, from the highest down, in the order of the labels, or from
            the class in which the curves are furthest apart; what is not known comes last.
    """
    classes = [result.classes for one in overlays for result in one.results]
    lines = [_line(one, measure) for one in overlays]
    places = _places(np.array([line.y for line in lines]), order) if lines else np.zeros(0, np.int64)
    names = classes[0]["class"].to_list() if classes else []
    images = [np.max([result.classes["n"].to_numpy() for result in one.results], axis=0) for one in overlays]
    predicted = np.sum([table["predicted"].to_numpy() for table in classes], axis=0) if classes else np.zeros(0)
    return PerClassInfo(
        measure=measure,
        class_names=tuple(names[place] for place in places),
        images=tuple(tuple(int(counts[place]) for counts in images) for place in places),
        lines=tuple(_moved(line, places) for line in lines),
        n=most(overlays, "n"),
        over=images_text(overlays),
        left_out=most(overlays, "left_out"),
        never=tuple(name for name, count in zip(names, predicted, strict=True) if not count),
    )


def per_class(
    info: PerClassInfo,
    colours: Mapping[str, str] | None = None,
    symbols: Mapping[str, str] | None = None,
    *,
    is_dark: bool = False,
) -> go.Figure:
    """Draw the first classes; an undefined value has no mark.

    One run is bars, several are points side by side, and of more than there are colours a table of numbers.

    Args:
        colours: By key, where a page has given them out; `symbols` likewise.
        is_dark: The page is dark, and so are the lowest numbers of a table.
    """
    if info.is_empty:
        return empty_figure("No predictions yet: they come when the run has ended.")
    shown = min(len(info.class_names), MOST_CLASSES)
    is_alone = len(info.lines) == 1
    row_px = 26 if is_alone else 14 + 12 * len(info.lines)
    figure = new_figure(x_title=f"{MEASURES[info.measure]} (%)", y_title="Class", height_px=120 + row_px * shown)
    colours = colours or colour_of(line.key for line in info.lines)
    symbols = symbols or symbol_of(line.key for line in info.lines)
    offsets = (np.arange(len(info.lines)) - (len(info.lines) - 1) / 2) * 0.8 / len(info.lines)
    if len(info.lines) > MOST_POINTS:
        curves = list(enumerate(info.lines))
        hovers = [[cell_hover(line.label, _hover(info, at, line, row)) for at, line in curves] for row in range(shown)]
        add_class_cells(figure, info.lines, shown, hovers, is_dark=is_dark)
    else:
        for place, (line, offset) in enumerate(zip(info.lines, offsets, strict=True)):
            look = colours[line.key], symbols[line.key]
            _draw(figure, info, place, _moved(line, np.arange(shown)), look, float(offset))
    names = unique_labels(
        f"{name} ({_counts_text(counts)})" for name, counts in zip(info.class_names, info.images, strict=True)
    )
    figure.update_layout(hovermode="closest")
    if len(info.lines) <= MOST_POINTS:
        figure.update_layout(showlegend=not is_alone, legend={"y": 1, "yanchor": "bottom"})
        figure.update_xaxes(tickformat=".0%", **({"range": [0, 1.005]} if is_alone else {}))
    figure.update_yaxes(
        range=[shown - 0.4, -0.6],
        tickvals=list(range(shown)),
        ticktext=names[:shown],
        showgrid=False,
        title_standoff=18,
    )
    return figure


def per_class_summary(info: PerClassInfo) -> str:
    """Return one sentence: n, the mean over the classes, the weakest class, and what is undefined."""
    if info.is_empty:
        return "No predictions are known yet."
    classes = plural(len(info.class_names), "class", "classes")
    text = f"{MEASURES[info.measure]} of {classes} over {info.over}, {basis(info.lines)}: "
    text += listed([_extremes(info, line) for line in info.lines])
    if len(info.class_names) > MOST_CLASSES:
        text += f"; drawn are the first {MOST_CLASSES} in this order, the table has all"
    if info.never:
        text += f"; never predicted, so without precision: {listed(info.never)}"
    absent = [name for name, count in zip(info.class_names, info.images, strict=True) if not any(count)]
    if absent:
        text += f"; without images, so without recall: {listed(absent)}"
    return text + left_out_text(info.left_out) + "."


def _line(one: Overlay[ClassScores], measure: Measure) -> Line:
    tables = [result.classes for result in one.results]
    ends = [[column(table, measure + end) for table in tables] for end in ("", "_low", "_high")]
    y, low, high, runs = combined(*ends)
    return Line(one.key, one.label, np.arange(len(y), dtype=np.float64), y, low, high, runs)


def _moved(line: Line, places: np.ndarray) -> Line:
    x = np.arange(len(places), dtype=np.float64)
    return Line(line.key, line.label, x, line.y[places], line.low[places], line.high[places], line.runs[places])


def _places(values: np.ndarray, order: Order) -> np.ndarray:
    """Return the classes in the order drawn, from values `(curves, classes)`."""
    known = np.isfinite(values)
    if order == "class":
        return np.arange(values.shape[1])
    if order == "spread":
        gaps = np.where(known, values, -np.inf).max(axis=0) - np.where(known, values, np.inf).min(axis=0)
        return np.argsort(-gaps, kind="stable")
    with np.errstate(invalid="ignore"):
        means = np.where(known, values, 0).sum(axis=0) / known.sum(axis=0)
    return np.argsort(means if order == "lowest" else -means, kind="stable")  # NaN goes last


def _counts_text(counts: Sequence[int]) -> str:
    """Return `33`, or from the fewest to the most where the networks were tested on different images."""
    fewest, highest = min(counts), max(counts)
    return f"{highest:,}" if fewest == highest else f"{fewest:,} to {highest:,}"


def _draw(figure: go.Figure, info: PerClassInfo, number: int, line: Line, look: tuple[str, str], offset: float) -> None:
    (colour, symbol), y, is_alone = look, line.x + offset, len(info.lines) == 1
    common: dict[str, Any] = {
        "x": line.y,
        "y": y,
        "name": escaped(line.label),
        "customdata": [_hover(info, number, line, place) for place in range(len(y))],
        "hovertemplate": f"<b>{escaped(line.label)}</b><br>%{{customdata}}<extra></extra>",
        "error_x": error_bars(line, NEUTRAL if is_alone else colour),
    }
    if is_alone:
        # Pale, so that both halves of the interval are seen.
        figure.add_bar(orientation="h", width=0.66, marker={"color": with_alpha(colour, 0.4)}, **common)
    else:
        figure.add_scatter(mode="markers", marker={"color": colour, "symbol": symbol, "size": 8}, **common)


def _hover(info: PerClassInfo, number: int, line: Line, place: int) -> str:
    text = f"{escaped(info.class_names[place])}, {plural(info.images[place][number], 'image')}<br>"
    text += f"{MEASURES[info.measure]} {line.y[place]:.1%}"
    if np.isfinite(line.low[place]):
        text += f"<br>95 % interval {line.low[place]:.1%} to {line.high[place]:.1%}"
    return text + (f"<br>mean of {plural(int(line.runs[place]), 'run')}" if line.is_mean else "")


def _extremes(info: PerClassInfo, line: Line) -> str:
    known = np.isfinite(line.y)
    name = f"{line.label}: " if len(info.lines) > 1 else ""
    if not known.any():
        return f"{name}not known"
    lowest = int(np.nanargmin(line.y))
    mean = 100 * float(line.y[known].mean())
    return f"{name}mean {mean:.1f} %, lowest {100 * line.y[lowest]:.1f} % ({info.class_names[lowest]})"
