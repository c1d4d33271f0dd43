"""What a training has before its first step: networks, training model, feed, and optimizer and engine for the steps."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from cnnlab.augmentation.host import HostPipe, split_pipe
from cnnlab.augmentation.language import parse
from cnnlab.config import RunConfig
from cnnlab.datasets.resizing import images_at
from cnnlab.datasets.storage import Dataset, DatasetInfo
from cnnlab.errors import DatasetError
from cnnlab.runs.store import Store
from cnnlab.training.engines.base import Engine, build_engine, fits_on_device
from cnnlab.training.feed import Feed, fitting_window
from cnnlab.training.head_rates import head_multipliers
from cnnlab.training.model import TrainingModel
from cnnlab.training.models import build_networks, network_shape
from cnnlab.training.optimizers import build_optimizer
from cnnlab.training.rate_multipliers import combined, multiply_rates, offset_multipliers
from cnnlab.training.schedules import TableSchedule
from cnnlab.training.training_model import build_training_model
from cnnlab.training.transfer import Transfer
from cnnlab.training.whitening import whiten_first_conv


@dataclass
class Equipment:
    """All that does not change with the learning rates.

    Attributes:
        networks: As from `build_networks`; the first is the one that is kept.
        resident: Images and labels that the engine keeps on its device; empty where chunks bring them.
    """

    config: RunConfig
    networks: tuple[keras.Model, keras.Model | None]
    model: TrainingModel
    feed: Feed
    resident: dict[str, Any]

    def engine(
        self, rates: NDArray[np.float64], transfer: Transfer | None = None
    ) -> tuple[keras.optimizers.Optimizer, Engine]:
        """Return optimizer and engine for what is trainable now.

        Args:
            rates: Learning rate of each step from now on.
            transfer: Where layers learn at rates of their own.
        """
        optimizer = build_optimizer(self.config.training, TableSchedule(rates), self.config.tricks)
        heads = head_multipliers(self.config.heads.rates, self.networks)
        offsets = offset_multipliers(self.config.tricks.offset_rate, self.networks)
        multiply_rates(optimizer, combined([heads, offsets, transfer.multipliers() if transfer else {}]))
        return optimizer, build_engine(self.model, optimizer, **self.resident)


def equip(
    config: RunConfig,
    info: DatasetInfo,
    images: NDArray[np.uint8],
    labels: Mapping[str, NDArray[np.int32]],
    store: Store,
) -> Equipment:
    """Build everything for the steps of a config.

    Args:
        images: Of the train split, `(n, height, width, channels)`.
        labels: `(n,)` by output.
        store: Where the run of a teacher is looked for.

    Raises:
        ConfigError: the config does not fit the data.
    """
    with precision(config.training.precision):
        networks = build_networks(config, info)
        if config.tricks.whiten_first_conv:
            whiten_first_conv(networks[0], images)
        is_resident = fits_on_device(images.nbytes)
        # What only moves bytes is done before the step, unless the images are on the device already.
        host, pipe = (None, parse(config.augmentation)) if is_resident else split_pipe(parse(config.augmentation))
        model = build_training_model(config, info, networks, pipe, labels, store)
    resident = {"images": images, "labels": labels} if is_resident else {}
    return Equipment(config, networks, model, _feed(config, images, labels, host, is_resident), resident)


@contextlib.contextmanager
def precision(name: str) -> Iterator[None]:
    """Let layers that are built meanwhile compute in `float32`, `bfloat16` or `float16`; weights stay in 32 bits."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name if name == "float32" else f"mixed_{name}")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def split_images(config: RunConfig, dataset: Dataset, split: str) -> NDArray[np.uint8]:
    """Return the images of a split in the size that the network sees.

    Raises:
        DatasetError: there are none.
    """
    images = images_at(dataset, split, config.image_size)
    if not len(images):
        raise DatasetError(
            f"Split {split!r} of data set {dataset.info.name!r} has no images. Expected at least one per class. "
            "Import the data set again with a larger share for that split."
        )
    return images


def split_labels(config: RunConfig, dataset: Dataset, split: str) -> dict[str, NDArray[np.int32]]:
    """Return the labels of a split for the outputs that are learnt."""
    outputs = network_shape(config, dataset.info).outputs
    return {name: labels for name, labels in dataset.labels(split).items() if name in outputs}


def _feed(
    config: RunConfig,
    images: NDArray[np.uint8],
    labels: Mapping[str, NDArray[np.int32]],
    augmentation: HostPipe | None,
    is_resident: bool,
) -> Feed:
    window = None if is_resident else fitting_window(images.nbytes, len(images))
    training = config.training
    return Feed(images, labels, training.batch_size, training.seed, augmentation, is_resident, window)
