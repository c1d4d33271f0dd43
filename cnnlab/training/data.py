"""Batches of a split, read from the memory map in an order that a seed and an epoch fix."""

import math
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray


class Batches(keras.utils.PyDataset):
    """Serve `{"images", "labels"}` batches; images stay uint8 until they are in the step.

    Args:
        images: `(n, height, width, channels)` uint8, memory-mapped or not.
        labels: `(n,)` int32 by output.
        batch_size: Images per batch; the last one may be smaller.
        seed: Shuffles anew each epoch; None keeps the order.
    """

    def __init__(
        self,
        images: NDArray[np.uint8],
        labels: Mapping[str, NDArray[np.int32]],
        batch_size: int,
        seed: int | None = None,
    ) -> None:
        super().__init__(workers=1)
        self.images = images
        self.labels = dict(labels)
        self.batch_size = batch_size
        self.seed = seed
        self._epoch = 0
        self._order = self._draw()

    def __len__(self) -> int:
        return math.ceil(len(self.images) / self.batch_size)

    def __getitem__(self, index: int) -> tuple[dict[str, Any]]:
        chosen = self._order[index * self.batch_size : (index + 1) * self.batch_size]
        labels = {name: values[chosen] for name, values in self.labels.items()}
        return ({"images": np.asarray(self.images[chosen]), "labels": labels},)

    def on_epoch_end(self) -> None:
        self._epoch += 1
        self._order = self._draw()

    def _draw(self) -> NDArray[np.int64]:
        if self.seed is None:
            return np.arange(len(self.images))
        return np.random.default_rng([self.seed, self._epoch]).permutation(len(self.images))
