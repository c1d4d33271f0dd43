"""How large an output becomes and where zeros are added, in Keras's way.

Source: Dumoulin and Visin 2016, arXiv:1603.07285; 'same' with a stride as TensorFlow defines it.
"""

from cnnlab.convolution.settings import Settings
from cnnlab.errors import ConfigError


def padding_amounts(side: int, reach: int, stride: int, padding: str) -> tuple[int, int]:
    """Return the zeros before and after one side of the input.

    With 'same' the odd one comes after (right and below), so it is not always symmetric:

    >>> padding_amounts(8, 3, 2, "same"), padding_amounts(8, 3, 1, "same"), padding_amounts(8, 3, 1, "full")
    ((0, 1), (1, 1), (2, 2))
    """
    if padding == "valid":
        return 0, 0
    if padding == "full":
        return reach - 1, reach - 1
    total = max((-(-side // stride) - 1) * stride + reach - side, 0)
    return total // 2, total - total // 2


def output_side(side: int, reach: int, stride: int, padding: str) -> int:
    """Return the side of the output: `floor((W - F + P_before + P_after) / S) + 1`; 0 where nothing fits."""
    return max((side - reach + sum(padding_amounts(side, reach, stride, padding))) // stride + 1, 0)


def transposed_crop(reach: int, stride: int, padding: str) -> int:
    """Return the cells cut off before the first output cell of a transposed convolution."""
    return max(reach - stride, 0) // 2 if padding == "same" else 0


def transposed_side(side: int, reach: int, stride: int, padding: str) -> int:
    """Return the side of the output of a transposed convolution.

    >>> transposed_side(4, 3, 2, "valid"), transposed_side(4, 3, 2, "same"), transposed_side(4, 2, 3, "valid")
    (9, 8, 12)
    """
    return side * stride if padding == "same" else (side - 1) * stride + max(reach, stride)


def channels_out(settings: Settings, channels: int) -> int:
    """Return the number of feature maps of the output."""
    return settings.filters if settings.operation in ("standard", "separable", "transposed") else channels


def output_shape(settings: Settings, shape: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return height, width and channels of the output for an input of `shape`.

    Raises:
        ConfigError: the window does not fit, or the groups do not divide the channels.
    """
    height, width, channels = shape
    if channels % settings.groups:
        divisors = ", ".join(str(number) for number in range(1, channels + 1) if channels % number == 0)
        raise ConfigError(
            f"groups={settings.groups} does not divide the {channels} channels of the input. "
            f"Expected one of: {divisors}. Choose one of them or an input with other channels."
        )
    if settings.operation == "transposed":
        sides = [transposed_side(side, settings.reach, settings.stride, settings.padding) for side in (height, width)]
    else:
        sides = [output_side(side, settings.reach, settings.stride, settings.padding) for side in (height, width)]
    if min(sides) < 1:
        window = f"A {settings.reach}×{settings.reach} window"
        if settings.dilation > 1:
            window += f" (kernel {settings.size}×{settings.size} with dilation {settings.dilation})"
        raise ConfigError(
            f"{window} does not fit into an input of {height}×{width} without padding. "
            f"Expected a window of at most {min(height, width)}. "
            "Make the kernel or the dilation smaller, the input larger, or set the padding to 'same'."
        )
    return sides[0], sides[1], channels_out(settings, channels)


def receptive_fields(settings: Settings, layers: int) -> list[int]:
    """Return the side of what one output cell sees after 1, 2, ... such layers one after the other.

    Source: Araujo et al. 2019, doi:10.23915/distill.00021: r grows by (reach - 1) times the strides before.

    >>> receptive_fields(Settings(size=3, stride=2), 3), receptive_fields(Settings(size=3), 3)
    ([3, 7, 15], [3, 5, 7])
    """
    sides, field, jump = [], 1, 1
    for _ in range(layers):
        field += (settings.reach - 1) * jump
        jump *= settings.stride
        sides.append(field)
    return sides
