"""What a study has found so far: every trial as a point, and the best up to each moment as a staircase."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from cnnlab.analysis.trials import Goal, Trials
from cnnlab.plots.labels import escaped, plural
from cnnlab.plots.study_status import BEST, WORDS, colour, seconds, symbol, tick_format, time_unit, title_of, word
from cnnlab.plots.template import empty_figure, new_figure

Across = Literal["trials", "time"]


@dataclass(frozen=True)
class BestSoFarInfo:
    """Points in the order in which trials ended; `places` are those of the trials.

    `best` is, after each point, the best of the completed trials up to there: NaN before the first.
    """

    goal: Goal
    across: Across
    places: NDArray[np.int64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    best: NDArray[np.float64]
    statuses: tuple[str, ...]
    hovers: tuple[str, ...]
    n: int

    @property
    def is_empty(self) -> bool:
        return self.places.size == 0


def best_so_far_info(trials: Trials, goal: Goal, *, across: Across = "trials") -> BestSoFarInfo:
    """Return the trials with a result, by their end; `across` trials counts them, `across` time is since the first."""
    values = trials.objective(goal)
    ended = seconds(trials.rows["ended_at"].to_list())
    started = seconds(trials.rows["started_at"].to_list())
    known = np.flatnonzero(np.isfinite(values) & np.isfinite(ended))
    order = known[np.argsort(ended[known], kind="stable")]
    y, completed = values[order], trials.is_completed()[order]
    if across == "time" and order.size:
        x = ended[order] - np.nanmin(np.concatenate([started, ended[order]]))
    else:
        x = np.arange(1, order.size + 1, dtype=np.float64)
    counted = np.where(completed, y, np.nan)
    best = (np.fmax if goal.is_max else np.fmin).accumulate(counted) if order.size else counted
    statuses = trials.rows["status"].to_list()
    hovers = [
        f"<b>{escaped(trials.label(place))}</b>, {word(statuses[place])}<br>{goal.label} {goal.text(values[place])}"
        f"<br>{escaped(trials.described(place)).replace(', ', '<br>')}"
        for place in order.tolist()
    ]
    return BestSoFarInfo(
        goal, across, order, x, y, best, tuple(statuses[place] for place in order), tuple(hovers), trials.n
    )


def best_so_far(info: BestSoFarInfo, *, height_px: int = 360) -> go.Figure:
    """Draw the points by status and the staircase; customdata is the place of a trial."""
    if info.is_empty:
        return empty_figure(f"No {info.goal.label} yet: a point comes with the end of each trial.")
    scale, unit = time_unit(float(info.x.max())) if info.across == "time" else (1.0, "")
    title = f"Time since the first trial began ({unit})" if unit else "Trials that have ended"
    figure = new_figure(x_title=title, y_title=title_of(info.goal), height_px=height_px, revision=info.across)
    x = info.x / scale
    statuses = np.array(info.statuses)
    for status in WORDS:
        here = np.flatnonzero(statuses == status)
        if here.size:
            figure.add_scatter(
                x=x[here],
                y=info.y[here],
                mode="markers",
                marker={"size": 7, "color": colour(status), "symbol": symbol(status), "opacity": 0.75},
                name=word(status),
                customdata=info.places[here].astype(np.int32),
                hovertext=[info.hovers[place] for place in here.tolist()],
                hovertemplate="%{hovertext}<extra></extra>",
            )
    if np.isfinite(info.best).any():
        figure.add_scatter(
            x=x,
            y=info.best,
            mode="lines",
            line={"color": BEST, "width": 2.5, "shape": "hv"},
            name="best so far",
            hoverinfo="skip",
        )
    figure.update_layout(hovermode="closest", clickmode="event+select", legend={"y": 1.02, "yanchor": "bottom"})
    figure.update_yaxes(tickformat=tick_format(info.goal))
    if not unit:
        figure.update_xaxes(tickformat=",d", dtick=1 if x.size <= 12 else None)
    return figure


def best_so_far_summary(info: BestSoFarInfo) -> str:
    """Return one sentence: how many trials have a result, the best, and after how many it was found."""
    if info.is_empty:
        return f"No trial of {info.n:,} has a {info.goal.label} yet."
    text = f"{plural(info.places.size, 'trial')} of {info.n:,} with a {info.goal.label}"
    if not np.isfinite(info.best).any():
        return f"{text}; none is completed yet."
    final = info.best[-1]
    first = int(np.flatnonzero(info.best == final)[0])
    return f"{text}; the best of the completed ones is {info.goal.text(final)}, found as number {first + 1} of these."
