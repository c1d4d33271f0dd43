"""Sharpness-aware minimisation: where the second gradient of a step is taken."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import keras
from keras import ops

SMALLEST_NORM = 1e-12


def perturbations(gradients: Sequence[Any], rho: float) -> list[Any]:
    """Return `rho * g / ||g||` for each gradient, the norm being that of all together; None stays None.

    A factor on all gradients, as loss scaling puts there, changes nothing.

    Source: Foret et al. 2020, arXiv:2010.01412, equation (2) with p = 2.
    """
    # Divided by the largest first: squares of scaled gradients may overflow.
    present = [gradient for gradient in gradients if gradient is not None]
    largest = ops.max(ops.stack([ops.max(ops.abs(gradient)) for gradient in present]))
    largest = ops.maximum(largest, SMALLEST_NORM)
    squares = [ops.sum(ops.square(gradient / largest)) for gradient in present]
    norm = ops.sqrt(sum(squares[1:], squares[0]))
    factor = rho / ops.maximum(norm, SMALLEST_NORM) / largest
    return [None if gradient is None else factor * gradient for gradient in gradients]


@contextlib.contextmanager
def statistics_kept(model: keras.Model) -> Iterator[None]:
    """Let batch normalisations leave their moving statistics alone meanwhile: they follow one pass per step.

    Works while a graph is made as well, for the momentum is a constant of it.
    """
    layers = [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.BatchNormalization)]
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        layer.momentum = 1.0
    try:
        yield
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum


@contextlib.contextmanager
def moved(variables: Sequence[Any], steps: Sequence[Any]) -> Iterator[None]:
    """Move variables meanwhile and put them back exactly; for backends whose steps work on the variables themselves."""
    before = [ops.copy(ops.stop_gradient(variable)) for variable in variables]
    for variable, step in zip(variables, steps, strict=True):
        if step is not None:
            variable.assign_add(step)
    yield
    for variable, value in zip(variables, before, strict=True):
        variable.assign(value)
