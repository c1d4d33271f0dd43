"""The learning curves of a comparison over one another; all settings stand in the address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
import streamlit as st

from cnnlab.analysis.curve_rows import step_rows
from cnnlab.analysis.pairing import CUT_SHORT
from cnnlab.plots.curve_axes import LARGER_IS_BETTER, METRIC_TITLES
from cnnlab.plots.curve_panels import (
    CurvePanelsInfo,
    Panel,
    curve_numbers,
    curve_panels,
    curve_panels_info,
    curve_panels_summary,
)
from cnnlab.plots.curve_points import Horizontal
from cnnlab.plots.learning_curves import learning_curves_info
from dashboard import curve_data
from dashboard.components.chart import chart
from dashboard.components.clicks import open_clicked
from dashboard.components.compare.curve_words import how_to_read
from dashboard.components.compare.subject import Subject

METRICS = {"loss": "Loss", "accuracy": "Accuracy", "error": "Error"}
BELOW = {name: METRIC_TITLES[name].partition(" (")[0] for name in ("learning_rate", "feed_wait", "gradient_norm")}
ACROSS: dict[Horizontal, str] = {
    "epoch": "Epochs",
    "step": "Steps",
    "elapsed_s": "Elapsed time",
    "images": "Images seen",
    "operations": "Operations spent",
}
SMOOTHING = (0.0, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999)
TOGETHER = "All together"


@dataclass(frozen=True)
class CurveSettings:
    """What a person asks of the curves.

    Attributes:
        metrics: Of the large panels, `below` of the small ones as (metric, output).
        outputs: Each has its panels; None for the one that the page speaks of.
        is_by_step: Training is drawn by single steps where they were kept.
    """

    metrics: tuple[str, ...]
    below: tuple[tuple[str, str], ...]
    outputs: tuple[str | None, ...]
    splits: tuple[str, ...]
    x: Horizontal
    smoothing: float
    is_by_step: bool
    is_log_x: bool
    is_log_y: bool
    has_marks: bool


def draw_curves(subject: Subject) -> None:
    """Draw the learning curves with the settings of the address; live while a chosen run trains."""
    frame = curve_data.metrics(subject.run_ids)
    chosen = choose_settings(frame, subject)
    info = panels_of(frame, subject, chosen)
    event = chart(
        curve_panels(info),
        "curves",
        summary=curve_panels_summary(info),
        numbers=lambda: curve_numbers(info),
        how_to_read=how_to_read(chosen, is_grouped=subject.is_grouped),
        is_clickable=True,
        hint="A click on a curve opens its run.",
    )
    open_clicked(event, info.members)


def choose_settings(frame: pl.DataFrame, subject: Subject) -> CurveSettings:
    """Draw the menus; what is not there to choose is not offered."""
    with st.container(horizontal=True):
        metrics = st.pills(
            "Metrics", list(METRICS), format_func=METRICS.__getitem__, selection_mode="multi", default=["loss"],
            key="metric", bind="query-params",
        )  # fmt: skip
        splits = st.pills(
            "Splits", ["train", "val"], selection_mode="multi", default=["train", "val"], key="splits",
            bind="query-params",
        )  # fmt: skip
        below = _choose_below(frame)
        outputs = _choose_outputs(frame, subject)
    left, right = st.columns(2)
    x = left.selectbox("Across", list(ACROSS), format_func=ACROSS.__getitem__, key="x", bind="query-params")
    smoothing = right.select_slider(
        "Smoothing", SMOOTHING, key="smoothing", bind="query-params",
        help="How much each earlier point counts in the mean, of what the next one does. 0.9 is about the last 10 "
        "points, 0.99 the last 100.",
    )  # fmt: skip
    with st.container(horizontal=True):
        is_by_step = curve_data.has_steps(subject.run_ids) and st.toggle(
            "Single steps", key="steps", bind="query-params", help="The training at each step, not its mean by epoch."
        )
        is_log_x = st.toggle("Logarithmic across", key="logx", bind="query-params")
        is_log_y = st.toggle("Logarithmic upwards", key="logy", bind="query-params")
        has_marks = st.toggle(
            "Marks", value=True, key="marks", bind="query-params", help="The best, the last, and an early stop."
        )
    return CurveSettings(
        metrics=tuple(name for name in METRICS if name in metrics) or ("loss",),
        below=below,
        outputs=outputs,
        splits=tuple(splits or ("train", "val")),
        x=x,
        smoothing=smoothing,
        is_by_step=bool(is_by_step),
        is_log_x=is_log_x,
        is_log_y=is_log_y,
        has_marks=has_marks,
    )


def _choose_below(frame: pl.DataFrame) -> tuple[tuple[str, str], ...]:
    known = frame.select("metric", "output").unique().rows()
    offered = {name: (name, "") for name in BELOW if any(metric == name for metric, _ in known)}
    titles = dict(BELOW)
    for metric, output in sorted(known):
        if metric == "weight":
            offered[f"weight_{output}"], titles[f"weight_{output}"] = (metric, output), f"Weight of {output}"
    if not offered:
        return ()
    chosen = st.pills(
        "Below", list(offered), format_func=titles.__getitem__, selection_mode="multi", key="below",
        bind="query-params",
    )  # fmt: skip
    return tuple(offered[name] for name in offered if name in chosen)


def _choose_outputs(frame: pl.DataFrame, subject: Subject) -> tuple[str | None, ...]:
    """Return the outputs with panels of their own; only where the page speaks of all of them is there a choice."""
    named = sorted(frame.filter((pl.col("metric") == "loss") & (pl.col("output") != ""))["output"].unique())
    if subject.output is not None or len(named) < 2:
        return (subject.output,)
    chosen = st.pills(
        "Curves of", [TOGETHER, *named], selection_mode="multi", default=[TOGETHER], key="of", bind="query-params"
    )
    return tuple(None if name == TOGETHER else name for name in chosen) or (None,)


def panels_of(frame: pl.DataFrame, subject: Subject, chosen: CurveSettings) -> CurvePanelsInfo:
    """Return what is drawn."""
    spent = curve_data.spent(subject.rows) if chosen.x in ("images", "operations") else {}
    ended = curve_data.ended(subject.run_ids) if chosen.has_marks else None

    def panel(metric: str, output: str | None, *, is_small: bool) -> Panel:
        rows, is_by_step = _rows(frame, subject.run_ids, metric, chosen)
        info = learning_curves_info(
            rows,
            metric,
            x=chosen.x,
            output=output,
            splits=("train",) if is_small else chosen.splits,
            run_ids=subject.run_ids,
            names=subject.names | subject.group_names,
            groups=subject.groups if subject.is_grouped else None,
            smoothing=0.0 if is_small else chosen.smoothing,
            spent=spent,
            is_by_step=is_by_step,
            reasons=why_without(subject.rows, metric, output),
        )
        is_named = len(chosen.outputs) > 1 or metric == "weight"
        return Panel(info, output or "" if is_named else "", is_small)

    panels = [panel(metric, output, is_small=False) for metric in chosen.metrics for output in chosen.outputs]
    panels += [panel(metric, output, is_small=True) for metric, output in chosen.below]
    return curve_panels_info(panels, is_log_x=chosen.is_log_x, is_log_y=chosen.is_log_y, ended=ended)


def why_without(rows: Sequence[Mapping[str, Any]], metric: str, output: str | None) -> dict[str, str]:
    """Return of each run that is over why it would have no value of a metric; another's may still come."""
    of = f" of the output {output}" if output else ""
    lacking = f"it has no {metric.replace('_', ' ')}{of}"
    said = {"completed": lacking, **{state: f"{state} before its first epoch" for state in CUT_SHORT}}
    return {
        row["run_id"]: lacking if row["epochs_done"] else said[row["state"]] for row in rows if row["state"] in said
    }


def _rows(frame: pl.DataFrame, run_ids: Sequence[str], metric: str, chosen: CurveSettings) -> tuple[pl.DataFrame, bool]:
    """Return the rows of a metric, and whether training is among them by single steps."""
    rows = frame.filter(pl.col("metric") == metric)
    if not chosen.is_by_step or metric not in (*LARGER_IS_BETTER, "learning_rate"):
        return rows, False
    single = step_rows(curve_data.steps(run_ids), metric)
    kept = single["run_id"].unique()
    # A run that kept no steps is drawn by its epochs.
    return pl.concat([rows.filter((pl.col("split") != "train") | ~pl.col("run_id").is_in(kept)), single]), True
