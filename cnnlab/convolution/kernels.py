"""The catalogue of kernels: what each is, what it does, and its matrix in every size it exists in.

All are written for correlation, as networks use them: the kernel lies on the image as it is printed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray

from cnnlab.errors import ConfigError, UnknownNameError

Matrix = NDArray[np.float64]
LARGEST = 11
ODD = tuple(range(3, LARGEST + 1, 2))
ANY = tuple(range(1, LARGEST + 1))


@dataclass(frozen=True)
class Kernel:
    """One entry of the catalogue."""

    name: str
    title: str
    summary: str
    source: str
    sizes: tuple[int, ...]
    make: Callable[[int], Matrix]
    is_drawn: bool = False

    def matrix(self, size: int, seed: int = 0) -> Matrix:
        """Return the matrix of a size; only the random one depends on `seed`.

        Raises:
            ConfigError: it does not exist in that size.
        """
        if size not in self.sizes:
            sizes = ", ".join(map(str, self.sizes))
            raise ConfigError(
                f"{self.title} does not exist as {size}×{size}. Expected a size of: {sizes}. "
                "Choose one of them or another kernel."
            )
        return _drawn(size, seed) if self.is_drawn else self.make(size)


def get_kernel(name: str) -> Kernel:
    """Return the kernel of that name."""
    if name not in KERNELS:
        raise UnknownNameError("kernel", name, KERNELS)
    return KERNELS[name]


def nearest_size(kernel: Kernel, size: int) -> int:
    """Return the size of `kernel` that is nearest to `size`, the smaller of two."""
    return min(kernel.sizes, key=lambda other: (abs(other - size), other))


def _binomial(size: int) -> Matrix:
    """Return a row of Pascal's triangle: the smoothing of every kernel here."""
    return np.array([comb(size - 1, place) for place in range(size)], float)


def _difference(size: int) -> Matrix:
    """Return `-1 0 1`, smoothed to `size`: right minus left."""
    return np.convolve(_binomial(size - 2), [-1.0, 0.0, 1.0])


def _sobel_x(size: int) -> Matrix:
    return np.outer(_binomial(size), _difference(size))


def _prewitt_x(size: int) -> Matrix:
    return np.outer(np.ones(size), np.sign(np.arange(size) - size // 2))


def _delta(size: int) -> Matrix:
    kernel = np.zeros((size, size))
    kernel[(size - 1) // 2, (size - 1) // 2] = 1.0
    return kernel


def _gaussian(size: int) -> Matrix:
    return np.outer(_binomial(size), _binomial(size)) / 4.0 ** (size - 1)


def _laplacian(size: int) -> Matrix:
    """The second differences along both sides, each smoothed across when larger than 3."""
    if size == 3:
        return np.array([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]])
    second = np.convolve(_binomial(size - 2), [1.0, -2.0, 1.0])
    return np.outer(_binomial(size), second) + np.outer(second, _binomial(size))


def _sharpen(size: int) -> Matrix:
    if size == 3:
        return np.array([[0.0, -1, 0], [-1, 5, -1], [0, -1, 0]])
    return 2 * _delta(size) - _gaussian(size)


def _emboss(size: int) -> Matrix:
    across = np.arange(size) - size // 2
    return np.asarray(np.add.outer(across, across) + _delta(size))


def _drawn(size: int, seed: int = 0) -> Matrix:
    return np.random.default_rng(seed).normal(0, 1, (size, size)).round(2)


_GONZALEZ = "Gonzalez and Woods, Digital Image Processing"
_ENTRIES = (
    Kernel(
        "sobel_x", "Sobel x",
        "Right minus left, smoothed from top to bottom: answers where brightness changes from left to right, "
        "so it finds vertical edges.",
        "Sobel and Feldman 1968; larger sizes by smoothing again", ODD, _sobel_x,
    ),
    Kernel(
        "sobel_y", "Sobel y",
        "Below minus above, smoothed from left to right: finds horizontal edges.",
        "Sobel and Feldman 1968; larger sizes by smoothing again", ODD, lambda size: _sobel_x(size).T,
    ),
    Kernel(
        "prewitt_x", "Prewitt x",
        "Right half minus left half, every row alike: finds vertical edges, with more noise than Sobel.",
        "Prewitt 1970", ODD, _prewitt_x,
    ),
    Kernel(
        "prewitt_y", "Prewitt y",
        "Lower half minus upper half, every column alike: finds horizontal edges.",
        "Prewitt 1970", ODD, lambda size: _prewitt_x(size).T,
    ),
    Kernel(
        "laplacian", "Laplacian",
        "Neighbours minus centre: answers to edges of every direction and to single points, with a change of sign "
        "on the edge itself.",
        _GONZALEZ, ODD, _laplacian,
    ),
    Kernel(
        "sharpen", "Sharpen",
        "The image plus what a blur takes from it: edges become harder, flat areas stay.",
        f"{_GONZALEZ}, unsharp masking", ODD, _sharpen,
    ),
    Kernel(
        "box", "Box blur",
        "The mean of the window: every neighbour counts the same.",
        _GONZALEZ, ANY, lambda size: np.full((size, size), 1.0 / size**2),
    ),
    Kernel(
        "gaussian", "Gaussian blur",
        "A mean in which near neighbours count more: binomial numbers, nearly a bell.",
        _GONZALEZ, ANY, _gaussian,
    ),
    Kernel(
        "emboss", "Emboss",
        "Lower right minus upper left, plus the image: it looks lit from one side.",
        "Graphics practice", ODD, _emboss,
    ),
    Kernel(
        "identity", "Identity",
        "One in the centre, else zero: the output is the input. With a stride it keeps every S-th cell.",
        "By definition", ANY, lambda size: _delta(size),
    ),
    Kernel(
        "random", "Random",
        "Drawn from a normal distribution, as the filters of a network before training.",
        "Mean 0, standard deviation 1, rounded to two digits", ANY, _drawn, is_drawn=True,
    ),
)  # fmt: skip
KERNELS: dict[str, Kernel] = {entry.name: entry for entry in _ENTRIES}
