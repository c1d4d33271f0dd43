"""The formulas of a convolution with its numbers in: output side, parameters, multiply-accumulates.

In the letters of most courses: W side of the input, F side of the filter, P padding, S stride,
D dilation, D1 channels in, K filters, G groups, M depth multiplier, H2 x W2 the output.
"""

import math
from collections.abc import Sequence
from typing import Any

from keras import layers

from cnnlab.analysis.field_rules import window_of
from cnnlab.analysis.graph import Call
from cnnlab.formula import Formula

SIDES = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}
CONVOLUTIONS = (layers.Conv1D, layers.Conv2D, layers.Conv3D)
DEPTHWISE = (layers.DepthwiseConv1D, layers.DepthwiseConv2D)
SEPARABLE = (layers.SeparableConv1D, layers.SeparableConv2D)
TRANSPOSED = (layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose)


def formulas_of(call: Call) -> list[Formula]:
    """Return the formulas of one call of a convolution; none for another layer or where a side is unknown."""
    kind = type(call.operation)
    if kind not in (*CONVOLUTIONS, *DEPTHWISE, *SEPARABLE, *TRANSPOSED):
        return []
    before, after = _sides(call.operation, call.input_shape), _sides(call.operation, call.output_shape)
    if None in before or None in after:
        return []
    side = _transposed_side if kind in TRANSPOSED else _side
    names = SIDES[len(before)]
    outputs = [side(call.operation, number, name, before[number]) for number, name in enumerate(names)]
    counted = before if kind in TRANSPOSED else after
    channels = call.input_shape[0 if call.operation.data_format == "channels_first" else -1]
    return [*outputs, *_products(call.operation, channels, counted)]


def padding_of(call: Call) -> dict[str, list[int]] | None:
    """Return the real padding before and after along each side, as `{"height": [0, 1], "width": [0, 1]}`."""
    layer = call.operation
    if not hasattr(layer, "padding") or not hasattr(layer, "strides") or type(layer) in TRANSPOSED:
        return None
    sides = _sides(layer, call.input_shape)
    windows = [window_of(layer, number, side) for number, side in enumerate(sides)]
    found = dict(zip(SIDES[len(sides)], (window.padding for window in windows), strict=True))
    return None if None in found.values() else {name: list(padding or ()) for name, padding in found.items()}


def as_document(formula: Formula) -> dict[str, Any]:
    """Return a formula as plain values."""
    return dict(vars(formula))


def _sides(layer: Any, shape: Sequence[int | None]) -> tuple[Any, ...]:
    return tuple(shape[1:] if layer.data_format == "channels_first" else shape[:-1])


def _side(layer: Any, number: int, name: str, side: int) -> Formula:
    window = window_of(layer, number, side)
    before, after = window.padding or (0, 0)
    reach = window.dilation * (window.kernel - 1) + 1
    filter_letters = "F" if window.dilation == 1 else "(D(F - 1) + 1)"
    if before == after:
        padding_letters, padding = "2P", f"2*{before}"
    else:
        padding_letters, padding = "P_before + P_after", f"{before} + {after}"
    span = side - reach + before + after
    is_whole = span % window.stride == 0
    opened, closed = ("(", f")/{window.stride}") if is_whole else ("floor((", f")/{window.stride})")
    letters = f"(W - {filter_letters} + {padding_letters})/S + 1"
    numbers = f"{opened}{side} - {reach} + {padding}{closed} + 1"
    return Formula(f"output {name}", letters, numbers, span // window.stride + 1)


def _transposed_side(layer: Any, number: int, name: str, side: int) -> Formula:
    kernel, stride, dilation = layer.kernel_size[number], layer.strides[number], layer.dilation_rate[number]
    what, reach = f"output {name}", dilation * (kernel - 1) + 1
    if layer.output_padding is not None:
        extra = layer.output_padding if isinstance(layer.output_padding, int) else layer.output_padding[number]
        crop = reach // 2 if layer.padding == "same" else 0
        value = (side - 1) * stride + reach - 2 * crop + extra
        numbers = f"({side} - 1)*{stride} + {reach} - 2*{crop} + {extra}"
        return Formula(what, "(W - 1)*S + F - 2P + P_out", numbers, value)
    if layer.padding == "same":
        return Formula(what, "W*S", f"{side}*{stride}", side * stride)
    numbers = f"({side} - 1)*{stride} + max({reach}, {stride})"
    return Formula(what, "(W - 1)*S + max(F, S)", numbers, (side - 1) * stride + max(reach, stride))


def _products(layer: Any, channels: Any, positions: Sequence[int]) -> list[Formula]:
    """Return the formulas of the parameters and of the multiply-accumulates."""
    kernel, rank = list(layer.kernel_size), len(positions)
    taps = "*".join("F" * rank)
    kind = type(layer)
    if kind in SEPARABLE:
        factor = layer.depth_multiplier
        letters, numbers = f"({taps}*D1*M + D1*M*K)", [*kernel, channels, factor]
        value = math.prod(numbers) + channels * factor * layer.filters
        text, filters = f"({_times(numbers)} + {channels}*{factor}*{layer.filters})", layer.filters
    elif kind in DEPTHWISE:
        factor = layer.depth_multiplier
        letters, text = f"({taps})*D1*M", f"({_times(kernel)})*{channels}*{factor}"
        value, filters = math.prod(kernel) * channels * factor, channels * factor
    else:
        groups = getattr(layer, "groups", 1)
        letters = f"({taps}*D1)*K" if groups == 1 else f"({taps}*D1/G)*K"
        per_group = f"{channels}" if groups == 1 else f"{channels}/{groups}"
        text, filters = f"({_times(kernel)}*{per_group})*{layer.filters}", layer.filters
        value = math.prod(kernel) * channels // groups * filters
    bias_letters, bias = (
        ("", "") if not layer.use_bias else (" + D1*M" if kind in DEPTHWISE else " + K", f" + {filters}")
    )
    place = {1: ("L2",), 2: ("H2", "W2"), 3: ("Z2", "H2", "W2")}[rank]
    if kind in TRANSPOSED:
        place = tuple(letter.replace("2", "1") for letter in place)
    num_params = value + (filters if layer.use_bias else 0)
    return [
        Formula("parameters", letters + bias_letters, text + bias, num_params),
        Formula("MACs", f"{'*'.join(place)}*{letters}", f"{_times(positions)}*{text}", math.prod(positions) * value),
    ]


def _times(numbers: Sequence[int]) -> str:
    return "*".join(map(str, numbers))
