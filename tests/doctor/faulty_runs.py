"""Trainings with a planted fault, each as short as it can be, and healthy ones: what the doctor sees of them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import polars as pl
import pytest

from cnnlab.config import config_from_dict
from cnnlab.datasets.resizing import images_at
from cnnlab.datasets.storage import Dataset, open_dataset
from cnnlab.doctor.evidence import Evidence
from cnnlab.doctor.reading import data_facts, read_evidence
from cnnlab.errors import TrainingError
from cnnlab.runs.store import Store
from cnnlab.runs.writer import RunWriter
from cnnlab.training import equipment, models, trainer

Images = dict[str, np.ndarray]


class Changed(Dataset):
    """A data set with other images and labels, by split."""

    def __init__(self, base: Dataset, images: Images, labels: dict[str, dict[str, np.ndarray]]):
        super().__init__(replace(base.info, counts={split: len(values) for split, values in images.items()}))
        self._images, self._labels = images, labels

    def images(self, split: str) -> np.ndarray:
        return self._images[split]

    def labels(self, split: str) -> dict[str, np.ndarray]:
        return self._labels[split]

    def sample_ids(self, split: str) -> list[str]:
        return [f"{split}-{row}" for row in range(len(self._images[split]))]

    def samples(self) -> pl.DataFrame:
        parts = [
            pl.DataFrame({"split": [split] * len(images), "sha256": [str(hash(one.tobytes())) for one in images]})
            .with_columns(pl.Series(name, values, dtype=pl.Int32) for name, values in self._labels[split].items())
            for split, images in self._images.items()
        ]  # fmt: skip
        return pl.concat(parts)


def changed(base: Dataset, change: Callable[[Images, dict[str, dict[str, np.ndarray]]], None], px: int = 16) -> Changed:
    """Return a copy of a data set, of images of that size, after `change(images, labels)`, both by split."""
    images = {split: np.array(images_at(base, split, px)) for split in base.info.counts}
    labels = {split: {name: np.array(one) for name, one in base.labels(split).items()} for split in images}
    change(images, labels)
    return Changed(base, images, labels)


def trained(
    root: Path,
    values: dict[str, Any],
    dataset: Dataset | None = None,
    prepare: Callable[[keras.Model], None] = lambda _: None,
) -> Evidence:
    """Train a config in a store and return what the run wrote; one that diverges ends early.

    Args:
        prepare: Called with the network before training: where faults are planted that no config asks for.
    """
    config = config_from_dict(values)
    store = Store(root)
    data = dataset or open_dataset(store.root, config.data.dataset, parameters=config.data.parameters)
    run_dir = store.create_run(config)
    writer = RunWriter(run_dir)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(equipment, "build_networks", _building(prepare))
            done = trainer.train(config, data, writer)
        for split, answers in done.answers.items():
            for output, one in answers.items():
                writer.predictions(split, output, data.sample_ids(split), one.labels.tolist(), one.probabilities)
    except TrainingError as error:
        if error.kind != "nan_loss":
            raise
    writer.finish()
    assert [event for event in store.events(run_dir.name) if event["event"] == "probe_failed"] == []
    return read_evidence(store, run_dir.name, data=data_facts(data))


def _building(prepare: Callable[[keras.Model], None]) -> Callable[..., Any]:
    def build(*args: Any, **kwargs: Any) -> Any:
        networks = models.build_networks(*args, **kwargs)
        prepare(networks[0])
        return networks

    return build


def lenet(epochs: int = 6, **training: Any) -> dict[str, Any]:
    """LeNet-5 on digits of 16 px."""
    return {"data": {"image_size": 16}, "training": {"epochs": epochs, "batch_size": 64, **training}}


def layers(*kinds: Any, dataset: str = "digits", size: int = 16, epochs: int = 4, **training: Any) -> dict[str, Any]:
    """A list of layers."""
    return {
        "data": {"dataset": dataset, "image_size": size},
        "architecture": {"name": "layers", "parameters": {"layers": list(kinds)}},
        "training": {"epochs": epochs, "batch_size": 64, **training},
    }


def shuffle_labels(_images: Images, labels: dict[str, dict[str, np.ndarray]]) -> None:
    """Give every image the label of another."""
    random = np.random.default_rng(0)
    for by_output in labels.values():
        for values in by_output.values():
            random.shuffle(values)


def keep_few(count: int) -> Callable[..., None]:
    """Return a change that leaves that many training images."""

    def change(images: Images, labels: dict[str, dict[str, np.ndarray]]) -> None:
        images["train"] = images["train"][:count]
        labels["train"] = {name: values[:count] for name, values in labels["train"].items()}

    return change


def copy_train_into_val(images: Images, labels: dict[str, dict[str, np.ndarray]]) -> None:
    """Let val be a part of train."""
    count = len(images["val"])
    images["val"] = images["train"][:count].copy()
    labels["val"] = {name: values[:count].copy() for name, values in labels["train"].items()}


def make_rare(classes: Sequence[int], left: int) -> Callable[..., None]:
    """Return a change that leaves that many training images of some classes."""

    def change(images: Images, labels: dict[str, dict[str, np.ndarray]]) -> None:
        values = labels["train"]["label"]
        keep = np.ones(len(values), bool)
        for one in classes:
            keep[np.flatnonzero(values == one)[left:]] = False
        images["train"] = images["train"][keep]
        labels["train"] = {name: each[keep] for name, each in labels["train"].items()}

    return change


def sink_biases(network: keras.Model) -> None:
    """Set the biases of all hidden layers so low that no ReLU ever answers."""
    for layer in network.layers[:-1]:
        if getattr(layer, "bias", None) is not None:
            layer.bias.assign(layer.bias - 100.0)


def freeze_first(network: keras.Model) -> None:
    """Freeze the first two layers with weights."""
    for layer in [layer for layer in network.layers if layer.trainable_weights][:2]:
        layer.trainable = False


def enlarge(network: keras.Model) -> None:
    """Start with kernels five times as large."""
    for layer in network.layers:
        if getattr(layer, "kernel", None) is not None:
            layer.kernel.assign(layer.kernel * 5.0)


def see_raw_pixels(network: keras.Model) -> None:
    """Let the normalisation hand pixels on as they are."""
    layer = network.get_layer("normalise")
    layer.mean, layer.variance = keras.ops.zeros_like(layer.mean), keras.ops.ones_like(layer.variance)


CONVS = [{"kind": "conv", "filters": 8}] * 6
HEAD = ["global_average_pool"]
SIGMOIDS = [{"kind": "conv", "filters": 8, "activation": "sigmoid"}] * 8
RESNET = {"name": "resnet", "parameters": {"blocks_per_stack": 1, "width": 8}}
