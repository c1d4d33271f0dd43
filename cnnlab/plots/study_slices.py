"""Each hyperparameter against an objective, small charts beside one another: where good values lie."""

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from cnnlab.analysis.trials import NOT_THERE, Axis, Goal, Trials
from cnnlab.plots.labels import escaped, plural, shortened
from cnnlab.plots.study_status import BEST, WORDS, colour, symbol, tick_format, word
from cnnlab.plots.template import new_figure

PANEL_PX = 250
# Points of one choice are spread a little, or they would hide one another.
SPREAD = 0.28
# On an axis of numbers, and how near to one another they can be read, as a share of it.
MOST_TICKS, NEAR = 6, 0.1


@dataclass(frozen=True)
class SlicesInfo:
    """Trials with a result: `places` of them, `codes` `(trials, axes)` on the axes, `y` the objective.

    `texts` are the values by axis, then by trial.
    """

    goal: Goal
    axes: tuple[Axis, ...]
    places: NDArray[np.int64]
    codes: NDArray[np.float64]
    y: NDArray[np.float64]
    statuses: tuple[str, ...]
    hovers: tuple[str, ...]
    texts: tuple[tuple[str, ...], ...]
    best: int | None

    @property
    def is_empty(self) -> bool:
        return self.places.size == 0 or not self.axes


def slices_info(trials: Trials, goal: Goal) -> SlicesInfo:
    """Return where the trials with a result are on each axis."""
    values = trials.objective(goal)
    places = np.flatnonzero(np.isfinite(values))
    statuses = trials.rows["status"].to_list()
    hovers = [
        f"<b>{escaped(trials.label(place))}</b>, {word(statuses[place])}<br>{goal.label} {goal.text(values[place])}"
        for place in places.tolist()
    ]
    best = trials.best()
    return SlicesInfo(
        goal=goal,
        axes=trials.axes,
        places=places,
        codes=trials.codes()[places],
        y=values[places],
        statuses=tuple(statuses[place] for place in places),
        hovers=tuple(hovers),
        texts=tuple(
            tuple(escaped(axis.text(trials.values[place].get(axis.path))) for place in places) for axis in trials.axes
        ),
        best=best,
    )


def slice_of(info: SlicesInfo, place: int, *, height_px: int = PANEL_PX) -> go.Figure:
    """Draw the objective over the axis at `place`; customdata is the place of a trial.

    All panels have the same range upwards, so that they can be read beside one another.
    """
    axis, codes = info.axes[place], info.codes[:, place]
    figure = new_figure(x_title=escaped(axis.label), height_px=height_px, revision=axis.path)
    x, statuses = _shown(axis, codes), np.array(info.statuses)
    for status in WORDS:
        here = np.flatnonzero(statuses == status)
        if here.size:
            figure.add_scatter(
                x=x[here],
                y=info.y[here],
                mode="markers",
                name=word(status),
                marker={"size": 6, "color": colour(status), "symbol": symbol(status), "opacity": 0.6},
                customdata=info.places[here].astype(np.int32),
                hovertext=[f"{info.hovers[one]}<br>{escaped(axis.label)} {info.texts[place][one]}" for one in here],
                hovertemplate="%{hovertext}<extra></extra>",
            )
    best = np.flatnonzero(info.places == (-1 if info.best is None else info.best))
    figure.add_scatter(
        x=x[best],
        y=info.y[best],
        mode="markers",
        name="best",
        hoverinfo="skip",
        marker={"size": 13, "color": BEST, "symbol": "circle-open", "line": {"width": 3}},
    )
    _label_axis(figure, axis, codes)
    low, high = float(info.y.min()), float(info.y.max())
    margin = 0.06 * (high - low) or 0.5 * abs(high) or 0.5
    figure.update_yaxes(range=[low - margin, high + margin], tickformat=tick_format(info.goal))
    figure.update_layout(hovermode="closest", clickmode="event+select", showlegend=False)
    return figure


