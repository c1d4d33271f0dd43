"""SqueezeNet: the accuracy of AlexNet with a fiftieth of its parameters.

Source: Iandola et al. 2016, arXiv:1602.07360, table 1; version 1.1 from its code, which
has smaller kernels in the stem and pools earlier. Its classifier is a 1x1 convolution
whose maps are averaged. For small images the first strides are left out until the last
map is 4x4 (32 px lose the first, with a 3x3 convolution in place of the 7x7).
"""

from typing import Any

from keras import initializers, layers

from cnnlab.architectures.blocks import conv, kept_strides, max_pool_half
from cnnlab.architectures.blocks import dropout as drop

# Squeezed channels of each fire module; the expanded ones are four times as many, twice.
SQUEEZED = (16, 16, 32, 32, 48, 48, 64, 64)
# Before which fire modules the map is pooled, after the pooling of the stem.
POOL_BEFORE = {"v1.0": (3, 7), "v1.1": (2, 4)}
STEMS = {"v1.0": (96, 7), "v1.1": (64, 3)}


def build_features(images: Any, *, version: str, dropout: float) -> Any:
    """Return a map of 512 channels, for `attach_head`."""
    filters, kernel = STEMS[version]
    strides = kept_strides(images, (2, 2, 2, 2))
    if strides[0] > 1:
        x = layers.Conv2D(filters, kernel, strides=2, activation="relu", kernel_initializer="he_normal", name="conv1")(
            images
        )
    else:
        x = conv(images, filters, 3, name="conv1")
    x = _pool(x, strides[1], "pool1")
    pools = dict(zip(POOL_BEFORE[version], strides[2:], strict=True))
    for index, squeezed in enumerate(SQUEEZED):
        x = _pool(x, pools.get(index, 1), f"pool{index + 1}")
        x = _fire(x, squeezed, f"fire{index + 2}")
    return drop(x, dropout, name="dropout")


def attach_head(features: Any, num_classes: int, name: str) -> Any:
    """Return logits: one rectified map per class, averaged."""
    x = layers.Conv2D(
        num_classes,
        1,
        activation="relu",
        dtype="float32",
        kernel_initializer=initializers.RandomNormal(stddev=0.01),
        name=f"{name}_conv",
    )(features)
    return layers.GlobalAveragePooling2D(dtype="float32", name=name)(x)


def _fire(x: Any, squeezed: int, name: str) -> Any:
    x = conv(x, squeezed, 1, name=f"{name}_squeeze")
    small = conv(x, 4 * squeezed, 1, name=f"{name}_expand1")
    large = conv(x, 4 * squeezed, 3, name=f"{name}_expand3")
    return layers.Concatenate(name=f"{name}_concat")([small, large])


def _pool(x: Any, strides: int, name: str) -> Any:
    return max_pool_half(x, name=name) if strides > 1 else x
