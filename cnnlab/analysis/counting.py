"""Multiply-accumulates of one call of a layer or operation, by its definition.

`COUNTS` and `FREE` hold layers by exact class, since a subclass may compute something else;
`OP_COUNTS` and `FREE_OPS` hold Keras's operations by name. What is in none of them is not
counted, and never taken as zero. Element-wise work, bias, activations, pooling and
normalisation are free by the convention.
"""

import math
from collections.abc import Callable, Iterable
from typing import Any

import keras
from keras import layers

from cnnlab.analysis.graph import Call

CONVENTION = (
    "MACs are the multiply-accumulates of one image in convolutions, dense layers and attention; bias, activations, "
    "pooling, normalisation and other element-wise work are left out. FLOPs are twice the MACs."
)


def macs_of(call: Call) -> int | None:
    """Return the multiply-accumulates of a call for one image, None where they cannot be counted."""
    if is_free(call.operation):
        return 0
    count = _count_of(call.operation)
    try:
        return None if count is None else int(count(call))
    except (TypeError, IndexError):  # a side is unknown: None cannot be multiplied; or a factor is hidden
        return None


def is_free(operation: Any) -> bool:
    """Return whether an operation multiplies and accumulates nothing, by the convention."""
    return type(operation) in FREE or (_is_op(operation) and type(operation).__name__ in FREE_OPS)


def _count_of(operation: Any) -> Callable[[Call], int] | None:
    return OP_COUNTS.get(type(operation).__name__) if _is_op(operation) else COUNTS.get(type(operation))


def _is_op(operation: Any) -> bool:
    return not isinstance(operation, keras.Layer) and type(operation).__module__.startswith("keras.src.ops.")


def _size(shape: Iterable[int | None]) -> int:
    return math.prod(shape)  # type: ignore[arg-type] # an unknown side is caught in `macs_of`


def _positions(layer: Any, shape: tuple[int | None, ...]) -> int:
    # The batch is one image, or what a network makes of one, such as its windows.
    return _size((shape[0], *shape[2:]) if layer.data_format == "channels_first" else shape[:-1])


def _conv(call: Call) -> int:
    # The kernel is (height, width, channels_in / groups, filters): groups are in already.
    return _positions(call.operation, call.outputs[0].shape) * _size(call.operation.kernel.shape)


def _separable(call: Call) -> int:
    layer = call.operation
    weights = _size(layer.depthwise_kernel.shape) + _size(layer.pointwise_kernel.shape)
    return _positions(layer, call.outputs[0].shape) * weights


def _transposed(call: Call) -> int:
    # Each input position is multiplied with the whole kernel, whatever the stride.
    return _positions(call.operation, call.inputs[0].shape) * _size(call.operation.kernel.shape)


def _dense(call: Call) -> int:
    return _size(call.inputs[0].shape[:-1]) * _size(call.operation.kernel.shape)


def _einsum_dense(call: Call) -> int:
    return _einsum(call.operation.equation, [call.inputs[0].shape, call.operation.kernel.shape])


def _heads(call: Call) -> int:
    """Multi-head attention: the four projections, the scores QK^T and the weighted values AV."""
    layer = call.operation
    query, value, key = _query_value_key(call)
    query_kernel, key_kernel, value_kernel, output_kernel = (
        getattr(layer, f"_{name}_dense").kernel.shape for name in ("query", "key", "value", "output")
    )
    tokens = _size(query[:-1])
    projections = tokens * (_size(query_kernel) + _size(output_kernel))
    projections += _size(key[:-1]) * _size(key_kernel) + _size(value[:-1]) * _size(value_kernel)
    axes = getattr(layer, "attention_axes", None) or tuple(range(1, len(value) - 1))
    attended = _size(value[axis] for axis in axes)
    # The kernel of the query is (features, heads, size of a key), that of the values (features, heads, size).
    heads, key_dim = query_kernel[-2:]
    return projections + tokens * attended * heads * (key_dim + value_kernel[-1])


def _query_value_key(call: Call) -> list[tuple[int | None, ...]]:
    named = dict(zip(("query", "value", "key"), call.args, strict=False)) | call.kwargs
    key = named.get("key")
    return [tensor.shape for tensor in (named["query"], named["value"], named["value"] if key is None else key)]


def _attention(call: Call) -> int:
    """Scores by a dot product (or, additive, by one weight per feature), then the weighted values."""
    query, value = call.inputs[0].shape, call.inputs[1].shape
    return _size(query[:-1]) * _size(value[1:-1]) * _size([query[-1] + value[-1]])


def _dot_layer(call: Call) -> int:
    axes = call.operation.axes
    return _size(call.outputs[0].shape) * _size([call.inputs[0].shape[axes if isinstance(axes, int) else axes[0]]])


def _matmul(call: Call) -> int:
    """Every element of the result sums over the last axis of the first factor."""
    return _size(call.outputs[0].shape) * _size([_factors(call)[0][-1]])


def _einsum_op(call: Call) -> int:
    return _einsum(call.operation.subscripts, _factors(call))


def _factors(call: Call) -> list[tuple[int | None, ...]]:
    """Return the shapes of all tensors and weights among the arguments."""
    return [tuple(value.shape) for value in (*call.args, *call.kwargs.values()) if hasattr(value, "shape")]


