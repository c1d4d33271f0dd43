"""The residual network for small images without its shortcuts.

Source: He et al. 2015, arXiv:1512.03385, section 4.2, "plain" networks (6n+2 weighted
layers): the comparison that shows why shortcuts matter. Beyond 20 layers it gets worse on
the training images too, where a residual network gets better.
"""

from typing import Any

from keras import layers

from cnnlab.architectures.blocks import conv_bn


def build_features(images: Any, *, blocks_per_stack: int, width: int) -> Any:
    """Return `4 * width` features per image from `(batch, height, width, channels)`."""
    x = conv_bn(images, width, activation="relu", name="stem")
    for stack in range(3):
        for block in range(blocks_per_stack):
            strides = 2 if stack > 0 and block == 0 else 1
            name = f"stack{stack + 1}_block{block + 1}"
            x = conv_bn(x, width * 2**stack, strides=strides, activation="relu", name=f"{name}_1")
            x = conv_bn(x, width * 2**stack, activation="relu", name=f"{name}_2")
    return layers.GlobalAveragePooling2D(name="pool")(x)
