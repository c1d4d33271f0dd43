"""Training on small images first: the same weights on growing sizes, and the full size in the end.

Source: Howard 2018, www.fast.ai/2018/08/10/fastai-diu-imagenet (progressive resizing). Why the last epochs have the
size of the evaluation: Touvron et al. 2019, "Fixing the train-test resolution discrepancy", arXiv:1906.06423.
"""

from typing import Any

import keras
from keras import ops

from cnnlab.config import RunConfig, one_size_only
from cnnlab.errors import ConfigError

# Sizes before the full one. Each is compiled anew, so there are few.
NUM_SIZES = 4


def sizes_by_epoch(
    epochs: int, start_share: float, growing_share: float, full_px: int, stride_px: int
) -> tuple[int, ...]:
    """Return the height and width of the images of each epoch; at least the last has all of them.

    Args:
        start_share: Of the full size, for the first epochs.
        growing_share: Of the epochs, which begin below the full size.
        stride_px: Sizes are multiples of it, so that no pixel falls over the edge of a stride.
    """
    growing = min(round(growing_share * epochs), epochs - 1)
    shares = [start_share + (1 - start_share) * step / NUM_SIZES for step in range(NUM_SIZES)]
    sizes = [min(full_px, -(-round(share * full_px) // stride_px) * stride_px) for share in shares]
    return (*(sizes[epoch * NUM_SIZES // growing] for epoch in range(growing)), *[full_px] * (epochs - growing))


def build_growing(
    config: RunConfig, network: keras.Model, with_auxiliary: keras.Model | None = None
) -> "Growing | None":
    """Return what changes the size between epochs; None where a config leaves it alone.

    Raises:
        ConfigError: the network takes no other size.
    """
    tricks = config.tricks
    if tricks.start_size_share is None:
        return None
    if with_auxiliary is not None:
        raise ConfigError(one_size_only(network.name, config.image_size))
    sizes = sizes_by_epoch(
        config.training.epochs,
        tricks.start_size_share,
        tricks.growing_share,
        config.image_size,
        stride_of(network),
    )
    return Growing(network, sizes)


class Growing:
    """Which size an epoch has, and the network for it. No layer: it has no weights of its own.

    Args:
        network: For the full size; the smaller ones are made of its layers.
        sizes: Of each epoch.

    Raises:
        ConfigError: the network takes no other size.
    """

    def __init__(self, network: keras.Model, sizes: tuple[int, ...]) -> None:
        self._full_px = network.input_shape[1]
        self._sizes = sizes
        self._networks = {px: at_size(network, px) for px in sorted({*sizes} - {self._full_px})}
        self.size_px = sizes[0]

    def begin_epoch(self, epoch: int) -> None:
        """Change to the size of an epoch, 0-based."""
        self.size_px = self._sizes[epoch]

    def resized(self, images: Any) -> Any:
        """Return `(batch, size, size, channels)` float32 of `(batch, height, width, channels)`."""
        if self.size_px == self._full_px:
            return images
        return ops.image.resize(images, (self.size_px, self.size_px), interpolation="bilinear", antialias=True)

    def network_for(self, images: Any) -> keras.Model | None:
        """Return the network for images of that size; None for the full one."""
        return self._networks.get(images.shape[1])


def at_size(network: keras.Model, px: int) -> keras.Model:
    """Return a network of the same layers, weights and all, for images of another height and width.

    Raises:
        ConfigError: its weights are made for one size, as those of a dense layer over a whole map are.
    """
    images = keras.Input((px, px, network.input_shape[-1]), name="images")
    try:
        return keras.models.clone_model(network, input_tensors=images, clone_function=lambda layer: layer)
    except ValueError as error:
        raise ConfigError(one_size_only(network.name, network.input_shape[1])) from error


def stride_of(network: keras.Model) -> int:
    """Return how many pixels of an image lie under one of the smallest map that is larger than a pixel."""
    full = network.input_shape[1]
    sides = [
        tensor.shape[1]
        for layer in network.layers
        for tensor in keras.tree.flatten(layer.output)
        if len(tensor.shape) == 4 and (tensor.shape[1] or 0) > 1
    ]
    return max(1, round(full / min(sides)))
