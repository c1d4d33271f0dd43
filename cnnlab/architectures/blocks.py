"""Building blocks that several families share; every layer has a name that says where it stands."""

from typing import Any

from keras import layers


def conv_bn(x: Any, filters: int, *, kernel: int = 3, strides: int = 1, name: str) -> Any:
    """Convolve without bias, then batch-normalise (whose offset makes a bias idle).

    The moving means follow with momentum 0.9, as in the residual networks' own code: with
    Keras's 0.99 they lag behind for hundreds of steps and short runs validate at chance.
    """
    x = layers.Conv2D(
        filters,
        kernel,
        strides=strides,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    return layers.BatchNormalization(momentum=0.9, name=f"{name}_bn")(x)


def dropout(x: Any, rate: float, *, name: str) -> Any:
    """Drop units, or nothing at all: a rate of zero adds no layer."""
    return layers.Dropout(rate, name=name)(x) if rate > 0 else x
