"""How the receptive field grows with depth: as a curve, and as frames on an image.

Source: the sizes are those of `cnnlab.analysis.receptive_field`, after Araujo, Norris and Sim 2019,
doi:10.23915/distill.00021.
"""

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
import polars as pl

from cnnlab.plots.labels import escaped, plural
from cnnlab.plots.palette import CATEGORICAL, NEUTRAL
from cnnlab.plots.template import empty_figure, new_figure

MOST_FRAMES = 8
# From the first layer to the last, light to dark enough on any photograph.
FIRST_RGB, LAST_RGB = (255, 196, 60), (200, 30, 110)


@dataclass(frozen=True)
class ReceptiveGrowthInfo:
    """`table`: one row per layer at which the field grows: depth, name, size_px, stride_px, top, left, bottom, right.

    The frame is what the middle output of the layer sees, in pixels of the image, edges included;
    it may reach into the padding. `depth` counts the layers with a window or weights from the input.
    """

    table: pl.DataFrame
    image_px: tuple[int, int]
    covers_at: str | None

    @property
    def largest_px(self) -> int:
        """What the last of its layers sees; one pixel where nothing can be followed."""
        return max(self.table["size_px"].to_list(), default=1)

    @property
    def is_empty(self) -> bool:
        return self.table.is_empty()


def receptive_growth_info(document: Mapping[str, Any]) -> ReceptiveGrowthInfo:
    """Return the layers at which the receptive field grows, in order.

    Args:
        document: The inspector's answer to `inspect`.
    """
    height, width = (side or 1 for side in document["layers"][0]["output_shape"][:2])
    rows, largest, depth = [], 0, 0
    for layer in document["layers"]:
        depth += bool(layer["macs"] or "Pool" in layer["kind"])
        size = layer["receptive_field_px"]
        if size is None or size <= largest or not (layer["macs"] or "Pool" in layer["kind"]):
            continue
        largest = size
        rows.append({"depth": depth, "name": layer["name"], "size_px": size} | _frame(layer, (height, width)))
    table = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    whole = [row["name"] for row in rows if row["size_px"] >= max(height, width)]
    return ReceptiveGrowthInfo(table, (height, width), whole[0] if whole else None)


SCHEMA = {
    "depth": pl.Int32,
    "name": pl.String,
    "size_px": pl.Int32,
    "stride_px": pl.Float64,
    "top": pl.Float64,
    "left": pl.Float64,
    "bottom": pl.Float64,
    "right": pl.Float64,
}


