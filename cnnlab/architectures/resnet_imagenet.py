"""Residual network of the ImageNet paper.

Source: He et al. 2015, arXiv:1512.03385, table 1. Differs from the paper: the stride of a
bottleneck is in its 3x3 convolution (as in Facebook's and torchvision's code), where the
paper has it in the first 1x1. For small images the strides of stem and pooling go first
(64 px lose the one of the stem, 32 px both, with a 3x3 convolution in place of the 7x7).
"""

from typing import Any

from keras import layers

from cnnlab.architectures.blocks import conv_bn, kept_strides

BLOCKS = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}
FIRST_BOTTLENECK = 50  # Shallower ones have blocks of two 3x3 convolutions.
EXPANSION = 4


def build_features(images: Any, *, depth: int) -> Any:
    """Return 512 or, from depth 50 on, 2048 features per image."""
    x, strides = stem(images)
    block = basic_block if depth < FIRST_BOTTLENECK else bottleneck
    for stage, count in enumerate(BLOCKS[depth]):
        for index in range(count):
            name = f"stage{stage + 1}_block{index + 1}"
            x = block(x, 64 * 2**stage, strides=strides[stage] if index == 0 else 1, name=name)
    return layers.GlobalAveragePooling2D(name="pool")(x)


def stem(images: Any) -> tuple[Any, tuple[int, ...]]:
    """Return the map after convolution and pooling, and the strides of the four stages."""
    conv_stride, pool_stride, *rest = kept_strides(images, (2, 2, 2, 2, 2))
    kernel = 7 if conv_stride > 1 else 3
    x = conv_bn(images, 64, kernel=kernel, strides=conv_stride, activation="relu", name="stem")
    if pool_stride > 1:
        x = layers.MaxPooling2D(3, pool_stride, padding="same", name="stem_pool")(x)
    return x, (1, *rest)


def basic_block(x: Any, filters: int, *, strides: int, name: str) -> Any:
    """Add two 3x3 convolutions to what comes in."""
    shortcut = _shortcut(x, filters, strides, name)
    x = conv_bn(x, filters, strides=strides, activation="relu", name=f"{name}_1")
    x = conv_bn(x, filters, name=f"{name}_2")
    return _joined(x, shortcut, name)


def bottleneck(x: Any, filters: int, *, strides: int, inner: int | None = None, groups: int = 1, name: str) -> Any:
    """Add a 3x3 convolution between two 1x1 ones to what comes in.

    Args:
        filters: A quarter of what comes out.
        inner: Filters of the 3x3 convolution; `filters` when left out.
    """
    shortcut = _shortcut(x, EXPANSION * filters, strides, name)
    inner = inner or filters
    x = conv_bn(x, inner, kernel=1, activation="relu", name=f"{name}_1")
    x = conv_bn(x, inner, strides=strides, groups=groups, activation="relu", name=f"{name}_2")
    x = conv_bn(x, EXPANSION * filters, kernel=1, name=f"{name}_3")
    return _joined(x, shortcut, name)


def _shortcut(x: Any, filters: int, strides: int, name: str) -> Any:
    if strides == 1 and x.shape[-1] == filters:
        return x
    return conv_bn(x, filters, kernel=1, strides=strides, name=f"{name}_shortcut")


def _joined(x: Any, shortcut: Any, name: str) -> Any:
    x = layers.Add(name=f"{name}_add")([x, shortcut])
    return layers.Activation("relu", name=f"{name}_relu")(x)
