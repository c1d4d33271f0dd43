"""Points of curves that are worth a look: the best, the last, and where a training was stopped early."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import plotly.graph_objects as go

from cnnlab.plots.curve_axes import LARGER_IS_BETTER, value_text
from cnnlab.plots.curve_drawing import LEGEND_END
from cnnlab.plots.curve_points import Curve
from cnnlab.plots.labels import escaped
from cnnlab.plots.palette import NEUTRAL

Kind = Literal["best", "last", "stopped"]
LOOKS: dict[Kind, tuple[str, str, int]] = {
    "best": ("best", "star", 12),
    "last": ("last", "circle-open", 9),
    "stopped": ("stopped early", "x", 9),
}
# How a loop says that it ended before its time.
STOPPED = {"early_stopping": "the validation loss fell no more", "time_budget": "its time was over"}


@dataclass(frozen=True)
class Mark:
    """A point of a curve, at `place` of its arrays; `reason` of a stop."""

    kind: Kind
    curve: Curve
    place: int
    reason: str = ""


def marks_of(
    curves: Sequence[Curve], metric: str, ended: Mapping[str, str], members: Sequence[Sequence[str]]
) -> tuple[Mark, ...]:
    """Return the marks of the curves that say how good a run is: on val, or else on the last split drawn of it.

    Args:
        curves: Of one metric.
        metric: Only of loss, accuracy and error is there a best.
        ended: How runs ended, by run id, where before their time: a key of `STOPPED`.
        members: The runs behind each curve, by its index: a group is stopped where all of its runs are.
    """
    if metric not in LARGER_IS_BETTER:
        return ()
    marks: list[Mark] = []
    for curve in _judging(curves):
        known = np.flatnonzero(np.isfinite(curve.y) & np.isfinite(curve.x))
        if not known.size:
            continue
        values = curve.y[known] * (1 if LARGER_IS_BETTER[metric] else -1)
        stop = _stop_of([ended.get(run_id, "") for run_id in members[curve.index]])
        marks.append(Mark("best", curve, int(known[np.argmax(values)])))
        marks.append(Mark("stopped" if stop else "last", curve, int(known[-1]), stop))
    return tuple(marks)


def add_marks(
    figure: go.Figure,
    marks: Sequence[Mark],
    metric: str,
    colours: Mapping[str, str],
    *,
    scale: float,
    x_text: str,
    axis: str = "y",
) -> None:
    """Draw each kind as one trace; a click on a mark leads where one on its curve does."""
    for kind in LOOKS:
        chosen = [mark for mark in marks if mark.kind == kind]
        if not chosen:
            continue
        name, symbol, size = LOOKS[kind]
        figure.add_scatter(
            x=[mark.curve.x[mark.place] / scale for mark in chosen],
            y=[mark.curve.y[mark.place] for mark in chosen],
            yaxis=axis,
            mode="markers",
            name=name,
            showlegend=False,
            marker={
                "symbol": symbol,
                "size": size,
                "color": [colours[mark.curve.key] for mark in chosen],
                "line": {"width": 2 if kind == "last" else 1, "color": [colours[mark.curve.key] for mark in chosen]},
            },
            customdata=np.array([mark.curve.index for mark in chosen], dtype=np.int16),
            text=[_text(mark, metric) for mark in chosen],
            hovertemplate=f"%{{text}}<br>{x_text}<extra></extra>",
        )


def explain_marks(figure: go.Figure, kinds: Sequence[Kind]) -> None:
    """Say in the legend what each mark is."""
    for kind, (name, symbol, size) in LOOKS.items():
        if kind in kinds:
            marker = {"symbol": symbol, "size": size, "color": NEUTRAL, "line": {"width": 1, "color": NEUTRAL}}
            look = {"mode": "markers", "marker": marker, "hoverinfo": "skip", "legendrank": LEGEND_END + 50}
            figure.add_scatter(x=[None], y=[None], name=name, **look)


def _stop_of(ends: Sequence[str]) -> str:
    """Return why all of these runs ended before their time, or an empty string where one of them did not."""
    if not ends or any(end not in STOPPED for end in ends):
        return ""
    reasons = " or ".join(dict.fromkeys(STOPPED[end] for end in ends))
    return f"all {len(ends)} runs, {reasons}" if len(ends) > 1 else reasons


def _judging(curves: Sequence[Curve]) -> list[Curve]:
    by_key: dict[str, Curve] = {}
    for curve in curves:
        if curve.key not in by_key or by_key[curve.key].split != "val":
            by_key[curve.key] = curve
    return list(by_key.values())


def _text(mark: Mark, metric: str) -> str:
    name, value = LOOKS[mark.kind][0], value_text(float(mark.curve.y[mark.place]), metric)
    reason = f": {mark.reason}" if mark.reason else ""
    return f"<b>{escaped(mark.curve.title)}</b><br>{name} on {mark.curve.split}{reason}<br>{value}"
