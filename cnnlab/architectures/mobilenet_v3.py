"""MobileNetV3: found by search, with gates over channels and a cheap swish.

Source: Howard et al. 2019, arXiv:1905.02244, tables 1 and 2, in the counts of torchvision
(a gate's inner width is a quarter of the block's, rounded to eight). For small images the
first strides are left out until the last map is 4x4 (64 px lose one, 32 px two).
"""

from typing import Any

from keras import layers

from cnnlab.architectures.blocks import conv_bn, dense, depthwise_bn, divisible, kept_strides, squeeze_excite
from cnnlab.architectures.blocks import dropout as drop

STEM_FILTERS = 16
# Kernel, inner width, filters, gate, activation and stride of each block; then last widths.
BLOCKS: dict[str, tuple[tuple[int, int, int, bool, str, int], ...]] = {
    "small": (
        (3, 16, 16, True, "relu", 2),
        (3, 72, 24, False, "relu", 2),
        (3, 88, 24, False, "relu", 1),
        (5, 96, 40, True, "hard_silu", 2),
        (5, 240, 40, True, "hard_silu", 1),
        (5, 240, 40, True, "hard_silu", 1),
        (5, 120, 48, True, "hard_silu", 1),
        (5, 144, 48, True, "hard_silu", 1),
        (5, 288, 96, True, "hard_silu", 2),
        (5, 576, 96, True, "hard_silu", 1),
        (5, 576, 96, True, "hard_silu", 1),
    ),
    "large": (
        (3, 16, 16, False, "relu", 1),
        (3, 64, 24, False, "relu", 2),
        (3, 72, 24, False, "relu", 1),
        (5, 72, 40, True, "relu", 2),
        (5, 120, 40, True, "relu", 1),
        (5, 120, 40, True, "relu", 1),
        (3, 240, 80, False, "hard_silu", 2),
        (3, 200, 80, False, "hard_silu", 1),
        (3, 184, 80, False, "hard_silu", 1),
        (3, 184, 80, False, "hard_silu", 1),
        (3, 480, 112, True, "hard_silu", 1),
        (3, 672, 112, True, "hard_silu", 1),
        (5, 672, 160, True, "hard_silu", 2),
        (5, 960, 160, True, "hard_silu", 1),
        (5, 960, 160, True, "hard_silu", 1),
    ),
}
LAST_FILTERS = {"small": 576, "large": 960}
DENSE_UNITS = {"small": 1024, "large": 1280}


def build_features(images: Any, *, size: str, dropout: float) -> Any:
    """Return 1024 (small) or 1280 (large) features per image."""
    strides = kept_strides(images, (2, *(stride for *_, stride in BLOCKS[size])))
    x = conv_bn(images, STEM_FILTERS, strides=strides[0], activation="hard_silu", name="stem")
    for index, ((*block, _), stride) in enumerate(zip(BLOCKS[size], strides[1:], strict=True), start=1):
        x = _block(x, block, stride, f"block{index}")
    x = conv_bn(x, LAST_FILTERS[size], kernel=1, activation="hard_silu", name="last")
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = dense(x, DENSE_UNITS[size], activation="hard_silu", name="dense")
    return drop(x, dropout, name="dropout")


def _block(x: Any, block: list[Any], strides: int, name: str) -> Any:
    kernel, inner, filters, has_gate, activation = block
    shortcut, channels = x, x.shape[-1]
    if inner != channels:
        x = conv_bn(x, inner, kernel=1, activation=activation, name=f"{name}_expand")
    x = depthwise_bn(x, kernel=kernel, strides=strides, activation=activation, name=f"{name}_depthwise")
    if has_gate:
        x = squeeze_excite(x, divisible(inner / 4), activation="relu", gate="hard_sigmoid", name=f"{name}_gate")
    x = conv_bn(x, filters, kernel=1, name=f"{name}_project")
    return layers.Add(name=f"{name}_add")([shortcut, x]) if strides == 1 and channels == filters else x
