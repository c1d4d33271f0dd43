"""Train the network of a config on a data set, from the first step to the answers on the test images."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from cnnlab.analysis.costs import Costs, costs
from cnnlab.config import RunConfig
from cnnlab.datasets.storage import Dataset
from cnnlab.errors import TrainingError
from cnnlab.runs.continuing import state_name
from cnnlab.runs.store import Store
from cnnlab.settings.objectives import LATENCY
from cnnlab.training.answering import answer_of, gpu_memory
from cnnlab.training.checkpoints import Checkpoints
from cnnlab.training.control import Control, PausedError
from cnnlab.training.engines.base import Engine, longest_chunk
from cnnlab.training.equipment import Equipment, equip, split_images, split_labels
from cnnlab.training.evaluation import Answers, check_answers, evaluate, evaluate_views, losses_and_accuracies
from cnnlab.training.inference import measure_latency
from cnnlab.training.loop import Ended, Loop, chunk_length
from cnnlab.training.models import network_shape
from cnnlab.training.probe import Probe
from cnnlab.training.rates import learning_rates
from cnnlab.training.recorder import NullRecorder, Recorder
from cnnlab.training.report import Report
from cnnlab.training.stages import Stages
from cnnlab.training.test_time import views_of
from cnnlab.training.transfer import begin_transfer

# Images and labels by output, by split.
Splits = dict[str, tuple[NDArray[np.uint8], dict[str, NDArray[np.int32]]]]

# Added to the seed of first weights where others are taken from a source.
HEAD_SEED = 1_000_003

# How each backend words that memory is full, in the text or the class of its error.
OUT_OF_MEMORY_SIGNS = ("resource_exhausted", "resourceexhausted", "out of memory", "outofmemory", "unable to allocate")


@dataclass(frozen=True)
class Context:
    """What surrounds a training: where its state is kept, and who may stop it.

    Attributes:
        checkpoint_folder: None for a training that cannot go on after it was stopped.
        run_dir: Of the run in its store, whose other runs may be sources of weights; None for a training
            outside of a run, which finds them in the usual store.
    """

    checkpoint_folder: Path | None = None
    control: Control = field(default_factory=Control)
    run_dir: Path | None = None

    @property
    def store(self) -> Store:
        """Return where earlier runs are."""
        return Store(self.run_dir.absolute().parent.parent if self.run_dir else None)

    def checkpoints(self, config: RunConfig) -> Checkpoints | None:
        """Return the checkpoints of a config."""
        if self.checkpoint_folder is None:
            return None
        return Checkpoints(self.checkpoint_folder, state_name(config))


@dataclass(frozen=True)
class Trained:
    """A trained network with what it cost and what it answers.

    Attributes:
        answers: By split (`val`, `test`), then by output; the mean over the views of `test_time`.
        plain_answers: Likewise, of each image as it is.
        ended: Why and when the epochs ended.
        gpu_memory_bytes: What the backend's tensors took of the GPU at most; None without one.
        latency: The row of `schema.INFERENCE` for one image, without the run; None where nobody asked for it.
    """

    network: keras.Model
    costs: Costs
    outputs: dict[str, tuple[str, ...]]
    answers: dict[str, dict[str, Answers]]
    plain_answers: dict[str, dict[str, Answers]]
    test_time: str
    ended: Ended
    images_per_s: float
    gpu_memory_bytes: int | None
    latency: dict[str, Any] | None = None

    def result(self) -> dict[str, Any]:
        """Return the numbers of `result.json`."""
        plain = {} if self.test_time == "none" else {"plain": _scores(self.plain_answers)}
        return {
            "num_params": self.costs.num_params,
            "trainable_params": self.costs.trainable_params,
            "macs": self.costs.macs,
            "depth": self.costs.depth,
            "not_counted": list(self.costs.not_counted),
            "ended_by": self.ended.reason,
            "epochs_done": self.ended.epochs_done,
            "best_epoch": self.ended.best_epoch,
            "kept_epoch": self.ended.kept_epoch,
            "train_s": round(self.ended.train_s, 3),
            "images_per_s": round(self.images_per_s, 1),
            "gpu_memory_bytes": self.gpu_memory_bytes,
            # The quick calls: the others say what else the machine did, which would mislead a search.
            **({LATENCY: round(1000 * self.latency["p10_s"], 6)} if self.latency else {}),
            "test_time": self.test_time,
            **_scores(self.answers),
            **plain,
            "main_output": next(iter(self.outputs)),
            "outputs": {name: list(classes) for name, classes in self.outputs.items()},
        }


def _scores(answers: dict[str, dict[str, Answers]]) -> dict[str, dict[str, dict[str, Any]]]:
    return {split: {name: one.scores() for name, one in by.items()} for split, by in answers.items()}


def train(
    config: RunConfig, dataset: Dataset, recorder: Recorder | None = None, context: Context | None = None
) -> Trained:
    """Train, keep the best weights where early stopping asks for it, and evaluate.

    Goes on from the checkpoint of `context` where there is one.

    Raises:
        TrainingError: memory is full, or the loss became NaN.
        ConfigError: the config does not fit the data.
        DatasetError: a split has no images.
        PausedError: a pause was asked for; the checkpoint holds the state.
    """
    try:
        return _train(config, dataset, recorder or NullRecorder(), context or Context())
    except PausedError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise TrainingError("out_of_memory", _first_line(error)) from error
        raise


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether `error` is some backend's way to say that memory is full."""
    text = f"{type(error).__name__} {error}".lower()
    return isinstance(error, MemoryError) or any(sign in text for sign in OUT_OF_MEMORY_SIGNS)