def slices_summary(info: SlicesInfo) -> str:
    """Return one sentence: how many points, and which axes have trials without a value."""
    if info.is_empty:
        return f"No trial has a {info.goal.label} yet."
    text = (
        f"{plural(info.places.size, 'trial')}, open circles those stopped early; the ring is the best. Upwards is "
        f"{info.goal.label}, {'more' if info.goal.is_max else 'less'} is better"
    )
    absent = [
        f"{axis.label} ({count:,})"
        for axis, count in zip(info.axes, (info.codes == NOT_THERE).sum(axis=0).tolist(), strict=True)
        if count
    ]
    return f"{text}; trials without a value are at the left end of {', '.join(absent)}." if absent else f"{text}."


def _shown(axis: Axis, codes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return where points are drawn: choices by their place, spread a little, numbers as they are."""
    if axis.choices:
        spread = np.random.default_rng(0).uniform(-SPREAD, SPREAD, codes.size)
        return codes + spread
    # Positions in [0, 1] carry logarithmic and absent ones on one straight axis.
    return np.where(codes == NOT_THERE, -0.12, codes)


def _label_axis(figure: go.Figure, axis: Axis, codes: NDArray[np.float64]) -> None:
    """Label an axis of places with what they stand for."""
    places, texts = ticks(axis)
    has_absent = bool((codes == NOT_THERE).any())
    if has_absent:
        places, texts = [-1.0 if axis.choices else -0.12, *places], ["–", *texts]
    low = places[0] if has_absent else 0.0
    span = [low - 0.6, len(axis.choices) - 0.4] if axis.choices else [min(low, 0.0) - 0.06, 1.06]
    figure.update_xaxes(tickvals=places, ticktext=texts, range=span)


def ticks(axis: Axis) -> tuple[list[float], list[str]]:
    """Return places on an axis and what stands there: each choice, or some round numbers."""
    if axis.choices:
        return (
            [float(place) for place in range(len(axis.choices))],
            [escaped(shortened(axis.text(choice), 14)) for choice in axis.choices],
        )
    numbers = round_numbers(axis)
    return [axis.code(number) for number in numbers], [f"{number:.6g}" for number in numbers]


def round_numbers(axis: Axis) -> list[float]:
    """Return a few round numbers within a range, whole ones where no others are possible."""
    if axis.low == axis.high:
        return [axis.low]
    if axis.is_log:
        return _with_ends(axis, _log_numbers(axis.low, axis.high))
    if axis.step and (axis.high - axis.low) / axis.step <= 5:
        return np.arange(axis.low, axis.high + axis.step / 2, axis.step).tolist()
    width = (axis.high - axis.low) / 4
    power = 10.0 ** np.floor(np.log10(width))
    is_whole = axis.step is not None and float(axis.step).is_integer()
    steps = [power * factor for factor in (1, 2, 2.5, 5, 10)]
    step = next(one for one in steps if one >= width * 0.999 and (one.is_integer() or not is_whole))
    first = np.ceil(axis.low / step - 1e-9) * step
    return [round(number, 10) + 0.0 for number in np.arange(first, axis.high + step * 1e-6, step).tolist()]


def _log_numbers(low: float, high: float) -> list[float]:
    """Return 1, 2 and 5 of each power of ten, or fewer of these where they would be too many."""
    first, last = int(np.floor(np.log10(low))), int(np.floor(np.log10(high) + 1e-9))
    found: list[float] = []
    for digits, every in (((1, 2, 5), 1), ((1, 3), 1), ((1,), 1), ((1,), 2), ((1,), 3)):
        found = [float(f"{digit}e{power}") for power in range(first, last + 1, every) for digit in digits]
        found = [number for number in found if low * (1 - 1e-9) <= number <= high * (1 + 1e-9)]
        if len(found) <= MOST_TICKS:
            break
    return found


def _with_ends(axis: Axis, numbers: list[float]) -> list[float]:
    """Return the numbers with the ends of the axis, where these are short and no other stands near."""
    for end in (axis.low, axis.high):
        is_short = float(f"{end:.3g}") == end
        is_free = all(abs(axis.code(end) - axis.code(number)) >= NEAR for number in numbers)
        if is_free and (is_short or not numbers):
            numbers = sorted([*numbers, end])
    return numbers
