"""Layers and first weights that Keras lacks.

Keras loads a saved network that has one of them only after this module was imported, which
`cnnlab.training.models` does; elsewhere write `import cnnlab.architectures.layers` first.
"""

from typing import Any

import keras
import numpy as np
from keras import ops

# Share of the variance that keeps the size of activations; PyTorch's convolutions start so.
SMALL_START = 1 / 3


@keras.saving.register_keras_serializable(package="cnnlab")
class LocalResponseNormalization(keras.layers.Layer):
    """Divide each activation by a power of the squares of its neighbouring channels.

    Args:
        size: Channels looked at, the own one in the middle.
        alpha: Weight of the sum of squares, not of their mean.

    Source: Krizhevsky et al. 2012, doi:10.1145/3065386, section 3.3 (k=2, n=5, 1e-4, 0.75).
    """

    def __init__(self, size: int = 5, k: float = 2.0, alpha: float = 1e-4, beta: float = 0.75, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size, self.k, self.alpha, self.beta = size, k, alpha, beta

    def call(self, inputs: Any) -> Any:
        channels = inputs.shape[-1]
        half = self.size // 2
        # In 32 bits: the square of 256 is more than float16 holds.
        activations = ops.cast(inputs, "float32")
        squares = ops.pad(ops.square(activations), [[0, 0]] * (len(inputs.shape) - 1) + [[half, half]])
        total = sum(squares[..., shift : shift + channels] for shift in range(self.size))
        return ops.cast(activations / ops.power(self.k + self.alpha * total, self.beta), self.compute_dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        own = {"size": self.size, "k": self.k, "alpha": self.alpha, "beta": self.beta}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable(package="cnnlab")
class LayerScale(keras.layers.Layer):
    """Multiply each channel by a learnt factor that starts near zero.

    Source: Touvron et al. 2021, "Going deeper with Image Transformers", arXiv:2103.17239.
    """

    def __init__(self, initial: float = 1e-6, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.initial = initial

    def build(self, input_shape: Any) -> None:
        # "gamma" as in normalisations: weight decay spares it.
        self.gamma = self.add_weight(
            shape=(input_shape[-1],), initializer=keras.initializers.Constant(self.initial), name="gamma"
        )

    def call(self, inputs: Any) -> Any:
        return inputs * self.gamma

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "initial": self.initial}


@keras.saving.register_keras_serializable(package="cnnlab")
class ClassToken(keras.layers.Layer):
    """Put one learnt token before the others; it gathers what the head reads."""

    def build(self, input_shape: Any) -> None:
        self.token = self.add_weight(shape=(1, 1, input_shape[-1]), initializer="zeros", name="token")

    def call(self, inputs: Any) -> Any:
        batch = ops.shape(inputs)[0]
        return ops.concatenate([ops.broadcast_to(self.token, (batch, 1, inputs.shape[-1])), inputs], axis=1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (input_shape[0], input_shape[1] + 1, input_shape[2])


@keras.saving.register_keras_serializable(package="cnnlab")
class PositionEmbedding(keras.layers.Layer):
    """Add a learnt vector per place, without which a transformer cannot tell places apart."""

    def build(self, input_shape: Any) -> None:
        self.embedding = self.add_weight(
            shape=(1, *input_shape[1:]),
            initializer=keras.initializers.RandomNormal(stddev=0.02),
            name="position_embedding",
        )

    def call(self, inputs: Any) -> Any:
        return inputs + self.embedding

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape


@keras.saving.register_keras_serializable(package="cnnlab")
class IdentityStart(keras.initializers.Initializer):
    """Let the first filters of a convolution hand one input channel on each; the others start random and small.

    Small, `SMALL_START`, so that the others turn fast beside the identity: normalisation follows, and the rate at which
    a filter turns falls with the square of its length.

    Args:
        seed: Of the others.

    Source: Zagoruyko and Komodakis 2017, "DiracNets", arXiv:1706.00388; for part of the filters as in Jordan 2024,
    arXiv:2404.00498, section 3.3.
    """

    def __init__(self, seed: int | None = None) -> None:
        self.seed = seed

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        """Return a kernel `(height, width, channels, filters)`."""
        height, width, channels, filters = shape
        is_own, identity = np.zeros(filters, bool), np.zeros(shape, "float32")
        handed_on = np.arange(min(channels, filters))
        identity[height // 2, width // 2, handed_on, handed_on] = 1
        is_own[handed_on] = True
        others = keras.initializers.VarianceScaling(SMALL_START, "fan_in", "uniform", self.seed)(shape, dtype=dtype)
        return ops.where(ops.convert_to_tensor(is_own), ops.cast(identity, others.dtype), others)

    def get_config(self) -> dict[str, Any]:
        return {"seed": self.seed}
