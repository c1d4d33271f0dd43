"""A first convolution that whitens the patches of the training images, before the first step.

Source: Page 2018, myrtle.ai/learn/how-to-train-your-resnet-8-bag-of-tricks; Jordan 2024, arXiv:2404.00498, section 3.2.
"""

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from cnnlab.errors import ConfigError

# As in the source: enough for the covariance of small patches.
NUM_IMAGES = 5000
# Directions in which patches hardly differ are not blown up without end.
EPSILON = 5e-4
THROUGH = (keras.layers.InputLayer, keras.layers.Normalization, keras.layers.Rescaling)


def whiten_first_conv(network: keras.Model, images: NDArray[np.uint8]) -> str:
    """Set the first convolution's kernel to whitening filters and their negatives, and let it stay; return its name.

    What further filters it has keep their first weights, and stay too.

    Args:
        network: Takes pixels, 0 to 255; between them and the convolution only normalisation may stand.
        images: Of the train split, `(n, height, width, channels)`.

    Raises:
        ConfigError: there is no such convolution, or it has too few filters.
    """
    layer = _first_conv(network)
    height, width, channels, filters = layer.kernel.shape
    least = 2 * height * width * channels
    if filters < least:
        raise ConfigError(
            f"whiten_first_conv is on, but the first convolution {layer.name!r} has {filters} filters for patches of "
            f"{least // 2} values. Expected at least {least} filters. Choose 'airbench', whose first convolution is "
            "made for it, or leave whiten_first_conv out."
        )
    chosen = images[np.linspace(0, len(images) - 1, min(NUM_IMAGES, len(images))).astype(np.int64)]
    pixels = np.asarray(keras.Model(network.inputs[0], layer.input)(chosen.astype("float32")), np.float32)
    whitening = whitening_filters(patches_of(pixels, height, width))
    kernel = np.array(layer.kernel)
    kernel[..., :least] = (
        np.concatenate([whitening, -whitening]).reshape(least, height, width, channels).transpose(1, 2, 3, 0)
    )
    layer.kernel.assign(kernel)
    layer.kernel.trainable = False
    name: str = layer.name
    return name


def patches_of(pixels: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """Return every patch of `(n, rows, columns, channels)` images, `(patches, height * width * channels)`."""
    windows = np.lib.stride_tricks.sliding_window_view(pixels, (height, width), axis=(1, 2))
    # The view has channels before the window's rows and columns; a kernel has them after.
    return windows.transpose(0, 1, 2, 4, 5, 3).reshape(-1, height * width * pixels.shape[-1])


def whitening_filters(patches: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return one filter per row: their answers to `(n, values)` patches have variance near 1 and no correlation."""
    values, vectors = np.linalg.eigh(patches.T @ patches / len(patches))
    filters: NDArray[np.float64] = (vectors / np.sqrt(values + EPSILON)).T[::-1]
    return filters


def _first_conv(network: keras.Model) -> Any:
    for layer in network.layers:
        if isinstance(layer, keras.layers.Conv2D) and layer.groups == 1:
            return layer
        if not isinstance(layer, THROUGH):
            break
    raise ConfigError(
        f"whiten_first_conv is on, but {network.name!r} does not begin with a convolution. Expected one right after "
        "the normalisation of pixels. Choose 'airbench', or leave whiten_first_conv out."
    )
