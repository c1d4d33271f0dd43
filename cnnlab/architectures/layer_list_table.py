"""A list of layers as a table: one row per layer with its cost and what it sees, and the totals. Without Keras."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cnnlab.analysis.receptive_field import Axis, merged, same_padding
from cnnlab.architectures.layer_list import LAYER_KINDS, settings_of
from cnnlab.architectures.layer_list_shapes import LayerListError, LayerShape, Shape, shapes_of

# Height and width; None behind a flatten or global pooling, which see the whole image.
Sight = tuple[Axis, Axis] | None


@dataclass(frozen=True)
class LayerRow:
    """One layer of the table.

    Attributes:
        number: From 1; the output layer has one more than the last of the list.
        receptive_field_px: The larger of height and width; None where the whole image is seen.
    """

    number: int
    title: str
    words: str
    shape: LayerShape
    receptive_field_px: int | None


@dataclass(frozen=True)
class LayerTable:
    """All rows up to the first layer that does not fit, and what is wrong with it.

    Attributes:
        receptive_field_px: Of the last feature map.
    """

    rows: tuple[LayerRow, ...]
    error: LayerListError | None
    receptive_field_px: int

    @property
    def num_params(self) -> int:
        return sum(row.shape.num_params for row in self.rows)

    @property
    def trainable_params(self) -> int:
        return sum(row.shape.trainable_params for row in self.rows)

    @property
    def macs(self) -> int:
        return sum(row.shape.macs for row in self.rows)


def layer_table(
    layers: Sequence[Mapping[str, Any]], input_shape: Sequence[int], num_classes: Sequence[int]
) -> LayerTable:
    """Return the table of checked `layers`, with one output layer per number of classes."""
    shapes, error = shapes_of(layers, input_shape)
    sights: list[Sight] = [(Axis(), Axis())]
    inputs: list[Shape] = [tuple(input_shape)]
    rows = []
    for number, (layer, shape) in enumerate(zip(layers, shapes, strict=False), start=1):
        settings = settings_of(layer)
        sights.append(_sight(layer["kind"], settings, sights, inputs, shape))
        inputs.append(shape.output)
        kind = LAYER_KINDS[layer["kind"]]
        rows.append(LayerRow(number, kind.title, _words(settings, shape), shape, _size(sights[-1])))
    maps = [size for sight in sights if (size := _size(sight)) is not None]
    if error is None:
        rows += [_output(len(layers) + 1, inputs[-1][0], count) for count in num_classes]
    return LayerTable(tuple(rows), error, maps[-1])


def _output(number: int, features: int, classes: int) -> LayerRow:
    weights = features * classes
    shape = LayerShape((classes,), weights + classes, weights + classes, weights)
    return LayerRow(number, "Output", f"{classes} classes", shape, None)


def _words(settings: Any, shape: LayerShape) -> str:
    return f"{settings.words()}, {way}" if (way := projection_words(shape)) else str(settings.words())


def projection_words(shape: LayerShape) -> str:
    """Return what a skip goes through where the shapes differ, or an empty text."""
    if shape.strides is None:
        return ""
    by = "1×1 convolution" if shape.strides else "dense layer"
    return f"through a {by}{f', stride {max(shape.strides)}' if shape.strides and max(shape.strides) > 1 else ''}"


def _size(sight: Sight) -> int | None:
    return None if sight is None else max(axis.size for axis in sight)


def _sight(kind: str, settings: Any, sights: Sequence[Sight], inputs: Sequence[Shape], shape: LayerShape) -> Sight:
    sight = sights[-1]
    if sight is None or len(shape.output) == 1:
        return None
    if kind == "skip":
        start = sights[-1 - settings.layers]
        if start is None:
            return None
        strides = shape.strides or (1, 1)
        ways = [(axis, start[place].window(1, strides[place])) for place, axis in enumerate(sight)]
        return merged(ways[0]), merged(ways[1])
    if not hasattr(settings, "kernel") and not hasattr(settings, "window"):
        return sight
    height, width = (_through(kind, settings, axis, side) for axis, side in zip(sight, inputs[-1], strict=False))
    return height, width


def _through(kind: str, settings: Any, axis: Axis, side: int) -> Axis:
    kernel = settings.window if hasattr(settings, "window") else settings.kernel
    stride, dilation = getattr(settings, "stride", 1), getattr(settings, "dilation", 1)
    is_same = settings.padding == "same"
    if kind == "transposed_conv":
        return axis.transposed(kernel, stride, 1, max(kernel - stride, 0) // 2 if is_same else 0)
    padding = same_padding(side, kernel, stride, dilation) if is_same else (0, 0)
    return axis.window(kernel, stride, dilation, padding[0] if padding else None)
