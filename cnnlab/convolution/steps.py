"""One step of a convolution, cell by cell: the window on the input, the products, their sum."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnlab.convolution.geometry import output_shape, padding_amounts, transposed_crop
from cnnlab.convolution.layer import Layer, apply

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Step:
    """How one output cell comes to its value, or, transposed, what one input cell adds.

    Attributes:
        position: Row and column of the output cell; transposed: of the input cell.
        rows: Rows that the window covers, without padding counted from 0, so padding is negative or
            beyond the side; on the input, or on the output when transposed.
        channels: Input channels that take part.
        window: Values under the window `(F, F, channels)`, padding 0; transposed: the one cell's value.
        weights: `(F, F, channels)`; empty for pooling.
        products: Element by element; for pooling the values themselves, padding NaN.
        sums: One per channel; for pooling, what it gives.
        mix: The pointwise weights of a separable convolution, else empty.
        total: What stands in the output cell; transposed: NaN, since several stamps add up there.
    """

    position: tuple[int, int]
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    channels: tuple[int, ...]
    is_inside: NDArray[np.bool_]
    window: Array
    weights: Array
    products: Array
    sums: Array
    mix: Array
    total: float


def num_steps(layer: Layer, shape: tuple[int, int, int]) -> int:
    """Return the number of steps of one feature map: output cells, or input cells when transposed."""
    height, width, _ = shape if layer.settings.operation == "transposed" else output_shape(layer.settings, shape)
    return height * width


def position_of(layer: Layer, shape: tuple[int, int, int], number: int) -> tuple[int, int]:
    """Return row and column of step `number`, counted from 0, row by row."""
    width = shape[1] if layer.settings.operation == "transposed" else output_shape(layer.settings, shape)[1]
    return number // width, number % width


def step_at(layer: Layer, image: NDArray[Any], position: tuple[int, int], feature_map: int = 0) -> Step:
    """Return the step that fills `position` of one feature map of the output."""
    if layer.settings.operation == "transposed":
        return _stamp(layer, image, position, feature_map)
    settings = layer.settings
    starts = [
        place * settings.stride - padding_amounts(side, settings.reach, settings.stride, settings.padding)[0]
        for place, side in zip(position, image.shape[:2], strict=True)
    ]
    rows, columns = (tuple(start + settings.dilation * cell for cell in range(settings.size)) for start in starts)
    is_inside = _inside(rows, image.shape[0])[:, None] & _inside(columns, image.shape[1])
    channels = _channels(layer, feature_map)
    window = np.zeros((settings.size, settings.size, len(channels)))
    inside_rows, inside_columns = np.nonzero(is_inside)
    taken = image[np.asarray(rows)[inside_rows], np.asarray(columns)[inside_columns]]
    window[inside_rows, inside_columns] = taken[:, list(channels)]
    common: dict[str, Any] = {
        "position": position,
        "rows": rows,
        "columns": columns,
        "channels": channels,
        "is_inside": is_inside,
    }
    if settings.is_pooling:
        products = np.where(is_inside[..., None], window, np.nan)
        pooled = np.nanmax(products) if settings.operation == "max_pooling" else np.nanmean(products)
        empty = np.empty((0, 0, 0))
        return Step(**common, window=window, weights=empty, products=products, sums=np.array([pooled]),
                    mix=np.empty(0), total=float(pooled))  # fmt: skip
    weights = _weights(layer, feature_map)
    products = window * weights
    sums = products.sum(axis=(0, 1))
    mix = np.empty(0) if layer.pointwise is None else layer.pointwise[0, 0, :, feature_map]
    total = float(sums @ mix if mix.size else sums.sum())
    return Step(**common, window=window, weights=weights, products=products, sums=sums, mix=mix, total=total)


def output_so_far(layer: Layer, image: NDArray[Any], number: int, feature_map: int = 0) -> Array:
    """Return one feature map after step `number` (counted from 0): what comes later is NaN, or 0 when transposed."""
    if layer.settings.operation == "transposed":
        seen = np.arange(image.shape[0] * image.shape[1]).reshape(image.shape[:2]) <= number
        return apply(layer, np.where(seen[..., None], image, 0.0))[..., feature_map]
    output = apply(layer, image)[..., feature_map]
    return np.where(np.arange(output.size).reshape(output.shape) <= number, output, np.nan)


def _stamp(layer: Layer, image: NDArray[Any], position: tuple[int, int], feature_map: int) -> Step:
    settings = layer.settings
    crop = transposed_crop(settings.reach, settings.stride, settings.padding)
    height, width, _ = output_shape(settings, image.shape)
    rows, columns = (
        tuple(place * settings.stride - crop + settings.dilation * cell for cell in range(settings.size))
        for place in position
    )
    value = image[position].astype(float)
    weights = _weights(layer, feature_map)
    products = weights * value
    return Step(
        position=position,
        rows=rows,
        columns=columns,
        channels=_channels(layer, feature_map),
        is_inside=_inside(rows, height)[:, None] & _inside(columns, width),
        window=value[None, None],
        weights=weights,
        products=products,
        sums=products.sum(axis=(0, 1)),
        mix=np.empty(0),
        total=float("nan"),
    )


def _inside(places: tuple[int, ...], side: int) -> NDArray[np.bool_]:
    return np.array([0 <= place < side for place in places])


def _channels(layer: Layer, feature_map: int) -> tuple[int, ...]:
    """Return the input channels that a feature map is made of."""
    settings = layer.settings
    if settings.is_pooling or settings.operation == "depthwise":
        return (feature_map,)
    each = layer.channels // settings.groups
    group = feature_map // (settings.filters // settings.groups)
    return tuple(range(group * each, (group + 1) * each))


def _weights(layer: Layer, feature_map: int) -> Array:
    kernel = layer.used_kernel
    assert kernel is not None
    if layer.settings.operation == "standard":
        return kernel[..., feature_map]
    if layer.settings.operation == "transposed":
        return kernel[:, :, feature_map]
    if layer.settings.operation == "depthwise":
        return kernel[:, :, feature_map]
    return kernel[..., 0]
