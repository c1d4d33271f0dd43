"""Steps on TensorFlow: graphs without XLA, which makes a CPU slower (0.4x to 0.9x measured)."""

import math
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from cnnlab.training.engines.base import Chunk, GradientFunction, GradientNorms, Measured
from cnnlab.training.engines.own_kernels import own_kernels
from cnnlab.training.model import TrainingModel, as_dict
from cnnlab.training.sharpness import moved, perturbations, statistics_kept

# The next chunk is made ready meanwhile; progress is told after each.
LONGEST_CHUNK = 16


# Steps of fewer multiply-accumulates than this run in a loop within the graph: there a call costs as much
# as the step. The loop's bookkeeping makes larger steps slower. Measured at batch 128 on two cores:
# LeNet-5 (83 million) 1.5x, ResNet-20 (5.2 billion) 0.5x to 0.8x. A rule, not a trial at the start:
# the same config gives the same numbers each time.
LOOP_BELOW_MACS = 1e9


class TensorFlowEngine:
    """Calls of a compiled graph: one per step, or for small networks one per chunk."""

    def __init__(self, model: TrainingModel, optimizer: keras.optimizers.Optimizer) -> None:
        self._model = model
        self._optimizer = optimizer
        optimizer.build(model.trainable_variables)
        # Nothing here is Python that has to become graph: translating it took a quarter of the time to the first step.
        self._compiled_step = tf.function(self._step, autograph=False, jit_compile=False)
        self._compiled_steps = tf.function(self._steps, autograph=False, jit_compile=False, reduce_retracing=True)
        self._macs = _kernel_macs(model.network)
        self._compiled_answer = tf.function(self._answer, autograph=False, jit_compile=False, reduce_retracing=True)

    def train(self, chunk: Chunk) -> Measured:
        assert chunk.images is not None
        if self._macs * chunk.rows.shape[1] < LOOP_BELOW_MACS:
            measured = self._compiled_steps(tf.constant(chunk.images), _constants(chunk.labels), self._model.size_px)
            return {name: values.numpy() for name, values in measured.items()}
        steps = [
            self._compiled_step(
                tf.constant(chunk.images[index]),
                _constants({name: all_[index] for name, all_ in chunk.labels.items()}),
                self._model.size_px,
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

    def _step(self, images: Any, labels: Mapping[str, Any], _size_px: int | None) -> dict[str, Any]:
        # The model knows its size itself; as an argument it makes a graph for each.
        with own_kernels(self._model):  # while the graph is made; it is not run again after
            images, targets = self._model.augment(images, labels)
            variables = self._model.trainable_variables
            measured, gradients = self._gradients(images, targets)
            if self._model.sam_rho:
                steps = perturbations(gradients, self._model.sam_rho)
                with moved(variables, steps), statistics_kept(self._model):
                    _, gradients = self._gradients(images, targets)
            self._optimizer.apply_gradients(zip(gradients, variables, strict=True))
            self._model.after_step()
        return measured

    def _gradients(self, images: Any, targets: Mapping[str, Any]) -> tuple[dict[str, Any], list[Any]]:
        with tf.GradientTape() as tape:
            measured = self._model(images, targets, training=True)
            loss = self._optimizer.scale_loss(measured["loss"])
        return measured, tape.gradient(loss, self._model.trainable_variables)

    def _steps(self, images: Any, labels: Mapping[str, Any], size_px: int | None) -> dict[str, Any]:
        """Run a chunk as one loop."""
        count = tf.shape(images)[0]
        kept = {name: tf.TensorArray(tf.float32, count, element_shape=()) for name in self._model.measures}

        def body(index: Any, kept: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
            step = self._step(images[index], {name: values[index] for name, values in labels.items()}, size_px)
            return index + 1, {name: array.write(index, step[name]) for name, array in kept.items()}

        _, kept = tf.while_loop(lambda index, _: index < count, body, (0, kept), parallel_iterations=1)
        return {name: array.stack() for name, array in kept.items()}

    def _answer(self, images: Any) -> Any:
        return self._model.network(tf.cast(images, tf.float32), training=False)


def build(model: TrainingModel, optimizer: keras.optimizers.Optimizer) -> TensorFlowEngine:
    return TensorFlowEngine(model, optimizer)


def fits(_num_bytes: int) -> bool:
    """Images come with each step: on a CPU they are in its memory anyway."""
    return False


def _constants(labels: Mapping[str, NDArray[np.int32]]) -> dict[str, Any]:
    return {name: tf.constant(values) for name, values in labels.items()}


def _kernel_macs(network: keras.Model) -> int:
    """Return about how many multiply-accumulates one image takes, by the kernels: `analysis.costs` counts exactly."""
    total = 0
    for layer in network._flatten_layers(include_self=False, recursive=True):
        kernel = getattr(layer, "kernel", None)
        if kernel is not None and getattr(layer, "_inbound_nodes", None):
            places = math.prod(side or 1 for side in layer.output.shape[1:-1])
            total += math.prod(kernel.shape) * places
    return total


def gradient_norms(function: GradientFunction, model: TrainingModel) -> GradientNorms:
    """See `base.build_gradient_norms`. Without a graph: to trace one takes longer than the few calls there are."""

    def norms(values: Any, *rest: Any) -> Any:
        tensors = [tf.convert_to_tensor(value) for value in values]
        with own_kernels(model), tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(tensors)
            scalar, more = function(tensors, *rest)
        gradients = tape.gradient(scalar, tensors, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        return [float(tf.norm(tf.convert_to_tensor(gradient))) for gradient in gradients], more

    return norms