def _train(config: RunConfig, dataset: Dataset, recorder: Recorder, context: Context) -> Trained:
    training = config.training
    _seed(config)
    splits = _splits(config, dataset)
    equipment = equip(config, dataset.info, *splits["train"], context.store)
    feed = equipment.feed
    rates = learning_rates(training, feed.steps_per_epoch, config.tricks)
    loop = _loop(config, equipment, splits, rates, recorder, context)
    position = loop.restore()
    report = Report(recorder, rates, training.epochs, feed.batch_size, position.elapsed_s)
    recorder.event("training_started", steps_per_epoch=feed.steps_per_epoch, epoch=position.epoch, step=position.step)
    ended = loop.run(report)
    gpu_memory_bytes = gpu_memory.peak_bytes()  # before the evaluation, whose batches are larger
    recorder.event("evaluating", reason=ended.reason)
    views = views_of(config.tricks)
    seen = {split: evaluate_views(loop.engine.predict, *splits[split], views) for split in ("val", "test")}
    for one, _ in seen.values():
        check_answers(one)
    network = equipment.networks[0]
    latency = None
    if config.compute.measure_latency:
        recorder.event("measuring_latency")
        latency = measure_latency(answer_of(network), splits["test"][0].shape[1:], config.compute.backend)
    return Trained(
        network=network,
        costs=costs(network),
        outputs={name: tuple(classes) for name, classes in network_shape(config, dataset.info).outputs.items()},
        answers={split: averaged for split, (averaged, _) in seen.items()},
        plain_answers={split: plain for split, (_, plain) in seen.items()},
        test_time=config.tricks.test_time,
        ended=ended,
        images_per_s=report.images_per_s,
        gpu_memory_bytes=gpu_memory_bytes,
        latency=latency,
    )


def _seed(config: RunConfig) -> None:
    training = config.training
    # A head that begins anew beside weights of a run with the same seed would begin as that run's own head did.
    keras.utils.set_random_seed(training.seed + (HEAD_SEED if config.transfer.source else 0))
    if training.deterministic and keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()


def _splits(config: RunConfig, dataset: Dataset) -> Splits:
    return {
        split: (split_images(config, dataset, split), split_labels(config, dataset, split))
        for split in ("train", "val", "test")
    }


def _loop(
    config: RunConfig,
    equipment: Equipment,
    splits: Splits,
    rates: NDArray[np.float64],
    recorder: Recorder,
    context: Context,
) -> Loop:
    """Return the loop before its first step, with weights taken from elsewhere where the config says so."""
    training, feed, model = config.training, equipment.feed, equipment.model
    checkpoints = context.checkpoints(config)
    transfer = begin_transfer(
        config, equipment.networks[0], list(model.num_classes), context.store, context.run_dir,
        is_going_on=checkpoints is not None and checkpoints.path.exists(),
    )  # fmt: skip
    if transfer is not None:
        transfer.enter(0)
        recorder.event("weights_taken", source=config.transfer.source, **transfer.summary())

    def engine_from(epoch: int) -> tuple[keras.optimizers.Optimizer, Engine]:
        """Return optimizer and engine for what is trainable now, from an epoch on."""
        return equipment.engine(rates[epoch * feed.steps_per_epoch :], transfer)

    optimizer, engine = engine_from(0)
    loop = Loop(
        training, model, optimizer, engine, feed,
        # Weights that are learnt move: a sum with them would not tell which epoch is the best.
        validate=lambda: losses_and_accuracies(evaluate(loop.engine.predict, *splits["val"]), config.heads.weights),
        steps_per_call=chunk_length(feed.steps_per_epoch, longest_chunk()),
        checkpoints=checkpoints,
        control=context.control,
        probe=Probe(model, engine, *splits["train"], training.batch_size, training.seed),
        stages=Stages(transfer, engine_from) if transfer else None,
    )  # fmt: skip
    return loop


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__
