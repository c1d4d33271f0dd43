"""Loss, accuracy or learning rate over the training, of one run or of many over one another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
import polars as pl

from cnnlab.plots.curve_points import Curve, Horizontal, curve_of, group_points, metric_rows, run_points
from cnnlab.plots.labels import distinct, escaped, listed_with_reasons, plural
from cnnlab.plots.palette import NEUTRAL, colour_of, with_alpha
from cnnlab.plots.template import empty_figure, new_figure

METRIC_TITLES = {"loss": "Loss (cross-entropy)", "accuracy": "Accuracy (%)", "learning_rate": "Learning rate"}
DASHES = {"train": "dot", "val": "solid", "test": "dash"}
# Beyond that a marker per point costs the browser more than it tells.
MARKERS_PER_CURVE = 100


@dataclass(frozen=True)
class LearningCurvesInfo:
    """What is drawn. `members[i]` are the runs behind the curves whose customdata is `i`.

    `gaps` (points that are not a number), `not_shown` (the reason) and `names` are by run id.
    """

    metric: str
    x: Horizontal
    curves: tuple[Curve, ...]
    keys: tuple[str, ...]
    members: tuple[tuple[str, ...], ...]
    labels: tuple[str, ...]
    gaps: Mapping[str, int]
    not_shown: Mapping[str, str]
    names: Mapping[str, str]
    smoothing: float
    is_grouped: bool

    @property
    def is_empty(self) -> bool:
        return not self.curves


def learning_curves_info(
    metrics: pl.DataFrame,
    metric: str = "loss",
    *,
    x: Horizontal = "epoch",
    output: str | None = None,
    splits: Sequence[str] = ("train", "val"),
    run_ids: Sequence[str] | None = None,
    names: Mapping[str, str] | None = None,
    groups: Mapping[str, str] | None = None,
    smoothing: float = 0.0,
) -> LearningCurvesInfo:
    """Return the curves of one metric.

    Args:
        metrics: Columns run_id, epoch, step, split, output, metric, value, elapsed_s.
        metric: A value of the column `metric`.
        x: What runs to the right.
        output: Of networks with several; when left out, all together ("") where a run has it, else its first.
        splits: Which to draw.
        run_ids: Which runs, in the order of the colours; all in order of appearance when left out.
        names: What a run (or a group) is called; its id when missing.
        groups: The group of each run: then one curve per group, the mean of each epoch's last value
            with Student's 95 % interval and the number of runs. The keys are then group ids.
        smoothing: Share of the past in the exponential mean, 0 for none. It is taken over all points.
    """
    wanted = list(dict.fromkeys(run_ids if run_ids is not None else metrics["run_id"].unique(maintain_order=True)))
    rows = metric_rows(metrics, metric, output, splits, wanted)
    key_of = {run_id: (groups or {}).get(run_id, run_id) for run_id in wanted}
    keys = tuple(dict.fromkeys(key_of.values()))
    labels = tuple(distinct({key: (names or {}).get(key, key) for key in keys}).values())
    called = distinct({run_id: (names or {}).get(run_id, run_id) for run_id in wanted})
    gaps = rows.filter(pl.col("value").is_nan()).group_by("run_id", maintain_order=True).len().rows()
    drawn = set(rows["run_id"].unique())
    curves = []
    points = group_points(rows, key_of) if groups is not None else run_points(rows)
    by_key = points.partition_by("key", "split", as_dict=True, include_key=False)
    for place, key in enumerate(keys):
        for split in splits:
            part = by_key.get((key, split))
            if part is not None:
                label = labels[place]
                curves.append(curve_of(part, index=place, key=key, label=label, split=split, x=x, smoothing=smoothing))
    return LearningCurvesInfo(
        metric=metric,
        x=x,
        curves=tuple(curves),
        keys=keys,
        members=tuple(tuple(run_id for run_id in wanted if key_of[run_id] == key) for key in keys),
        labels=labels,
        gaps=dict(gaps),
        not_shown={run_id: f"no {metric.replace('_', ' ')} yet" for run_id in wanted if run_id not in drawn},
        names=called,
        smoothing=smoothing,
        is_grouped=groups is not None,
    )


def learning_curves(info: LearningCurvesInfo, *, epochs: int | None = None, height_px: int = 420) -> go.Figure:
    """Draw the curves: one colour per run, one line style per split, the raw line pale behind a smoothed one.

    Args:
        info: From `learning_curves_info`.
        epochs: Planned ones, so that the axis stands still while the curves grow; only over epochs.
        height_px: The width is the page's.
    """
    title = METRIC_TITLES.get(info.metric, info.metric.replace("_", " ").capitalize())
    if info.is_empty:
        return empty_figure(f"No {info.metric.replace('_', ' ')} yet: the first point comes with the first epoch.")
    scale, _, x_title = _horizontal(info)
    revision = f"{info.metric}/{info.x}"
    figure = new_figure(x_title=x_title, y_title=title, height_px=height_px, revision=revision)
    colours = colour_of(info.keys)
    show_band = info.is_grouped
    for curve in info.curves:
        if show_band:
            _add_band(figure, curve, colours[curve.key], scale)
    for curve in info.curves:
        _add_curve(figure, info, curve, colours[curve.key], scale)
    _explain_splits(figure, info)
    if info.metric == "accuracy":
        # The interval of two seeds can leave [0, 1] by far; the axis need not follow it.
        figure.update_yaxes(tickformat=".0%", autorangeoptions={"clipmin": -0.01, "clipmax": 1.01})
    if info.metric == "learning_rate":
        figure.update_yaxes(exponentformat="power", rangemode="tozero")
    if info.x == "epoch":
        last = max(float(np.max(curve.x)) for curve in info.curves)
        figure.update_xaxes(range=[0, max(last, epochs or 0) * 1.02 + 0.2], tickformat="d")
    return figure


def learning_curves_summary(info: LearningCurvesInfo) -> str:
    """Return one sentence: what is drawn, of how many runs, and the last or best number."""
    what = info.metric.replace("_", " ")
    if info.is_empty:
        return f"No {what} is known yet."
    runs = sum(len(members) for members in info.members)
    shown = [curve for curve in info.curves if np.isfinite(curve.y).any()]
    text = f"{what.capitalize()} of {plural(runs, 'run')}"
    if info.is_grouped:
        text += f" in {plural(len(info.keys), 'group')} (means with 95 % intervals)"
    best = [curve for curve in shown if curve.split == "val"] or shown
    if best:
        pick = np.nanmax if info.metric == "accuracy" else np.nanmin
        value, curve = max(
            ((float(pick(curve.y)), curve) for curve in best),
            key=lambda pair: pair[0] if info.metric == "accuracy" else -pair[0],
        )
        kind = "highest" if info.metric == "accuracy" else "lowest"
        text += f"; the {kind} on {curve.split} is {_shown(value, info.metric)}"
        text += f" ({curve.label})" if len(info.keys) > 1 else ""
    if info.gaps:
        counts = {run_id: plural(count, "point") for run_id, count in info.gaps.items()}
        text += f"; gaps where the value is not a number: {listed_with_reasons(counts, info.names)}"
    if info.not_shown:
        text += f"; not shown: {listed_with_reasons(info.not_shown, info.names)}"
    return text + "."


def _horizontal(info: LearningCurvesInfo) -> tuple[float, str, str]:
    """Return what x is divided by, the unit that fits, and the title with it."""
    if info.x == "epoch":
        return 1.0, "", "Epoch"
    if info.x == "step":
        return 1.0, "", "Step (optimizer updates)"
    longest = max(float(np.nanmax(curve.x, initial=0.0)) for curve in info.curves)
    for seconds, unit in ((3600.0, "h"), (60.0, "min")):
        if longest >= 3 * seconds:
            return seconds, unit, f"Elapsed time ({unit})"
    return 1.0, "s", "Elapsed time (s)"


def _add_band(figure: go.Figure, curve: Curve, colour: str, scale: float) -> None:
    """Draw the interval of a group; a polygon per stretch without gaps, so that nothing is bridged."""
    known = np.isfinite(curve.low) & np.isfinite(curve.high)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], known, [False]]).astype(np.int8)))
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        x = curve.x[start:stop] / scale
        figure.add_scatter(
            x=np.concatenate([x, x[::-1]]),
            y=np.concatenate([curve.high[start:stop], curve.low[start:stop][::-1]]),
            mode="lines",
            fill="toself",
            fillcolor=with_alpha(colour, 0.18 if curve.split != "train" else 0.09),
            line={"width": 0},
            hoverinfo="skip",
            showlegend=False,
            legendgroup=curve.key,
        )


def _add_curve(figure: go.Figure, info: LearningCurvesInfo, curve: Curve, colour: str, scale: float) -> None:
    is_last = [other for other in info.curves if other.key == curve.key][-1] is curve
    line: dict[str, Any] = {"color": colour, "width": 2, "dash": DASHES.get(curve.split, "dashdot")}
    if info.smoothing > 0:
        figure.add_scatter(
            x=curve.x / scale,
            y=curve.y,
            mode="lines",
            line={**line, "width": 1},
            opacity=0.35,
            hoverinfo="skip",
            showlegend=False,
            legendgroup=curve.key,
        )
    name = escaped(curve.label)
    x_text = {"epoch": "epoch %{x}", "step": "step %{x}", "elapsed_s": f"%{{x:.4~g}} {_horizontal(info)[1]}"}
    y_text = "%{y:.2%}" if info.metric == "accuracy" else "%{y:.4~g}"
    smooth_text = " (smoothed)" if info.smoothing > 0 else ""
    figure.add_scatter(
        x=curve.x / scale,
        y=curve.smooth,
        # A click selects markers only, never a bare line.
        mode="lines+markers",
        marker={"size": 4, "color": colour, "maxdisplayed": MARKERS_PER_CURVE},
        line=line,
        name=name,
        legendgroup=curve.key,
        showlegend=is_last and len(info.keys) > 1,
        customdata=np.full(curve.x.size, curve.index, dtype=np.int32),
        text=[plural(count, "run") for count in curve.n.tolist()] if info.is_grouped else None,
        hovertemplate=f"<b>{name}</b><br>{curve.split}, {x_text[info.x]}<br>{y_text}{smooth_text}"
        + ("<br>mean of %{text}" if info.is_grouped else "")
        + "<extra></extra>",
    )


def _explain_splits(figure: go.Figure, info: LearningCurvesInfo) -> None:
    """Say in the legend which line style is which split."""
    colour = NEUTRAL if len(info.keys) > 1 else colour_of(info.keys)[info.keys[0]]
    for split in dict.fromkeys(curve.split for curve in info.curves):
        figure.add_scatter(
            x=[None],
            y=[None],
            mode="lines",
            line={"color": colour, "width": 2, "dash": DASHES.get(split, "dashdot")},
            name=split,
            hoverinfo="skip",
            legendrank=900,
        )


def _shown(value: float, metric: str) -> str:
    return f"{value:.2%}".replace("%", " %") if metric == "accuracy" else f"{value:.4g}"
