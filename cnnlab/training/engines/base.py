"""What the loop asks of a backend."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import keras
import numpy as np
from numpy.typing import NDArray

from cnnlab.training.model import TrainingModel

MODULES = {"tensorflow": "tensorflow", "jax": "jax", "torch": "torch"}


@dataclass(frozen=True)
class Chunk:
    """Images of one or more steps.

    Attributes:
        rows: Of the train split, `(steps, batch)` int32.
        images: `(steps, batch, height, width, channels)` uint8; None where the engine has them.
        labels: `(steps, batch)` int32 by output; likewise.
    """

    rows: NDArray[np.int32]
    images: NDArray[np.uint8] | None = None
    labels: Mapping[str, NDArray[np.int32]] = field(default_factory=dict)

    @property
    def num_steps(self) -> int:
        return len(self.rows)


Measured = dict[str, NDArray[np.float64]]  # by name, one value per step
# From tensors and whatever else to a scalar and more tensors.
GradientFunction = Callable[..., tuple[Any, Any]]
# From the same to the norm of the scalar's gradient by each of the tensors, and the more.
GradientNorms = Callable[..., tuple[list[Any], Any]]


class Engine(Protocol):
    """Runs the steps of one training model; its state is in the model's variables whenever `sync` returns."""

    def train(self, chunk: Chunk) -> Measured:
        """Run the steps of a chunk and return what each of them measured."""

    def predict(self, images: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        """Return the logits `(batch, num_classes)` by output."""

    def sync(self) -> None:
        """Bring the variables of model and optimizer up to date, before others read or set them."""

    def reload(self) -> None:
        """Take the variables as they are now: somebody has set them."""


def build_engine(model: TrainingModel, optimizer: keras.optimizers.Optimizer, **options: Any) -> Engine:
    """Return the engine of the backend at work."""
    module = importlib.import_module(f"cnnlab.training.engines.{MODULES[keras.backend.backend()]}")
    engine: Engine = module.build(model, optimizer, **options)
    return engine


def fits_on_device(num_bytes: int) -> bool:
    """Return whether the backend at work keeps a split of that size on its device."""
    module = importlib.import_module(f"cnnlab.training.engines.{MODULES[keras.backend.backend()]}")
    return bool(module.fits(num_bytes))


def longest_chunk() -> int:
    """Return how many steps the backend at work takes at once at most."""
    module = importlib.import_module(f"cnnlab.training.engines.{MODULES[keras.backend.backend()]}")
    return int(module.LONGEST_CHUNK)


def build_gradient_norms(function: GradientFunction, model: TrainingModel) -> GradientNorms:
    """Return how long the gradients of a function are: of the scalar it returns first, by its first argument.

    Args:
        function: Takes a list of tensors and further arguments, returns a scalar and a tree of tensors.
        model: What the function calls.
    """
    module = importlib.import_module(f"cnnlab.training.engines.{MODULES[keras.backend.backend()]}")
    norms: GradientNorms = module.gradient_norms(function, model)
    return norms
