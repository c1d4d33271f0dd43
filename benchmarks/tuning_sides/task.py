"""What every side searches: the same network, images, space and epochs."""

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SPACE = {
    "training.learning_rate": "float(1e-4, 1e-1, log)",
    "training.optimizer": ["sgd", "adam"],
    "training.batch_size": [32, 64, 128],
}
# What LeNet-5 sees of images of 8 px.
SIZE = 32
RATES, OPTIMIZERS, BATCH_SIZES = (1e-4, 1e-1), ["sgd", "adam"], [32, 64, 128]


def base(epochs: int) -> dict[str, Any]:
    """Return the run that is searched around."""
    return {"data": {"dataset": "digits"}, "training": {"epochs": epochs, "schedule": "constant"}}


class Data:
    """The images of `digits`, in memory."""

    def __init__(self, store_root: str):
        from cnnlab.datasets.storage import open_dataset

        dataset = open_dataset(Path(store_root), "digits")
        self.info = dataset.info
        self.train, self.val = self._of(dataset, "train"), self._of(dataset, "val")

    def _of(self, dataset: Any, split: str) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        (labels,) = dataset.labels(split).values()
        images = np.asarray(dataset.images(split), np.float32)
        return images.repeat(SIZE // images.shape[1], 1).repeat(SIZE // images.shape[2], 2), np.asarray(labels)


def fit(data: Data, epochs: int, rate: float, optimizer: str, batch_size: int) -> Any:
    """Train LeNet-5 with `model.fit`; return its history."""
    import keras

    from cnnlab.config import config_from_dict
    from cnnlab.training.models import build_network

    values = base(epochs)
    values["data"]["image_size"] = SIZE
    network = build_network(config_from_dict(values), data.info)
    made = (
        keras.optimizers.SGD(rate, momentum=0.9, nesterov=True) if optimizer == "sgd" else keras.optimizers.Adam(rate)
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(optimizer=made, loss=loss, metrics=["accuracy"])
    return network.fit(*data.train, batch_size=batch_size, epochs=epochs, validation_data=data.val, verbose=0)


class Watch:
    """Prints each trial as a JSON line: seconds since the process began to search, and its value."""

    def __init__(self) -> None:
        self._begun = time.perf_counter()

    def tell(self, value: float) -> None:
        print(json.dumps({"elapsed_s": time.perf_counter() - self._begun, "value": float(value)}), flush=True)
