"""MobileNet: depthwise convolutions, each followed by a 1x1 convolution.

Source: Howard et al. 2017, arXiv:1704.04861, table 1. For small images the first strides
are left out until the last map is 4x4 (64 px lose one, 32 px two).
"""

from typing import Any

from keras import layers

from cnnlab.architectures.blocks import conv_bn, depthwise_bn, divisible, kept_strides
from cnnlab.architectures.blocks import dropout as drop

# Filters of the 1x1 convolution and stride of each block; the stem has a stride of 2 too.
BLOCKS = (
    (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2),
    (512, 1), (512, 1), (512, 1), (512, 1), (512, 1), (1024, 2), (1024, 1),
)  # fmt: skip


def build_features(images: Any, *, width_factor: float, dropout: float) -> Any:
    """Return `1024 * width_factor` features per image."""
    strides = kept_strides(images, (2, *(stride for _, stride in BLOCKS)))
    x = conv_bn(images, divisible(32 * width_factor), strides=strides[0], activation="relu6", name="stem")
    for index, ((filters, _), stride) in enumerate(zip(BLOCKS, strides[1:], strict=True), start=1):
        x = depthwise_bn(x, strides=stride, activation="relu6", name=f"block{index}_depthwise")
        x = conv_bn(x, divisible(filters * width_factor), kernel=1, activation="relu6", name=f"block{index}_pointwise")
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return drop(x, dropout, name="dropout")
