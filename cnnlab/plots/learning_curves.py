"""Loss, accuracy or another metric over the training, of one run or of many over one another."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
import polars as pl

from cnnlab.analysis.curve_rows import Spent, with_spent
from cnnlab.plots.curve_axes import LARGER_IS_BETTER, horizontal, metric_title, set_x, set_y, value_text
from cnnlab.plots.curve_drawing import Look, add_curves, buckets_for, explain_splits, markers_for
from cnnlab.plots.curve_marks import Mark, add_marks, explain_marks
from cnnlab.plots.curve_points import Curve, Horizontal, curve_of, group_points, metric_rows, run_points
from cnnlab.plots.labels import distinct, listed_with_reasons, plural
from cnnlab.plots.palette import colour_of, symbol_of
from cnnlab.plots.template import empty_figure, new_figure


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

    @property
    def what(self) -> str:
        """What sentences call the metric."""
        return self.metric.replace("_", " ")

    @property
    def colours(self) -> dict[str, str]:
        return colour_of(self.keys)

    @property
    def symbols(self) -> dict[str, str]:
        return symbol_of(self.keys)


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
    spent: Mapping[str, Spent] | None = None,
    is_by_step: bool = False,
    reasons: Mapping[str, str] | None = None,
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
        smoothing: Share of the past in the exponential mean, 0 for none. It is taken over all points of each
            run, before runs are averaged; by steps it is that of a step, also where points are further apart.
        spent: What a step of each run takes; needed for `images` and `operations`.
        is_by_step: Rows are of single steps: groups are averaged over these, not over epochs.
        reasons: Why a run has no value of the metric and never will, by run id; of others it is yet to come.
    """
    wanted = list(dict.fromkeys(run_ids if run_ids is not None else metrics["run_id"].unique(maintain_order=True)))
    rows = metric_rows(metrics, metric, output, splits, wanted)
    if x in ("images", "operations"):
        rows = with_spent(rows, spent or {})
    measured = set(rows["run_id"].unique())
    rows = rows.filter(pl.col(x).is_not_null().any().over("run_id"))
    drawn = set(rows["run_id"].unique())
    key_of = {run_id: (groups or {}).get(run_id, run_id) for run_id in wanted}
    keys = tuple(dict.fromkeys(key_of.values()))
    labels = tuple(distinct({key: (names or {}).get(key, key) for key in keys}).values())
    gaps = rows.filter(pl.col("value").is_nan()).group_by("run_id", maintain_order=True).len().rows()
    points = run_points(rows, smoothing, is_by_step=is_by_step)
    if groups is not None and points:
        points = group_points(pl.concat(points.values()), key_of, x, is_by_step=is_by_step)
    curves = [
        curve_of(part, index=place, key=key, label=labels[place], split=split, x=x)
        for place, key in enumerate(keys)
        for split in splits
        if (part := points.get((key, split))) is not None
    ]
    return LearningCurvesInfo(
        metric=metric,
        x=x,
        curves=tuple(curves),
        keys=keys,
        members=tuple(tuple(run_id for run_id in wanted if key_of[run_id] == key) for key in keys),
        labels=labels,
        gaps=dict(gaps),
        not_shown={
            run_id: _why_not(run_id, x, spent or {})
            if run_id in measured
            else (reasons or {}).get(run_id, f"no {metric.replace('_', ' ')} yet")
            for run_id in wanted
            if run_id not in drawn
        },
        names=distinct({run_id: (names or {}).get(run_id, run_id) for run_id in wanted}),
        smoothing=smoothing,
        is_grouped=groups is not None,
    )


