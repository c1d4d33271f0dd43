"""Residual network of the ImageNet paper.

Source: He et al. 2015, arXiv:1512.03385, table 1; variants: He et al. 2018, "Bag of Tricks for Image
Classification with Convolutional Neural Networks", arXiv:1812.01187, section 4.2, each with the change of
those before. `original` has the stride of a bottleneck in its first 1x1 convolution; `b`, as Facebook's and
torchvision's code, in its 3x3; `c` has three 3x3 convolutions for a stem; `d` averages 2x2 pixels before
the shortcut's convolution, which so drops none of them. For small images the strides of stem and pooling go
first (64 px lose the one of the stem, 32 px both, with a 3x3 convolution in place of the 7x7).
"""

from dataclasses import dataclass
from typing import Any

from keras import layers

from cnnlab.architectures.blocks import conv_bn, drop_path, kept_strides, rising

BLOCKS = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}
FIRST_BOTTLENECK = 50  # Shallower ones have blocks of two 3x3 convolutions.
EXPANSION = 4
DEEP_STEM = (32, 32, 64)


@dataclass(frozen=True)
class Residual:
    """What the blocks of one network have in common.

    Attributes:
        zero_init_last_norm: The last scale of each branch starts at zero.
        stochastic_depth: Share of images that skip the last block.
        num_blocks: Of all stages.
    """

    variant: str
    zero_init_last_norm: bool
    stochastic_depth: float
    num_blocks: int

    def joined(self, branch: Any, shortcut: Any, position: int, name: str) -> Any:
        """Return the rectified sum; `position` of the block counts from 1."""
        rate = rising(self.stochastic_depth, position, self.num_blocks)
        x = layers.Add(name=f"{name}_add")([drop_path(branch, rate, name=f"{name}_drop"), shortcut])
        return layers.Activation("relu", name=f"{name}_relu")(x)

    def shortcut(self, x: Any, filters: int, strides: int, name: str) -> Any:
        """Return what comes in, in the shape of what comes out."""
        if strides == 1 and x.shape[-1] == filters:
            return x
        if self.variant == "d" and strides > 1:
            x = layers.AveragePooling2D(2, strides, padding="same", name=f"{name}_shortcut_pool")(x)
            strides = 1
        return conv_bn(x, filters, kernel=1, strides=strides, name=f"{name}_shortcut")


def build_features(images: Any, *, depth: int, variant: str, zero_init_last_norm: bool, stochastic_depth: float) -> Any:
    """Return 512 or, from depth 50 on, 2048 features per image."""
    residual = Residual(variant, zero_init_last_norm, stochastic_depth, sum(BLOCKS[depth]))
    x, strides = stem(images, is_deep=variant in ("c", "d"))
    block = basic_block if depth < FIRST_BOTTLENECK else bottleneck
    position = 0
    for stage, count in enumerate(BLOCKS[depth]):
        for index in range(count):
            position += 1
            name = f"stage{stage + 1}_block{index + 1}"
            stride = strides[stage] if index == 0 else 1
            x = block(x, 64 * 2**stage, residual, position, strides=stride, name=name)
    return layers.GlobalAveragePooling2D(name="pool")(x)


def stem(images: Any, *, is_deep: bool = False) -> tuple[Any, tuple[int, ...]]:
    """Return the map after convolution and pooling, and the strides of the four stages."""
    conv_stride, pool_stride, *rest = kept_strides(images, (2, 2, 2, 2, 2))
    if is_deep:
        x = images
        for index, filters in enumerate(DEEP_STEM, start=1):
            stride = conv_stride if index == 1 else 1
            x = conv_bn(x, filters, strides=stride, activation="relu", name=f"stem_{index}")
    else:
        kernel = 7 if conv_stride > 1 else 3
        x = conv_bn(images, 64, kernel=kernel, strides=conv_stride, activation="relu", name="stem")
    if pool_stride > 1:
        x = layers.MaxPooling2D(3, pool_stride, padding="same", name="stem_pool")(x)
    return x, (1, *rest)


def basic_block(x: Any, filters: int, residual: Residual, position: int, *, strides: int, name: str) -> Any:
    """Add two 3x3 convolutions to what comes in."""
    shortcut = residual.shortcut(x, filters, strides, name)
    x = conv_bn(x, filters, strides=strides, activation="relu", name=f"{name}_1")
    x = conv_bn(x, filters, is_zero=residual.zero_init_last_norm, name=f"{name}_2")
    return residual.joined(x, shortcut, position, name)


def bottleneck(
    x: Any,
    filters: int,
    residual: Residual,
    position: int,
    *,
    strides: int,
    inner: int | None = None,
    groups: int = 1,
    name: str,
) -> Any:
    """Add a 3x3 convolution between two 1x1 ones to what comes in.

    Args:
        filters: A quarter of what comes out.
        position: Of the block in the network, 1-based.
        inner: Filters of the 3x3 convolution; `filters` when left out.
    """
    shortcut = residual.shortcut(x, EXPANSION * filters, strides, name)
    inner = inner or filters
    first, second = (strides, 1) if residual.variant == "original" else (1, strides)
    x = conv_bn(x, inner, kernel=1, strides=first, activation="relu", name=f"{name}_1")
    x = conv_bn(x, inner, strides=second, groups=groups, activation="relu", name=f"{name}_2")
    x = conv_bn(x, EXPANSION * filters, kernel=1, is_zero=residual.zero_init_last_norm, name=f"{name}_3")
    return residual.joined(x, shortcut, position, name)
