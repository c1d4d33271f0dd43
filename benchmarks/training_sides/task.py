"""What every side trains: the same images, batch and optimizer."""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

LEARNING_RATE = 0.05
MOMENTUM = 0.9
NUM_CLASSES = 10
ARCHITECTURES = {"lenet5": "LeNet-5", "vgg_small": "VGG-like", "resnet": "ResNet-20"}


@dataclass(frozen=True)
class Task:
    """One side's work.

    Attributes:
        architecture: A key of `ARCHITECTURES`.
        precision: `float32` or `bfloat16`.
        augmentation: A line of the pipe language; empty for none.
        num_images: Of an epoch.
        epochs: The most of them; one before them, which compiles, does not count.
    """

    architecture: str
    precision: str = "float32"
    augmentation: str = ""
    batch_size: int = 128
    num_images: int = 12_800
    epochs: int = 3

    def images(self) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
        """Return noise of the shape of CIFAR-10 and its labels: arithmetic on it takes as long as on pictures."""
        rng = np.random.default_rng(0)
        labels = rng.integers(0, NUM_CLASSES, self.num_images, dtype=np.int32)
        return rng.integers(0, 256, (self.num_images, 32, 32, 3), dtype=np.uint8), labels


def timed(task: Task, epoch: Callable[[int], Any]) -> None:
    """Run an epoch that compiles, then one for each line of standard input; print images per second after each."""
    for number in range(task.epochs + 1):
        begin = time.perf_counter()
        epoch(number)
        print(json.dumps({"images_per_s": task.num_images / (time.perf_counter() - begin)}), flush=True)
        if not sys.stdin.readline():
            return


def task_from(text: str) -> Task:
    """Return the task of a JSON object."""
    return Task(**json.loads(text))


def info() -> Any:
    """Return what a network has to know of CIFAR-10."""
    from cnnlab.datasets.storage import DatasetInfo

    return DatasetInfo(
        name="cifar10", version="", title="", source="", image_shape=(32, 32, 3),
        outputs={"label": tuple(map(str, range(NUM_CLASSES)))}, counts={}, channel_mean=(125.3, 123.0, 113.9),
        channel_std=(63.0, 62.1, 66.7), created_at="", skipped=(), parameters={}, path=Path(),
    )  # fmt: skip


def config(task: Task) -> Any:
    """Return the run config of a task."""
    from cnnlab.config import config_from_dict

    training = {"optimizer": "sgd", "learning_rate": LEARNING_RATE, "momentum": MOMENTUM, "schedule": "constant"}
    training |= {"batch_size": task.batch_size, "precision": task.precision, "epochs": task.epochs + 1}
    return config_from_dict(
        {
            "data": {"dataset": "cifar10", "image_size": 32},
            "architecture": {"name": task.architecture},
            "augmentation": task.augmentation,
            "training": training,
        }
    )
