"""Two hyperparameters and what a forest expects of them, averaged over all others, with the trials on top."""

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from cnnlab.analysis.fanova import leaves_of, marginal
from cnnlab.analysis.importance import FEWEST_TRIALS, fitted_forest
from cnnlab.analysis.trials import NOT_THERE, Axis, Goal, Trials
from cnnlab.plots.labels import escaped, plural
from cnnlab.plots.palette import NEUTRAL, sequential
from cnnlab.plots.study_slices import ticks
from cnnlab.plots.study_status import BEST, tick_format
from cnnlab.plots.template import empty_figure, new_figure

TREES = 32


@dataclass(frozen=True)
class ContourInfo:
    """`expected` is `(codes of y, codes of x)`; `places`, `at_x` and `at_y` are of trials that have both."""

    goal: Goal
    x: Axis
    y: Axis
    expected: NDArray[np.float64]
    places: NDArray[np.int64]
    at_x: NDArray[np.float64]
    at_y: NDArray[np.float64]
    hovers: tuple[str, ...]
    best: int | None
    n: int

    @property
    def is_empty(self) -> bool:
        return self.expected.size == 0


def contour_info(trials: Trials, goal: Goal, x: Axis, y: Axis) -> ContourInfo:
    """Return the mean of a forest over all hyperparameters but `x` and `y`, at the middles of their cells."""
    values, codes = trials.objective(goal), trials.codes()
    kept = np.isfinite(values) & trials.is_completed()
    first, second = trials.axes.index(x), trials.axes.index(y)
    expected = np.zeros((0, 0))
    if kept.sum() >= FEWEST_TRIALS and first != second:
        forest = fitted_forest(codes[kept], values[kept], trees=TREES)
        measures = trials.measures(kept)
        # What is drawn is of trials that have both; where they are absent there is no place on these axes.
        measures[first], measures[second] = x.measure(), y.measure()
        expected = marginal([leaves_of(tree.tree_) for tree in forest.estimators_], measures, (second, first))
    shown = kept & (codes[:, first] != NOT_THERE) & (codes[:, second] != NOT_THERE)
    places = np.flatnonzero(shown)
    hovers = tuple(
        f"<b>{escaped(trials.label(place))}</b><br>{goal.label} {goal.text(values[place])}"
        f"<br>{escaped(trials.described(place)).replace(', ', '<br>')}"
        for place in places.tolist()
    )
    best = trials.best()
    return ContourInfo(
        goal, x, y, expected, places, codes[places, first], codes[places, second], hovers, best, int(kept.sum())
    )


def contour(info: ContourInfo, *, is_dark: bool = False, height_px: int = 440) -> go.Figure:
    """Draw the expected objective in colours and each trial as a point; customdata is the place of a trial."""
    if info.is_empty:
        return empty_figure(_missing(info))
    figure = new_figure(
        x_title=escaped(info.x.label), y_title=escaped(info.y.label), height_px=height_px,
        revision=f"{info.x.path}/{info.y.path}",
    )  # fmt: skip
    figure.add_heatmap(
        x=info.x.codes(),
        y=info.y.codes(),
        z=info.expected,
        colorscale=sequential(is_dark),
        reversescale=not info.goal.is_max,
        zsmooth=False,
        colorbar={
            "title": {"text": f"Expected {escaped(info.goal.label)}", "side": "top"},
            "orientation": "h",  # beside the map it would take half of a phone
            "y": 1.0,
            "yanchor": "bottom",
            "tickformat": tick_format(info.goal),
            "thickness": 10,
            "outlinewidth": 0,
        },
        hoverinfo="skip",
    )
    _add_trials(figure, info)
    for axis, update in ((info.x, figure.update_xaxes), (info.y, figure.update_yaxes)):
        places, texts = ticks(axis)
        ends = [-0.5, len(axis.choices) - 0.5] if axis.choices else [0, 1]
        update(tickvals=places, ticktext=texts, range=ends, showgrid=False)
    # Beside a lying colour bar plotly draws the title over the lower edge of the map, where it sets the margin itself.
    figure.update_xaxes(automargin=False, title_standoff=48)
    figure.update_layout(hovermode="closest", clickmode="event+select", margin_b=72)
    return figure


def _add_trials(figure: go.Figure, info: ContourInfo) -> None:
    is_best = info.places == (-1 if info.best is None else info.best)
    figure.add_scatter(
        x=info.at_x,
        y=info.at_y,
        mode="markers",
        marker={
            "size": np.where(is_best, 13, 6),
            "color": [BEST if one else "rgba(255,255,255,0.85)" for one in is_best],
            "line": {"color": NEUTRAL, "width": 1},
        },
        customdata=info.places.astype(np.int32),
        hovertext=list(info.hovers),
        hovertemplate="%{hovertext}<extra></extra>",
        showlegend=False,
    )


def contour_summary(info: ContourInfo) -> str:
    """Return one sentence: where the forest expects most, and what it stands on."""
    if info.is_empty:
        return _missing(info)
    pick = np.argmax if info.goal.is_max else np.argmin
    row, column = np.unravel_index(int(pick(info.expected)), info.expected.shape)
    x, y = (axis.text(axis.value(float(axis.codes()[place]))) for axis, place in ((info.x, column), (info.y, row)))
    return (
        f"What a random forest of {plural(info.n, 'completed trial')} expects, averaged over all other "
        f"hyperparameters: the best {info.goal.label} about {info.goal.text(float(info.expected[row, column]))} near "
        f"{info.x.label} {x} and {info.y.label} {y}. Points are trials; the large one is the best."
    )


def _missing(info: ContourInfo) -> str:
    if info.x == info.y:
        return "Choose two different hyperparameters."
    return f"A map takes {FEWEST_TRIALS} completed trials at least; there are {info.n} so far."
