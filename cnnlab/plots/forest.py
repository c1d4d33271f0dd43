"""Differences of accuracy with their intervals, one row each: a forest plot.

Source: Lewis and Clarke 2001, doi:10.1136/bmj.322.7300.1479. Differs from those of meta-analyses: no summary row.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from cnnlab.analysis.ablation import Effect
from cnnlab.analysis.comparison import Comparison
from cnnlab.plots.labels import escaped, plural, unique_labels
from cnnlab.plots.palette import CATEGORICAL, NEUTRAL
from cnnlab.plots.template import empty_figure, new_figure

ROW_PX = 34


@dataclass(frozen=True)
class ForestRow:
    """One change; numbers in points of accuracy, NaN where not known."""

    name: str
    against: str
    points: float
    low: float
    high: float
    p: float
    n: int
    is_more_than_noise: bool


@dataclass(frozen=True)
class ForestInfo:
    """What is drawn, from the top down; `waiting` are the changes of which no difference is known.

    Attributes:
        noun: What a row is of.
        x_title: Of the differences, with their unit.
        members: The runs behind each row, where a click on it leads to them.
    """

    rows: tuple[ForestRow, ...]
    waiting: tuple[str, ...]
    methods: tuple[str, ...]
    noun: str = "change"
    x_title: str = "Effect on test accuracy (points)"
    members: tuple[tuple[str, ...], ...] = ()

    @property
    def is_empty(self) -> bool:
        return not self.rows


def forest_info(effects: Sequence[Effect]) -> ForestInfo:
    """Return one row per change that has a difference, in the order of the plan."""
    rows, waiting = [], []
    for one in effects:
        difference = one.difference
        if difference is not None:
            numbers = (100 * difference.value, 100 * difference.low, 100 * difference.high, one.p)
            rows.append(ForestRow(one.name, one.against, *numbers, one.n, one.is_more_than_noise))
        elif one.against:
            waiting.append(one.name)
    return ForestInfo(tuple(rows), tuple(waiting), tuple(dict.fromkeys(one.method for one in effects if one.method)))


def differences_info(comparison: Comparison, baseline: int, noun: str = "run") -> ForestInfo:
    """Return one row per run or group that is set against the baseline, in the order chosen.

    Args:
        baseline: Its place in `comparison.standings`.
        noun: What is compared.
    """
    base = comparison.standings[baseline]
    rows, members = [], []
    for place, one in enumerate(comparison.standings):
        if place == baseline:
            continue
        found = comparison.against(place, baseline)
        value = found.difference
        numbers = (100 * value.value, 100 * value.low, 100 * value.high, found.p)
        rows.append(ForestRow(one.name, base.name, *numbers, one.n, found.is_told_apart))
        members.append(one.run_ids)
    title = "Difference from the baseline (points)"
    return ForestInfo(tuple(rows), (), (), noun, title, tuple(members))


def forest(info: ForestInfo) -> go.Figure:
    """Draw the differences around a line at zero; what is more than noise is filled and coloured."""
    if info.is_empty:
        return empty_figure("No difference yet: it takes tested runs of the baseline and of a change.")
    height = 120 + ROW_PX * len(info.rows)
    figure = new_figure(x_title=info.x_title, y_title="", height_px=height)
    labels = unique_labels(row.name for row in info.rows)
    for is_more in (True, False):
        chosen = [
            (label, place, row)
            for place, (label, row) in enumerate(zip(labels, info.rows, strict=True))
            if row.is_more_than_noise is is_more
        ]
        if not chosen:
            continue
        colour = CATEGORICAL[0] if is_more else NEUTRAL
        figure.add_scatter(
            x=[row.points for _, _, row in chosen],
            y=[label for label, _, _ in chosen],
            mode="markers",
            name="more than noise" if is_more else "may be noise",
            marker={"color": colour, "size": 11, "symbol": "square" if is_more else "square-open"},
            error_x={
                "type": "data", "symmetric": False, "thickness": 2, "width": 5, "color": colour,
                "array": [_length(row.high - row.points) for _, _, row in chosen],
                "arrayminus": [_length(row.points - row.low) for _, _, row in chosen],
            },
            customdata=[place for _, place, _ in chosen] if info.members else None,
            hovertext=[_hover(row) for _, _, row in chosen],
            hovertemplate="%{hovertext}<extra></extra>",
        )  # fmt: skip
    figure.add_vline(x=0, line={"color": NEUTRAL, "width": 1, "dash": "dash"})
    figure.update_layout(clickmode="event+select" if info.members else "event", hovermode="closest")
    figure.update_layout(showlegend=True, legend={"y": 1.02, "yanchor": "bottom"})
    figure.update_xaxes(tickformat="+.3~g")
    figure.update_yaxes(
        categoryorder="array", categoryarray=labels, range=[len(labels) - 0.4, -0.6], type="category", showgrid=False
    )
    return figure


def forest_summary(info: ForestInfo) -> str:
    """Return one sentence: how many changes are more than noise, and the largest effect."""
    if info.is_empty:
        return "No difference is known yet."
    sure = sum(row.is_more_than_noise for row in info.rows)
    largest = max(info.rows, key=lambda row: abs(row.points))
    known = "more than noise" if info.noun == "change" else f"told apart from {largest.against}"
    text = (
        f"{sure} of {plural(len(info.rows), info.noun)} {'is' if sure == 1 else 'are'} {known}; the largest "
        f"{'effect' if info.noun == 'change' else 'difference'} is {largest.points:+.2f} points ({largest.name}"
    )
    text += ")" if math.isnan(largest.low) else f", 95 % interval {largest.low:+.2f} to {largest.high:+.2f})"
    if info.waiting:
        text += f"; not known yet: {', '.join(info.waiting)}"
    return text + "."


def _length(value: float) -> float:
    return 0.0 if math.isnan(value) else value


def _hover(row: ForestRow) -> str:
    text = f"<b>{escaped(row.name)}</b> against {escaped(row.against)}<br>{row.points:+.2f} points"
    if not math.isnan(row.low):
        text += f" ({row.low:+.2f} to {row.high:+.2f})"
    return text + ("" if math.isnan(row.p) else f"<br>p = {row.p:.2g} after Holm, n = {row.n}")
