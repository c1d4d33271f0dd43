"""Several metrics over one another, with one axis to the right for all: large panels, and small ones below them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
import polars as pl

from cnnlab.plots.curve_axes import horizontal, metric_name, metric_title, set_x, set_y
from cnnlab.plots.curve_drawing import add_curves, explain_splits
from cnnlab.plots.curve_marks import Mark, add_marks, explain_marks, marks_of
from cnnlab.plots.labels import escaped, plural
from cnnlab.plots.learning_curves import LearningCurvesInfo, learning_curves_summary, listed_gaps, look_of
from cnnlab.plots.template import LEGEND_EDGE_PX, LEGEND_ROW_PX, LEGEND_ROWS, empty_figure, new_figure

LARGE_PX, FIRST_PX, SMALL_PX, GAP_PX = 260, 360, 110, 26
# Of the legend: splits and marks.
EXPLANATIONS = 5
NUMBERS = {
    "metric": pl.String,
    "output": pl.String,
    "run": pl.String,
    "split": pl.String,
    "x": pl.Float64,
    "value": pl.Float64,
    "smoothed": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "n": pl.Int64,
}
MAY_LACK = ("output", "smoothed", "low", "high")


@dataclass(frozen=True)
class Panel:
    """One metric of one output (empty: all together, or the only one); `is_small` for what goes along with others."""

    info: LearningCurvesInfo
    output: str = ""
    is_small: bool = False

    @property
    def title(self) -> str:
        """Return what its axis is called."""
        of = f"<br>of {escaped(self.output)}" if self.output else ""
        return metric_title(self.info.metric) + of


@dataclass(frozen=True)
class CurvePanelsInfo:
    """What is drawn, from the top down; panels without a curve are in `empty`. `marks` are by panel."""

    panels: tuple[Panel, ...]
    empty: tuple[Panel, ...]
    marks: tuple[tuple[Mark, ...], ...]
    is_log_x: bool
    is_log_y: bool

    @property
    def is_empty(self) -> bool:
        return not self.panels

    @property
    def members(self) -> tuple[tuple[str, ...], ...]:
        """Return the runs behind the curves whose customdata is `i`."""
        return (self.panels or self.empty)[0].info.members


def curve_panels_info(
    panels: Sequence[Panel],
    *,
    is_log_x: bool = False,
    is_log_y: bool = False,
    ended: Mapping[str, str] | None = None,
) -> CurvePanelsInfo:
    """Return what is drawn of panels that have the same runs and the same axis to the right.

    Args:
        panels: Large ones first.
        is_log_x: The axis to the right is logarithmic.
        is_log_y: The axes upwards of the large panels are.
        ended: With it marks are drawn: how runs ended where before their time, by run id, see `marks_of`.
    """
    shown = tuple(panel for panel in panels if not panel.info.is_empty)
    marks = tuple(
        ()
        if ended is None or panel.is_small
        else marks_of(panel.info.curves, panel.info.metric, ended, panel.info.members)
        for panel in shown
    )
    return CurvePanelsInfo(shown, tuple(panel for panel in panels if panel.info.is_empty), marks, is_log_x, is_log_y)


def curve_panels(info: CurvePanelsInfo, *, epochs: int | None = None) -> go.Figure:
    """Draw the panels; zooming to the right moves all of them.

    Args:
        info: From `curve_panels_info`.
        epochs: Planned ones, so that the axis stands still while the curves grow; only over epochs.
    """
    if info.is_empty:
        return empty_figure("No curve yet: the first point comes with the first epoch.")
    first = info.panels[0].info
    large = [panel for panel in info.panels if not panel.is_small]
    curves = [curve for panel in info.panels for curve in panel.info.curves]
    scale, x_title, x_text = horizontal(first.x, curves)
    heights = [_height(panel, is_first=place == 0) for place, panel in enumerate(info.panels)]
    tall = sum(heights) + GAP_PX * (len(heights) - 1)
    revision = f"{first.x}/{[panel.info.metric for panel in info.panels]}/{info.is_log_x}/{info.is_log_y}"
    runs = len(first.keys) if len(first.keys) > 1 else 0
    legend_px = LEGEND_ROW_PX * min(LEGEND_ROWS, EXPLANATIONS + runs) + LEGEND_EDGE_PX
    figure = new_figure(x_title=x_title, height_px=tall + 20 + legend_px, revision=revision)
    top = float(tall)
    for place, (panel, height) in enumerate(zip(info.panels, heights, strict=True)):
        axis = f"y{place + 1 if place else ''}"
        look = look_of(
            panel.info, scale, x_text, lines=len(curves), is_log_x=info.is_log_x, axis=axis, is_first=place == 0,
            is_plain=panel.is_small, is_log_y=info.is_log_y and not panel.is_small,
        )  # fmt: skip
        add_curves(figure, panel.info.curves, look)
        add_marks(figure, info.marks[place], panel.info.metric, look.colours, scale=scale, x_text=x_text, axis=axis)
        domain = [max(0.0, (top - height) / tall), top / tall]
        name = axis.replace("y", "yaxis")
        title = {"text": panel.title, "standoff": 8, "font": {"size": 11} if panel.is_small else {}}
        figure.update_layout({name: {"domain": domain, "anchor": "x", "title": title}})
        if panel.is_small:
            figure.update_layout({name: {"nticks": 4}})
        set_y(figure, panel.info.metric, panel.info.curves, is_log=look.is_log_y, axis=name)
        top -= height + GAP_PX
    explain_splits(figure, [curve.split for one in large for curve in one.info.curves], first.colours)
    explain_marks(figure, [mark.kind for marks in info.marks for mark in marks])
    set_x(figure, first.x, curves, is_log=info.is_log_x, epochs=epochs)
    figure.update_xaxes(anchor=axis)
    figure.update_layout(legend={"y": -56 / tall, "maxheight": legend_px})
    return figure


def curve_panels_summary(info: CurvePanelsInfo) -> str:
    """Return a sentence per large panel: n, the best number, what is missing; then what the small ones are of."""
    if info.is_empty:
        return " ".join(learning_curves_summary(panel.info) for panel in info.empty) or "Nothing is chosen."
    said = []
    for panel in (one for one in (*info.panels, *info.empty) if not one.is_small):
        of = f"{panel.output}: " if panel.output else ""
        said.append(of + learning_curves_summary(panel.info))
    small = [panel for panel in (*info.panels, *info.empty) if panel.is_small]
    if small:
        named = [metric_name(panel.info.metric) + (f" of {panel.output}" if panel.output else "") for panel in small]
        gaps = [f"{name}{listed_gaps(panel.info)}" for name, panel in zip(named, small, strict=True)]
        said.append(f"Below: {', '.join(gaps)}.")
    if lost := _lost_to_logarithm(info):
        said.append(
            f"On logarithmic axes {plural(lost, 'point')} at 0 or below {'is' if lost == 1 else 'are'} not drawn."
        )
    return " ".join(said)


def curve_numbers(info: CurvePanelsInfo) -> pl.DataFrame:
    """Return every point that the panels stand on, one row each; those that the browser need not draw too.

    Columns that say nothing are left out: outputs where there is one, smoothing and intervals where there are none.
    """
    tables = [
        pl.DataFrame(
            {
                "metric": [panel.info.metric] * curve.x.size,
                "output": [panel.output or None] * curve.x.size,
                "run": [curve.label] * curve.x.size,
                "split": [curve.split] * curve.x.size,
                "x": curve.x,
                "value": curve.y,
                "smoothed": curve.smooth if panel.info.smoothing else np.full(curve.x.size, np.nan),
                "low": curve.low,
                "high": curve.high,
                "n": curve.n,
            },
            schema=NUMBERS,
        )
        for panel in info.panels
        for curve in panel.info.curves
    ]
    table = pl.concat(tables) if tables else pl.DataFrame(schema=NUMBERS)
    table = table.with_columns(pl.col("smoothed", "low", "high").fill_nan(None))
    said = [name for name in table.columns if name not in MAY_LACK or table[name].is_not_null().any()]
    return table.select(said).rename({"x": info.panels[0].info.x if info.panels else "epoch"})


def _height(panel: Panel, *, is_first: bool) -> int:
    return SMALL_PX if panel.is_small else FIRST_PX if is_first else LARGE_PX


def _lost_to_logarithm(info: CurvePanelsInfo) -> int:
    """Return how many points a logarithmic axis cannot show."""
    lost = 0
    for panel in info.panels:
        low_y = 0.0 if info.is_log_y and not panel.is_small else -math.inf
        low_x = 0.0 if info.is_log_x else -math.inf
        for curve in panel.info.curves:
            lost += int(np.count_nonzero((curve.y <= low_y) | (curve.x <= low_x)))
    return lost
