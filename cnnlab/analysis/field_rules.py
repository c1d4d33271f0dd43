"""What happens to a receptive field in each kind of layer and operation."""

import enum
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import keras
from keras import layers

from cnnlab.analysis.counting import MOVING_OPS, SUMMING_OPS, is_free
from cnnlab.analysis.graph import Call
from cnnlab.analysis.receptive_field import Axis, merged, same_padding


class Sight(enum.Enum):
    """What a tensor without a followed height and width sees."""

    WHOLE = "the whole image"
    LOST = "nobody knows"


@dataclass(frozen=True)
class Field:
    """What a feature map sees.

    Attributes:
        axes: Along height and width.
        places: Which axes of the tensor are height and width, the batch being 0.
        sees_whole: Whether some path, besides these, sees the whole image.
    """

    axes: tuple[Axis, Axis]
    places: tuple[int, int]
    sees_whole: bool = False

    def sides(self, shape: Sequence[int | None]) -> tuple[int | None, ...]:
        return tuple(shape[place] for place in self.places)

    @property
    def size_px(self) -> int:
        return max(axis.size for axis in self.axes)

    @property
    def is_aligned(self) -> bool:
        return all(axis.is_aligned for axis in self.axes)


State = Field | Sight
States = Mapping[int, State]
Rule = Callable[[Call, list[State]], State]


def state_after(call: Call, states: list[State]) -> State:
    """Return what the outputs of a call see, from what its inputs see."""
    if all(state is Sight.WHOLE for state in states):
        return Sight.WHOLE
    rule = RULES.get(type(call.operation))
    if rule is None:
        is_op = not isinstance(call.operation, keras.Layer)
        name = type(call.operation).__name__
        rule = OP_RULES.get(name, _kept if is_op and is_free(call.operation) else _lost)
    return rule(call, states)


def _lost(_call: Call, _states: list[State]) -> State:
    return Sight.LOST


def _whole(_call: Call, states: list[State]) -> State:
    return Sight.WHOLE if all(isinstance(state, Field) for state in states) else Sight.LOST


def _kept(call: Call, states: list[State]) -> State:
    """Element-wise work on one or several maps: outputs see what their inputs see."""
    shape = call.outputs[0].shape
    fields = []
    for tensor, state in zip(call.inputs, states, strict=True):
        if state is Sight.LOST:
            return Sight.LOST
        if isinstance(state, Field):
            is_map = len(tensor.shape) == len(shape) and state.sides(tensor.shape) == state.sides(shape)
            if not is_map:
                return Sight.LOST
            fields.append(state)
    if len({field.places for field in fields}) != 1:
        return Sight.LOST
    height, width = (merged(field.axes[number] for field in fields) for number in (0, 1))
    sees_whole = Sight.WHOLE in states or any(field.sees_whole for field in fields)
    return Field((height, width), fields[0].places, sees_whole)


def _kept_off_axis(call: Call, states: list[State]) -> State:
    """Joining or picking along one axis: along height or width a map would have rows of different origin."""
    axis = getattr(call.operation, "axis", None)
    if not isinstance(axis, int):
        return Sight.LOST
    place = axis % len(call.outputs[0].shape)
    is_along_map = any(place in state.places for state in states if isinstance(state, Field))
    return Sight.LOST if is_along_map else _kept(call, states)


def _along(change: Callable[[Call, Axis, int, int | None], Axis | None]) -> Rule:
    """Make a rule from what happens along one axis: (call, axis, 0 or 1, its side) to the new axis."""

    def rule(call: Call, states: list[State]) -> State:
        state = states[0]
        first = 2 if call.operation.data_format == "channels_first" else 1
        if not isinstance(state, Field) or state.places != (first, first + 1):
            return Sight.LOST
        sides = state.sides(call.inputs[0].shape)
        height, width = (change(call, axis, number, sides[number]) for number, axis in enumerate(state.axes))
        return Sight.LOST if height is None or width is None else replace(state, axes=(height, width))

    return rule


