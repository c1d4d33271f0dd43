"""The learning rate that a schedule will give, before anything is trained."""

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from cnnlab.plots.labels import plural
from cnnlab.plots.palette import CATEGORICAL
from cnnlab.plots.template import empty_figure, new_figure

# Steps drawn besides those where the rate jumps; a screen has no more columns.
DRAWN_STEPS = 1000


@dataclass(frozen=True)
class SchedulePreviewInfo:
    """Learning rates over epochs (0 is the first step), thinned where the line is smooth."""

    epochs: NDArray[np.float64]
    learning_rates: NDArray[np.float64]
    steps: int
    highest: float
    last: float

    @property
    def is_empty(self) -> bool:
        return self.steps == 0


def schedule_preview_info(learning_rates: ArrayLike, steps_per_epoch: int) -> SchedulePreviewInfo:
    """Return what is drawn of one learning rate per step.

    Raises:
        ValueError: `steps_per_epoch` is below 1.
    """
    if steps_per_epoch < 1:
        raise ValueError(f"steps_per_epoch={steps_per_epoch} is out of range. Expected an integer in [1, inf).")
    rates = np.asarray(learning_rates, dtype=np.float64)
    if rates.size == 0:
        return SchedulePreviewInfo(np.empty(0), np.empty(0), 0, float("nan"), float("nan"))
    kept = _kept_steps(rates)
    return SchedulePreviewInfo(kept / steps_per_epoch, rates[kept], rates.size, float(rates.max()), float(rates[-1]))


def schedule_preview(info: SchedulePreviewInfo, *, height_px: int = 240) -> go.Figure:
    """Draw the learning rate over the epochs."""
    if info.is_empty:
        return empty_figure("No schedule to show: it takes at least one step.", height_px=height_px)
    figure = new_figure(x_title="Epoch", y_title="Learning rate", height_px=height_px, revision="schedule")
    figure.add_scatter(
        x=info.epochs,
        y=info.learning_rates,
        mode="lines",
        line={"color": CATEGORICAL[0], "width": 2},
        hovertemplate="epoch %{x:.2f}<br>learning rate %{y:.3~g}<extra></extra>",
        showlegend=False,
    )
    figure.update_yaxes(rangemode="tozero", exponentformat="power")
    return figure


def schedule_preview_summary(info: SchedulePreviewInfo) -> str:
    """Return one sentence: steps, highest and last learning rate."""
    if info.is_empty:
        return "No learning rate is known yet."
    return (
        f"Learning rate over {plural(info.steps, 'step')}: "
        f"highest {info.highest:.3g}, {info.last:.3g} at the last step."
    )


def _kept_steps(rates: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return evenly spaced steps, the highest and lowest, and both sides of the largest jumps."""
    if rates.size <= DRAWN_STEPS:
        return np.arange(rates.size)
    even = np.linspace(0, rates.size - 1, DRAWN_STEPS).round().astype(np.int64)
    jumps = np.argsort(-np.abs(np.diff(rates)), kind="stable")[: DRAWN_STEPS // 5]
    return np.unique(np.concatenate([even, jumps, jumps + 1, [rates.argmax(), rates.argmin()]]))
