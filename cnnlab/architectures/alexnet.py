"""AlexNet, of two columns (2012) or of one (2014).

Source: Krizhevsky, Sutskever and Hinton 2012, "ImageNet Classification with Deep
Convolutional Neural Networks", doi:10.1145/3065386 (two columns of 48, 128, 192, 192 and
128 filters on two GPUs, which meet in the third convolution, and response normalisation);
Krizhevsky 2014, "One weird trick", arXiv:1404.5997 (one column of 64, 192, 384, 256, 256
filters, which is torchvision's). Differs from the paper: 224 px are padded by 2 on each
side, where the paper writes 224 and must mean 227; pooled maps are 6x6 either way. For
small images the first stride shrinks (4 to 2 for 64 px, to 1 for 32 px), its 11x11 kernel
becomes 7x7 and 5x5, poolings are padded, and dense layers have 512 units for 4096.
"""

from typing import Any

from keras import layers

from cnnlab.architectures.blocks import conv, dense, kept_strides
from cnnlab.architectures.blocks import dropout as drop
from cnnlab.architectures.layers import LocalResponseNormalization

SMALL_PX = 64
# By the first stride.
FIRST_KERNELS = {4: 11, 2: 7, 1: 5}
FILTERS = {"two_columns": (96, 256, 384, 384, 256), "one_column": (64, 192, 384, 256, 256)}


def build_features(images: Any, *, columns: str, dropout: float) -> Any:
    """Return one vector per image from `(batch, height, width, channels)`."""
    first, *pool_strides = kept_strides(images, (4, 2, 2, 2))
    filters = FILTERS[columns]
    is_split = columns == "two_columns"
    groups = 2 if is_split else 1
    x = _first_conv(images, filters[0], first)
    x = _pool(_normalised(x, is_split, "norm1"), pool_strides[0], images, "pool1")
    x = conv(x, filters[1], 5, groups=groups, name="conv2")
    x = _pool(_normalised(x, is_split, "norm2"), pool_strides[1], images, "pool2")
    x = conv(x, filters[2], 3, name="conv3")
    x = conv(x, filters[3], 3, groups=groups, name="conv4")
    x = conv(x, filters[4], 3, groups=groups, name="conv5")
    x = layers.Flatten(name="flatten")(_pool(x, pool_strides[2], images, "pool5"))
    units = 512 if _is_small(images) else 4096
    for name in ("fc6", "fc7"):
        x = drop(dense(x, units, name=name), dropout, name=f"{name}_dropout")
    return x


def _first_conv(images: Any, filters: int, strides: int) -> Any:
    if strides < max(FIRST_KERNELS):
        return conv(images, filters, FIRST_KERNELS[strides], strides=strides, name="conv1")
    padded = layers.ZeroPadding2D(2, name="conv1_padding")(images)
    return layers.Conv2D(
        filters,
        FIRST_KERNELS[strides],
        strides=strides,
        activation="relu",
        kernel_initializer="he_normal",
        name="conv1",
    )(padded)


def _normalised(x: Any, is_split: bool, name: str) -> Any:
    return LocalResponseNormalization(name=name)(x) if is_split else x


def _pool(x: Any, strides: int, images: Any, name: str) -> Any:
    if strides == 1:
        return x
    return layers.MaxPooling2D(3, strides, padding="same" if _is_small(images) else "valid", name=name)(x)


def _is_small(images: Any) -> bool:
    return min(images.shape[1:3]) <= SMALL_PX
