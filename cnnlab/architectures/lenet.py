"""LeNet-5 in the form that most courses teach.

Source: LeCun et al. 1998, doi:10.1109/5.726791, section II.B.
Differs from the paper: the second convolution sees all feature maps (the paper connects
some, its table I), pooling has no weights, and the output is linear in place of radial
basis functions. With 32x32x1 images and 10 classes it has 61,706 parameters.
"""

from typing import Any

from keras import layers

from cnnlab.architectures.blocks import dropout as drop


def build_features(images: Any, *, activation: str, pooling: str, dropout: float) -> Any:
    """Return 84 features per image from `(batch, height, width, channels)`."""
    pool = layers.MaxPooling2D if pooling == "max" else layers.AveragePooling2D
    x = layers.Conv2D(6, 5, activation=activation, name="c1")(images)
    x = pool(2, name="s2")(x)
    x = layers.Conv2D(16, 5, activation=activation, name="c3")(x)
    x = pool(2, name="s4")(x)
    x = layers.Flatten(name="flatten")(x)
    x = drop(layers.Dense(120, activation=activation, name="c5")(x), dropout, name="c5_dropout")
    return drop(layers.Dense(84, activation=activation, name="f6")(x), dropout, name="f6_dropout")
