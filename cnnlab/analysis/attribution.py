"""Where in an image a network finds what speaks for a class: the arithmetic of Grad-CAM and of occlusion, in NumPy.

Sources: Selvaraju et al. 2016, arXiv:1610.02391 (Grad-CAM, equations 1 and 2); Zeiler and Fergus 2013,
arXiv:1311.2901, section 4.2 (a grey square slid over the image). Differs from the latter: squares overlap by half,
and each place shows the mean over the squares that covered it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Squares on each side of an image: 1/4 of it wide, half of that apart.
SQUARES = 7


@dataclass(frozen=True)
class Square:
    """A square of an image, in pixels; rows `top` to `bottom` and columns `left` to `right`, ends left out."""

    top: int
    bottom: int
    left: int
    right: int


def grad_cam(maps: NDArray[np.floating], gradients: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return what speaks for a class at each place of the last map: never below zero, in no unit.

    Args:
        maps: `(height, width, channels)`, what the layer answers.
        gradients: Same shape: of the class's logit by each of these numbers.
    """
    weights = np.asarray(gradients, np.float64).mean(axis=(0, 1))
    return np.maximum(np.asarray(maps, np.float64) @ weights, 0)


def scaled(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return values of which the highest is 1; all zero where none is above zero."""
    highest = float(values.max(initial=0))
    return np.maximum(values, 0) / highest if highest > 0 else np.zeros(values.shape)


def squares(height: int, width: int, per_side: int = SQUARES) -> list[Square]:
    """Return the squares that cover an image, row by row, at most `per_side` on each side; each pixel is in one."""
    return [
        Square(top, bottom, left, right)
        for top, bottom in _spans(height, per_side)
        for left, right in _spans(width, per_side)
    ]


def _spans(side: int, count: int) -> list[tuple[int, int]]:
    size = max(1, -(-2 * side // (count + 1)))
    starts = np.unique(np.linspace(0, side - size, count).round().astype(int))
    return [(int(start), int(start) + size) for start in starts]


def occluded(image: NDArray[np.floating], places: list[Square], fill: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return `(len(places), height, width, channels)`: the image with each square painted over.

    Args:
        image: `(height, width, channels)`.
        fill: `(channels,)`, the colour of the paint; a colour that says nothing, such as the mean of the data set.
    """
    copies = np.repeat(np.asarray(image, np.float32)[None], len(places), axis=0)
    for copy, place in zip(copies, places, strict=True):
        copy[place.top : place.bottom, place.left : place.right] = fill
    return copies


def occlusion_map(drops: NDArray[np.floating], places: list[Square], height: int, width: int) -> NDArray[np.float64]:
    """Return by how much the probability fell where a place was covered, `(height, width)`: the mean over its squares.

    Args:
        drops: `(len(places),)`; below zero where the class became more likely.
    """
    total, covered = np.zeros((height, width)), np.zeros((height, width))
    for drop, place in zip(drops, places, strict=True):
        area = np.s_[place.top : place.bottom, place.left : place.right]
        total[area] += drop
        covered[area] += 1
    return total / covered


def upsampled(values: NDArray[np.floating], height: int, width: int) -> NDArray[np.float64]:
    """Return `(height, width)` by bilinear interpolation between the middles of the map's cells."""
    rows, columns = (_places(size, old) for size, old in zip((height, width), values.shape, strict=True))
    by_row = values[rows[0]] * (1 - rows[2])[:, None] + values[rows[1]] * rows[2][:, None]
    return by_row[:, columns[0]] * (1 - columns[2]) + by_row[:, columns[1]] * columns[2]


def _places(size: int, old: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return, for each new place, the two old ones beside it and the weight of the second."""
    at = np.clip((np.arange(size) + 0.5) * old / size - 0.5, 0, old - 1)
    first = at.astype(np.int64)
    return first, np.minimum(first + 1, old - 1), at - first