def learning_curves(
    info: LearningCurvesInfo,
    *,
    epochs: int | None = None,
    height_px: int = 420,
    is_log_x: bool = False,
    is_log_y: bool = False,
    marks: Sequence[Mark] = (),
) -> go.Figure:
    """Draw the curves: one colour per run, one line style per split, the raw line pale behind a smoothed one.

    Args:
        info: From `learning_curves_info`.
        epochs: Planned ones, so that the axis stands still while the curves grow; only over epochs.
        height_px: The width is the page's.
        is_log_x: The axis to the right is logarithmic.
        is_log_y: The axis upwards is.
        marks: From `marks_of`.
    """
    if info.is_empty:
        return empty_figure(f"No {info.what} yet: the first point comes with the first epoch.")
    scale, x_title, x_text = horizontal(info.x, info.curves)
    revision = f"{info.metric}/{info.x}/{is_log_x}/{is_log_y}"
    figure = new_figure(x_title=x_title, y_title=metric_title(info.metric), height_px=height_px, revision=revision)
    look = look_of(info, scale, x_text, lines=len(info.curves), is_log_x=is_log_x, is_log_y=is_log_y)
    add_curves(figure, info.curves, look)
    add_marks(figure, marks, info.metric, info.colours, scale=scale, x_text=x_text)
    explain_splits(figure, [curve.split for curve in info.curves], info.colours)
    explain_marks(figure, [mark.kind for mark in marks])
    set_y(figure, info.metric, info.curves, is_log=is_log_y)
    set_x(figure, info.x, info.curves, is_log=is_log_x, epochs=epochs)
    return figure


def look_of(
    info: LearningCurvesInfo,
    scale: float,
    x_text: str,
    *,
    lines: int,
    is_log_x: bool,
    is_log_y: bool = False,
    axis: str = "y",
    is_first: bool = True,
    is_plain: bool = False,
) -> Look:
    """Return how the curves of an info are drawn, where a figure has so many lines in all."""
    return Look(
        metric=info.metric,
        scale=scale,
        x_text=x_text,
        colours=info.colours,
        symbols=info.symbols,
        is_smoothed=info.smoothing > 0,
        is_grouped=info.is_grouped,
        is_log_x=is_log_x,
        is_log_y=is_log_y,
        axis=axis,
        markers=markers_for(lines),
        buckets=buckets_for(lines * 2 if info.smoothing else lines),
        is_first=is_first,
        is_plain=is_plain,
    )


def learning_curves_summary(info: LearningCurvesInfo) -> str:
    """Return one sentence: what is drawn, of how many runs, and the last or best number."""
    if info.is_empty:
        return f"No {info.what} is known yet."
    drawn = {curve.index for curve in info.curves}
    runs = sum(len(info.members[index]) for index in drawn) - len(_lacking(info, drawn))
    text = f"{info.what.capitalize()} of {plural(runs, 'run')}"
    if info.is_grouped:
        text += f" in {plural(len(drawn), 'group')} (means with 95 % intervals)"
    return text + _best_text(info) + listed_gaps(info) + "."


def _lacking(info: LearningCurvesInfo, drawn: Set[int]) -> list[str]:
    """Return the runs that have no part in the curve of their group."""
    return [run_id for index in drawn for run_id in info.members[index] if run_id in info.not_shown]


def listed_gaps(info: LearningCurvesInfo) -> str:
    """Return what is missing, as the end of a sentence: points that are no number, and runs without any."""
    text = ""
    if info.gaps:
        counts = {run_id: plural(count, "point") for run_id, count in info.gaps.items()}
        text += f"; gaps where the value is not a number: {listed_with_reasons(counts, info.names)}"
    if info.not_shown:
        text += f"; not shown: {listed_with_reasons(info.not_shown, info.names)}"
    return text


def _best_text(info: LearningCurvesInfo) -> str:
    shown = [curve for curve in info.curves if np.isfinite(curve.y).any()]
    best = [curve for curve in shown if curve.split == "val"] or shown
    if not best or info.metric not in LARGER_IS_BETTER:
        return ""
    is_max = LARGER_IS_BETTER[info.metric]
    values = [float(np.nanmax(curve.y) if is_max else np.nanmin(curve.y)) for curve in best]
    place = int(np.argmax(values) if is_max else np.argmin(values))
    text = f"; the {'highest' if is_max else 'lowest'} on {best[place].split} is "
    return text + value_text(values[place], info.metric) + (f" ({best[place].title})" if len(info.keys) > 1 else "")


def _why_not(run_id: str, x: Horizontal, spent: Mapping[str, Spent]) -> str:
    """Return why a run that was measured has no place on the axis to the right."""
    if x == "operations":
        return spent.get(run_id, Spent()).reason
    return f"its {x.removesuffix('_s').replace('_', ' ')} is not known"
