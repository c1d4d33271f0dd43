"""Small pictures to convolve, as grids of whole numbers from 0 to 9 that one can reckon with by head."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnlab.errors import ConfigError, UnknownNameError

Grid = NDArray[np.float64]
SMALLEST, LARGEST = 4, 12
BRIGHT = 9.0


@dataclass(frozen=True)
class Pattern:
    """One entry of the catalogue."""

    name: str
    title: str
    make: Callable[[int], Grid]

    def grid(self, side: int) -> Grid:
        """Return the pattern as a square of `side` cells.

        Raises:
            ConfigError: `side` is too small to show it or too large to read.
        """
        if not SMALLEST <= side <= LARGEST:
            raise ConfigError(
                f"side={side} is out of range. Expected an integer in [{SMALLEST}, {LARGEST}]. Choose one of them."
            )
        return self.make(side).astype(float)


def get_pattern(name: str) -> Pattern:
    """Return the pattern of that name."""
    if name not in PATTERNS:
        raise UnknownNameError("pattern", name, PATTERNS)
    return PATTERNS[name]


def as_channels(grid: Grid, channels: int) -> Grid:
    """Return `(height, width, channels)`: the grid, then turned about its diagonal, upside down, and inverted."""
    versions = (grid, grid.T if grid.shape[0] == grid.shape[1] else grid[:, ::-1], grid[::-1], grid.max() - grid)
    return np.stack([versions[channel % len(versions)] for channel in range(channels)], axis=2)


def _edge(side: int) -> Grid:
    return np.where(np.arange(side) >= side // 2, BRIGHT, 0.0) * np.ones((side, 1))


def _cross(side: int) -> Grid:
    near = np.abs(np.arange(side) - (side - 1) / 2) < 1
    return np.where(near[:, None] | near, BRIGHT, 0.0)


def _checkerboard(side: int) -> Grid:
    rows, columns = np.indices((side, side)) // 2
    return np.where((rows + columns) % 2, BRIGHT, 0.0)


def _diagonal(side: int) -> Grid:
    rows, columns = np.indices((side, side))
    return np.where(columns >= rows, BRIGHT, 0.0)


def _ring(side: int) -> Grid:
    across = np.arange(side) - (side - 1) / 2
    radius = np.hypot(across[:, None], across)
    return np.where(np.abs(radius - side * 0.33) < 0.75, BRIGHT, 0.0)


def _dot(side: int) -> Grid:
    grid = np.zeros((side, side))
    grid[(side - 1) // 2, (side - 1) // 2] = 1.0
    return grid


def _ramp(side: int) -> Grid:
    return np.minimum(np.arange(side), BRIGHT) * np.ones((side, 1))


def _noise(side: int) -> Grid:
    return np.random.default_rng(7).integers(0, 10, (side, side)).astype(float)


_ENTRIES = (
    Pattern("edge", "Edge", _edge),
    Pattern("cross", "Cross", _cross),
    Pattern("ring", "Ring", _ring),
    Pattern("diagonal", "Diagonal", _diagonal),
    Pattern("checkerboard", "Checkerboard", _checkerboard),
    Pattern("ramp", "Ramp", _ramp),
    Pattern("dot", "Single dot", _dot),
    Pattern("noise", "Noise", _noise),
)
PATTERNS: dict[str, Pattern] = {entry.name: entry for entry in _ENTRIES}
