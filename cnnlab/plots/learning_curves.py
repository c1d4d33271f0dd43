"""Loss, accuracy or learning rate over the training, of one run or of many over one another."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go
import polars as pl
from numpy.typing import NDArray

from cnnlab.analysis.intervals import student_quantile
from cnnlab.plots.palette import NEUTRAL, colour_of, with_alpha
from cnnlab.plots.template import empty_figure, escaped, new_figure, plural

Horizontal = Literal["epoch", "elapsed_s", "step"]
Numbers = NDArray[np.float64]

METRIC_TITLES = {"loss": "Loss (cross-entropy)", "accuracy": "Accuracy (%)", "learning_rate": "Learning rate"}
DASHES = {"train": "dot", "val": "solid", "test": "dash"}
# Beyond that a marker per point costs the browser more than it tells.
MARKERS_PER_CURVE = 100


@dataclass(frozen=True)
class Curve:
    """One line: a run, or the mean of a group, on one split. NaN is a gap."""

    index: int
    key: str
    label: str
    split: str
    x: Numbers
    y: Numbers
    smooth: Numbers
    low: Numbers
    high: Numbers
    n: NDArray[np.int64]


@dataclass(frozen=True)
class LearningCurvesInfo:
    """What is drawn. `members[i]` are the runs behind the curves whose customdata is `i`."""

    metric: str
    x: Horizontal
    curves: tuple[Curve, ...]
    keys: tuple[str, ...]
    members: tuple[tuple[str, ...], ...]
    labels: tuple[str, ...]
    gaps: Mapping[str, int]
    not_shown: Mapping[str, str]
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
    rows = _rows(metrics, metric, output, splits, wanted)
    key_of = {run_id: (groups or {}).get(run_id, run_id) for run_id in wanted}
    keys = tuple(dict.fromkeys(key_of.values()))
    labels = tuple((names or {}).get(key, key) for key in keys)
    named = {run_id: (names or {}).get(run_id, run_id) for run_id in wanted}
    gaps = rows.filter(pl.col("value").is_nan()).group_by("run_id", maintain_order=True).len().rows()
    drawn = set(rows["run_id"].unique())
    curves = []
    places = {key: place for place, key in enumerate(keys)}
    points = _group_means(rows, key_of) if groups is not None else _single(rows)
    by_key = points.partition_by("key", "split", as_dict=True, include_key=False)
    for place, key in enumerate(keys):
        for split in splits:
            part = by_key.get((key, split))
            if part is not None:
                curves.append(_curve(part.sort("epoch", "step"), places[key], key, labels[place], split, x, smoothing))
    return LearningCurvesInfo(
        metric=metric,
        x=x,
        curves=tuple(curves),
        keys=keys,
        members=tuple(tuple(run_id for run_id in wanted if key_of[run_id] == key) for key in keys),
        labels=labels,
        gaps={named[run_id]: count for run_id, count in gaps},
        not_shown={named[run_id]: f"no {metric.replace('_', ' ')} yet" for run_id in wanted if run_id not in drawn},
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
    scale, x_title = _horizontal(info)
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
        figure.update_yaxes(tickformat=".0%")
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
        text += f"; gaps where the value is not a number: {', '.join(f'{k} ({v})' for k, v in info.gaps.items())}"
    if info.not_shown:
        text += f"; not shown: {', '.join(f'{k} ({v})' for k, v in info.not_shown.items())}"
    return text + "."


def smoothed(values: Numbers, smoothing: float) -> Numbers:
    """Return the exponential mean of all points so far, without the pull of a start at zero; NaN stays NaN."""
    if not 0 <= smoothing < 1:
        raise ValueError(f"smoothing={smoothing!r} is out of range. Expected a number in [0, 1).")
    if smoothing == 0 or values.size == 0:
        return values
    series = pl.Series(values, dtype=pl.Float64).fill_nan(None)
    return series.ewm_mean(alpha=1 - smoothing, adjust=True, ignore_nulls=True).to_numpy().astype(np.float64)


def _rows(metrics: pl.DataFrame, metric: str, output: str | None, splits: Sequence[str], wanted: list[str]):
    """Return one output's rows per run; null becomes NaN, both are gaps."""
    rows = metrics.filter(
        (pl.col("metric") == metric) & pl.col("split").is_in(list(splits)) & pl.col("run_id").is_in(wanted)
    )
    if output is not None:
        rows = rows.filter(pl.col("output") == output)
    else:
        first = pl.col("output").first().over("run_id")
        has_all = (pl.col("output") == "").any().over("run_id")
        rows = rows.filter(pl.col("output") == pl.when(has_all).then(pl.lit("")).otherwise(first))
    return rows.with_columns(pl.col("value").fill_null(math.nan))


def _single(rows: pl.DataFrame) -> pl.DataFrame:
    missing = pl.lit(math.nan)
    return rows.with_columns(key=pl.col("run_id"), mean=pl.col("value"), low=missing, high=missing, n=pl.lit(1))


def _group_means(rows: pl.DataFrame, key_of: Mapping[str, str]) -> pl.DataFrame:
    """Return mean, interval and n of each epoch's last values; a NaN lowers n and nothing else."""
    ends = (
        rows.sort("epoch", "step")
        .group_by("run_id", "split", "epoch", maintain_order=True)
        .last()
        .with_columns(key=pl.col("run_id").replace_strict(key_of, return_dtype=pl.String))
    )
    value = pl.col("value").fill_nan(None)
    means = ends.group_by("key", "split", "epoch").agg(
        mean=value.mean(),
        deviation=value.std(ddof=1),
        n=value.count(),
        step=pl.col("step").mean(),
        elapsed_s=pl.col("elapsed_s").mean(),
    )
    quantiles = {n: student_quantile(n) for n in means["n"].unique()}
    half = pl.col("n").replace_strict(quantiles, return_dtype=pl.Float64) * pl.col("deviation") / pl.col("n").sqrt()
    return means.with_columns(low=pl.col("mean") - half, high=pl.col("mean") + half)


def _curve(part: pl.DataFrame, index: int, key: str, label: str, split: str, x: Horizontal, smoothing: float) -> Curve:
    def column(name: str) -> Numbers:
        return part[name].cast(pl.Float64).to_numpy()

    y = column("mean")
    return Curve(
        index=index,
        key=key,
        label=label,
        split=split,
        x=column(x),
        y=y,
        smooth=smoothed(y, smoothing),
        low=column("low"),
        high=column("high"),
        n=part["n"].cast(pl.Int64).to_numpy(),
    )


def _horizontal(info: LearningCurvesInfo) -> tuple[float, str]:
    """Return what x is divided by, and its title with the unit that fits."""
    if info.x == "epoch":
        return 1.0, "Epoch"
    if info.x == "step":
        return 1.0, "Step (optimizer updates)"
    longest = max(float(np.nanmax(curve.x, initial=0.0)) for curve in info.curves)
    for seconds, unit in ((3600.0, "h"), (60.0, "min")):
        if longest >= 3 * seconds:
            return seconds, f"Elapsed time ({unit})"
    return 1.0, "Elapsed time (s)"


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
    is_first = next(other for other in info.curves if other.key == curve.key) is curve
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
    x_text = {"epoch": "epoch %{x}", "step": "step %{x}", "elapsed_s": "%{x:.4~g} " + _horizontal(info)[1][14:-1]}
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
        showlegend=is_first and len(info.keys) > 1,
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
