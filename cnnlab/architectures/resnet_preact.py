"""Residual network with pre-activation, and its wide relative.

Source: He et al. 2016, "Identity Mappings in Deep Residual Networks", arXiv:1603.05027,
section 4 and appendix (6n+2 layers of 3x3 convolutions, or 9n+2 of bottlenecks);
Zagoruyko and Komodakis 2016, "Wide Residual Networks", arXiv:1605.07146, table 1 (6n+4).
As in the code of both, a shortcut that changes shape is a 1x1 convolution of the
normalised and rectified input, without a normalisation of its own.

The last normalisation of a branch stands before a rectifier here: with a scale of zero no gradient would
ever come through. What starts at zero instead is the last convolution (Zhang et al. 2019, "Fixup
Initialization", arXiv:1901.09321, section 3).
"""

from dataclasses import dataclass
from typing import Any

from keras import layers

from cnnlab.architectures.blocks import drop_path, rising
from cnnlab.architectures.blocks import dropout as drop

STEM_FILTERS = 16


@dataclass(frozen=True)
class _Tricks:
    dropout: float
    zero_init_last_conv: bool
    stochastic_depth: float


def build_features(
    images: Any,
    *,
    blocks_per_stack: int,
    width: int,
    bottleneck: bool,
    zero_init_last_conv: bool,
    stochastic_depth: float,
) -> Any:
    """Return `4 * width` features per image, with bottlenecks four times as many."""
    x = _conv(images, width, 3, 1, "stem")
    return _stacks(x, width, blocks_per_stack, _Tricks(0.0, zero_init_last_conv, stochastic_depth), bottleneck)


def build_wide_features(
    images: Any,
    *,
    depth: int,
    widen_factor: int,
    dropout: float,
    zero_init_last_conv: bool,
    stochastic_depth: float,
) -> Any:
    """Return `64 * widen_factor` features per image; `depth` is 6n+4."""
    x = _conv(images, STEM_FILTERS, 3, 1, "stem")
    tricks = _Tricks(dropout, zero_init_last_conv, stochastic_depth)
    return _stacks(x, STEM_FILTERS * widen_factor, (depth - 4) // 6, tricks, is_bottleneck=False)


def _stacks(x: Any, width: int, blocks: int, tricks: _Tricks, is_bottleneck: bool) -> Any:
    for stack in range(3):
        for block in range(blocks):
            strides = 2 if stack > 0 and block == 0 else 1
            name = f"stack{stack + 1}_block{block + 1}"
            filters = width * 2**stack
            plan: tuple[tuple[int, int, int], ...]
            if is_bottleneck:
                plan = ((filters, 1, 1), (filters, 3, strides), (4 * filters, 1, 1))
            else:
                plan = ((filters, 3, strides), (filters, 3, 1))
            drop_rate = rising(tricks.stochastic_depth, stack * blocks + block + 1, 3 * blocks)
            x = _block(x, plan, tricks, drop_rate, name)
    x = _bn_relu(x, "post")
    return layers.GlobalAveragePooling2D(name="pool")(x)


def _block(x: Any, plan: tuple[tuple[int, int, int], ...], tricks: _Tricks, drop_rate: float, name: str) -> Any:
    """Add convolutions, each of a normalised and rectified input, to what comes in.

    Args:
        plan: Filters, kernel and stride of each convolution.
        drop_rate: Share of images that skip the block while training.
    """
    filters, strides = plan[-1][0], max(stride for _, _, stride in plan)
    first = _bn_relu(x, f"{name}_1")
    changes = strides > 1 or x.shape[-1] != filters
    shortcut = _conv(first, filters, 1, strides, f"{name}_shortcut") if changes else x
    x = first
    for index, (out, kernel, stride) in enumerate(plan, start=1):
        if index > 1:
            x = drop(_bn_relu(x, f"{name}_{index}"), tricks.dropout, name=f"{name}_dropout")
        is_zero = tricks.zero_init_last_conv and index == len(plan)
        x = _conv(x, out, kernel, stride, f"{name}_{index}", is_zero=is_zero)
    x = drop_path(x, drop_rate, name=f"{name}_drop")
    return layers.Add(name=f"{name}_add")([x, shortcut])


def _bn_relu(x: Any, name: str) -> Any:
    x = layers.BatchNormalization(momentum=0.9, name=f"{name}_bn")(x)
    return layers.Activation("relu", name=f"{name}_relu")(x)


def _conv(x: Any, filters: int, kernel: int, strides: int, name: str, *, is_zero: bool = False) -> Any:
    return layers.Conv2D(
        filters,
        kernel,
        strides=strides,
        padding="same",
        use_bias=False,
        kernel_initializer="zeros" if is_zero else "he_normal",
        name=f"{name}_conv",
    )(x)