def _frame(layer: Mapping[str, Any], image: tuple[int, int]) -> dict[str, float]:
    """Return what the middle output of a layer sees along both axes."""
    found: dict[str, float] = {"stride_px": layer["effective_stride_px"]}
    for axis, (low, high) in enumerate((("top", "bottom"), ("left", "right"))):
        size, stride = layer["receptive_field_hw"][axis], layer["effective_stride_hw"][axis]
        padding, side = layer["effective_padding_hw"][axis], layer["output_shape"][axis]
        # Where paths are not aligned no one frame is right: the middle is nearest.
        is_known = padding is not None and side is not None
        start = (side // 2) * stride - padding if is_known else (image[axis] - size) / 2
        found |= {low: start - 0.5, high: start + size - 0.5}
    return found


def receptive_growth(info: ReceptiveGrowthInfo, *, largest_px: float | None = None, height_px: int = 320) -> go.Figure:
    """Draw the size of the receptive field over the depth of the network.

    Args:
        largest_px: Of the axis, where two networks stand side by side.
    """
    if info.is_empty:
        return empty_figure("The receptive field of this network cannot be followed.")
    figure = new_figure(
        x_title="Layers with weights or pooling, from the input", y_title="Receptive field (px)", height_px=height_px
    )
    figure.add_scatter(
        x=[0, *info.table["depth"]],
        y=[1, *info.table["size_px"]],
        mode="lines+markers",
        line={"color": CATEGORICAL[0], "width": 2, "shape": "hv"},
        marker={"size": 6},
        text=["one pixel", *(escaped(name) for name in info.table["name"])],
        hovertemplate="<b>%{text}</b><br>layer %{x}<br>%{y} px<extra></extra>",
        name="Receptive field",
        showlegend=False,
    )
    side = max(info.image_px)
    figure.add_hline(
        y=side,
        line={"color": NEUTRAL, "dash": "dash", "width": 1},
        annotation={"text": f"side of the image, {side} px", "xanchor": "right", "font": {"size": 11}},
    )
    if largest_px is None:
        figure.update_yaxes(rangemode="tozero")
    else:
        figure.update_yaxes(range=[0, 1.05 * largest_px])
    return figure


def receptive_frames(info: ReceptiveGrowthInfo, image: np.ndarray, *, height_px: int = 460) -> go.Figure:
    """Draw what the middle output of some layers sees as frames on an image.

    Args:
        image: `(height, width, 1 or 3)` uint8 of the network's input size.
    """
    if info.is_empty:
        return empty_figure("The receptive field of this network cannot be followed.")
    height, width = info.image_px
    figure = new_figure(x_title="Pixels of the image", y_title="Pixels of the image", height_px=height_px)
    figure.add_layout_image(
        source=_png(image),
        xref="x",
        yref="y",
        x=-0.5,
        y=-0.5,
        sizex=width,
        sizey=height,
        sizing="stretch",
        layer="below",
    )
    shown = _chosen(info.table)
    for place, row in enumerate(shown):
        share = place / max(1, len(shown) - 1)
        red, green, blue = (round(a + (b - a) * share) for a, b in zip(FIRST_RGB, LAST_RGB, strict=True))
        left, right, top, bottom = row["left"], row["right"], row["top"], row["bottom"]
        figure.add_scatter(
            x=[left, right, right, left, left],
            y=[top, top, bottom, bottom, top],
            mode="lines",
            line={"color": f"rgb({red},{green},{blue})", "width": 2},
            name=f"{escaped(row['name'])}: {row['size_px']} px",
            hovertemplate=f"{row['size_px']} px, every {row['stride_px']:g} px<extra>{escaped(row['name'])}</extra>",
        )
    reach = max(max(-row["left"], row["right"] - width, -row["top"], row["bottom"] - height) for row in shown)
    margin = min(max(0.0, reach), 0.35 * max(height, width)) + 0.03 * max(height, width)
    figure.update_xaxes(range=[-0.5 - margin, width - 0.5 + margin], constrain="domain", showgrid=False)
    figure.update_yaxes(
        range=[height - 0.5 + margin, -0.5 - margin], scaleanchor="x", constrain="domain", showgrid=False
    )
    return figure


def receptive_growth_summary(info: ReceptiveGrowthInfo) -> str:
    """Return one sentence: the largest field, and from where on it covers the image."""
    if info.is_empty:
        return "The receptive field of this network cannot be followed."
    last = info.table.row(-1, named=True)
    text = (
        f"The receptive field grows at {plural(info.table.height, 'layer')}, to {last['size_px']} px at {last['name']}"
    )
    height, width = info.image_px
    if info.covers_at:
        return f"{text}; from {info.covers_at} on it is as large as the image of {height}×{width} px."
    return f"{text}; the image has {height}×{width} px."


def _chosen(table: pl.DataFrame) -> list[dict[str, Any]]:
    """Return at most `MOST_FRAMES` rows, spread over the depth, the first and last among them."""
    places = sorted({round(place) for place in np.linspace(0, table.height - 1, min(MOST_FRAMES, table.height))})
    return [table.row(place, named=True) for place in places]


def _png(image: np.ndarray) -> str:
    from PIL import Image

    picture = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
    factor = max(1, 384 // max(picture.size))  # a browser would blur small pictures
    picture = picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST)
    kept = io.BytesIO()
    picture.save(kept, "png")
    return f"data:image/png;base64,{base64.b64encode(kept.getvalue()).decode()}"
