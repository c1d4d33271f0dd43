"""Residual network for small images.

Source: He et al. 2015, arXiv:1512.03385, section 4.2 (6n+2 weighted layers).
Differs from the paper: 1x1 projection shortcuts where the shape changes, where
the paper pads with zeros ("option A"). With n=3, width 16 and 10 classes of
32x32x3 images it has 272,474 trainable parameters.
"""

from typing import Any

from keras import layers

from cnnlab.architectures.blocks import conv_bn, drop_path, rising


def build_features(
    images: Any, *, blocks_per_stack: int, width: int, zero_init_last_norm: bool, stochastic_depth: float
) -> Any:
    """Return `4 * width` features per image from `(batch, height, width, channels)`."""
    x = layers.Activation("relu", name="stem_relu")(conv_bn(images, width, name="stem"))
    for stack in range(3):
        for block in range(blocks_per_stack):
            strides = 2 if stack > 0 and block == 0 else 1
            name = f"stack{stack + 1}_block{block + 1}"
            drop_rate = rising(stochastic_depth, stack * blocks_per_stack + block + 1, 3 * blocks_per_stack)
            x = _residual_block(x, width * 2**stack, strides, zero_init_last_norm, drop_rate, name)
    return layers.GlobalAveragePooling2D(name="pool")(x)


def _residual_block(x: Any, filters: int, strides: int, is_zero: bool, drop_rate: float, name: str) -> Any:
    shortcut = x
    if strides > 1:
        shortcut = conv_bn(x, filters, kernel=1, strides=strides, name=f"{name}_shortcut")
    x = conv_bn(x, filters, strides=strides, name=f"{name}_1")
    x = layers.Activation("relu", name=f"{name}_1_relu")(x)
    x = conv_bn(x, filters, is_zero=is_zero, name=f"{name}_2")
    x = drop_path(x, drop_rate, name=f"{name}_drop")
    x = layers.Add(name=f"{name}_add")([x, shortcut])
    return layers.Activation("relu", name=f"{name}_relu")(x)
