"""Each hyperparameter against an objective, small beside one another: where good values lie."""

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from cnnlab.analysis.trials import NOT_THERE, Axis, Goal, Trials
from cnnlab.plots.labels import escaped, plural, shortened
from cnnlab.plots.palette import NEUTRAL
from cnnlab.plots.study_status import BEST, WORDS, colour, percent_axis, symbol, title_of, word
from cnnlab.plots.template import GRID, empty_figure, new_figure

PANEL_PX = 250
# Points of one choice are spread a little, or they would hide one another.
SPREAD = 0.28


@dataclass(frozen=True)
class SlicesInfo:
    """Trials with a result: `places` of them, `codes` `(trials, axes)` on the axes, `y` the objective."""

    goal: Goal
    axes: tuple[Axis, ...]
    places: NDArray[np.int64]
    codes: NDArray[np.float64]
    y: NDArray[np.float64]
    statuses: tuple[str, ...]
    hovers: tuple[str, ...]
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
        f"<br>{escaped(trials.described(place)).replace(', ', '<br>')}"
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
        best=best,
    )


def slices(info: SlicesInfo, *, columns: int = 3) -> go.Figure:
    """Draw a panel per hyperparameter with the objective upwards; customdata is the place of a trial."""
    if info.is_empty:
        return empty_figure(f"No {info.goal.label} yet: a point comes with the first epoch of each trial.")
    columns = min(columns, len(info.axes))
    num_rows = -(-len(info.axes) // columns)
    base = new_figure(height_px=80 + PANEL_PX * num_rows, revision="slices")
    figure = make_subplots(
        rows=num_rows, cols=columns, shared_yaxes=True, horizontal_spacing=0.03, vertical_spacing=0.28 / num_rows,
        figure=None,
    )  # fmt: skip
    figure.update_layout(base.layout.to_plotly_json())
    statuses = np.array(info.statuses)
    for number, axis in enumerate(info.axes):
        row, column = number // columns + 1, number % columns + 1
        x = _shown(axis, info.codes[:, number])
        for status in WORDS:
            here = np.flatnonzero((statuses == status) & np.isfinite(x))
            if here.size:
                _add_points(figure, info, x, here, status, row, column, has_name=number == 0)
        _add_best(figure, info, x, row, column)
        _axis_of(figure, axis, info.codes[:, number], row, column)
    figure.update_yaxes(
        **percent_axis(info.goal), gridcolor=GRID, zeroline=False, automargin=True, ticks="outside", tickcolor=GRID
    )
    figure.update_yaxes(title={"text": title_of(info.goal).replace(", ", "<br>"), "standoff": 8}, col=1)
    figure.update_layout(hovermode="closest", clickmode="event+select", legend={"y": 1.02, "yanchor": "bottom"})
    return figure


def slices_summary(info: SlicesInfo) -> str:
    """Return one sentence: how many points, and which axes have trials without a value."""
    if info.is_empty:
        return f"No trial has a {info.goal.label} yet."
    text = f"{plural(info.places.size, 'trial')} over {plural(len(info.axes), 'hyperparameter')}"
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


def _add_points(
    figure: go.Figure, info: SlicesInfo, x: NDArray[np.float64], here: NDArray[np.int64], status: str,
    row: int, column: int, *, has_name: bool,
) -> None:  # fmt: skip
    figure.add_scatter(
        x=x[here], y=info.y[here], mode="markers", name=word(status), legendgroup=status, showlegend=has_name,
        marker={"size": 6, "color": colour(status), "symbol": symbol(status), "opacity": 0.6},
        customdata=info.places[here].astype(np.int32),
        hovertext=[info.hovers[place] for place in here.tolist()],
        hovertemplate="%{hovertext}<extra></extra>", row=row, col=column,
    )  # fmt: skip


def _add_best(figure: go.Figure, info: SlicesInfo, x: NDArray[np.float64], row: int, column: int) -> None:
    here = np.flatnonzero(info.places == info.best) if info.best is not None else np.array([], dtype=np.int64)
    if here.size:
        figure.add_scatter(
            x=x[here], y=info.y[here], mode="markers", name="best", legendgroup="best",
            showlegend=row == 1 and column == 1, hoverinfo="skip",
            marker={"size": 13, "color": BEST, "symbol": "circle-open", "line": {"width": 3}}, row=row, col=column,
        )  # fmt: skip


def _axis_of(figure: go.Figure, axis: Axis, codes: NDArray[np.float64], row: int, column: int) -> None:
    """Label an axis of places with what they stand for."""
    places, texts = ticks(axis)
    has_absent = bool((codes == NOT_THERE).any())
    if has_absent:
        places, texts = [-1.0 if axis.choices else -0.12, *places], ["–", *texts]
    low = places[0] if has_absent else 0.0
    span = [low - 0.6, len(axis.choices) - 0.4] if axis.choices else [min(low, 0.0) - 0.06, 1.06]
    figure.update_xaxes(
        title={"text": escaped(axis.label), "standoff": 4}, tickvals=places, ticktext=texts, range=span,
        gridcolor=GRID, zeroline=False, automargin=True, linecolor=NEUTRAL, row=row, col=column,
    )  # fmt: skip


def ticks(axis: Axis) -> tuple[list[float], list[str]]:
    """Return places on an axis and what stands there: each choice, or some round numbers."""
    if axis.choices:
        return (
            [float(place) for place in range(len(axis.choices))],
            [escaped(shortened(axis.text(choice), 14)) for choice in axis.choices],
        )
    numbers = round_numbers(axis)
    return [axis.code(number) for number in numbers], [f"{number:.3g}" for number in numbers]


def round_numbers(axis: Axis) -> list[float]:
    """Return a few round numbers within a range: powers of ten of a logarithmic one that spans two of them."""
    if axis.low == axis.high:
        return [axis.low]
    if axis.is_log:
        powers = range(int(np.ceil(np.log10(axis.low) - 1e-9)), int(np.floor(np.log10(axis.high) + 1e-9)) + 1)
        found = [10.0**power for power in powers]
        if len(found) >= 3:
            return found[:: max(1, len(found) // 4)]
        return [axis.low, float(np.sqrt(axis.low * axis.high)), axis.high]
    if axis.step and (axis.high - axis.low) / axis.step <= 5:
        return np.arange(axis.low, axis.high + axis.step / 2, axis.step).tolist()
    width = (axis.high - axis.low) / 4
    power = 10.0 ** np.floor(np.log10(width))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= width * 0.999)
    first = np.ceil(axis.low / step - 1e-9) * step
    return [round(number, 10) for number in np.arange(first, axis.high + step * 1e-6, step).tolist()]
