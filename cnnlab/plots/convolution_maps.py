"""An image or a feature map as a picture whose values can be read by pointing at it."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go
import polars as pl
from numpy.typing import NDArray

from cnnlab.plots.palette import NEUTRAL, with_alpha
from cnnlab.plots.template import new_figure

View = Literal["signed", "absolute", "relu"]
ONE_TICK_EACH = 14
GREYS = [(0.0, "#000000"), (1.0, "#ffffff")]


@dataclass(frozen=True)
class ConvolutionMapInfo:
    """A map `(height, width)`, or an image with three channels, and the values of black and white."""

    values: NDArray[np.float64]
    low: float
    high: float

    @property
    def is_colour(self) -> bool:
        return self.values.ndim == 3


def convolution_map_info(values: NDArray[Any], view: View = "signed") -> ConvolutionMapInfo:
    """Return what is drawn of one map, or of an image `(height, width, 1 or 3)`.

    Args:
        values: Any numbers; of an image with other channels than three the first is drawn.
        view: `signed` puts zero in the middle where there are negative values; `absolute` and
            `relu` draw sizes and what a ReLU lets through.
    """
    shown = np.asarray(values, float)
    if shown.ndim == 3 and shown.shape[2] != 3:
        shown = shown[..., 0]
    if view == "absolute":
        shown = np.abs(shown)
    elif view == "relu":
        shown = np.maximum(shown, 0)
    largest = float(np.abs(shown).max()) or 1.0
    return ConvolutionMapInfo(shown, -largest if shown.min() < 0 else 0.0, largest)


def convolution_map(info: ConvolutionMapInfo, *, height_px: int = 300) -> go.Figure:
    """Draw the map in greys, square cells, the first row on top."""
    figure = new_figure(x_title="Column (px)", y_title="Row (px)", height_px=height_px)
    if info.is_colour:
        span = info.high - info.low
        pixels = np.clip((info.values - info.low) / span * 255, 0, 255).round().astype(np.uint8)
        figure.add_image(
            z=pixels,
            customdata=info.values,
            hovertemplate="row %{y}, column %{x}<br>%{customdata[0]:.4~g}, %{customdata[1]:.4~g}, "
            "%{customdata[2]:.4~g}<extra></extra>",
        )
    else:
        figure.add_heatmap(
            z=info.values,
            zmin=info.low,
            zmax=info.high,
            colorscale=GREYS,
            hovertemplate="row %{y}, column %{x}<br>value %{z:.4~g}<extra></extra>",
            showscale=False,  # the caption says what black and white are
        )
    figure.update_layout(margin_pad=0)  # the frame belongs to the picture
    height, width = info.values.shape[:2]
    # Few cells have one number each on the axis; many have plotly's own.
    # A frame, since white cells would run into a white page.
    frame = {"showline": True, "mirror": True, "linecolor": with_alpha(NEUTRAL, 0.6), "linewidth": 1}
    common = {"constrain": "domain", "showgrid": False, **frame}
    figure.update_xaxes(
        common, constraintoward="left", range=[-0.5, width - 0.5], dtick=1 if width <= ONE_TICK_EACH else None
    )
    figure.update_yaxes(
        common, constraintoward="top", range=[height - 0.5, -0.5], dtick=1 if height <= ONE_TICK_EACH else None,
        scaleanchor="x",
    )  # fmt: skip
    return figure


def convolution_map_summary(info: ConvolutionMapInfo) -> str:
    """Return one sentence: size, smallest and largest value, and what black and white are."""
    height, width = info.values.shape[:2]
    text = f"{height}×{width} cells, values {info.values.min():.4g} to {info.values.max():.4g}"
    if info.is_colour:
        return f"{text}, red, green and blue."
    if info.low < 0:
        return f"{text}: black {info.low:.4g}, grey 0, white {info.high:.4g}."
    return f"{text}: black 0, white {info.high:.4g}."


def convolution_map_numbers(info: ConvolutionMapInfo) -> pl.DataFrame:
    """Return one row per cell, from the first row on, with its value; of an image red, green and blue."""
    height, width = info.values.shape[:2]
    rows, columns = np.indices((height, width))
    names = ("red", "green", "blue") if info.is_colour else ("value",)
    values = info.values.reshape(height * width, len(names))
    return pl.DataFrame(
        {"row": rows.ravel(), "column": columns.ravel()} | {name: values[:, at] for at, name in enumerate(names)}
    )
