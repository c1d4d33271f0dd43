"""Coloured cells with a number in each that can be read: black or white, whichever stands out more from its cell.

plotly's own choice is a grey or white by the brightness of the cell; on blues and oranges of the middle that is a
contrast of less than 3:1. Of black and white one has at least 4.58:1 on any colour.
Source: WCAG 2.2, relative luminance and contrast ratio.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

Scale = Sequence[tuple[float, str]]
INKS = ("#000000", "#ffffff")
# Below what each of red, green and blue is taken as linear.
LINEAR_UNTIL = 0.04045


def colours_at(scale: Scale, shares: NDArray[Any]) -> NDArray[np.float64]:
    """Return red, green and blue in [0, 1] at places of a colour scale, as plotly draws them; NaN stays NaN."""
    stops = [stop for stop, _ in scale]
    parts = np.array([[int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)] for _, colour in scale])
    inside = np.clip(np.asarray(shares, np.float64), 0, 1)
    return np.stack([np.interp(inside, stops, part) for part in parts.T], axis=-1)


def luminance(colours: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the relative luminance of colours whose last axis is red, green and blue in [0, 1]."""
    linear = np.where(colours <= LINEAR_UNTIL, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    return np.asarray(linear @ np.array([0.2126, 0.7152, 0.0722]))


def contrast(one: NDArray[Any] | float, two: NDArray[Any] | float) -> NDArray[np.float64]:
    """Return the contrast ratio of two luminances, 1 to 21."""
    return (np.maximum(one, two) + 0.05) / (np.minimum(one, two) + 0.05)


def is_white_ink(scale: Scale, shares: NDArray[Any]) -> NDArray[np.bool_]:
    """Return where white stands out more than black."""
    light = luminance(colours_at(scale, shares))
    return np.asarray(contrast(light, 1.0) > contrast(light, 0.0))


def add_inked_cells(
    figure: go.Figure,
    values: NDArray[Any],
    texts: Sequence[Sequence[str]],
    *,
    scale: Scale,
    low: float,
    high: float,
    sent: NDArray[Any] | None = None,
    **options: Any,
) -> None:
    """Draw cells with texts: one heatmap, and over it one of the cells whose text is white, if any.

    A heatmap has one colour of text, so each ink is a trace; what a cell shows stands in the first.

    Args:
        values: `(rows, columns)`; NaN is blank.
        sent: The same in fewer bytes.
        options: Of the heatmaps.
    """
    sent = values if sent is None else sent
    shares = (np.asarray(values, np.float64) - low) / ((high - low) or 1.0)
    is_white = is_white_ink(scale, shares) & np.array([[bool(text) for text in row] for row in texts])
    common = {"colorscale": scale, "zmin": low, "zmax": high, "texttemplate": "%{text}", **options}
    font = common.pop("textfont", {})
    black, white = (_only(texts, chosen) for chosen in (~is_white, is_white))
    figure.add_heatmap(z=sent, text=black, textfont={**font, "color": INKS[0]}, **common)
    if is_white.any():
        only = np.where(is_white, np.asarray(values, np.float32), np.nan)
        again = {**common, "showscale": False, "hoverinfo": "skip", "hovertemplate": None}
        figure.add_heatmap(z=only, text=white, textfont={**font, "color": INKS[1]}, **again)


def _only(texts: Sequence[Sequence[str]], chosen: NDArray[np.bool_]) -> list[list[str]]:
    return [
        [text if is_chosen else "" for text, is_chosen in zip(row, wanted, strict=True)]
        for row, wanted in zip(texts, chosen.tolist(), strict=True)
    ]
