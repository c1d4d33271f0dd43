"""The small VGG-like network of the classic Keras CIFAR-10 example.

Source: the example `cifar10_cnn` that came with Keras 1 and 2, after Simonyan and
Zisserman 2014, arXiv:1409.1556. With its widths (32, 64, 512) and 32x32x3 images of
10 classes it has 1,250,858 parameters. As there, the first convolution of a stack
pads and the second does not.
"""

from typing import Any

from keras import layers

from cnnlab.architectures.blocks import dropout as drop


def build_features(images: Any, *, width: int, dense_units: int, dropout: float) -> Any:
    """Return `dense_units` features per image from `(batch, height, width, channels)`."""
    x = images
    for stack in (1, 2):
        filters, name = width * stack, f"stack{stack}"
        x = layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"{name}_conv1")(x)
        x = layers.Conv2D(filters, 3, activation="relu", name=f"{name}_conv2")(x)
        x = layers.MaxPooling2D(2, name=f"{name}_pool")(x)
        x = drop(x, dropout, name=f"{name}_dropout")
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(dense_units, activation="relu", name="dense")(x)
    return drop(x, 2 * dropout, name="dense_dropout")
