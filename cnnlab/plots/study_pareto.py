"""Two objectives against one another, and the trials that no other beats in both."""

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from cnnlab.analysis.trials import Goal, Trials
from cnnlab.plots.labels import escaped, plural
from cnnlab.plots.palette import CATEGORICAL, NEUTRAL
from cnnlab.plots.study_status import BEST, tick_format, title_of
from cnnlab.plots.template import empty_figure, new_figure

MOST_NAMED = 5
# From one end of a cost to the other: a logarithmic axis shows both.
WIDE = 20.0


@dataclass(frozen=True)
class StudyParetoInfo:
    """Completed trials with both objectives; `front` are their places in order of the horizontal one."""

    across: Goal
    upward: Goal
    places: NDArray[np.int64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    front: tuple[int, ...]
    hovers: tuple[str, ...]
    labels: dict[int, str]
    n: int

    @property
    def is_empty(self) -> bool:
        return self.places.size == 0


def study_pareto_info(trials: Trials, upward: Goal, across: Goal) -> StudyParetoInfo:
    """Return one objective upwards and another across, with the front of both."""
    x, y = trials.objective(across), trials.objective(upward)
    places = np.flatnonzero(np.isfinite(x) & np.isfinite(y) & trials.is_completed())
    front = sorted(trials.front(upward, across), key=lambda place: (x[place], y[place]))
    hovers = tuple(
        f"<b>{escaped(trials.label(place))}</b><br>{upward.label} {upward.text(y[place])}"
        f"<br>{across.label} {across.text(x[place])}<br>{escaped(trials.described(place)).replace(', ', '<br>')}"
        for place in places.tolist()
    )
    labels = {place: trials.label(place) for place in front}
    return StudyParetoInfo(across, upward, places, x[places], y[places], tuple(front), hovers, labels, trials.n)


def study_pareto(info: StudyParetoInfo, *, height_px: int = 440) -> go.Figure:
    """Draw the trials and a staircase along the front; customdata is the place of a trial."""
    if info.is_empty:
        return empty_figure("No point yet: it takes a completed trial with both objectives.")
    figure = new_figure(
        x_title=title_of(info.across), y_title=title_of(info.upward), height_px=height_px, revision="pareto"
    )
    is_on_front = np.isin(info.places, info.front)
    for is_front, name, colour, size in (
        (False, "beaten by another", CATEGORICAL[0], 7),
        (True, "on the front", BEST, 10),
    ):
        here = np.flatnonzero(is_on_front == is_front)
        if here.size:
            figure.add_scatter(
                x=info.x[here],
                y=info.y[here],
                mode="markers",
                marker={"size": size, "color": colour, "opacity": 1 if is_front else 0.55},
                name=name,
                customdata=info.places[here].astype(np.int32),
                hovertext=[info.hovers[place] for place in here.tolist()],
                hovertemplate="%{hovertext}<extra></extra>",
            )
    _add_staircase(figure, info)
    figure.update_layout(hovermode="closest", clickmode="event+select", legend={"y": 1.02, "yanchor": "bottom"})
    figure.update_xaxes(tickformat=tick_format(info.across))
    if info.x.min() > 0 and info.x.max() / info.x.min() > WIDE:
        figure.update_xaxes(type="log", dtick="D2" if info.x.max() / info.x.min() < 200 else 1)
    figure.update_yaxes(tickformat=tick_format(info.upward))
    return figure


def study_pareto_summary(info: StudyParetoInfo) -> str:
    """Return one sentence that counts the front and names its members from one end to the other."""
    if info.is_empty:
        return "No completed trial has both objectives yet."
    names = [info.labels[place] for place in info.front]
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return (
        f"Of {plural(info.places.size, 'completed trial')}, {len(names)} {'is' if len(names) == 1 else 'are'} beaten "
        f"by no other in both {info.upward.label} and {info.across.label}: {', '.join(names[:MOST_NAMED])}{more}."
    )


def _add_staircase(figure: go.Figure, info: StudyParetoInfo) -> None:
    at = {int(place): index for index, place in enumerate(info.places)}
    order = [at[place] for place in info.front]
    # What a cost buys holds up to the next better one; where much is wanted across, it holds from the other side.
    figure.add_scatter(
        x=info.x[order],
        y=info.y[order],
        mode="lines",
        line={"color": NEUTRAL, "width": 1.5, "dash": "dash", "shape": "vh" if info.across.is_max else "hv"},
        name="Pareto front",
        hoverinfo="skip",
    )
