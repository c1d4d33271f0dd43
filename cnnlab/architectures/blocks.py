"""Building blocks that several families share; every layer has a name that says where it stands."""

import math
from collections.abc import Sequence
from typing import Any

from keras import layers

# The last map of a network should leave this much to average over.
LEAST_MAP_PX = 4


def conv_bn(
    x: Any,
    filters: int,
    *,
    kernel: int | tuple[int, int] = 3,
    strides: int | tuple[int, ...] = 1,
    groups: int = 1,
    padding: str = "same",
    activation: str | None = None,
    is_zero: bool = False,
    name: str,
) -> Any:
    """Convolve without bias, then batch-normalise (whose offset makes a bias idle), then activate.

    Args:
        is_zero: Let the scale of the normalisation start at zero, so that at first nothing comes out: the last
            of a residual branch may, and the block begins as the identity.

    The moving means follow with momentum 0.9, as in the residual networks' own code: with
    Keras's 0.99 they lag behind for hundreds of steps and short runs validate at chance.
    """
    x = layers.Conv2D(
        filters,
        kernel,
        strides=strides,
        groups=groups,
        padding=padding,
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    x = layers.BatchNormalization(momentum=0.9, gamma_initializer="zeros" if is_zero else "ones", name=f"{name}_bn")(x)
    return layers.Activation(activation, name=f"{name}_{activation}")(x) if activation else x


def depthwise_bn(x: Any, *, kernel: int = 3, strides: int = 1, activation: str | None = None, name: str) -> Any:
    """Convolve each channel on its own, batch-normalise, activate."""
    x = layers.DepthwiseConv2D(
        kernel,
        strides=strides,
        padding="same",
        use_bias=False,
        depthwise_initializer="he_normal",
        name=f"{name}_dwconv",
    )(x)
    x = layers.BatchNormalization(momentum=0.9, name=f"{name}_bn")(x)
    return layers.Activation(activation, name=f"{name}_{activation}")(x) if activation else x


def conv(x: Any, filters: int, kernel: int, *, strides: int = 1, groups: int = 1, name: str) -> Any:
    """Convolve with bias, then rectify: the layer of the time before batch normalisation."""
    return layers.Conv2D(
        filters,
        kernel,
        strides=strides,
        groups=groups,
        padding="same",
        activation="relu",
        kernel_initializer="he_normal",
        name=name,
    )(x)


def dense(x: Any, units: int, *, activation: str | None = "relu", name: str) -> Any:
    """Add a dense layer whose first weights suit a rectifier."""
    return layers.Dense(units, activation=activation, kernel_initializer="he_normal", name=name)(x)


def dropout(x: Any, rate: float, *, name: str) -> Any:
    """Drop units, or nothing at all: a rate of zero adds no layer."""
    return layers.Dropout(rate, name=name)(x) if rate > 0 else x


def drop_path(x: Any, rate: float, *, name: str) -> Any:
    """Drop the whole branch for some images of a batch.

    Source: Huang et al. 2016, "Deep Networks with Stochastic Depth", arXiv:1603.09382.
    """
    noise_shape = (None,) + (1,) * (len(x.shape) - 1)
    return layers.Dropout(rate, noise_shape=noise_shape, name=name)(x) if rate > 0 else x


def rising(rate: float, block: int, count: int) -> float:
    """Return the share of images that skip a block: `rate` for the last, evenly less towards the first.

    Source: Huang et al. 2016, arXiv:1603.09382, section 3, the rule of linear decay.

    Args:
        block: 1-based.
        count: Of all blocks.
    """
    return rate * block / count


def squeeze_excite(x: Any, squeezed: int, *, activation: str, gate: str, name: str) -> Any:
    """Weigh the channels by what all of them saw together.

    Source: Hu et al. 2017, "Squeeze-and-Excitation Networks", arXiv:1709.01507.
    """
    weights = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_pool")(x)
    weights = layers.Conv2D(squeezed, 1, activation=activation, name=f"{name}_reduce")(weights)
    weights = layers.Conv2D(x.shape[-1], 1, activation=gate, name=f"{name}_expand")(weights)
    return layers.Multiply(name=f"{name}_scale")([x, weights])


def max_pool_half(x: Any, *, name: str) -> Any:
    """Take the maximum of overlapping 3x3 windows, two apart; the map becomes half as high, rounded down.

    That is Caffe's pooling, which the networks of 2012 to 2016 count on.
    """
    padding = "same" if x.shape[1] % 2 == 0 else "valid"
    return layers.MaxPooling2D(3, 2, padding=padding, name=name)(x)


def kept_strides(images: Any, strides: Sequence[int], least_px: int = LEAST_MAP_PX) -> tuple[int, ...]:
    """Return the strides of a network, the first ones halved until its last map is large enough.

    So 224 px keep all, and a network of five strides of two loses the first for 64 px and
    the first two for 32 px: the usual change for small images.
    """
    side = min(images.shape[1:3])
    kept = list(strides)
    while -(-side // math.prod(kept)) < least_px and any(stride > 1 for stride in kept):
        first = next(index for index, stride in enumerate(kept) if stride > 1)
        kept[first] //= 2
    return tuple(kept)


def divisible(channels: float, divisor: int = 8) -> int:
    """Return a whole number of channels near `channels`, a multiple of `divisor`, at most a tenth less.

    Source: the code of Sandler et al. 2018, arXiv:1801.04381, `_make_divisible`.
    """
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * channels else rounded
