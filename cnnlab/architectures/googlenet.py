"""GoogLeNet, also called Inception v1: modules of parallel kernels, narrowed beforehand.

Source: Szegedy et al. 2014, arXiv:1409.4842, table 1 and figure 3. In training two
auxiliary heads read the maps of modules 4a and 4d. `batch_norm` is the form of today, which
torchvision has too: a normalisation after each convolution (Ioffe and Szegedy 2015,
arXiv:1502.03167), none of the responses, and 3x3 kernels in the third branch where the
paper has 5x5. For small images the first strides are left out until the last map is 4x4
(64 px lose one, 32 px two, with a 3x3 convolution in place of the 7x7).
"""

from typing import Any

from keras import layers

from cnnlab.architectures.blocks import conv as conv_relu
from cnnlab.architectures.blocks import conv_bn, dense, kept_strides, max_pool_half
from cnnlab.architectures.blocks import dropout as drop
from cnnlab.architectures.features import Features
from cnnlab.architectures.layers import LocalResponseNormalization

# Filters: 1x1; 1x1 and 3x3; 1x1 and 5x5; 1x1 after pooling.
MODULES = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
AUXILIARY_AFTER = ("4a", "4d")
AUXILIARY_DROPOUT = 0.7


def build_features(images: Any, *, batch_norm: bool, dropout: float) -> Features:
    """Return 1024 features per image and those of the two auxiliary heads."""
    strides = kept_strides(images, (2, 2, 2, 2, 2))
    x = _stem(images, strides, batch_norm)
    pool_before = {"3a": strides[2], "4a": strides[3], "5a": strides[4]}
    auxiliary: list[Any] = []
    for name, filters in MODULES.items():
        if pool_before.get(name, 1) > 1:
            x = _last_pool(x) if name == "5a" and batch_norm else max_pool_half(x, name=f"pool_before_{name}")
        x = _module(x, filters, batch_norm, f"inception_{name}")
        if name in AUXILIARY_AFTER:
            auxiliary.append(_auxiliary(x, batch_norm, f"auxiliary{len(auxiliary) + 1}"))
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return Features(drop(x, dropout, name="dropout"), tuple(auxiliary))


def _stem(images: Any, strides: tuple[int, ...], batch_norm: bool) -> Any:
    x = _conv(images, 64, 7 if strides[0] > 1 else 3, batch_norm, "conv1", strides=strides[0])
    x = max_pool_half(x, name="pool1") if strides[1] > 1 else x
    x = x if batch_norm else LocalResponseNormalization(name="norm1")(x)
    x = _conv(x, 64, 1, batch_norm, "conv2")
    x = _conv(x, 192, 3, batch_norm, "conv3")
    return x if batch_norm else LocalResponseNormalization(name="norm2")(x)


def _last_pool(x: Any) -> Any:
    return layers.MaxPooling2D(2, padding="same", name="pool_before_5a")(x)


def _module(x: Any, filters: tuple[int, ...], batch_norm: bool, name: str) -> Any:
    one, three_before, three, five_before, five, after_pool = filters
    branches = [
        _conv(x, one, 1, batch_norm, f"{name}_1x1"),
        _conv(_conv(x, three_before, 1, batch_norm, f"{name}_3x3_reduce"), three, 3, batch_norm, f"{name}_3x3"),
        _conv(
            _conv(x, five_before, 1, batch_norm, f"{name}_5x5_reduce"),
            five,
            3 if batch_norm else 5,
            batch_norm,
            f"{name}_5x5",
        ),
        _conv(
            layers.MaxPooling2D(3, 1, padding="same", name=f"{name}_pool")(x),
            after_pool,
            1,
            batch_norm,
            f"{name}_pool_1x1",
        ),
    ]
    return layers.Concatenate(name=f"{name}_concat")(branches)


def _auxiliary(x: Any, batch_norm: bool, name: str) -> Any:
    x = layers.AveragePooling2D(5, 3, name=f"{name}_pool")(x)
    x = layers.Flatten(name=f"{name}_flatten")(_conv(x, 128, 1, batch_norm, name))
    return drop(dense(x, 1024, name=f"{name}_fc"), AUXILIARY_DROPOUT, name=f"{name}_dropout")


def _conv(x: Any, filters: int, kernel: int, batch_norm: bool, name: str, *, strides: int = 1) -> Any:
    if batch_norm:
        return conv_bn(x, filters, kernel=kernel, strides=strides, activation="relu", name=name)
    return conv_relu(x, filters, kernel, strides=strides, name=f"{name}_conv")
