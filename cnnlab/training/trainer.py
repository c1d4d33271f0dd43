"""Train the network of a config on a data set, from the first step to the answers on the test images."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from cnnlab.analysis.costs import Costs, costs
from cnnlab.augmentation.language import parse
from cnnlab.config import RunConfig
from cnnlab.datasets.resizing import images_at
from cnnlab.datasets.storage import Dataset
from cnnlab.errors import DatasetError, TrainingError
from cnnlab.training.answering import gpu_memory
from cnnlab.training.callbacks import KeepBest, RefuseNaN, Report
from cnnlab.training.data import Batches
from cnnlab.training.evaluation import Answers, evaluate
from cnnlab.training.model import TrainingModel
from cnnlab.training.models import build_networks, network_shape
from cnnlab.training.optimizers import build_optimizer
from cnnlab.training.rates import learning_rates
from cnnlab.training.recorder import NullRecorder, Recorder
from cnnlab.training.schedules import TableSchedule

# How each backend words that memory is full, in the text or the class of its error.
OUT_OF_MEMORY_SIGNS = ("resource_exhausted", "resourceexhausted", "out of memory", "outofmemory", "unable to allocate")


@dataclass(frozen=True)
class Trained:
    """A trained network with what it cost and what it answers.

    Attributes:
        answers: By split (`val`, `test`), then by output.
        best_epoch: The epoch of the lowest validation loss, 1-based.
        kept_epoch: Whose weights the network has: the best one with early stopping, else the last.
        train_s: From the first step to the end of the last epoch, validation included.
        gpu_memory_bytes: What the backend's tensors took of the GPU at most; None without one.
    """

    network: keras.Model
    costs: Costs
    outputs: dict[str, tuple[str, ...]]
    answers: dict[str, dict[str, Answers]]
    epochs_done: int
    best_epoch: int
    kept_epoch: int
    train_s: float
    images_per_s: float
    gpu_memory_bytes: int | None

    def result(self) -> dict[str, Any]:
        """Return the numbers of `result.json`."""
        scores = {split: {name: one.scores() for name, one in by.items()} for split, by in self.answers.items()}
        return {
            "num_params": self.costs.num_params,
            "trainable_params": self.costs.trainable_params,
            "macs": self.costs.macs,
            "not_counted": list(self.costs.not_counted),
            "epochs_done": self.epochs_done,
            "best_epoch": self.best_epoch,
            "kept_epoch": self.kept_epoch,
            "train_s": round(self.train_s, 3),
            "images_per_s": round(self.images_per_s, 1),
            "gpu_memory_bytes": self.gpu_memory_bytes,
            **scores,
            "main_output": next(iter(self.outputs)),
            "outputs": {name: list(classes) for name, classes in self.outputs.items()},
        }


def train(config: RunConfig, dataset: Dataset, recorder: Recorder | None = None) -> Trained:
    """Train, keep the best weights where early stopping asks for it, and evaluate.

    Raises:
        TrainingError: memory is full, or the loss became NaN.
        ConfigError: the config does not fit the data.
        DatasetError: a split has no images.
    """
    try:
        return _train(config, dataset, recorder or NullRecorder())
    except Exception as error:
        if is_out_of_memory(error):
            raise TrainingError("out_of_memory", _first_line(error)) from error
        raise


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether `error` is some backend's way to say that memory is full."""
    text = f"{type(error).__name__} {error}".lower()
    return isinstance(error, MemoryError) or any(sign in text for sign in OUT_OF_MEMORY_SIGNS)


def _train(config: RunConfig, dataset: Dataset, recorder: Recorder) -> Trained:
    training = config.training
    keras.utils.set_random_seed(training.seed)
    train_data = _batches(config, dataset, "train", training.batch_size, seed=training.seed)
    val_data = _batches(config, dataset, "val", training.batch_size)
    networks = build_networks(config, dataset.info)
    network = networks[0]
    rates = learning_rates(training, len(train_data))
    model = _compiled(config, dataset, networks, rates)
    report = Report(recorder, rates, training.epochs, len(train_data.images))
    best = KeepBest(training.early_stopping_epochs)
    recorder.event("training_started", steps_per_epoch=len(train_data))
    # `report` comes before `RefuseNaN`: the epoch that ended the run is in its log.
    model.fit(
        train_data,
        validation_data=val_data,
        epochs=training.epochs,
        callbacks=[report, RefuseNaN(), best],
        shuffle=False,  # the batches come shuffled, by our seed
        verbose=0,
    )
    gpu_memory_bytes = gpu_memory.peak_bytes()  # before the evaluation, whose batches are larger
    recorder.event("evaluating")
    return Trained(
        network=network,
        costs=costs(network),
        outputs={name: tuple(classes) for name, classes in network_shape(config, dataset.info).outputs.items()},
        answers={split: _answers(config, dataset, network, split) for split in ("val", "test")},
        epochs_done=report.epochs_done,
        best_epoch=best.best_epoch,
        kept_epoch=best.best_epoch if training.early_stopping_epochs else report.epochs_done,
        train_s=report.train_s,
        images_per_s=report.epochs_done * len(train_data.images) / report.train_s,
        gpu_memory_bytes=gpu_memory_bytes,
    )


def _compiled(
    config: RunConfig, dataset: Dataset, networks: tuple[keras.Model, keras.Model | None], rates: Any
) -> TrainingModel:
    shape = network_shape(config, dataset.info)
    num_classes = {name: len(classes) for name, classes in shape.outputs.items()}
    network, with_auxiliary = networks
    augmenter = _augmenter(config, shape.input_shape)
    model = TrainingModel(network, augmenter, num_classes, config.training.label_smoothing, with_auxiliary)
    model.compile(
        optimizer=build_optimizer(config.training, TableSchedule(rates)),
        # XLA makes a CPU slower under TensorFlow (0.4x to 0.9x); JAX has nothing else.
        jit_compile=keras.backend.backend() == "jax",
    )
    return model


def _augmenter(config: RunConfig, input_shape: tuple[int, int, int]) -> Any:
    pipe = parse(config.augmentation)
    if not pipe.steps:
        return None
    from cnnlab.augmentation.ops import build_augmenter

    return build_augmenter(pipe, input_shape, seed=config.training.seed)


def _batches(config: RunConfig, dataset: Dataset, split: str, batch_size: int, seed: int | None = None) -> Batches:
    images = images_at(dataset, split, config.image_size)
    if not len(images):
        raise DatasetError(
            f"Split {split!r} of data set {dataset.info.name!r} has no images. Expected at least one per class. "
            "Import the data set again with a larger share for that split."
        )
    return Batches(images, _labels(config, dataset, split), batch_size, seed)


def _labels(config: RunConfig, dataset: Dataset, split: str) -> dict[str, np.ndarray]:
    outputs = network_shape(config, dataset.info).outputs
    return {name: labels for name, labels in dataset.labels(split).items() if name in outputs}


def _answers(config: RunConfig, dataset: Dataset, network: keras.Model, split: str) -> dict[str, Answers]:
    return evaluate(network, images_at(dataset, split, config.image_size), _labels(config, dataset, split))


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__
