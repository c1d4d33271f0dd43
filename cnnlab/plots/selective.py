"""Accuracy of what is answered, and how much is, when a network answers only where it is sure enough.

Source: Geifman and El-Yaniv 2017, arXiv:1705.08500.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import plotly.graph_objects as go
import polars as pl

from cnnlab.analysis.selective import COVERAGES, THRESHOLDS, Selective
from cnnlab.plots.overlays import (
    Line,
    Overlay,
    add_band,
    add_line,
    basis,
    column,
    combined,
    images_text,
    listed,
    most,
    numbers_of,
)
from cnnlab.plots.palette import NEUTRAL, colour_of, symbol_of
from cnnlab.plots.template import empty_figure, give_legend_room, new_figure

Across = Literal["threshold", "coverage"]
TITLES: dict[Across, str] = {
    "threshold": "Threshold: least confidence answered (%)",
    "coverage": "Answered, the surest first (% of the images)",
}


@dataclass(frozen=True)
class SelectiveInfo:
    """One entry per run or group in each of these.

    Attributes:
        across: What runs to the right.
        accuracy: Of what is answered.
        coverage: Share of the images that is answered; over the threshold only.
        n: Images of a run.
        over: The same in words; where they differ, those of each curve.
    """

    across: Across
    accuracy: tuple[Line, ...]
    coverage: tuple[Line, ...]
    n: int
    over: str

    @property
    def is_empty(self) -> bool:
        return self.n == 0

    def numbers(self) -> pl.DataFrame:
        """Return one row per point and curve, with accuracy, its interval and the number of runs."""
        table = numbers_of(self.accuracy, self.across, "accuracy")
        if not self.coverage:
            return table
        return table.with_columns(coverage=np.concatenate([line.y for line in self.coverage]))


def selective_info(overlays: Sequence[Overlay[Selective]], across: Across = "threshold") -> SelectiveInfo:
    """Return the curves, in the order of their colours."""
    known = [Overlay(one.key, one.label, tuple(r for r in one.results if r.n)) for one in overlays]
    known = [one for one in known if one.results]
    coverage = [_line(one, across, "coverage") for one in known] if across == "threshold" else []
    accuracy = [_line(one, across, "accuracy") for one in known]
    return SelectiveInfo(across, tuple(accuracy), tuple(coverage), most(known, "n"), images_text(known))


def selective(
    info: SelectiveInfo,
    colours: Mapping[str, str] | None = None,
    symbols: Mapping[str, str] | None = None,
    *,
    mark: float | None = None,
) -> go.Figure:
    """Draw accuracy solid with its interval and, over the threshold, coverage dashed.

    Args:
        colours: By key, where a page has given them out; `symbols` likewise.
        mark: Where a line stands upright: a chosen threshold, or the share that it answers.
    """
    if info.is_empty:
        return empty_figure("No predictions yet: they come when the run has ended.")
    is_over_threshold = info.across == "threshold"
    figure = new_figure(
        x_title=TITLES[info.across],
        y_title="Right, and answered (%)" if is_over_threshold else "Right among the answered (%)",
        height_px=420,
        revision=info.across,
    )
    colours = colours or colour_of(line.key for line in info.accuracy)
    symbols = symbols or symbol_of(line.key for line in info.accuracy)
    for line in info.accuracy:
        add_band(figure, line, colours[line.key])
    at = "threshold" if is_over_threshold else "answered"
    is_alone = len(info.accuracy) == 1
    for line in info.accuracy:
        name = "right among the answered" if is_alone and is_over_threshold else line.label
        hover = f"{at} %{{x:.2%}}: right %{{y:.2%}}"
        add_line(
            figure, line, colours[line.key], name=name, hover=hover, symbol=symbols[line.key],
            showlegend=not is_alone or is_over_threshold,
        )  # fmt: skip
    for line in info.coverage:
        hover = "threshold %{x:.2%}: answers %{y:.2%} of the images"
        style = {"dash": "dash", "width": 1.5}
        add_line(
            figure, line, colours[line.key], name="answered", hover=hover, style=style, symbol=symbols[line.key],
            showlegend=is_alone,
        )  # fmt: skip
    if info.coverage and not is_alone:
        _explain(figure)
    if mark is not None:
        figure.add_vline(x=mark, line={"color": NEUTRAL, "width": 1, "dash": "dot"})
    figure.update_layout(hovermode="closest")
    figure.update_xaxes(range=[-0.01, 1.01], tickformat=".0%")
    figure.update_yaxes(tickformat=".4~p" if not is_over_threshold else ".0%")
    if is_over_threshold:
        figure.update_yaxes(range=[-0.01, 1.02])
    give_legend_room(figure, len(info.accuracy) + 2)
    return figure


def selective_summary(info: SelectiveInfo) -> str:
    """Return one sentence: n, and what each is right in when it answers all and when it answers the surest half."""
    if info.is_empty:
        return "No predictions are known yet."
    parts = []
    for line in info.accuracy:
        name = f"{line.label}: " if len(info.accuracy) > 1 else ""
        first, half = (0, None) if info.across == "threshold" else (-1, int(np.argmin(np.abs(COVERAGES - 0.5))))
        text = f"{name}{100 * line.y[first]:.1f} % right when it answers all"
        parts.append(text + (f", {100 * line.y[half]:.1f} % on the surest half" if half is not None else ""))
    what = "threshold of confidence" if info.across == "threshold" else "share answered"
    return f"Accuracy against {what} over {info.over}, {basis(info.accuracy)}: {listed(parts)}."


def _line(one: Overlay[Selective], across: Across, name: str) -> Line:
    tables = [result.by_threshold if across == "threshold" else result.by_coverage for result in one.results]
    values = [column(table, name) for table in tables]
    nothing = [np.full(len(values[0]), np.nan)] * len(values)
    ends = (
        ([column(table, end) for table in tables] for end in ("low", "high"))
        if name == "accuracy"
        else (nothing, nothing)
    )
    y, low, high, runs = combined(values, *ends)
    return Line(one.key, one.label, THRESHOLDS if across == "threshold" else COVERAGES, y, low, high, runs)


def _explain(figure: go.Figure) -> None:
    for name, dash in (("right among the answered", "solid"), ("answered", "dash")):
        figure.add_scatter(
            x=[None], y=[None], mode="lines", line={"color": NEUTRAL, "dash": dash}, name=name, legendrank=900
        )
