"""EfficientNet: depth, width and image size grow together.

Source: Tan and Le 2019, arXiv:1905.11946, table 1 (B0) and equation 3; the multipliers of
B1 to B3 from its code. For small images the first strides are left out until the last map
is 4x4 (64 px lose one, 32 px two).
"""

import math
from typing import Any

from keras import layers

from cnnlab.architectures.blocks import conv_bn, depthwise_bn, divisible, drop_path, kept_strides, squeeze_excite
from cnnlab.architectures.blocks import dropout as drop

# Expansion, kernel, stride, filters and blocks of each stage of B0; the stem has a stride of 2 too.
STAGES = (
    (1, 3, 1, 16, 1), (6, 3, 2, 24, 2), (6, 5, 2, 40, 2), (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3), (6, 5, 2, 192, 4), (6, 3, 1, 320, 1),
)  # fmt: skip
# Width and depth against B0.
MULTIPLIERS = {"b0": (1.0, 1.0), "b1": (1.0, 1.1), "b2": (1.1, 1.2), "b3": (1.2, 1.4)}


def build_features(images: Any, *, variant: str, dropout: float, stochastic_depth: float) -> Any:
    """Return 1280 (B0) to 1536 (B3) features per image."""
    width, depth = MULTIPLIERS[variant]
    stem_stride, *strides = kept_strides(images, (2, *(stage[2] for stage in STAGES)))
    counts = [math.ceil(stage[4] * depth) for stage in STAGES]
    x = conv_bn(images, divisible(32 * width), strides=stem_stride, activation="silu", name="stem")
    done = 0
    for stage, (expansion, kernel, _, filters, _) in enumerate(STAGES):
        for block in range(counts[stage]):
            x = _block(
                x,
                divisible(filters * width),
                expansion=expansion,
                kernel=kernel,
                strides=strides[stage] if block == 0 else 1,
                drop_rate=stochastic_depth * done / sum(counts),
                name=f"stage{stage + 1}_block{block + 1}",
            )
            done += 1
    x = conv_bn(x, 4 * divisible(STAGES[-1][3] * width), kernel=1, activation="silu", name="last")
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return drop(x, dropout, name="dropout")


def _block(x: Any, filters: int, *, expansion: int, kernel: int, strides: int, drop_rate: float, name: str) -> Any:
    shortcut, channels = x, x.shape[-1]
    if expansion > 1:
        x = conv_bn(x, expansion * channels, kernel=1, activation="silu", name=f"{name}_expand")
    x = depthwise_bn(x, kernel=kernel, strides=strides, activation="silu", name=f"{name}_depthwise")
    x = squeeze_excite(x, max(1, channels // 4), activation="silu", gate="sigmoid", name=f"{name}_gate")
    x = conv_bn(x, filters, kernel=1, name=f"{name}_project")
    if strides > 1 or channels != filters:
        return x
    return layers.Add(name=f"{name}_add")([shortcut, drop_path(x, drop_rate, name=f"{name}_drop")])
