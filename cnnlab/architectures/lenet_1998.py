"""LeNet-5 as it was in 1998.

Source: LeCun et al. 1998, doi:10.1109/5.726791, section II.B and table I. Subsampling
sums 2x2 places and has a coefficient and an offset per map, the second convolution sees
some of the maps only, and each layer ends in 1.7159 tanh(2/3 x). Up to the 84 units
before the output it has the paper's 60,000 trainable parameters and, with the offsets
counted, its connections. Differs from the paper: the output is linear, where the paper has
fixed pictures of the ten digits; and the third convolution, which sees all of its 5x5
input, is a dense layer, so that other sizes than 32 px build.
"""

from typing import Any

from keras import layers, ops

AMPLITUDE, SLOPE = 1.7159, 2 / 3
MAPS = 6
# Table I: which maps of S2 each map of C3 reads; the last one reads all six.
THREES = [(first, (first + 1) % MAPS, (first + 2) % MAPS) for first in range(MAPS)]
FOURS = [tuple((first + step) % MAPS for step in range(4)) for first in range(MAPS)]
SPLIT_FOURS = [(0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5)]


def build_features(images: Any) -> Any:
    """Return 84 features per image from `(batch, height, width, channels)`."""
    x = _squash(layers.Conv2D(6, 5, name="c1")(images), "c1")
    x = _subsample(x, "s2")
    x = _squash(_partial_convolution(x), "c3")
    x = _subsample(x, "s4")
    x = layers.Flatten(name="flatten")(x)
    x = _squash(layers.Dense(120, name="c5")(x), "c5")
    return _squash(layers.Dense(84, name="f6")(x), "f6")


def _partial_convolution(x: Any) -> Any:
    """Return 16 maps: groups of a convolution read the chosen maps, laid side by side."""
    chosen = [
        layers.Conv2D(len(readers), 5, groups=len(readers), name=name)(ops.take(x, sum(readers, ()), axis=-1))
        for name, readers in (("c3_threes", THREES), ("c3_fours", FOURS + SPLIT_FOURS))
    ]
    return layers.Concatenate(name="c3")([*chosen, layers.Conv2D(1, 5, name="c3_all")(x)])


def _subsample(x: Any, name: str) -> Any:
    x = layers.AveragePooling2D(2, name=f"{name}_mean")(x)
    # One coefficient and one offset per map: a depthwise convolution of one place.
    return _squash(layers.DepthwiseConv2D(1, name=name)(x), name)


def _squash(x: Any, name: str) -> Any:
    x = layers.Rescaling(SLOPE, name=f"{name}_slope")(x)
    x = layers.Activation("tanh", name=f"{name}_tanh")(x)
    return layers.Rescaling(AMPLITUDE, name=f"{name}_amplitude")(x)