def _einsum(equation: str, shapes: list[tuple[int | None, ...]]) -> int:
    """Multiply the sizes of all letters: with two factors each combination is one multiply-accumulate."""
    letters = equation.replace(" ", "").split("->")[0].split(",")
    if len(shapes) != 2 or len(letters) != 2:
        raise TypeError("only products of two factors are counted")
    sizes: dict[str, int | None] = {}
    for names, shape in zip(letters, shapes, strict=True):
        before, dots, after = names.partition("...")
        hidden = range(len(shape) - len(before) - len(after)) if dots else ()
        # What the dots stand for is counted from their end, as in broadcasting.
        middle = [f"...{number}" for number in reversed(hidden)]
        sizes |= dict(zip([*before, *middle, *after], shape, strict=True))
    return _size(sizes.values())


def _conv_op(call: Call) -> int:
    return _positions(call.operation, call.outputs[0].shape) * _size(_factors(call)[1])


COUNTS: dict[type, Callable[[Call], int]] = {
    layers.Conv1D: _conv,
    layers.Conv2D: _conv,
    layers.Conv3D: _conv,
    layers.DepthwiseConv1D: _conv,
    layers.DepthwiseConv2D: _conv,
    layers.SeparableConv1D: _separable,
    layers.SeparableConv2D: _separable,
    layers.Conv1DTranspose: _transposed,
    layers.Conv2DTranspose: _transposed,
    layers.Conv3DTranspose: _transposed,
    layers.Dense: _dense,
    layers.EinsumDense: _einsum_dense,
    layers.MultiHeadAttention: _heads,
    layers.GroupQueryAttention: _heads,
    layers.Attention: _attention,
    layers.AdditiveAttention: _attention,
    layers.Dot: _dot_layer,
}

FREE: frozenset[type] = frozenset(
    {
        layers.InputLayer, layers.Identity, layers.Activation, layers.ReLU, layers.LeakyReLU, layers.PReLU, layers.ELU,
        layers.Softmax, layers.Add, layers.Subtract, layers.Multiply, layers.Average, layers.Maximum, layers.Minimum,
        layers.Concatenate, layers.BatchNormalization, layers.LayerNormalization, layers.GroupNormalization,
        layers.UnitNormalization, layers.RMSNormalization, layers.Normalization, layers.Rescaling, layers.Dropout,
        layers.AlphaDropout, layers.GaussianDropout, layers.GaussianNoise, layers.SpatialDropout1D,
        layers.SpatialDropout2D, layers.SpatialDropout3D, layers.ActivityRegularization, layers.MaxPooling1D,
        layers.MaxPooling2D, layers.MaxPooling3D, layers.AveragePooling1D, layers.AveragePooling2D,
        layers.AveragePooling3D, layers.GlobalAveragePooling1D, layers.GlobalAveragePooling2D,
        layers.GlobalAveragePooling3D, layers.GlobalMaxPooling1D, layers.GlobalMaxPooling2D, layers.GlobalMaxPooling3D,
        layers.ZeroPadding1D, layers.ZeroPadding2D, layers.ZeroPadding3D, layers.Cropping1D, layers.Cropping2D,
        layers.Cropping3D, layers.UpSampling1D, layers.UpSampling2D, layers.UpSampling3D, layers.Flatten,
        layers.Reshape, layers.Permute, layers.RepeatVector, layers.Masking, layers.Embedding, layers.Resizing,
        layers.CenterCrop, layers.RandomFlip, layers.RandomRotation, layers.RandomZoom, layers.RandomTranslation,
        layers.RandomContrast, layers.RandomBrightness,
    }
)  # fmt: skip

OP_COUNTS: dict[str, Callable[[Call], int]] = {
    "Matmul": _matmul,
    "Einsum": _einsum_op,
    "Conv": _conv_op,
    "DepthwiseConv": _conv_op,
}

ELEMENTWISE_OPS = (
    "Absolute Add Cast Ceil Clip Divide DivideNoNan Elu Equal Erf Exp Expm1 Floor Gelu Greater GreaterEqual "
    "HardSigmoid HardSilu HardTanh LeakyRelu Less LessEqual Log Log1p LogSigmoid LogSoftmax LogicalAnd LogicalNot "
    "LogicalOr Maximum Minimum Mod Multiply Negative NotEqual Power Reciprocal Relu Relu6 Round Rsqrt Selu Sigmoid "
    "Sign Silu Softmax Softplus Softsign Sqrt Square StopGradient Subtract Tanh TrueDivide Where"
)
SUMMING_OPS = "All Amax Amin Any Argmax Argmin Average Logsumexp Max Mean Min Norm Prod Std Sum Var"
NORMALISING_OPS = "BatchNorm LayerNorm Moments Normalize RMSNorm"
MOVING_OPS = (
    "AveragePool MaxPool BroadcastTo Concatenate Copy ExpandDims Flip GetItem Moveaxis Pad Repeat Reshape Roll Slice "
    "Split Squeeze Stack Swapaxes Take Tile Transpose Unstack Rearrange SpaceToDepth DepthToSpace Ravel"
)
FREE_OPS = frozenset(f"{ELEMENTWISE_OPS} {SUMMING_OPS} {NORMALISING_OPS} {MOVING_OPS}".split())

KNOWN: frozenset[type] = FREE | frozenset(COUNTS)
