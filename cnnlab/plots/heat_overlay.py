"""An image in grey with a map of numbers laid over it in colours: where a network looked."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cnnlab.analysis.attribution import upsampled

# Dark violet over red to pale yellow: brightness rises along it, so it reads without colours too.
RAMP = ("#1b0c41", "#781c6d", "#cf4446", "#fb9b06", "#fcffa4")
# Of the colours over the grey image, at the map's highest and lowest: what does not matter stays visible.
STRONGEST, WEAKEST = 0.75, 0.25


def heat_overlay(pixels: NDArray[np.uint8], values: NDArray[np.floating], side_px: int = 112) -> NDArray[np.uint8]:
    """Return `(height, width, 3)`, the longer side `side_px` or, of larger images, as it is.

    Args:
        pixels: `(height, width, channels)`.
        values: `(rows, columns)` in [0, 1], over the whole image.
        side_px: Small images are enlarged without smoothing.
    """
    height, width = pixels.shape[:2]
    factor = max(1, round(side_px / max(height, width)))
    grey = np.asarray(_grey(pixels), np.float64).repeat(factor, 0).repeat(factor, 1)[..., None]
    heat = np.clip(upsampled(np.asarray(values, np.float64), height * factor, width * factor), 0, 1)
    share = (WEAKEST + (STRONGEST - WEAKEST) * heat)[..., None]
    return np.rint((1 - share) * grey + share * ramp_colours(heat)).astype(np.uint8)


def ramp_colours(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the colours of numbers in [0, 1], red, green and blue from 0 to 255, in a new last axis."""
    stops = np.array([[int(colour[place : place + 2], 16) for place in (1, 3, 5)] for colour in RAMP], np.float64)
    places = np.linspace(0, 1, len(stops))
    return np.stack([np.interp(values, places, stops[:, channel]) for channel in range(3)], axis=-1)


def legend_css() -> str:
    """Return the ramp as a CSS background, from the lowest on the left to the highest on the right."""
    return f"linear-gradient(to right, {', '.join(RAMP)})"


def _grey(pixels: NDArray[np.uint8]) -> Image.Image:
    picture = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels[..., :3])
    return picture.convert("L")
