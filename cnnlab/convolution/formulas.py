"""The formulas of a layer with the numbers in: output, padding, parameters, multiply-accumulates.

In the letters of most courses: W side of the input, F side of the kernel, P padding, S stride,
D dilation, D1 channels in, K filters, G groups, H1 x W1 the input, H2 x W2 the output.
"""

from dataclasses import dataclass
from typing import Any

from cnnlab.convolution.geometry import output_shape, padding_amounts
from cnnlab.convolution.settings import OPERATIONS, Settings, check_settings
from cnnlab.errors import ConfigError
from cnnlab.formula import Formula


@dataclass(frozen=True)
class Costs:
    """One kind of layer for the same input, to stand beside others."""

    title: str
    output: tuple[int, int, int]
    side: Formula
    parameters: Formula
    macs: Formula
    reach: int


def formulas(settings: Settings, shape: tuple[int, int, int]) -> list[Formula]:
    """Return the formulas of a layer for an input `(height, width, channels)`.

    The side is given once where height and width are alike.

    Raises:
        ConfigError: the window does not fit, or the groups do not divide the channels.
    """
    output = output_shape(settings, shape)
    found = []
    axes = [("Output side", 0)] if shape[0] == shape[1] else [("Output height", 0), ("Output width", 1)]
    for what, axis in axes:
        if settings.padding == "same" and settings.operation != "transposed":
            found.append(_same_padding(settings, shape[axis], what.replace("Output", "Padding of the")))
        found.append(_side(settings, shape[axis], output[axis], what))
    return [*found, _parameters(settings, shape[2]), _macs(settings, shape, output)]


def padding_sentence(settings: Settings, shape: tuple[int, int, int]) -> str:
    """Return in words how many zeros are added where."""
    if settings.operation == "transposed":
        return (
            "Same: the output is cut to S times the input." if settings.padding == "same" else "Valid: nothing is cut."
        )
    (top, bottom), (left, right) = (
        padding_amounts(side, settings.reach, settings.stride, settings.padding) for side in shape[:2]
    )
    if not any((top, bottom, left, right)):
        return "No padding is added."
    text = f"Padding: {top} above, {bottom} below, {left} left, {right} right."
    if top != bottom or left != right:
        text += " It is not symmetric: Keras puts the odd one below and right."
    return text


def beside(settings: Settings, shape: tuple[int, int, int]) -> list[Costs]:
    """Return what the same kernel costs as each kind of convolution; a kind that cannot be is left out."""
    window = {"size": settings.size, "padding": settings.padding, "filters": settings.filters}
    kinds: list[tuple[str, dict[str, Any]]] = [
        ("Standard", {"operation": "standard", "stride": settings.stride}),
        (f"Dilated, D = {max(2, settings.dilation)}", {"operation": "standard", "dilation": max(2, settings.dilation)}),
        ("Depthwise", {"operation": "depthwise", "stride": settings.stride}),
        ("Separable", {"operation": "separable", "stride": settings.stride}),
        ("Transposed", {"operation": "transposed", "stride": settings.stride}),
    ]
    groups = next((number for number in range(shape[2], 1, -1)
                   if shape[2] % number == 0 and settings.filters % number == 0 and number <= 8), 0)  # fmt: skip
    if groups:
        kinds.insert(
            2, (f"Grouped, G = {groups}", {"operation": "standard", "stride": settings.stride, "groups": groups})
        )
    found = []
    for title, values in kinds:
        values = window | values
        if values["operation"] == "transposed" and values["padding"] == "full":
            values["padding"] = "valid"
        try:
            found.append(costs(check_large(values), shape, title))
        except ConfigError:  # the window of a dilated kernel may not fit
            continue
    return found


def check_large(values: dict[str, Any]) -> Settings:
    """Check settings of a layer that is only counted, so it may have any number of filters."""
    filters = values.pop("filters")
    groups = values.pop("groups", 1)
    return check_settings(values).model_copy(update={"filters": filters, "groups": groups})


