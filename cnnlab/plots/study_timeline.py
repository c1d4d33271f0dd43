"""The trials of a study on its workers over time: who did what when, and where it stood still."""

import time
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from cnnlab.analysis.trials import Trials
from cnnlab.plots.labels import escaped, plural
from cnnlab.plots.study_status import WORDS, colour, seconds, time_unit, word
from cnnlab.plots.template import empty_figure, new_figure

LANE_PX = 34
UNKNOWN_WORKER = "no worker"


@dataclass(frozen=True)
class TimelineInfo:
    """Trials that have begun: seconds since the first began, lanes by worker; `counts` are of all by status."""

    places: NDArray[np.int64]
    start: NDArray[np.float64]
    end: NDArray[np.float64]
    lanes: tuple[str, ...]
    workers: tuple[str, ...]
    statuses: tuple[str, ...]
    hovers: tuple[str, ...]
    counts: dict[str, int]

    @property
    def is_empty(self) -> bool:
        return self.places.size == 0

    @property
    def busy_share(self) -> float:
        """Return which part of the workers' time was spent on trials."""
        whole = float(self.end.max() - self.start.min()) * len(self.workers)
        return float((self.end - self.start).sum()) / whole if whole > 0 else 1.0


def timeline_info(trials: Trials, *, now: float | None = None) -> TimelineInfo:
    """Return when each trial ran and where; one that runs still ends `now`, in seconds since 1970."""
    start = seconds(trials.rows["started_at"].to_list())
    end = seconds(trials.rows["ended_at"].to_list())
    statuses = trials.rows["status"].to_list()
    is_running = np.array([status == "running" for status in statuses], dtype=bool)
    end = np.where(is_running, time.time() if now is None else now, end)
    places = np.flatnonzero(np.isfinite(start) & np.isfinite(end))
    origin = float(start[places].min()) if places.size else 0.0
    lanes = [str(worker or UNKNOWN_WORKER) for worker in trials.rows["worker"].to_list()]
    counts = {status: statuses.count(status) for status in WORDS if status in statuses}
    reasons = trials.rows["reason"].to_list()
    hovers = tuple(
        f"<b>{escaped(trials.label(place))}</b>, {word(statuses[place])}"
        + (f"<br>{escaped(str(reasons[place]))}" if reasons[place] else "")
        + f"<br>{escaped(trials.described(place)).replace(', ', '<br>')}"
        for place in places.tolist()
    )
    return TimelineInfo(
        places=places,
        start=start[places] - origin,
        end=np.maximum(start[places], end[places]) - origin,
        lanes=tuple(lanes[place] for place in places),
        workers=tuple(sorted({lanes[place] for place in places}, key=_natural)),
        statuses=tuple(statuses[place] for place in places),
        hovers=hovers,
        counts=counts,
    )


def timeline(info: TimelineInfo) -> go.Figure:
    """Draw a lane per worker and a bar per trial; customdata is the place of a trial."""
    if info.is_empty:
        return empty_figure("No trial has begun yet.")
    scale, unit = time_unit(float(info.end.max()))
    figure = new_figure(
        x_title=f"Time since the first trial began ({unit})", height_px=130 + LANE_PX * len(info.workers),
        revision="timeline",
    )  # fmt: skip
    statuses = np.array(info.statuses)
    for status in WORDS:
        here = np.flatnonzero(statuses == status)
        if here.size:
            figure.add_bar(
                y=[escaped(info.lanes[place]) for place in here],
                x=(info.end[here] - info.start[here]) / scale,
                base=info.start[here] / scale,
                orientation="h",
                name=word(status),
                marker={"color": colour(status), "line": {"width": 0.5, "color": "rgba(127,127,127,0.6)"}},
                customdata=info.places[here].astype(np.int32),
                hovertext=[info.hovers[place] for place in here.tolist()],
                hovertemplate="%{hovertext}<extra></extra>",
            )
    figure.update_layout(
        barmode="overlay", bargap=0.3, hovermode="closest", clickmode="event+select",
        legend={"y": 1.02, "yanchor": "bottom"},
    )  # fmt: skip
    figure.update_yaxes(
        type="category", autorange="reversed", showgrid=False, categoryorder="array",
        categoryarray=[escaped(worker) for worker in info.workers],
    )  # fmt: skip
    return figure


def timeline_summary(info: TimelineInfo) -> str:
    """Return one sentence: how many trials stand how, and how busy the workers were."""
    counts = ", ".join(f"{count:,} {word(status)}" for status, count in info.counts.items()) or "no trial"
    if info.is_empty:
        return f"No trial has begun yet: {counts}."
    were = "was" if len(info.workers) == 1 else "were"
    return (
        f"{counts[:1].upper()}{counts[1:]}, on {plural(len(info.workers), 'worker')} that {were} busy with trials for "
        f"{100 * min(1.0, info.busy_share):.0f} % of the time."
    )


def _natural(name: str) -> tuple[str, int]:
    head = name.rstrip("0123456789")
    return head, int(name[len(head) :] or 0)
