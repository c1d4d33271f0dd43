"""Classifiers of scikit-learn on what a trained network computes just before its own classifier.

Source: Sharif Razavian et al. 2014, arXiv:1403.6382 (a linear SVM on the features of a trained network).
"""

import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np
from numpy.typing import NDArray

from cnnlab.analysis.intervals import wilson
from cnnlab.analysis.saved_network import open_saved
from cnnlab.config import RunConfig
from cnnlab.datasets.resizing import images_at
from cnnlab.datasets.storage import Dataset, open_dataset
from cnnlab.errors import ConfigError
from cnnlab.runs.store import Store
from cnnlab.training.models import build_network
from cnnlab.training.transfer import begin_transfer, leaves

ClassifierName = Literal["svm", "knn", "linear"]
TITLES: dict[ClassifierName, str] = {
    "svm": "linear support-vector machine",
    "knn": "k nearest neighbours",
    "linear": "linear classifier",
}
# Tried on the validation images, the best one answers the test images.
SETTINGS: dict[ClassifierName, tuple[float, ...]] = {
    "svm": (0.001, 0.01, 0.1, 1.0, 10.0),
    "knn": (1, 3, 5, 9, 15),
    "linear": (0.01, 0.1, 1.0, 10.0),
}
SPLITS = ("train", "val", "test")
BATCH_SIZE = 256
# A linear SVM of scikit-learn takes minutes beyond that.
MOST_IMAGES = 20_000

Features = Mapping[str, NDArray[np.float32]]
Labels = Mapping[str, NDArray[np.int32]]


def network_of_run(store: Store, run_id: str) -> keras.Model:
    """Return the network of a run.

    Raises:
        ConfigError: it has none.
    """
    path = store.run_dir(run_id) / "model.keras"
    if not path.is_file():
        raise ConfigError(
            f"Run {run_id!r} has no model file. Expected a completed run. Wait for its end, or choose another run."
        )
    return open_saved(path, f"The model of run {run_id!r}")


def network_of_config(store: Store, config: RunConfig, dataset: Dataset) -> keras.Model:
    """Return the network of a config with the weights of its source.

    Raises:
        ConfigError: it has no source: its features would be random.
    """
    has_weights = config.architecture.parameters.get("weights") == "imagenet"
    if not config.transfer.source and not has_weights:
        raise ConfigError(
            "The config has no source of weights, so that its features would be random. Expected transfer.source. Set "
            "it to run:ID or 'imagenet', or give the id of a trained run."
        )
    keras.utils.set_random_seed(config.training.seed)
    network = build_network(config, dataset.info)
    begin_transfer(config, network, outputs_of(config, dataset), store)
    return network


def outputs_of(config: RunConfig, dataset: Dataset) -> list[str]:
    """Return the outputs that a config learns."""
    asked = config.data.outputs
    return [name for name in dataset.info.outputs if asked is None or name in asked]


def extractor(network: keras.Model, output: str) -> keras.Model:
    """Return the network up to what enters the classifier of an output; maps are averaged over height and width.

    Raises:
        ConfigError: the network does not say where its classifier begins.
    """
    heads = [layer for layer in leaves(network) if layer.name.startswith(f"{output}_logits") and layer.weights]
    head = heads[0] if heads else next((layer for layer in reversed(network.layers) if layer.weights), None)
    try:
        features = head.input  # type: ignore[union-attr]
        if len(features.shape) == 4:
            features = keras.ops.mean(features, axis=(1, 2))
        return keras.Model(network.inputs, features)
    except (AttributeError, ValueError) as error:
        raise ConfigError(
            f"The network does not say what enters its classifier of {output!r}. Expected a layer {output}_logits in a "
            "row of layers. Choose a run of the catalogue's architectures."
        ) from error


