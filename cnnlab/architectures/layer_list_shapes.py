"""What a list of layers amounts to: output shapes, weights and multiply-accumulates, without Keras.

One function per kind of layer, from the shape before it; a test builds the same lists with
Keras and finds the same numbers. The conventions are those of `cnnlab.analysis.counting`.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cnnlab.architectures.layer_list import LAYER_KINDS, settings_of
from cnnlab.errors import ConfigError

# (height, width, channels) of a map, or (features,).
Shape = tuple[int, ...]
# Neither a map of one image nor the weights of one layer may hold more numbers: 8 GiB in 32 bits.
MOST_NUMBERS = 2**31


class LayerListError(ConfigError):
    """A layer does not fit behind the one before it.

    Attributes:
        number: Of the layer, from 1; 0 where the fault is of the list's end.
    """

    def __init__(self, sentence: str, number: int = 0) -> None:
        super().__init__(sentence)
        self.number = number


class _MisfitError(Exception):
    """What is wrong with a layer, without its number."""


@dataclass(frozen=True)
class LayerShape:
    """One layer, for one image.

    Attributes:
        num_params: All its weights, those that are not trained too.
        strides: Of the projection of a skip along height and width; None where shapes agree.
    """

    output: Shape
    num_params: int = 0
    trainable_params: int = 0
    macs: int = 0
    strides: tuple[int, ...] | None = None


Rule = Callable[[Any, Shape], LayerShape]


def shape_text(shape: Shape) -> str:
    """Return `'8x8x32'`, or `'128 features'`."""
    return "x".join(map(str, shape)) if len(shape) == 3 else f"{shape[0]} feature{'s' if shape[0] != 1 else ''}"


def shapes_of(
    layers: Sequence[Mapping[str, Any]], input_shape: Sequence[int]
) -> tuple[list[LayerShape], LayerListError | None]:
    """Follow images of `input_shape` through checked `layers` as far as they fit.

    Returns:
        One entry per layer that fits, and what is wrong with the next one or with the end.
    """
    shapes: list[Shape] = [tuple(input_shape)]
    rows: list[LayerShape] = []
    for number, layer in enumerate(layers, start=1):
        try:
            settings = settings_of(layer)
            row = _skip(settings, shapes) if layer["kind"] == "skip" else RULES[layer["kind"]](settings, shapes[-1])
            _check_size(row)
        except _MisfitError as misfit:
            title = LAYER_KINDS[layer["kind"]].title.lower()
            return rows, LayerListError(f"Layer {number} ({title}): {misfit}", number)
        rows.append(row)
        shapes.append(row.output)
    if not layers:
        return rows, LayerListError(
            "The list has no layers. Expected at least one that gives features. Add convolutions and a global pooling."
        )
    if len(shapes[-1]) == 3:
        return rows, LayerListError(
            f"The list ends in a map of {shape_text(shapes[-1])}, and the output needs features. "
            "Add a global pooling or flatten at the end."
        )
    return rows, None


def check_shapes(layers: Sequence[Mapping[str, Any]], input_shape: Sequence[int]) -> list[LayerShape]:
    """Return one entry per layer; raises `LayerListError` in words where one does not fit."""
    rows, error = shapes_of(layers, input_shape)
    if error:
        raise error
    return rows


def _check_size(row: LayerShape) -> None:
    for count, what in ((math.prod(row.output), "its output has"), (row.num_params, "it has")):
        if count > MOST_NUMBERS:
            noun = "values" if what.startswith("its") else "weights"
            raise _MisfitError(
                f"{what} {count:,} {noun}, and at most {MOST_NUMBERS:,} are possible. Make the map smaller."
            )


def _map(shape: Shape) -> tuple[int, int, int]:
    if len(shape) != 3:
        raise _MisfitError(
            f"it takes a map and gets {shape_text(shape)}. Move it before the flatten or global pooling."
        )
    return shape  # type: ignore[return-value]


def _sides(
    shape: Shape, kernel: int, stride: int, padding: str, dilation: int = 1, is_pool: bool = False
) -> tuple[int, int]:
    """Return height and width behind a window."""
    height, width, _ = _map(shape)
    reach = dilation * (kernel - 1) + 1
    if padding == "same":
        return -(-height // stride), -(-width // stride)
    if reach > min(height, width):
        into = f"does not fit into {height}x{width}."
        if is_pool:
            raise _MisfitError(f"a window of {kernel}x{kernel} {into} Remove it or pool less before.")
        spread = f", which dilation {dilation} spreads over {reach}x{reach}," if dilation > 1 and kernel > 1 else ""
        raise _MisfitError(f"a kernel of {kernel}x{kernel}{spread} {into} Take padding 'same' or pool less before.")
    return (height - reach) // stride + 1, (width - reach) // stride + 1


def _weighted(output: Shape, weights: int, biases: int, macs: int) -> LayerShape:
    return LayerShape(output, weights + biases, weights + biases, macs)


def _conv(settings: Any, shape: Shape) -> LayerShape:
    dilation = getattr(settings, "dilation", 1)
    height, width = _sides(shape, settings.kernel, getattr(settings, "stride", 1), settings.padding, dilation)
    weights = settings.kernel**2 * shape[2] * settings.filters
    biases = settings.filters * settings.bias
    return _weighted((height, width, settings.filters), weights, biases, height * width * weights)


def _depthwise(settings: Any, shape: Shape) -> LayerShape:
    height, width = _sides(shape, settings.kernel, settings.stride, settings.padding)
    channels = shape[2] * settings.multiplier
    weights = settings.kernel**2 * channels
    return _weighted((height, width, channels), weights, channels * settings.bias, height * width * weights)


def _separable(settings: Any, shape: Shape) -> LayerShape:
    height, width = _sides(shape, settings.kernel, settings.stride, settings.padding)
    weights = settings.kernel**2 * shape[2] + shape[2] * settings.filters
    biases = settings.filters * settings.bias
    return _weighted((height, width, settings.filters), weights, biases, height * width * weights)


def _transposed(settings: Any, shape: Shape) -> LayerShape:
    height, width, channels = _map(shape)
    kernel, stride = settings.kernel, settings.stride
    more = 0 if settings.padding == "same" else max(kernel - stride, 0)
    weights = kernel**2 * channels * settings.filters
    # Each position of the input is multiplied with the whole kernel, whatever the stride.
    output = (height * stride + more, width * stride + more, settings.filters)
    return _weighted(output, weights, settings.filters * settings.bias, height * width * weights)


def _pool(settings: Any, shape: Shape) -> LayerShape:
    height, width = _sides(shape, settings.window, settings.stride, settings.padding, is_pool=True)
    return LayerShape((height, width, shape[2]))


def _same(_settings: Any, shape: Shape) -> LayerShape:
    return LayerShape(shape)


def _batch_norm(_settings: Any, shape: Shape) -> LayerShape:
    return LayerShape(shape, 4 * shape[-1], 2 * shape[-1])


def _flatten(_settings: Any, shape: Shape) -> LayerShape:
    return LayerShape((math.prod(_map(shape)),))


def _global_pool(_settings: Any, shape: Shape) -> LayerShape:
    return LayerShape((_map(shape)[2],))


def _dense(settings: Any, shape: Shape) -> LayerShape:
    if len(shape) != 1:
        raise _MisfitError(
            f"it takes features and gets a map of {shape_text(shape)}. Add a flatten or global pooling before it."
        )
    weights = shape[0] * settings.units
    return _weighted((settings.units,), weights, settings.units * settings.bias, weights)


def _skip(settings: Any, shapes: Sequence[Shape]) -> LayerShape:
    """Add the shape that went into the last layers, projected where it has to be."""
    count, before = settings.layers, len(shapes) - 1
    if count > before:
        way_out = f"Lower it to {before} or less." if before else "Move it down."
        raise _MisfitError(f"it skips over {_layers(count)} and has {before or 'none'} before it. {way_out}")
    start, end = shapes[-1 - count], shapes[-1]
    if start == end:
        return LayerShape(end)
    if len(start) != len(end):
        raise _MisfitError(
            f"it cannot add a map of {shape_text(start)}, from before the last {_layers(count)}, to "
            f"{shape_text(end)}. Skip over fewer layers."
        )
    weights = start[-1] * end[-1]
    if len(end) == 1:
        return LayerShape(end, weights, weights, weights, strides=())
    strides = tuple(_stride_between(large, small) for large, small in zip(start[:2], end[:2], strict=True))
    if 0 in strides:
        raise _MisfitError(
            f"no stride makes {shape_text(end)} of {shape_text(start)}, from before the last {_layers(count)}. "
            "Take padding 'same' there or skip over fewer layers."
        )
    macs = end[0] * end[1] * weights
    return LayerShape(end, weights + 4 * end[2], weights + 2 * end[2], macs, strides)


def _layers(count: int) -> str:
    return "layer" if count == 1 else f"{count} layers"


def _stride_between(large: int, small: int) -> int:
    """Return the least stride of a 1x1 convolution from one side to the other, 0 where there is none."""
    return next((stride for stride in range(1, large + 1) if -(-large // stride) == small), 0)


RULES: dict[str, Rule] = {
    "conv": _conv,
    "dilated_conv": _conv,
    "depthwise_conv": _depthwise,
    "separable_conv": _separable,
    "transposed_conv": _transposed,
    "max_pool": _pool,
    "average_pool": _pool,
    "batch_norm": _batch_norm,
    "activation": _same,
    "dropout": _same,
    "flatten": _flatten,
    "global_average_pool": _global_pool,
    "global_max_pool": _global_pool,
    "dense": _dense,
}
