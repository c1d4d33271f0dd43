"""What a network costs: parameters and multiply-accumulates, layer by layer.

MACs are the multiply-accumulates for one image in convolutions and dense layers; bias,
activations, pooling and normalisation are left out, and `flops = 2 * macs`. A layer of
another kind with weights, or of a kind not known here, is listed as not counted and is
never taken as zero.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers


@dataclass(frozen=True)
class LayerCost:
    """One layer; `output_shape` is without the batch, `macs` is None where not counted."""

    position: int
    name: str
    kind: str
    output_shape: tuple[int | None, ...]
    num_params: int
    trainable_params: int
    macs: int | None

    @property
    def counted(self) -> bool:
        return self.macs is not None

    def as_row(self) -> dict[str, Any]:
        """Return the row of `layers.parquet`."""
        return {
            "position": self.position,
            "name": self.name,
            "kind": self.kind,
            "output_shape": list(self.output_shape),
            "num_params": self.num_params,
            "trainable_params": self.trainable_params,
            "macs": self.macs,
            "counted": self.counted,
        }


@dataclass(frozen=True)
class Costs:
    """The totals of a network and its rows, which add up to them."""

    rows: tuple[LayerCost, ...]

    @property
    def num_params(self) -> int:
        return sum(row.num_params for row in self.rows)

    @property
    def trainable_params(self) -> int:
        return sum(row.trainable_params for row in self.rows)

    @property
    def macs(self) -> int | None:
        """Return the MACs of what could be counted, or None where nothing could."""
        counted = [row.macs for row in self.rows if row.macs is not None]
        return sum(counted) if counted else None

    @property
    def not_counted(self) -> tuple[str, ...]:
        return tuple(row.name for row in self.rows if not row.counted)


def costs(network: keras.Model) -> Costs:
    """Count the parameters and MACs of a functional or sequential `network`."""
    return Costs(tuple(_layer_cost(position, layer) for position, layer in enumerate(network.layers)))


def _layer_cost(position: int, layer: keras.Layer) -> LayerCost:
    output_shape = tuple(layer.output.shape[1:]) if _has_one_output(layer) else ()
    return LayerCost(
        position=position,
        name=layer.name,
        kind=type(layer).__name__,
        output_shape=output_shape,
        num_params=_size(layer.weights),
        trainable_params=_size(layer.trainable_weights),
        macs=_macs(layer, output_shape),
    )


def _has_one_output(layer: keras.Layer) -> bool:
    # A layer called twice has no single output and one that returns a list has several.
    try:
        return hasattr(layer.output, "shape")
    except (AttributeError, ValueError):
        return False


def _size(weights: list[Any]) -> int:
    # The counters of random generators are state, not parameters; Keras's count leaves them out too.
    return sum(math.prod(weight.shape) for weight in weights if "seed_generator" not in weight.path)


def _macs(layer: keras.Layer, output_shape: tuple[int | None, ...]) -> int | None:
    # By exact class: a subclass may compute something else.
    kind = type(layer)
    if kind in FREE:
        return 0
    if kind not in COUNTS or not output_shape or None in output_shape:
        return None
    return COUNTS[kind](layer, [side for side in output_shape if side is not None])


def _conv(layer: Any, output_shape: list[int]) -> int:
    # The kernel is (height, width, channels_in / groups, filters): groups are in already.
    return math.prod(_positions(layer, output_shape)) * math.prod(layer.kernel.shape)


def _depthwise(layer: Any, output_shape: list[int]) -> int:
    return math.prod(_positions(layer, output_shape)) * math.prod(layer.kernel.shape)


def _separable(layer: Any, output_shape: list[int]) -> int:
    weights = math.prod(layer.depthwise_kernel.shape) + math.prod(layer.pointwise_kernel.shape)
    return math.prod(_positions(layer, output_shape)) * weights


def _transposed(layer: Any, _output_shape: list[int]) -> int:
    # Each input position is multiplied with the whole kernel, whatever the stride.
    input_shape = list(layer.input.shape[1:])
    return math.prod(_positions(layer, input_shape)) * math.prod(layer.kernel.shape)


def _dense(layer: Any, output_shape: list[int]) -> int:
    return math.prod(output_shape[:-1]) * math.prod(layer.kernel.shape)


def _positions(layer: Any, shape: list[int]) -> list[int]:
    return shape[1:] if layer.data_format == "channels_first" else shape[:-1]


COUNTS: dict[type, Callable[[Any, list[int]], int]] = {
    layers.Conv1D: _conv,
    layers.Conv2D: _conv,
    layers.DepthwiseConv2D: _depthwise,
    layers.SeparableConv2D: _separable,
    layers.Conv2DTranspose: _transposed,
    layers.Dense: _dense,
}

FREE: frozenset[type] = frozenset(
    {
        layers.InputLayer,
        layers.Activation,
        layers.ReLU,
        layers.LeakyReLU,
        layers.Softmax,
        layers.Add,
        layers.Multiply,
        layers.Average,
        layers.Concatenate,
        layers.BatchNormalization,
        layers.LayerNormalization,
        layers.GroupNormalization,
        layers.Normalization,
        layers.Rescaling,
        layers.Dropout,
        layers.SpatialDropout2D,
        layers.MaxPooling2D,
        layers.AveragePooling2D,
        layers.GlobalAveragePooling2D,
        layers.GlobalMaxPooling2D,
        layers.ZeroPadding2D,
        layers.Cropping2D,
        layers.UpSampling2D,
        layers.Flatten,
        layers.Reshape,
        layers.Permute,
    }
)
