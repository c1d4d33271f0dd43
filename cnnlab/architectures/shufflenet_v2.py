"""ShuffleNetV2: half of the channels pass by, then all are shuffled.

Source: Ma et al. 2018, arXiv:1807.11164, table 5 and figure 3. For small images the first
strides are left out until the last map is 4x4 (64 px lose one, 32 px two).
"""

from typing import Any

from keras import layers, ops

from cnnlab.architectures.blocks import conv_bn, depthwise_bn, kept_strides

STEM_FILTERS = 24
BLOCKS = (4, 8, 4)
# Of the three stages and the last convolution, by the factor of the width.
FILTERS = {
    "x0.5": (48, 96, 192, 1024),
    "x1.0": (116, 232, 464, 1024),
    "x1.5": (176, 352, 704, 1024),
    "x2.0": (244, 488, 976, 2048),
}


def build_features(images: Any, *, width: str) -> Any:
    """Return 1024 features per image, or 2048 where it is twice as wide."""
    conv_stride, pool_stride, *rest = kept_strides(images, (2, 2, 2, 2, 2))
    x = conv_bn(images, STEM_FILTERS, strides=conv_stride, activation="relu", name="stem")
    if pool_stride > 1:
        x = layers.MaxPooling2D(3, pool_stride, padding="same", name="stem_pool")(x)
    *filters, last = FILTERS[width]
    for stage, count in enumerate(BLOCKS):
        for block in range(count):
            name = f"stage{stage + 2}_block{block + 1}"
            x = _down(x, filters[stage], rest[stage], name) if block == 0 else _unit(x, filters[stage], name)
    x = conv_bn(x, last, kernel=1, activation="relu", name="last")
    return layers.GlobalAveragePooling2D(name="pool")(x)


def _unit(x: Any, filters: int, name: str) -> Any:
    passing, worked = ops.split(x, 2, axis=-1)
    return _shuffle(layers.Concatenate(name=f"{name}_concat")([passing, _branch(worked, filters // 2, 1, name)]), name)


def _down(x: Any, filters: int, strides: int, name: str) -> Any:
    left = depthwise_bn(x, strides=strides, name=f"{name}_left_depthwise")
    left = conv_bn(left, filters // 2, kernel=1, activation="relu", name=f"{name}_left")
    return _shuffle(layers.Concatenate(name=f"{name}_concat")([left, _branch(x, filters // 2, strides, name)]), name)


def _branch(x: Any, filters: int, strides: int, name: str) -> Any:
    x = conv_bn(x, filters, kernel=1, activation="relu", name=f"{name}_1")
    x = depthwise_bn(x, strides=strides, name=f"{name}_depthwise")
    return conv_bn(x, filters, kernel=1, activation="relu", name=f"{name}_2")


def _shuffle(x: Any, name: str) -> Any:
    """Deal the channels of both halves out in turn."""
    height, width, channels = x.shape[1:]
    x = layers.Reshape((height, width, 2, channels // 2), name=f"{name}_halves")(x)
    x = layers.Permute((1, 2, 4, 3), name=f"{name}_turn")(x)
    return layers.Reshape((height, width, channels), name=f"{name}_shuffle")(x)
