"""Steps on TensorFlow: graphs without XLA, which makes a CPU slower (0.4x to 0.9x measured)."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from cnnlab.training.engines.base import Chunk, Measured
from cnnlab.training.engines.fused_normalisation import fused_normalisation
from cnnlab.training.model import TrainingModel, as_dict

# The next chunk is made ready meanwhile; progress is told after each.
LONGEST_CHUNK = 16


class TensorFlowEngine:
    """One call of a compiled graph per step."""

    def __init__(self, model: TrainingModel, optimizer: keras.optimizers.Optimizer) -> None:
        self._model = model
        self._optimizer = optimizer
        optimizer.build(model.trainable_variables)
        self._compiled_step = tf.function(self._step, jit_compile=False)
        self._compiled_answer = tf.function(self._answer, jit_compile=False, reduce_retracing=True)

    def train(self, chunk: Chunk) -> Measured:
        assert chunk.images is not None
        steps = [
            self._compiled_step(
                tf.constant(chunk.images[index]),
                {name: tf.constant(values[index]) for name, values in chunk.labels.items()},
            )
            for index in range(chunk.num_steps)
        ]
        return {name: np.array([float(step[name]) for step in steps]) for name in steps[0]}

    def predict(self, images: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        answer = self._compiled_answer(tf.constant(np.ascontiguousarray(images)))
        return {name: logits.numpy() for name, logits in as_dict(answer, self._model.num_classes).items()}

    def sync(self) -> None:
        """Nothing to do: a graph works on the variables themselves."""

    def reload(self) -> None:
        """Nothing to do: a graph works on the variables themselves."""

    def _step(self, images: Any, labels: Mapping[str, Any]) -> dict[str, Any]:
        with fused_normalisation(self._model):  # while the graph is made; it is not run again after
            images, targets = self._model.augment(images, labels)
            variables = self._model.trainable_variables
            with tf.GradientTape() as tape:
                measured = self._model(images, targets, training=True)
                loss = self._optimizer.scale_loss(measured["loss"])
            gradients = tape.gradient(loss, variables)
            self._optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return measured

    def _answer(self, images: Any) -> Any:
        return self._model.network(tf.cast(images, tf.float32), training=False)


def build(model: TrainingModel, optimizer: keras.optimizers.Optimizer) -> TensorFlowEngine:
    return TensorFlowEngine(model, optimizer)


def fits(_num_bytes: int) -> bool:
    """Images come with each step: on a CPU they are in its memory anyway."""
    return False
