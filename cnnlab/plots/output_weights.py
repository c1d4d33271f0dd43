"""How much each output counts in the loss, where the training learns that."""

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
import polars as pl
from numpy.typing import NDArray

from cnnlab.plots.labels import escaped
from cnnlab.plots.palette import colour_of
from cnnlab.plots.template import empty_figure, new_figure


@dataclass(frozen=True)
class OutputWeightsInfo:
    """Epochs, counted from 1, and mean weights over their steps, by output."""

    lines: dict[str, tuple[NDArray[np.int64], NDArray[np.float64]]]

    @property
    def is_empty(self) -> bool:
        return not self.lines


def output_weights_info(metrics: pl.DataFrame) -> OutputWeightsInfo:
    """Return the weights of one run.

    Args:
        metrics: Columns epoch, output, metric, value; other metrics than `weight` count for nothing.
    """
    rows = metrics.filter(pl.col("metric") == "weight").drop_nulls("value").sort("epoch", maintain_order=True)
    parts = rows.partition_by("output", as_dict=True, maintain_order=True)
    return OutputWeightsInfo(
        {str(name): (part["epoch"].to_numpy(), part["value"].to_numpy()) for (name,), part in sorted(parts.items())}
    )


def output_weights(info: OutputWeightsInfo, *, epochs: int | None = None, height_px: int = 280) -> go.Figure:
    """Draw one line per output.

    Args:
        info: From `output_weights_info`.
        epochs: Planned ones, so that the axis stands still while the lines grow.
        height_px: The width is the page's.
    """
    if info.is_empty:
        return empty_figure("No weights yet: the first come with the first epoch.")
    figure = new_figure(x_title="Epoch", y_title="Weight in the loss", height_px=height_px, revision="weights")
    last = 0
    for name, colour in colour_of(info.lines).items():
        x, y = info.lines[name]
        last = max(last, int(x[-1]))
        figure.add_scatter(
            x=x, y=y, mode="lines+markers", name=escaped(name), line={"color": colour, "width": 2}, marker={"size": 4},
            hovertemplate=f"<b>{escaped(name)}</b><br>epoch %{{x}}<br>%{{y:.4~g}}<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(range=[0, max(last, epochs or 0) * 1.02 + 0.2], tickformat="d")
    figure.update_yaxes(rangemode="tozero")
    return figure


def output_weights_summary(info: OutputWeightsInfo) -> str:
    """Return one sentence with the weights of the last epoch."""
    if info.is_empty:
        return "No weights are known yet."
    last = max(int(x[-1]) for x, _ in info.lines.values())
    values = ", ".join(f"{name} {y[-1]:.3g}" for name, (_, y) in info.lines.items())
    return f"Learnt weights of the outputs in epoch {last}: {values}."