@dataclass(frozen=True)
class Window:
    """Kernel, stride and dilation of a layer along one axis, and its real padding; None where unknown."""

    kernel: int
    stride: int
    dilation: int
    padding: tuple[int, int] | None


def window_of(layer: Any, number: int, side: int | None) -> Window:
    """Return the window of a convolution or pooling along height (0) or width (1) of so many pixels."""
    is_pool = hasattr(layer, "pool_size")
    kernel = (layer.pool_size if is_pool else layer.kernel_size)[number]
    stride = layer.strides[number]
    dilation = 1 if is_pool else layer.dilation_rate[number]
    if layer.padding == "causal":
        return Window(kernel, stride, dilation, (dilation * (kernel - 1), 0))
    padding = same_padding(side, kernel, stride, dilation) if layer.padding == "same" else (0, 0)
    return Window(kernel, stride, dilation, padding)


def _window(call: Call, axis: Axis, number: int, side: int | None) -> Axis:
    window = window_of(call.operation, number, side)
    before = None if window.padding is None else window.padding[0]
    return axis.window(window.kernel, window.stride, window.dilation, before)


def _transposed(call: Call, axis: Axis, number: int, _side: int | None) -> Axis | None:
    layer = call.operation
    kernel, stride, dilation = layer.kernel_size[number], layer.strides[number], layer.dilation_rate[number]
    if layer.output_padding is not None:
        return None
    reach = dilation * (kernel - 1) + 1
    return axis.transposed(kernel, stride, dilation, max(reach - stride, 0) // 2 if layer.padding == "same" else 0)


def _padded(call: Call, axis: Axis, number: int, _side: int | None) -> Axis:
    return axis.shifted(-call.operation.padding[number][0])


def _cropped(call: Call, axis: Axis, number: int, _side: int | None) -> Axis:
    return axis.shifted(call.operation.cropping[number][0])


def _enlarged(call: Call, axis: Axis, number: int, _side: int | None) -> Axis | None:
    factor = call.operation.size[number]
    kinds = {"nearest": axis.repeated, "bilinear": axis.interpolated}
    kind = kinds.get(call.operation.interpolation)
    return None if kind is None else kind(factor)


def _dense(call: Call, states: list[State]) -> State:
    state, last = states[0], len(call.inputs[0].shape) - 1
    return state if isinstance(state, Field) and last not in state.places else Sight.LOST


def _attended(call: Call, states: list[State]) -> State:
    """Attention over height and width: every position sees every other."""
    kept = _dense(call, states)
    return replace(kept, sees_whole=True) if isinstance(kept, Field) else Sight.LOST


def _reshaped(call: Call, states: list[State]) -> State:
    """Follow height and width where all before or all behind them stays, as in a shuffle of channels."""
    state, before, after = states[0], call.inputs[0].shape, call.outputs[0].shape
    if not isinstance(state, Field):
        return Sight.LOST
    if before[: state.places[1] + 1] == after[: state.places[1] + 1]:
        return state
    added = len(after) - len(before)
    if state.places[0] + added > 0 and before[state.places[0] :] == after[state.places[0] + added :]:
        return replace(state, places=(state.places[0] + added, state.places[1] + added))
    is_flat = len(after) == 2 and after[1] == math.prod(side or 0 for side in before[1:])
    return Sight.WHOLE if is_flat else Sight.LOST


def _moved(order: Sequence[int] | None, call: Call, states: list[State]) -> State:
    state = states[0]
    if not isinstance(state, Field):
        return Sight.LOST
    order = list(order or reversed(range(len(call.inputs[0].shape))))
    height, width = (order.index(place) for place in state.places)
    axes = state.axes if height < width else (state.axes[1], state.axes[0])
    return replace(state, axes=axes, places=(min(height, width), max(height, width)))


def _permuted(call: Call, states: list[State]) -> State:
    return _moved((0, *call.operation.dims), call, states)


def _transposed_op(call: Call, states: list[State]) -> State:
    return _moved(call.operation.axes, call, states)


def _reduced(call: Call, states: list[State]) -> State:
    """A sum, mean or norm over some axes: over height and width it sees all."""
    state, rank = states[0], len(call.inputs[0].shape)
    axis = getattr(call.operation, "axis", None)
    gone = set(range(rank)) if axis is None else {one % rank for one in _as_tuple(axis)}
    if not isinstance(state, Field):
        return Sight.LOST
    if gone >= set(state.places):
        return Sight.WHOLE
    if gone & set(state.places):
        return Sight.LOST
    is_kept = getattr(call.operation, "keepdims", False)
    height, width = (place - (0 if is_kept else sum(one < place for one in gone)) for place in state.places)
    return replace(state, places=(height, width))


def _padded_op(call: Call, states: list[State]) -> State:
    state, widths = states[0], call.operation.pad_width
    if not isinstance(state, Field) or len(widths) != len(call.inputs[0].shape):
        return Sight.LOST
    height, width = (axis.shifted(-widths[place][0]) for axis, place in zip(state.axes, state.places, strict=True))
    return replace(state, axes=(height, width))


def _as_tuple(value: int | Iterable[int]) -> tuple[int, ...]:
    return (value,) if isinstance(value, int) else tuple(value)


WINDOWS = (layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D, layers.MaxPooling2D, layers.AveragePooling2D)

ALONG_AXIS = {"Concatenate", "Flip", "Repeat", "Roll", "Split", "Take"}
FOLLOWED = {*ALONG_AXIS, "BroadcastTo", "Copy", "GetItem", "Pad", "Reshape", "Slice", "Transpose"}

RULES: dict[type, Rule] = {
    **dict.fromkeys(WINDOWS, _along(_window)),
    **dict.fromkeys(
        (
            layers.Identity, layers.Activation, layers.ReLU, layers.LeakyReLU, layers.PReLU, layers.ELU, layers.Softmax,
            layers.Add, layers.Subtract, layers.Multiply, layers.Average, layers.Maximum, layers.Minimum,
            layers.BatchNormalization, layers.LayerNormalization, layers.GroupNormalization, layers.RMSNormalization,
            layers.UnitNormalization, layers.Normalization, layers.Rescaling, layers.Dropout, layers.AlphaDropout,
            layers.GaussianDropout, layers.GaussianNoise, layers.SpatialDropout2D, layers.ActivityRegularization,
            layers.RandomFlip, layers.RandomRotation, layers.RandomZoom, layers.RandomTranslation,
            layers.RandomContrast, layers.RandomBrightness,
        ),
        _kept,
    ),
    layers.Concatenate: _kept_off_axis,
    layers.Conv2DTranspose: _along(_transposed),
    layers.ZeroPadding2D: _along(_padded),
    layers.Cropping2D: _along(_cropped),
    layers.UpSampling2D: _along(_enlarged),
    layers.Flatten: _whole,
    layers.GlobalAveragePooling2D: _whole,
    layers.GlobalMaxPooling2D: _whole,
    layers.Dense: _dense,
    layers.MultiHeadAttention: _attended,
    layers.Reshape: _reshaped,
    layers.Permute: _permuted,
}  # fmt: skip

# Other free operations keep what is seen where height and width keep their place and size.
OP_RULES: dict[str, Rule] = {
    **dict.fromkeys(ALONG_AXIS, _kept_off_axis),
    "Reshape": _reshaped,
    "Transpose": _transposed_op,
    "Pad": _padded_op,
    **dict.fromkeys(SUMMING_OPS.split(), _reduced),
    **dict.fromkeys((set(MOVING_OPS.split()) | {"Moments"}) - FOLLOWED, _lost),
}
