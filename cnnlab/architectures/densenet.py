"""DenseNet: each layer reads the maps of all layers before it in its block.

Source: Huang et al. 2016, arXiv:1608.06993, table 1 (DenseNet-BC, compression one half).
For small images the strides of the stem and its pooling go first (64 px lose one, 32 px
both, with a 3x3 convolution in place of the 7x7).
"""

from typing import Any

from keras import layers

from cnnlab.architectures.blocks import conv_bn, kept_strides
from cnnlab.architectures.blocks import dropout as drop

# Layers per block, growth rate and filters of the stem.
PLANS = {
    121: ((6, 12, 24, 16), 32, 64),
    161: ((6, 12, 36, 24), 48, 96),
    169: ((6, 12, 32, 32), 32, 64),
    201: ((6, 12, 48, 32), 32, 64),
}
BOTTLENECK = 4  # Of the growth rate, before each 3x3 convolution.


def build_features(images: Any, *, depth: int, dropout: float) -> Any:
    """Return 1024 (depth 121) to 2208 (161) features per image."""
    blocks, growth, filters = PLANS[depth]
    conv_stride, pool_stride, *rest = kept_strides(images, (2, 2, 2, 2, 2))
    x = conv_bn(
        images, filters, kernel=7 if conv_stride > 1 else 3, strides=conv_stride, activation="relu", name="stem"
    )
    if pool_stride > 1:
        x = layers.MaxPooling2D(3, pool_stride, padding="same", name="stem_pool")(x)
    for block, count in enumerate(blocks, start=1):
        for index in range(1, count + 1):
            x = _dense_layer(x, growth, dropout, f"block{block}_layer{index}")
        if block < len(blocks):
            x = _transition(x, rest[block - 1], f"transition{block}")
    x = _bn_relu(x, "post")
    return layers.GlobalAveragePooling2D(name="pool")(x)


def _dense_layer(x: Any, growth: int, dropout: float, name: str) -> Any:
    new = conv_bn(_bn_relu(x, f"{name}_0"), BOTTLENECK * growth, kernel=1, activation="relu", name=f"{name}_1")
    new = _conv(new, growth, 3, f"{name}_2")
    new = drop(new, dropout, name=f"{name}_dropout")
    return layers.Concatenate(name=f"{name}_concat")([x, new])


def _transition(x: Any, strides: int, name: str) -> Any:
    x = _conv(_bn_relu(x, name), x.shape[-1] // 2, 1, name)
    return layers.AveragePooling2D(2, strides, padding="same", name=f"{name}_pool")(x) if strides > 1 else x


def _bn_relu(x: Any, name: str) -> Any:
    x = layers.BatchNormalization(momentum=0.9, name=f"{name}_bn")(x)
    return layers.Activation("relu", name=f"{name}_relu")(x)


def _conv(x: Any, filters: int, kernel: int, name: str) -> Any:
    return layers.Conv2D(
        filters, kernel, padding="same", use_bias=False, kernel_initializer="he_normal", name=f"{name}_conv"
    )(x)
