"""MobileNetV2: residual blocks that are wide inside and thin between.

Source: Sandler et al. 2018, arXiv:1801.04381, table 2. For small images the first strides
are left out until the last map is 4x4 (64 px lose one, 32 px two).
"""

from typing import Any

from keras import layers

from cnnlab.architectures.blocks import conv_bn, depthwise_bn, divisible, kept_strides
from cnnlab.architectures.blocks import dropout as drop

# Expansion, filters, blocks and stride of each stage; the stem has a stride of 2 too.
STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
LAST_FILTERS = 1280


def build_features(images: Any, *, width_factor: float, dropout: float) -> Any:
    """Return 1280 features per image, or more where the network is wider than the paper's."""
    strides = kept_strides(images, (2, *(stride for *_, stride in STAGES)))
    x = conv_bn(images, divisible(32 * width_factor), strides=strides[0], activation="relu6", name="stem")
    for stage, ((expansion, filters, blocks, _), stride) in enumerate(zip(STAGES, strides[1:], strict=True), start=1):
        for block in range(1, blocks + 1):
            x = inverted_residual(
                x,
                divisible(filters * width_factor),
                expansion=expansion,
                strides=stride if block == 1 else 1,
                name=f"stage{stage}_block{block}",
            )
    x = conv_bn(x, divisible(LAST_FILTERS * max(1.0, width_factor)), kernel=1, activation="relu6", name="last")
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return drop(x, dropout, name="dropout")


def inverted_residual(x: Any, filters: int, *, expansion: int, strides: int, name: str) -> Any:
    """Widen, look around channel by channel, and narrow without a rectifier."""
    shortcut, channels = x, x.shape[-1]
    if expansion > 1:
        x = conv_bn(x, expansion * channels, kernel=1, activation="relu6", name=f"{name}_expand")
    x = depthwise_bn(x, strides=strides, activation="relu6", name=f"{name}_depthwise")
    x = conv_bn(x, filters, kernel=1, name=f"{name}_project")
    return layers.Add(name=f"{name}_add")([shortcut, x]) if strides == 1 and channels == filters else x
