"""A moving average of a network's weights, and validation with it."""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
from keras import ops

from cnnlab.training.engines.base import Engine
from cnnlab.training.model import TrainingModel


class WeightAverages(keras.layers.Layer):
    """The average of every floating-point variable of a network: after step t it keeps the share d of what it was.

    `d = min(decay, t / (9 + t))`, t from 0: it begins with the weights after the first step, and early ones are soon
    forgotten (TensorFlow's ExponentialMovingAverage with `num_updates` does the same). The moving statistics of
    batch normalisation are averaged alike: they belong to the weights of those steps. Seeds are not averaged.

    All of it is variables that are not trained, so that a checkpoint holds it.

    Source: Polyak and Juditsky 1992; Tan and Le 2019, arXiv:1905.11946, section 5.2 average for evaluation alike.
    """

    def __init__(self, network: keras.Model, decay: float) -> None:
        super().__init__(name="averages", dtype="float32", trainable=False)
        self._decay = decay
        self._steps = self.add_weight(shape=(), initializer="zeros", dtype="int32", trainable=False, name="steps")
        self._averages = []
        for index, variable in enumerate(averaged_variables(network)):
            about = {"shape": variable.shape, "dtype": variable.dtype, "name": f"average{index}"}
            self._averages.append(self.add_weight(initializer="zeros", trainable=False, **about))
        self.built = True

    def update(self, network: keras.Model) -> None:
        """Take in the weights after a step."""
        step = ops.cast(self._steps, "float32")
        share = 1.0 - ops.minimum(self._decay, step / (9.0 + step))
        for average, variable in zip(self._averages, averaged_variables(network), strict=True):
            average.assign(average + ops.cast(share, average.dtype) * (ops.convert_to_tensor(variable) - average))
        self._steps.assign(self._steps + 1)

    def swap(self, network: keras.Model) -> None:
        """Give the network the averages and keep its weights here, or the other way round."""
        for average, variable in zip(self._averages, averaged_variables(network), strict=True):
            here = ops.convert_to_numpy(average)
            average.assign(ops.convert_to_numpy(variable))
            variable.assign(here)


def averaged_variables(network: keras.Model) -> list[Any]:
    """Return the variables that have an average, in a fixed order."""
    return [variable for variable in network.variables if keras.backend.is_float_dtype(variable.dtype)]


@contextlib.contextmanager
def averaged(model: TrainingModel, engine: Engine) -> Iterator[None]:
    """Let the network have its averaged weights meanwhile; without averages nothing changes."""
    if model.averages is None:
        yield
        return
    engine.sync()
    model.averages.swap(model.network)
    engine.reload()
    try:
        yield
    finally:
        model.averages.swap(model.network)
        engine.reload()