def rows(
    network: keras.Model,
    config: RunConfig,
    dataset: Dataset,
    classifiers: Sequence[ClassifierName],
    report: Callable[[str, int, int], None] = lambda _stage, _done, _total: None,
    most_images: int = MOST_IMAGES,
) -> Iterator[dict[str, Any]]:
    """Give the rows of `schema.FEATURES`, without the run, one after the other.

    Args:
        report: Told the stage, how many parts are done, and of how many.
        most_images: To learn on; drawn by the config's seed where there are more.
    """
    outputs = outputs_of(config, dataset)
    total = len(outputs) * (len(SPLITS) + len(classifiers))
    done = 0
    kept = _kept_rows(dataset.info.counts["train"], most_images, config.training.seed)
    for output in outputs:
        network_part = extractor(network, output)
        features: dict[str, NDArray[np.float32]] = {}
        labels: dict[str, NDArray[np.int32]] = {}
        for split in SPLITS:
            report(f"features of {split}", done, total)
            images, known = images_at(dataset, split, config.image_size), np.asarray(dataset.labels(split)[output])
            if split == "train":
                images, known = images[kept], known[kept]
            features[split], labels[split] = _computed(network_part, images), known
            done += 1
        for classifier in classifiers:
            report(TITLES[classifier], done, total)
            yield {"output": output, **fitted(classifier, features, labels, config.training.seed)}
            done += 1
    report("done", total, total)


def fitted(classifier: ClassifierName, features: Features, labels: Labels, seed: int = 0) -> dict[str, Any]:
    """Fit a classifier with each of its settings, choose by `val`, and return what the best does on `test`.

    Args:
        features: `(n, num_features)` by split.
        labels: `(n,)` by split.
    """
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    began = time.monotonic()
    scaler = StandardScaler().fit(features["train"])
    scaled = {split: scaler.transform(values) for split, values in features.items()}
    best: tuple[float, float, Any] | None = None
    for setting in SETTINGS[classifier]:
        if classifier == "knn" and setting > len(labels["train"]):
            continue
        model = _build(classifier, setting, seed)
        # One thread: beside a training, threads that wait for each other took 50 s for what takes two.
        with warnings.catch_warnings(), threadpool_limits(1):
            warnings.simplefilter("ignore")  # of steps that ran out: a further setting does better then
            model.fit(scaled["train"], labels["train"])
        accuracy = float((model.predict(scaled["val"]) == labels["val"]).mean())
        if best is None or accuracy > best[0]:
            best = (accuracy, setting, model)
    assert best is not None
    accuracy, setting, model = best
    fit_s = time.monotonic() - began
    correct, n = int((model.predict(scaled["test"]) == labels["test"]).sum()), len(labels["test"])
    low, high = wilson(correct, n)
    return {
        "classifier": classifier,
        "setting": f"{'k' if classifier == 'knn' else 'C'}={setting:g}",
        "num_features": features["train"].shape[1],
        "n_train": len(labels["train"]),
        "val_accuracy": accuracy,
        "test_accuracy": correct / n,
        "test_correct": correct,
        "test_n": n,
        "test_low": low,
        "test_high": high,
        "fit_s": fit_s,
        "versions": f"scikit-learn {version('scikit-learn')}, keras {keras.__version__}",
        "measured_at": datetime.now(UTC),
    }


def dataset_of(store: Store, config: RunConfig) -> Dataset:
    """Return the data of a config."""
    data = config.data
    return open_dataset(Path(store.root), data.dataset, version=data.version, parameters=data.parameters)


def _build(classifier: ClassifierName, setting: float, seed: int) -> Any:
    match classifier:
        case "svm":
            from sklearn.svm import LinearSVC

            return LinearSVC(C=setting, random_state=seed)
        case "knn":
            from sklearn.neighbors import KNeighborsClassifier

            return KNeighborsClassifier(int(setting))
        case "linear":
            from sklearn.linear_model import LogisticRegression

            return LogisticRegression(C=setting, max_iter=500)


def _kept_rows(count: int, most: int, seed: int) -> Any:
    if count <= most:
        return slice(None)
    return np.sort(np.random.default_rng(seed).choice(count, most, replace=False))


def _computed(network: keras.Model, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    parts = [
        np.asarray(network.predict_on_batch(np.asarray(images[start : start + BATCH_SIZE], np.float32)), np.float32)
        for start in range(0, len(images), BATCH_SIZE)
    ]
    return np.concatenate(parts)
