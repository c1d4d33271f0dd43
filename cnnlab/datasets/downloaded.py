"""Data sets that come through `keras.datasets`: their real files, kept in Keras's own cache."""

import importlib
import os
from pathlib import Path
from typing import Any

import numpy as np

from cnnlab.datasets.catalogue import get_entry
from cnnlab.datasets.splits import stratified_split
from cnnlab.datasets.storage import Progress
from cnnlab.datasets.writing import Content
from cnnlab.errors import DownloadError
from cnnlab.parameters import Parameters

VAL_FRACTION = 0.1
SPLIT_SEED = 0
# What to fetch by hand where the network is closed: the file, and its place below Keras's cache.
BY_HAND = {
    "mnist": "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",
    "fashion_mnist": "https://storage.googleapis.com/tensorflow/tf-keras-datasets/ (4 files *-ubyte.gz)",
    "cifar10": "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
    "cifar100": "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
}


def build(name: str, parameters: Parameters, progress: Progress) -> Content:
    """Fetch the set and cut `val` out of its train part; the test part stays as published.

    Raises:
        DownloadError: the network, or the file that came, is not as expected.
    """
    del parameters  # there are none
    progress("downloading", 0, 1)
    (train_images, train_labels), (test_images, test_labels) = _load(name)
    progress("downloading", 1, 1)
    train_labels, test_labels = (np.ravel(labels).astype(np.int32) for labels in (train_labels, test_labels))
    splits = stratified_split(train_labels, {"val": VAL_FRACTION}, SPLIT_SEED)
    train, val = np.flatnonzero(splits == "train"), np.flatnonzero(splits == "val")
    entry = get_entry(name)
    parts = ((train_images, train), (train_images, val), (test_images, np.arange(len(test_images))))
    return Content(
        image_shape=entry.image_shape,
        outputs=entry.outputs,
        images=(_batch(images[rows[at : at + 1000]]) for images, rows in parts for at in range(0, len(rows), 1000)),
        splits=np.repeat(["train", "val", "test"], [len(rows) for _, rows in parts]),
        labels={"label": np.concatenate([train_labels[train], train_labels[val], test_labels])},
        sample_ids=[
            *(f"{name}-train-{index:05d}" for index in np.concatenate([train, val])),
            *(f"{name}-test-{index:05d}" for index in range(len(test_images))),
        ],
    )


def _batch(images: np.ndarray) -> np.ndarray:
    return images if images.ndim == 4 else images[..., None]


def _load(name: str) -> Any:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    module = importlib.import_module(f"keras.datasets.{name}")
    try:
        return module.load_data()
    # Keras raises a bare Exception for a failed download, and whatever the reader says of a broken file.
    except Exception as error:
        entry = get_entry(name)
        raise DownloadError(
            f"{entry.title} could not be downloaded ({_cause(error)}). A network that reaches {BY_HAND[name]} is "
            f"expected. Check the network, or put that download into {_cache_folder()} by hand, or use 'digits' or "
            "'shapes', which need no network, or import a zip of images."
        ) from None


def _cache_folder() -> Path:
    home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    return home / "datasets"


def _cause(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 200 else f"{text[:200]}..."
