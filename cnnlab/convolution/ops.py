"""Convolution, correlation and pooling of one image in plain NumPy, equal to Keras's layers.

Images are `(height, width, channels)`, kernels as Keras keeps them. Written to be read: one loop
over the cells of the kernel, each of which sees the input shifted.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnlab.convolution.geometry import output_side, padding_amounts, transposed_crop, transposed_side

Array = NDArray[np.float64]


def turned(kernel: NDArray[Any]) -> NDArray[Any]:
    """Return the kernel turned by 180°, which makes a correlation a convolution."""
    return kernel[::-1, ::-1]


def correlate(
    image: NDArray[Any],
    kernel: NDArray[Any],
    *,
    stride: int = 1,
    padding: str = "valid",
    dilation: int = 1,
    groups: int = 1,
) -> Array:
    """Slide the kernel over the image as it is, as `keras.layers.Conv2D` does.

    Args:
        kernel: `(height, width, channels / groups, filters)`.
    """
    filters, each = kernel.shape[3], image.shape[2] // groups
    parts = []
    for group in range(groups):
        seen = image[:, :, group * each : (group + 1) * each]
        weights = kernel[..., group * (filters // groups) : (group + 1) * (filters // groups)]
        taps = _taps(seen, kernel.shape, stride, padding, dilation)
        parts.append(sum(shifted @ weights[row, column] for row, column, shifted in taps))
    return np.concatenate(parts, axis=2)


def convolve(image: NDArray[Any], kernel: NDArray[Any], **settings: Any) -> Array:
    """Slide the kernel turned by 180°: the convolution of mathematics."""
    return correlate(image, turned(kernel), **settings)


def depthwise(
    image: NDArray[Any], kernel: NDArray[Any], *, stride: int = 1, padding: str = "valid", dilation: int = 1
) -> Array:
    """Slide over each channel its own kernels, as `keras.layers.DepthwiseConv2D` does.

    Args:
        kernel: `(height, width, channels, depth multiplier)`.
    """
    taps = _taps(image, kernel.shape, stride, padding, dilation)
    maps = np.asarray(sum(shifted[..., None] * kernel[row, column] for row, column, shifted in taps))
    return maps.reshape(*maps.shape[:2], -1)


def separable(image: NDArray[Any], kernel: NDArray[Any], pointwise: NDArray[Any], **settings: Any) -> Array:
    """Filter each channel, then mix the channels, as `keras.layers.SeparableConv2D` does.

    Args:
        kernel: `(height, width, channels, depth multiplier)`.
        pointwise: `(1, 1, channels * depth multiplier, filters)`.
    """
    return np.asarray(depthwise(image, kernel, **settings) @ pointwise[0, 0])


def transposed(
    image: NDArray[Any], kernel: NDArray[Any], *, stride: int = 1, padding: str = "valid", dilation: int = 1
) -> Array:
    """Stamp the kernel times each cell into a larger output, as `keras.layers.Conv2DTranspose` does.

    Args:
        kernel: `(height, width, filters, channels)`: Keras turns the last two around here.
    """
    height, width, _ = image.shape
    reaches = [dilation * (side - 1) + 1 for side in kernel.shape[:2]]
    sides = [transposed_side(image.shape[axis], reaches[axis], stride, padding) for axis in (0, 1)]
    crops = [transposed_crop(reach, stride, padding) for reach in reaches]
    canvas = np.zeros((*(side + reach + crop for side, reach, crop in zip(sides, reaches, crops, strict=True)),
                       kernel.shape[2]))  # fmt: skip
    for row, column in np.ndindex(*kernel.shape[:2]):
        top, left = row * dilation, column * dilation
        target = canvas[top : top + height * stride : stride, left : left + width * stride : stride]
        target += image @ kernel[row, column].T
    return canvas[crops[0] : crops[0] + sides[0], crops[1] : crops[1] + sides[1]]


def max_pool(image: NDArray[Any], size: int, *, stride: int = 1, padding: str = "valid") -> Array:
    """Return the largest value of each window, as `keras.layers.MaxPooling2D` does: padding never wins."""
    taps = _taps(image, (size, size), stride, padding, 1, fill=-np.inf)
    return np.max([shifted for _, _, shifted in taps], axis=0)


def average_pool(image: NDArray[Any], size: int, *, stride: int = 1, padding: str = "valid") -> Array:
    """Return the mean of each window, as `keras.layers.AveragePooling2D` does: padding is not counted."""
    total = sum(shifted for _, _, shifted in _taps(image, (size, size), stride, padding, 1))
    counted = sum(shifted for _, _, shifted in _taps(np.ones_like(image, float), (size, size), stride, padding, 1))
    return np.asarray(total / counted)


def _taps(
    image: NDArray[Any], kernel_shape: tuple[int, ...], stride: int, padding: str, dilation: int, fill: float = 0.0
) -> Iterator[tuple[int, int, Array]]:
    """Give for each cell of the kernel the input that lies under it, for all output cells at once."""
    reaches = [dilation * (side - 1) + 1 for side in kernel_shape[:2]]
    amounts = [padding_amounts(image.shape[axis], reaches[axis], stride, padding) for axis in (0, 1)]
    rows, columns = (output_side(image.shape[axis], reaches[axis], stride, padding) for axis in (0, 1))
    padded = np.pad(image.astype(float), (*amounts, (0, 0)), constant_values=fill)
    for row, column in np.ndindex(*kernel_shape[:2]):
        top, left = row * dilation, column * dilation
        yield row, column, padded[top : top + rows * stride : stride, left : left + columns * stride : stride]