def costs(settings: Settings, shape: tuple[int, int, int], title: str = "") -> Costs:
    """Return output, parameters, MACs and window of one layer."""
    output = output_shape(settings, shape)
    return Costs(
        title or OPERATIONS[settings.operation],
        output,
        _side(settings, shape[0], output[0], "Output side"),
        _parameters(settings, shape[2]),
        _macs(settings, shape, output),
        settings.reach,
    )


def _same_padding(settings: Settings, side: int, what: str) -> Formula:
    reach, stride = settings.reach, settings.stride
    total = sum(padding_amounts(side, reach, stride, "same"))
    filter_letters = "F" if settings.dilation == 1 else "(D(F − 1) + 1)"
    return Formula(
        what,
        f"max((⌈W/S⌉ − 1)·S + {filter_letters} − W, 0)",
        f"max((⌈{side}/{stride}⌉ − 1)·{stride} + {reach} − {side}, 0)",
        total,
    )


def _side(settings: Settings, side: int, value: int, what: str) -> Formula:
    reach, stride = settings.reach, settings.stride
    filter_letters = "F" if settings.dilation == 1 else "(D(F − 1) + 1)"
    filter_number = f"{reach}" if settings.dilation == 1 else f"({settings.dilation}·({settings.size} − 1) + 1)"
    if settings.operation == "transposed":
        if settings.padding == "same":
            return Formula(what, "W·S", f"{side}·{stride}", value)
        return Formula(
            what,
            f"(W − 1)·S + max({filter_letters}, S)",
            f"({side} − 1)·{stride} + max({filter_number}, {stride})",
            value,
        )
    before, after = padding_amounts(side, reach, stride, settings.padding)
    letters, numbers = ("2P", f"2·{before}") if before == after else ("P₁ + P₂", f"{before} + {after}")
    return Formula(
        what,
        f"⌊(W − {filter_letters} + {letters}) / S⌋ + 1",
        f"⌊({side} − {filter_number} + {numbers}) / {stride}⌋ + 1",
        value,
    )


def _products(settings: Settings, channels: int) -> tuple[str, str, int]:
    """Return the multiplications per position: letters, numbers, value; also the number of weights."""
    size, filters, groups = settings.size, settings.filters, settings.groups
    taps = size * size
    if settings.operation == "depthwise":
        return "F·F·D1", f"{size}·{size}·{channels}", taps * channels
    if settings.operation == "separable":
        value = taps * channels + channels * filters
        return "(F·F·D1 + D1·K)", f"({size}·{size}·{channels} + {channels}·{filters})", value
    value = taps * channels // groups * filters
    if groups > 1:
        return "F·F·(D1/G)·K", f"{size}·{size}·({channels}/{groups})·{filters}", value
    return "F·F·D1·K", f"{size}·{size}·{channels}·{filters}", value


def _parameters(settings: Settings, channels: int) -> Formula:
    if settings.is_pooling:
        return Formula("Parameters", "none: nothing is learnt", "0", 0)
    letters, numbers, value = _products(settings, channels)
    bias_letter, biases = ("D1", channels) if settings.operation == "depthwise" else ("K", settings.filters)
    return Formula("Parameters", f"{letters} + {bias_letter}", f"{numbers} + {biases}", value + biases)


def _macs(settings: Settings, shape: tuple[int, int, int], output: tuple[int, int, int]) -> Formula:
    if settings.is_pooling:
        return Formula("MACs", "none: nothing is multiplied", "0", 0)
    letters, numbers, value = _products(settings, shape[2])
    # Each input cell is multiplied with the whole kernel when transposed, each output cell sums one otherwise.
    place, sides = ("H1·W1", shape) if settings.operation == "transposed" else ("H2·W2", output)
    return Formula("MACs", f"{place}·{letters}", f"{sides[0]}·{sides[1]}·{numbers}", sides[0] * sides[1] * value)
