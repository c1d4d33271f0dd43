"""How the losses of several outputs are weighed: by fixed numbers, or by what the training itself learns."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops

from cnnlab.settings.heads import HeadsConfig

# Of the variable, so that no optimizer shrinks it as it shrinks kernels.
LOG_VARIANCES = "log_variances"


class FixedWeights:
    """Numbers that stay."""

    measures: tuple[str, ...] = ()

    def __init__(self, weights: Mapping[str, float]) -> None:
        self._weights = dict(weights)

    def weighed(self, output: str, loss: Any) -> Any:
        """Return the loss of an output times its weight."""
        weight = self._weights[output]
        return loss if weight == 1.0 else weight * loss

    def penalty(self) -> Any:
        """Return what the weights themselves add to the loss: nothing."""
        return 0.0

    def measured(self) -> dict[str, Any]:
        """Return what is told of each step: nothing, since the weights stay."""
        return {}


class LearntWeights(keras.layers.Layer):
    """One trainable log-variance `s` per output; the loss is the sum of `exp(-s) * loss + s / 2`.

    `s = log(sigma^2)` says how uncertain the network is of an output: an output with a large loss
    counts less, and `s / 2 = log(sigma)` keeps all from being counted as nothing. For a loss that
    stays at L the weight becomes `1 / (2 L)`. It begins with weight 1, the plain sum.

    Source: Kendall, Gal and Cipolla 2018, arXiv:1705.07115, the terms of classification in equation
    (10); trained as log-variances for numerical stability, section 3.2.
    """

    def __init__(self, outputs: Sequence[str]) -> None:
        super().__init__(name="output_weights", dtype="float32")
        self._outputs = tuple(outputs)
        self.measures = tuple(f"{name}/weight" for name in outputs)
        self._log_variances = self.add_weight(shape=(len(self._outputs),), initializer="zeros", name=LOG_VARIANCES)
        self.built = True

    def weighed(self, output: str, loss: Any) -> Any:
        """Return the loss of an output times its weight."""
        return self._weights()[self._outputs.index(output)] * loss

    def penalty(self) -> Any:
        """Return what the weights themselves add to the loss."""
        return 0.5 * ops.sum(ops.convert_to_tensor(self._log_variances))

    def measured(self) -> dict[str, Any]:
        """Return the weight of each output, to be told of each step."""
        weights = self._weights()
        return {name: weights[place] for place, name in enumerate(self.measures)}

    def _weights(self) -> Any:
        return ops.exp(-ops.convert_to_tensor(self._log_variances))


OutputWeights = FixedWeights | LearntWeights


def build_output_weights(heads: HeadsConfig, outputs: Sequence[str]) -> OutputWeights:
    """Return how the outputs of a run are weighed.

    Raises:
        ConfigError: `heads` names an output that the run does not learn.
    """
    heads.check_outputs(outputs)
    return LearntWeights(outputs) if heads.uncertainty_weighting else FixedWeights(heads.all_weights(outputs))
