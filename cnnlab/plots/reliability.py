"""The reliability diagram: how often a network is right where it is so and so sure, and how often it is so sure.

Source: Niculescu-Mizil and Caruana 2005, doi:10.1145/1102351.1102430; Guo et al. 2017, arXiv:1706.04599, figure 1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import plotly.graph_objects as go
import polars as pl

from cnnlab.analysis.calibration import Calibration, CalibrationError
from cnnlab.plots.labels import escaped
from cnnlab.plots.overlays import (
    Line,
    Overlay,
    add_line,
    basis,
    column,
    combined,
    error_bars,
    images_text,
    listed,
    most,
    numbers_of,
)
from cnnlab.plots.palette import NEUTRAL, colour_of, symbol_of
from cnnlab.plots.template import empty_figure, give_legend_room, new_figure

Bins = Literal["equal_width", "equal_mass"]
# The lower panel: how many images are so sure.
SHARE_OF_HEIGHT = 0.24


@dataclass(frozen=True)
class ReliabilityInfo:
    """What is drawn: one entry per run or group in each of these.

    Attributes:
        lines: Accuracy over mean confidence of the bins that hold images.
        histograms: Share of the images over the bins of equal width, x their middles.
        errors: Expected calibration error: value and ends of its 95 % interval, NaN where not known.
        gaps: Mean confidence less accuracy.
        n: Images of a run.
        over: The same in words; where they differ, those of each curve.
    """

    lines: tuple[Line, ...]
    histograms: tuple[Line, ...]
    errors: tuple[tuple[float, float, float], ...]
    gaps: tuple[float, ...]
    n: int
    over: str

    @property
    def is_empty(self) -> bool:
        return self.n == 0

    def numbers(self) -> pl.DataFrame:
        """Return one row per bin and curve: curve, confidence, accuracy, low, high, runs."""
        return numbers_of(self.lines, "confidence", "accuracy")


def reliability_info(overlays: Sequence[Overlay[Calibration]], bins: Bins = "equal_width") -> ReliabilityInfo:
    """Return the curves, in the order of their colours; of a group the mean of each bin over its runs."""
    known = [Overlay(one.key, one.label, tuple(r for r in one.results if r.n)) for one in overlays]
    known = [one for one in known if one.results]
    return ReliabilityInfo(
        lines=tuple(_line(one, [getattr(result, bins) for result in one.results]) for one in known),
        histograms=tuple(_histogram(one) for one in known),
        errors=tuple(_error(one, bins) for one in known),
        gaps=tuple(float(np.mean([r.confidence - r.accuracy for r in one.results])) for one in known),
        n=most(known, "n"),
        over=images_text(known),
    )


def reliability(
    info: ReliabilityInfo, colours: Mapping[str, str] | None = None, symbols: Mapping[str, str] | None = None
) -> go.Figure:
    """Draw accuracy over confidence above, and how often the network is so sure beneath.

    Args:
        colours: By key, where a page has given them out; `symbols` likewise.
    """
    if info.is_empty:
        return empty_figure("No predictions yet: they come when the run has ended.")
    figure = new_figure(x_title="Confidence (%)", y_title="Right (%)", height_px=540)
    colours = colours or colour_of(line.key for line in info.lines)
    symbols = symbols or symbol_of(line.key for line in info.lines)
    figure.add_scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        line={"color": NEUTRAL, "width": 1, "dash": "dot"},
        name="as sure as right",
        hoverinfo="skip",
    )
    for line, histogram in zip(info.lines, info.histograms, strict=True):
        colour = colours[line.key]
        add_line(
            figure,
            line,
            colour,
            name=line.label,
            hover="confidence %{x:.1%}, right %{y:.1%}",
            mode="lines+markers",
            symbol=symbols[line.key],
            error_y=error_bars(line, colour),
        )
        figure.add_bar(
            x=histogram.x,
            y=histogram.y,
            yaxis="y2",
            marker={"color": colour, "opacity": 0.75},
            legendgroup=line.key,
            showlegend=False,
            hovertemplate=f"<b>{escaped(line.label)}</b><br>%{{y:.1%}} of the images are so sure<extra></extra>",
        )
    figure.update_layout(
        hovermode="closest",
        barmode="group",
        bargap=0.08,
        yaxis={"domain": [SHARE_OF_HEIGHT + 0.06, 1], "range": [-0.02, 1.02], "tickformat": ".0%"},
        yaxis2={
            "domain": [0, SHARE_OF_HEIGHT],
            "anchor": "x",
            "title": {"text": "Images (%)", "standoff": 8},
            "tickformat": ".0%",
            "rangemode": "tozero",
            "nticks": 4,
        },
        legend={"y": -0.14},
    )
    figure.update_xaxes(range=[-0.01, 1.01], tickformat=".0%", anchor="y2")
    give_legend_room(figure, len(info.lines) + 1)
    return figure


def reliability_summary(info: ReliabilityInfo) -> str:
    """Return one sentence: n, the expected calibration error of each curve, and whether it is too sure."""
    if info.is_empty:
        return "No predictions are known yet."
    parts = []
    for line, error, gap in zip(info.lines, info.errors, info.gaps, strict=True):
        side = "too sure" if gap > 0 else "not sure enough"
        name = f"{line.label}: " if len(info.lines) > 1 else ""
        parts.append(f"{name}expected calibration error {error_text(error)}, by {abs(100 * gap):.1f} points {side}")
    return f"Reliability over {info.over}, {basis(info.lines)}: {listed(parts)}."


def error_text(error: tuple[float, float, float]) -> str:
    """Return `2.14 % (1.52 to 2.70 %)`."""
    value, low, high = (100 * number for number in error)
    return f"{value:.2f} %" + (f" ({low:.2f} to {high:.2f} %)" if np.isfinite([low, high]).all() else "")


def _line(one: Overlay[Calibration], errors: Sequence[CalibrationError]) -> Line:
    count = 1 + max(int(error.bins["bin"].max()) for error in errors)  # type: ignore[arg-type]
    grids = [pl.DataFrame({"bin": range(count)}).join(error.bins, on="bin", how="left") for error in errors]
    x = combined(*[[column(grid, "confidence") for grid in grids]] * 3)[0]
    y, low, high, runs = combined(*([column(grid, name) for grid in grids] for name in ("accuracy", "low", "high")))
    known = runs > 0
    return Line(one.key, one.label, x[known], y[known], low[known], high[known], runs[known])


def _histogram(one: Overlay[Calibration]) -> Line:
    bins = pl.concat([result.equal_width.bins for result in one.results])
    table = bins.group_by("bin").agg(pl.col("from").first(), pl.col("to").first(), pl.col("n").sum()).sort("bin")
    middles = (table["from"] + table["to"]).to_numpy() / 2
    shares = table["n"].to_numpy() / table["n"].sum()
    nothing = np.full(len(shares), np.nan)
    return Line(one.key, one.label, middles, shares, nothing, nothing, np.full(len(shares), len(one.results)))


def _error(one: Overlay[Calibration], bins: Bins) -> tuple[float, float, float]:
    errors = [getattr(result, bins) for result in one.results]
    ends = ([[getattr(error, name)] for error in errors] for name in ("value", "low", "high"))
    value, low, high, _ = combined(*ends)
    return float(value[0]), float(low[0]), float(high[0])
