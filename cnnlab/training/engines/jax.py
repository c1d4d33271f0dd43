"""Steps on JAX: many in one compiled scan, on images that stay on the device where they fit."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
import psutil
from numpy.typing import NDArray

from cnnlab.training.engines.base import Chunk, GradientFunction, GradientNorms, Measured
from cnnlab.training.model import TrainingModel, as_dict
from cnnlab.training.sharpness import perturbations, statistics_kept

# One dispatch each: on a GPU small steps take less time than their dispatch. On a CPU steps are called one
# by one: XLA's convolutions there run on one core within a loop (LeNet-5: 400 in place of 5,000 images/s).
LONGEST_CHUNK = 64
# Of the memory of the device, for a split that stays there.
SHARE_ON_DEVICE = 0.4


class JaxEngine:
    """Holds the state of model and optimizer as arrays; Keras's variables follow at `sync`.

    Args:
        images: `(n, height, width, channels)` uint8, to be kept on the device; chunks then name
            rows. None: chunks bring their pixels.
        labels: `(n,)` by output, likewise.
    """

    def __init__(
        self,
        model: TrainingModel,
        optimizer: keras.optimizers.Optimizer,
        images: NDArray[np.uint8] | None = None,
        labels: Mapping[str, NDArray[np.int32]] | None = None,
    ) -> None:
        self._model = model
        self._optimizer = optimizer
        optimizer.build(model.trainable_variables)
        self._resident = (
            None if images is None else (jax.device_put(np.asarray(images)), jax.device_put(dict(labels or {})))
        )
        # What a chunk has replaced is given back at once: state is there once, not twice.
        self._compiled_steps = jax.jit(self._steps, donate_argnums=0, static_argnums=3)
        self._compiled_answer = jax.jit(self._answer)
        self._state: Any = None
        self.reload()

    def train(self, chunk: Chunk) -> Measured:
        if self._resident is None:
            batches: Any = (chunk.images, dict(chunk.labels))
        else:
            batches = chunk.rows
        if jax.default_backend() == "cpu":
            steps = [jax.tree.map(lambda one, at=at: one[at : at + 1], batches) for at in range(chunk.num_steps)]
            each = [self._run(step) for step in steps]
            return {name: np.concatenate([one[name] for one in each]) for name in each[0]}
        return self._run(batches)

    def _run(self, batches: Any) -> Measured:
        self._state, measured = self._compiled_steps(self._state, self._resident, batches, self._model.size_px)
        return measured  # still on its way: who reads it waits

    def predict(self, images: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        trained, kept, _ = self._state
        answer = self._compiled_answer(trained, kept, images)
        return {name: np.asarray(logits) for name, logits in as_dict(answer, self._model.num_classes).items()}

    def sync(self) -> None:
        trained, kept, optimizing = self._state
        for variables, values in (
            (self._model.trainable_variables, trained),
            (self._model.non_trainable_variables, kept),
            (self._optimizer.variables, optimizing),
        ):
            for variable, value in zip(variables, values, strict=True):
                variable.assign(jnp.copy(value))  # the next chunk gives the array itself away

    def reload(self) -> None:
        self._state = tuple(
            [jnp.copy(variable.value) for variable in variables]
            for variables in (
                self._model.trainable_variables,
                self._model.non_trainable_variables,
                self._optimizer.variables,
            )
        )

    def _steps(self, state: Any, resident: Any, batches: Any, _size_px: int | None) -> tuple[Any, Any]:
        # The model knows its size itself; as an argument it makes a program for each.
        def step(state: Any, batch: Any) -> tuple[Any, Any]:
            if resident is not None:
                images, labels = resident
                batch = (images[batch], {name: values[batch] for name, values in labels.items()})
            return self._step(state, *batch)

        if len(jax.tree.leaves(batches)[0]) == 1:
            state, measured = step(state, jax.tree.map(lambda one: one[0], batches))
            return state, {name: value[None] for name, value in measured.items()}
        return jax.lax.scan(step, state, batches)

    def _step(self, state: Any, images: Any, labels: Mapping[str, Any]) -> tuple[Any, Any]:
        trained, kept, optimizing = state
        kept, (images, targets) = self._stateless(trained, kept, partial(self._model.augment, images, labels))

        def loss_of(trained: Any, kept: Any) -> tuple[Any, Any]:
            call = partial(self._model.__call__, images, targets, training=True)
            after, measured = self._stateless(trained, kept, call)
            return self._scaled(measured["loss"], optimizing), (after, measured)

        gradients_at = jax.value_and_grad(loss_of, has_aux=True)
        (_, (kept, measured)), gradients = gradients_at(trained, kept)
        if self._model.sam_rho:
            steps = perturbations(gradients, self._model.sam_rho)
            with statistics_kept(self._model):
                (_, (kept, _)), gradients = gradients_at(
                    [at + step for at, step in zip(trained, steps, strict=True)], kept
                )
        trained, optimizing = self._optimizer.stateless_apply(optimizing, gradients, trained)
        kept, _ = self._stateless(trained, kept, self._model.after_step)
        return (trained, kept, optimizing), measured

    def _scaled(self, loss: Any, optimizing: Any) -> Any:
        with keras.StatelessScope(state_mapping=list(zip(self._optimizer.variables, optimizing, strict=True))):
            return self._optimizer.scale_loss(loss)

    def _stateless(self, trained: Any, kept: Any, call: Any) -> tuple[Any, Any]:
        """Return the variables that are not trained after `call`, and what it returned."""
        others = self._model.non_trainable_variables
        mapping = [*zip(self._model.trainable_variables, trained, strict=True), *zip(others, kept, strict=True)]
        with keras.StatelessScope(state_mapping=mapping) as scope:
            returned = call()
        after = [scope.get_current_value(variable) for variable in others]
        return [old if new is None else new for old, new in zip(kept, after, strict=True)], returned

    def _answer(self, trained: Any, kept: Any, images: Any) -> Any:
        network = partial(self._model.network, jnp.asarray(images, "float32"), training=False)
        return self._stateless(trained, kept, network)[1]


def build(model: TrainingModel, optimizer: keras.optimizers.Optimizer, **options: Any) -> JaxEngine:
    return JaxEngine(model, optimizer, **options)


def fits(num_bytes: int) -> bool:
    """Return whether a split of that size may stay on the device."""
    stats = jax.devices()[0].memory_stats() or {}
    limit = stats.get("bytes_limit") or psutil.virtual_memory().available
    return bool(num_bytes <= SHARE_ON_DEVICE * limit)


def gradient_norms(function: GradientFunction, _model: TrainingModel) -> GradientNorms:
    """See `base.build_gradient_norms`."""

    @jax.jit
    def norms(values: Any, *rest: Any) -> Any:
        gradients, more = jax.grad(function, has_aux=True)(values, *rest)
        return [jnp.linalg.norm(gradient.ravel()) for gradient in gradients], more

    return norms
