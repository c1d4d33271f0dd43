"""VGG: 3x3 convolutions only, deeper and deeper.

Source: Simonyan and Zisserman 2014, arXiv:1409.1556, table 1 (columns A, B, D, E).
Differs from the paper: batch normalisation on wish, as torchvision's `vgg16_bn` but
without the convolutions' biases, which it makes idle. For images of up to 64 px the dense
layers have an eighth of the units, 512 for 4096, as in most versions for CIFAR: after five
poolings there are at most 2x2 places left, not 7x7. Odd maps are pooled with padding, so
any size can be halved five times.
"""

from typing import Any

from keras import layers

from cnnlab.architectures.blocks import conv, conv_bn, dense
from cnnlab.architectures.blocks import dropout as drop

# Convolutions per stage of 64, 128, 256, 512 and 512 filters.
STAGES = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
SMALL_PX = 64


def build_features(images: Any, *, depth: int, batch_norm: bool, dense_units: int, dropout: float) -> Any:
    """Return one vector per image from `(batch, height, width, channels)`."""
    x = images
    for stage, count in enumerate(STAGES[depth], start=1):
        filters = min(32 * 2**stage, 512)
        for index in range(1, count + 1):
            name = f"stage{stage}_{index}"
            x = (
                conv_bn(x, filters, activation="relu", name=name)
                if batch_norm
                else conv(x, filters, 3, name=f"{name}_conv")
            )
        x = layers.MaxPooling2D(2, padding="same", name=f"stage{stage}_pool")(x)
    x = layers.Flatten(name="flatten")(x)
    units = dense_units // 8 if min(images.shape[1:3]) <= SMALL_PX else dense_units
    for name in ("fc6", "fc7"):
        x = drop(dense(x, units, name=name), dropout, name=f"{name}_dropout")
    return x
