"""Parallel coordinates: every trial or run a line through its settings to its results.

Source: Inselberg 1985, doi:10.1007/BF01898350. A range drawn on an axis keeps the lines that pass through it.
"""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from cnnlab.analysis.trials import NOT_THERE, Axis, Goal, Trials
from cnnlab.plots.labels import escaped, plural, shortened
from cnnlab.plots.palette import sequential
from cnnlab.plots.study_slices import ticks
from cnnlab.plots.study_status import tick_format
from cnnlab.plots.template import empty_figure, new_figure

# Below the first place of an axis, for what a trial does not have.
ABSENT = {True: -1.0, False: -0.12}
LOSSES_SHOWN = 0.9
# Left of the first axis at least, and of a letter on it.
LEFT_PX, CHARACTER_PX = 64, 7
# What is chosen on axes, by their name: low and high ends as they are drawn.
Ranges = Mapping[str, Sequence[tuple[float, float]]]


@dataclass(frozen=True)
class ParallelInfo:
    """Lines of trials with a result: `codes` `(trials, axes)`, `results` `(trials, goals)`.

    `places` are those of the trials; the first goal gives the colours. `noun` is what a line is of.
    """

    axes: tuple[Axis, ...]
    goals: tuple[Goal, ...]
    places: NDArray[np.int64]
    codes: NDArray[np.float64]
    results: NDArray[np.float64]
    noun: str = "completed trial"

    @property
    def names(self) -> tuple[str, ...]:
        """Return what tells the axes apart, those of the results last."""
        return (*(axis.path for axis in self.axes), *(goal.metric for goal in self.goals))

    @property
    def is_empty(self) -> bool:
        return self.places.size == 0 or not self.axes


def parallel_info(trials: Trials, *, only_completed: bool = True) -> ParallelInfo:
    """Return the lines of the trials that have all objectives."""
    results = np.stack([trials.objective(goal) for goal in trials.goals], axis=1)
    known = np.isfinite(results).all(axis=1)
    if only_completed:
        known &= trials.is_completed()
    places = np.flatnonzero(known)
    return ParallelInfo(trials.axes, trials.goals, places, trials.codes()[places], results[places])


def parallel(
    info: ParallelInfo,
    *,
    is_dark: bool = False,
    height_px: int = 460,
    ranges: Ranges | None = None,
    order: Sequence[str] = (),
) -> go.Figure:
    """Draw the lines, the better the stronger; axes can be moved, and a range on one chooses.

    Args:
        info: From `parallel_info`, or of runs.
        is_dark: The page is dark.
        height_px: The width is the page's.
        ranges: What is chosen on the axes, by name.
        order: Of the axes from left to right, by name; those that it does not name come last.
    """
    if info.is_empty:
        return empty_figure(f"No line yet: it takes a {info.noun} with a result.")
    figure = new_figure(height_px=height_px, revision="parallel")
    goal, values = info.goals[0], info.results[:, 0]
    dimensions = _dimensions(info, ranges or {})
    dimensions.sort(key=lambda one: order.index(one["name"]) if one["name"] in order else len(order))
    low, high = _span(values, is_max=goal.is_max)
    figure.add_trace(
        go.Parcoords(
            dimensions=dimensions,
            line={
                "color": values,
                "colorscale": _from_middle(is_dark),
                "reversescale": not goal.is_max,
                "cmin": low,
                "cmax": high,
                "showscale": False,
            },
            labelangle=-35,
            labelside="top",
            labelfont={"size": 13},
            tickfont={"size": 12},
            rangefont={"size": 11},
        )
    )
    figure.update_layout(margin={"l": _left_px(dimensions), "r": 96, "t": 116, "b": 28})
    return figure


def kept_lines(info: ParallelInfo, ranges: Ranges) -> NDArray[np.bool_]:
    """Return which lines pass through the ranges: on each axis with some, through one of them."""
    kept = np.ones(info.places.size, dtype=np.bool_)
    for dimension in _dimensions(info, {}):
        chosen = ranges.get(dimension["name"])
        if chosen:
            values = dimension["values"]
            kept &= np.any([(values >= low) & (values <= high) for low, high in chosen], axis=0)
    return kept


def parallel_summary(info: ParallelInfo) -> str:
    """Return one sentence: how many lines, over which axes, and what the colours say."""
    if info.is_empty:
        return f"No {info.noun} with a result yet."
    names = ", ".join(axis.label for axis in info.axes)
    return (
        f"{plural(info.places.size, info.noun)} over {names}; the stronger a line, the better its "
        f"{info.goals[0].label}. Draw along an axis to keep the lines that pass there; click it to let go."
    )


def _dimensions(info: ParallelInfo, ranges: Ranges) -> list[dict[str, Any]]:
    found = [_dimension(axis, info.codes[:, place]) for place, axis in enumerate(info.axes)]
    for place, one in enumerate(info.goals):
        found.append({"label": escaped(one.label), "values": info.results[:, place], "tickformat": tick_format(one)})
    for name, dimension in zip(info.names, found, strict=True):
        dimension["name"] = name
        if ranges.get(name):
            dimension["constraintrange"] = [list(one) for one in ranges[name]]
    return found


def _dimension(axis: Axis, codes: NDArray[np.float64]) -> dict[str, Any]:
    places, texts = ticks(axis)
    absent = ABSENT[bool(axis.choices)]
    has_absent = bool((codes == NOT_THERE).any())
    if has_absent:
        places, texts = [absent, *places], ["–", *texts]
    end = len(axis.choices) - 1 if axis.choices else 1.0
    return {
        "label": escaped(shortened(axis.label, 22)),
        "values": np.where(codes == NOT_THERE, absent, codes),
        "tickvals": places,
        "ticktext": texts,
        "range": [absent if has_absent else 0.0, max(end, 0.5)],
    }


def _left_px(dimensions: Sequence[Mapping[str, Any]]) -> int:
    """Return the room that the longest name on an axis takes; any axis can be moved to the left end."""
    texts = (html.unescape(text) for one in dimensions for text in one.get("ticktext", ()))
    return max(LEFT_PX, 16 + CHARACTER_PX * max(map(len, texts), default=0))


def _span(values: NDArray[np.float64], *, is_max: bool) -> tuple[float, float]:
    """Return the ends of the colours: the worst tenth shares one, or a diverged trial would flatten all others."""
    worst = float(np.quantile(values, 1 - LOSSES_SHOWN if is_max else LOSSES_SHOWN))
    best = float(values.max() if is_max else values.min())
    low, high = sorted((worst, best))
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _from_middle(is_dark: bool) -> list[tuple[float, str]]:
    """Return the sequential colours without the palest, which is that of the page."""
    colours = [colour for _, colour in sequential(is_dark)][1:]
    return [(place / (len(colours) - 1), colour) for place, colour in enumerate(colours)]
