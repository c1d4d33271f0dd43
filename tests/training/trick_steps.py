"""A few steps of a linear network with each trick, and short trainings in 16 bits, on the backend at work."""

import os
from pathlib import Path

import keras
import numpy as np

from cnnlab.config import TrainingConfig, TricksConfig, config_from_dict
from cnnlab.datasets.storage import open_dataset
from cnnlab.training import trainer
from cnnlab.training.averages import WeightAverages
from cnnlab.training.class_weights import balanced
from cnnlab.training.control import Control, PausedError
from cnnlab.training.distillation import Teacher
from cnnlab.training.engines.base import Chunk, build_engine
from cnnlab.training.losses import build_loss
from cnnlab.training.model import TrainingModel
from cnnlab.training.optimizers import build_optimizer

STEPS, BATCH, PIXELS, CLASSES = 6, 8, 4, 3
RATE, DECAY = 0.5, 0.1
TEACHER = {"distill_temperature": 3.0, "distill_weight": 0.4}
CASES = {
    "plain": {},
    "momentum": {"momentum": 0.9},
    "nesterov": {"momentum": 0.9, "nesterov": True},
    "clipped": {"clip_norm": 0.2},
    "averaged": {"ema_decay": 0.2},
    "sharpness": {"sam_rho": 0.5},
    "focal": {"focal_gamma": 1.5},
    "weighted": {"class_weights": "balanced"},
    "taught": {"distill_from": "teacher", **TEACHER},
    "kernels decayed": {"decay": True},
    "all decayed": {"decay": True, "decay_all": True},
    "together": {
        "decay": True, "decay_all": True, "clip_norm": 0.2, "ema_decay": 0.2, "sam_rho": 0.5, "focal_gamma": 1.5,
        "class_weights": "balanced", "distill_from": "teacher", "smoothing": 0.1, **TEACHER,
    },
}  # fmt: skip

# What runs in other backends: all tricks at once, and what they do not cover; with CNNLAB_SLOW_TESTS each alone.
ELSEWHERE = tuple(CASES) if os.environ.get("CNNLAB_SLOW_TESTS") else ("plain", "nesterov", "together")
# To compute convolutions in 16 bits takes JAX long on a CPU: few of them, on the digits as small as they are.
SIDE_PX = 8
SMALL = [{"kind": "conv", "filters": 8, "stride": 2}, {"kind": "activation", "function": "relu"}, "flatten"]
PRECISIONS = ("bfloat16", "float16") if os.environ.get("CNNLAB_SLOW_TESTS") else ("bfloat16",)


def start() -> dict[str, np.ndarray]:
    """Images, labels and first weights: the same on every backend."""
    random = np.random.default_rng(3)
    return {
        "images": random.integers(0, 256, (STEPS, BATCH, 2, 2, 1)).astype(np.uint8),
        "labels": np.minimum(random.integers(0, 5, (STEPS, BATCH)), CLASSES - 1).astype(np.int32),
        "kernel": random.normal(size=(PIXELS, CLASSES)),
        "bias": random.normal(size=CLASSES),
        "teacher_kernel": random.normal(size=(PIXELS, CLASSES)),
        "teacher_bias": random.normal(size=CLASSES),
    }


def linear(kernel: np.ndarray, bias: np.ndarray) -> keras.Model:
    """A linear network of four pixels in 0 to 1."""
    images = keras.Input((2, 2, 1))
    x = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(images))
    network = keras.Model(images, keras.layers.Dense(CLASSES)(x))
    network.set_weights([kernel, bias])
    return network


def run(case: dict) -> dict[str, list]:
    """Return the loss of each step, the last weights and their averages."""
    given = dict(case)
    decay, smoothing = given.pop("decay", False), given.pop("smoothing", 0.0)
    inertia = {"momentum": given.pop("momentum", 0.0), "nesterov": given.pop("nesterov", False)}
    data, tricks = start(), TricksConfig(**given)
    network = linear(data["kernel"], data["bias"])
    teacher = None
    if tricks.distill_from:
        taught = linear(data["teacher_kernel"], data["teacher_bias"])
        teacher = Teacher(taught, ["label"], tricks.distill_temperature, tricks.distill_weight, (2, 2))
    weights = balanced(np.bincount(data["labels"].ravel())) if tricks.class_weights == "balanced" else None
    model = TrainingModel(
        network, None, {"label": CLASSES}, {"label": build_loss(smoothing, tricks.focal_gamma, weights)},
        teacher=teacher,
        averages=WeightAverages(network, tricks.ema_decay) if tricks.ema_decay else None,
        sam_rho=tricks.sam_rho,
    )  # fmt: skip
    training = TrainingConfig(optimizer="sgd", weight_decay=DECAY if decay else 0.0, **inertia)
    engine = build_engine(model, build_optimizer(training, RATE, tricks))
    rows = np.zeros((STEPS, BATCH), np.int32)
    losses = engine.train(Chunk(rows, data["images"], {"label": data["labels"]}))["loss"]
    engine.sync()
    found = {"loss": np.asarray(losses).tolist()}
    found["kernel"], found["bias"] = (weight.tolist() for weight in network.get_weights())
    if model.averages is not None:
        model.averages.swap(network)
        found["mean_kernel"], found["mean_bias"] = (weight.tolist() for weight in network.get_weights())
    return found


class PauseOnce(Control):
    """Asks for a pause at its second look."""

    looks = 0

    def is_pause_wanted(self) -> bool:
        self.looks += 1
        return self.looks == 2


def train_in_16_bits(precision: str, folder: Path, *, is_resumed: bool) -> dict[str, float]:
    """Train with averages and two gradients per step; return the accuracy, and how far a resumed training is off."""
    trainer.longest_chunk = lambda: 3
    digits = open_dataset(folder, "digits")
    training = {"epochs": 3, "batch_size": 128, "precision": precision, "learning_rate": 0.01}
    tricks = {"ema_decay": 0.9, "sam_rho": 0.02, "clip_norm": 5.0}
    network = {"name": "layers", "parameters": {"layers": SMALL}}
    config = config_from_dict(
        {"data": {"image_size": SIDE_PX}, "architecture": network, "training": training, "tricks": tricks}
    )
    whole = resumed = trainer.train(config, digits)
    if is_resumed:
        try:
            trainer.train(config, digits, context=trainer.Context(folder / precision, PauseOnce()))
        except PausedError:
            resumed = trainer.train(config, digits, context=trainer.Context(folder / precision))
    pairs = zip(whole.network.get_weights(), resumed.network.get_weights(), strict=True)
    whole.network.save(folder / f"{precision}.keras")
    np.save(folder / f"{precision}.npy", whole.answers["test"]["label"].probabilities)
    return {
        "accuracy": whole.result()["test"]["label"]["accuracy"],
        "resumed_off": max(float(np.abs(one - two).max()) for one, two in pairs),
    }


def answers(folder: str) -> dict:
    """Return the steps of each case, and what short trainings in 16 bits reach; their networks are left in `folder`."""
    found: dict = {name: run(CASES[name]) for name in ELSEWHERE}
    for each in PRECISIONS:
        found[each] = train_in_16_bits(each, Path(folder), is_resumed=each == "float16")
    return found
