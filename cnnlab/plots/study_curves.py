"""The learning curves of all trials over one another: the better, the stronger, and the best on top.

Hundreds of curves are a few traces with gaps: one per class of quality, or no browser would follow.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
import polars as pl
from numpy.typing import NDArray

from cnnlab.analysis.trials import Goal, Trials
from cnnlab.plots.curve_points import metric_rows
from cnnlab.plots.labels import plural
from cnnlab.plots.palette import NEUTRAL, sequential
from cnnlab.plots.study_status import BEST, tick_format
from cnnlab.plots.template import empty_figure, new_figure

SPLITS = ("train", "val")
CLASSES = ("worst quarter", "third quarter", "second quarter", "best quarter")
UNRANKED = "no result"
# Beyond that many points a drawing of vectors is slow; pixels are not.
MOST_VECTORS = 4000


@dataclass(frozen=True)
class StudyCurvesInfo:
    """Curves by class of quality, worst first: epochs and values with NaN between two curves.

    `places` are those of the trials, per point; `counts` how many curves a class has; `labels` are of all trials.
    """

    goal: Goal
    metric: str
    split: str
    x: Mapping[str, NDArray[np.float64]]
    y: Mapping[str, NDArray[np.float64]]
    places: Mapping[str, NDArray[np.int32]]
    counts: Mapping[str, int]
    labels: tuple[str, ...]
    best: str

    @property
    def is_empty(self) -> bool:
        return not self.x


def curve_metric(goal: Goal) -> tuple[str, str, str]:
    """Return split, metric and output of a goal's curve: of one known at the end only, the validation loss.

    >>> curve_metric(Goal("val_accuracy/colour", True))
    ('val', 'accuracy', 'colour')
    """
    name, _, output = goal.metric.partition("/")
    split, _, metric = name.partition("_")
    is_known = split in SPLITS and metric in ("accuracy", "loss")
    return (split, metric, output) if is_known else ("val", "loss", "")


def study_curves_info(trials: Trials, goal: Goal, metrics: pl.DataFrame) -> StudyCurvesInfo:
    """Return the curves of all runs of all trials.

    Args:
        metrics: Long metrics of the runs, of several executions all.
    """
    split, metric, output = curve_metric(goal)
    place_of = {run_id: place for place, run_ids in enumerate(trials.run_ids) for run_id in run_ids}
    rows = metric_rows(metrics, metric, output or None, [split], list(place_of))
    rows = rows.sort("run_id", "epoch", "step", maintain_order=True)
    classes = _classes(trials, goal)
    best = trials.best()
    parts: dict[str, list[tuple[NDArray[np.float64], NDArray[np.float64], int]]] = {}
    for (run_id,), part in rows.partition_by("run_id", as_dict=True, maintain_order=True).items():
        place = place_of[str(run_id)]
        name = "best" if place == best else classes[place]
        numbers = part["value"].cast(pl.Float64).fill_null(float("nan")).to_numpy()
        parts.setdefault(name, []).append((part["epoch"].cast(pl.Float64).to_numpy(), numbers, place))
    order = [name for name in (UNRANKED, *CLASSES, "best") if name in parts]
    joined = {name: _joined(parts[name]) for name in order}
    return StudyCurvesInfo(
        goal=goal,
        metric=metric,
        split=split,
        x={name: joined[name][0] for name in order},
        y={name: joined[name][1] for name in order},
        places={name: joined[name][2] for name in order},
        counts={name: len(parts[name]) for name in order},
        labels=tuple(trials.label(place) for place in range(trials.n)),
        best=trials.label(best) if best is not None else "",
    )


def study_curves(info: StudyCurvesInfo, *, is_dark: bool = False, height_px: int = 400) -> go.Figure:
    """Draw all curves; customdata is the place of a trial."""
    if info.is_empty:
        return empty_figure("No curve yet: the first point comes with the first epoch of the first trial.")
    named = Goal(f"{info.split}_{info.metric}", info.goal.is_max)
    title = f"{'Validation' if info.split == 'val' else 'Training'} {info.metric}"
    figure = new_figure(
        x_title="Epoch",
        y_title=f"{title} (%)" if info.metric == "accuracy" else title,
        height_px=height_px,
        revision="study curves",
    )
    has_pixels = sum(values.size for values in info.x.values()) > MOST_VECTORS
    trace = go.Scattergl if has_pixels else go.Scatter
    for name, (colour, width) in _looks(is_dark).items():
        if name not in info.x:
            continue
        number = "%{y:.2%}" if info.metric == "accuracy" else "%{y:.4~g}"
        figure.add_trace(
            trace(
                x=info.x[name],
                y=info.y[name],
                mode="lines+markers",
                marker={"size": 5 if name == "best" else 3, "color": colour},
                line={"color": colour, "width": width},
                name=f"best: {info.best}" if name == "best" else name,
                opacity=1.0 if name == "best" else 0.7,
                customdata=info.places[name],
                hovertemplate=f"%{{text}}, %{{fullData.name}}<br>epoch %{{x}}: {number}<extra></extra>",
                text=[info.labels[place] for place in info.places[name].tolist()],
            )
        )
    figure.update_layout(hovermode="closest", clickmode="event+select", legend={"y": 1.02, "yanchor": "bottom"})
    figure.update_yaxes(tickformat=tick_format(named))
    if info.metric == "loss":
        _clip_losses(figure, info)
    last = max(float(np.nanmax(values)) for values in info.x.values())
    figure.update_xaxes(tickformat="d", rangemode="tozero", dtick=1 if last <= 12 else None)
    return figure


def study_curves_summary(info: StudyCurvesInfo) -> str:
    """Return one sentence: how many curves, of what, and which is on top."""
    if info.is_empty:
        return "No learning curve yet."
    text = (
        f"{'Validation' if info.split == 'val' else 'Training'} {info.metric} of "
        f"{plural(sum(info.counts.values()), 'run')}, coloured by the {info.goal.label} of the trial"
    )
    return f"{text}; on top the best, {info.best}." if info.best else f"{text}."


def _classes(trials: Trials, goal: Goal) -> list[str]:
    """Return the class of quality of each trial: by quarters of those with a result."""
    values = trials.objective(goal) * (1 if goal.is_max else -1)
    known = np.flatnonzero(np.isfinite(values))
    names = [UNRANKED] * trials.n
    for rank, place in enumerate(known[np.argsort(values[known], kind="stable")].tolist()):
        names[place] = CLASSES[rank * len(CLASSES) // known.size]
    return names


def _joined(
    curves: list[tuple[NDArray[np.float64], NDArray[np.float64], int]],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int32]]:
    gap = np.array([np.nan])
    x = np.concatenate([np.concatenate([x, gap]) for x, _, _ in curves])
    y = np.concatenate([np.concatenate([y, gap]) for _, y, _ in curves])
    places = np.concatenate([np.full(x.size + 1, place, dtype=np.int32) for x, _, place in curves])
    return x, y, places


def _looks(is_dark: bool) -> dict[str, tuple[str, float]]:
    shades = [shade for _, shade in sequential(is_dark)][1:5]
    return {
        UNRANKED: (NEUTRAL, 1.0),
        **{name: (shade, 1.2) for name, shade in zip(CLASSES, shades, strict=True)},
        "best": (BEST, 3.0),
    }


def _clip_losses(figure: go.Figure, info: StudyCurvesInfo) -> None:
    """Let the axis end above most losses: one that diverged would flatten all others."""
    values = np.concatenate(list(info.y.values()))
    values = values[np.isfinite(values)]
    if not values.size:
        return
    top, highest = float(np.quantile(values, 0.95)), float(values.max())
    if highest > 3 * top:
        low = float(values.min())
        figure.update_yaxes(range=[low - 0.05 * (top - low), top + 0.3 * (top - low)])
