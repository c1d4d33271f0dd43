"""Steps on PyTorch, as it runs them: one after the other."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import torch
from numpy.typing import NDArray

from cnnlab.training.engines.base import Chunk, GradientFunction, GradientNorms, Measured
from cnnlab.training.model import TrainingModel, as_dict
from cnnlab.training.sharpness import moved, perturbations, statistics_kept

# The next chunk is made ready meanwhile; progress is told after each.
LONGEST_CHUNK = 8


class TorchEngine:
    """Keras's variables are PyTorch's parameters: nothing has to be kept beside them."""

    def __init__(self, model: TrainingModel, optimizer: keras.optimizers.Optimizer) -> None:
        self._model = model
        self._optimizer = optimizer
        optimizer.build(model.trainable_variables)

    def train(self, chunk: Chunk) -> Measured:
        assert chunk.images is not None
        steps = [
            self._step(chunk.images[index], {name: values[index] for name, values in chunk.labels.items()})
            for index in range(chunk.num_steps)
        ]
        return {name: np.array([step[name] for step in steps]) for name in steps[0]}

    def _step(self, images: NDArray[np.uint8], labels: dict[str, NDArray[np.int32]]) -> dict[str, float]:
        tensors = {name: keras.ops.convert_to_tensor(values) for name, values in labels.items()}
        with torch.no_grad():
            pixels, targets = self._model.augment(keras.ops.convert_to_tensor(images), tensors)
        variables = self._model.trainable_variables
        measured, gradients = self._gradients(pixels, targets)
        if self._model.sam_rho:
            steps = perturbations(gradients, self._model.sam_rho)
            with moved(variables, steps), statistics_kept(self._model):
                _, gradients = self._gradients(pixels, targets)
        with torch.no_grad():
            self._optimizer.apply(gradients, variables)
            self._model.after_step()
        return {name: float(value) for name, value in measured.items()}

    def _gradients(self, images: Any, targets: Mapping[str, Any]) -> tuple[dict[str, Any], list[Any]]:
        self._model.zero_grad()  # to none, so that what was returned before stays as it is
        measured = self._model(images, targets, training=True)
        self._optimizer.scale_loss(measured["loss"]).backward()
        return measured, [variable.value.grad for variable in self._model.trainable_variables]

    def predict(self, images: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        with torch.no_grad():
            pixels: Any = keras.ops.cast(keras.ops.convert_to_tensor(np.ascontiguousarray(images)), "float32")
            answer = as_dict(self._model.network(pixels, training=False), self._model.num_classes)
        return {name: keras.ops.convert_to_numpy(logits) for name, logits in answer.items()}

    def sync(self) -> None:
        """Nothing to do: a step works on the variables themselves."""

    def reload(self) -> None:
        """Nothing to do: a step works on the variables themselves."""


def build(model: TrainingModel, optimizer: keras.optimizers.Optimizer) -> TorchEngine:
    return TorchEngine(model, optimizer)


def fits(_num_bytes: int) -> bool:
    """Images come with each step: on a CPU they are in its memory anyway."""
    return False


def gradient_norms(function: GradientFunction, _model: TrainingModel) -> GradientNorms:
    """See `base.build_gradient_norms`."""

    def norms(values: Any, *rest: Any) -> Any:
        leaves = [value.detach().clone().requires_grad_() for value in values]
        scalar, more = function(leaves, *rest)
        gradients = torch.autograd.grad(scalar, leaves, allow_unused=True)
        return [0.0 if gradient is None else float(gradient.norm()) for gradient in gradients], more

    return norms
