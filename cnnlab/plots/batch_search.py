"""Training throughput over the batch size, and the size that is large enough."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from cnnlab.analysis.suggestions import NEAR_BEST
from cnnlab.plots.palette import CATEGORICAL, NEUTRAL
from cnnlab.plots.template import empty_figure, new_figure


@dataclass(frozen=True)
class BatchSearchInfo:
    """Sizes with their throughput and time per step, `(n,)` each."""

    batch_sizes: NDArray[np.int64]
    images_per_s: NDArray[np.float64]
    step_ms: NDArray[np.float64]
    suggestion: int | None

    @property
    def is_empty(self) -> bool:
        return self.batch_sizes.size == 0


def batch_search_info(document: Mapping[str, Any]) -> BatchSearchInfo:
    """Return what is drawn of the document of `cnnlab find-batch`."""
    rows = document["rows"]
    return BatchSearchInfo(
        np.array([row["batch_size"] for row in rows], np.int64),
        np.array([row["images_per_s"] for row in rows], np.float64),
        np.array([1000 * row["step_s"] for row in rows], np.float64),
        document["suggestion"],
    )


def batch_search(info: BatchSearchInfo, *, height_px: int = 280) -> go.Figure:
    """Draw the throughput, the line of 95 % of the best, and the suggested size."""
    if info.is_empty:
        return empty_figure("No size could be timed.", height_px=height_px)
    figure = new_figure(
        x_title="Batch size (images)", y_title="Images per second", height_px=height_px, revision="batch search"
    )
    figure.add_scatter(
        x=info.batch_sizes,
        y=info.images_per_s,
        mode="lines+markers",
        line={"color": CATEGORICAL[0], "width": 2},
        marker={
            "size": [13 if size == info.suggestion else 8 for size in info.batch_sizes],
            "color": [CATEGORICAL[1] if size == info.suggestion else CATEGORICAL[0] for size in info.batch_sizes],
        },
        customdata=info.step_ms,
        hovertemplate="batch of %{x}<br>%{y:,.0f} images/s<br>%{customdata:,.2f} ms a step<extra></extra>",
        showlegend=False,
    )
    figure.add_hline(
        y=NEAR_BEST * float(info.images_per_s.max()),
        line={"color": NEUTRAL, "dash": "dash", "width": 1},
        annotation={"text": "95 % of the fastest", "xanchor": "right", "showarrow": False},
    )
    figure.update_xaxes(type="log", tickvals=info.batch_sizes, ticktext=[str(size) for size in info.batch_sizes])
    figure.update_yaxes(rangemode="tozero")
    return figure


def batch_search_summary(info: BatchSearchInfo) -> str:
    """Return one sentence: sizes, the fastest, the suggestion."""
    if info.is_empty:
        return "No batch size could be timed."
    best = int(info.images_per_s.argmax())
    return (
        f"Training throughput at batch sizes {info.batch_sizes[0]} to {info.batch_sizes[-1]}: highest "
        f"{info.images_per_s[best]:,.0f} images per second at {info.batch_sizes[best]}; "
        f"{info.suggestion} is the smallest within 5 % of it."
    )
