"""The network of a config: normalisation, features, one head of logits per output."""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

import cnnlab.architectures.layers  # noqa: F401 # a saved network may have them
from cnnlab.architectures.catalogue import Architecture, get_architecture
from cnnlab.architectures.features import Features
from cnnlab.config import RunConfig
from cnnlab.datasets.storage import DatasetInfo
from cnnlab.errors import ConfigError
from cnnlab.settings.transfer import IMAGENET

# A channel that never changes would be divided by zero; one grey level of 255 is far below any real spread.
SMALLEST_STD = 1.0


@dataclass(frozen=True)
class NetworkShape:
    """What a network has to know of its data.

    Attributes:
        input_shape: Height, width, channels.
        outputs: Class names per output, in order.
        channel_mean: Per channel, on the scale of the pixels, 0 to 255.
        channel_std: Likewise.
    """

    input_shape: tuple[int, int, int]
    outputs: Mapping[str, Sequence[str]]
    channel_mean: tuple[float, ...]
    channel_std: tuple[float, ...]


def network_shape(config: RunConfig, info: DatasetInfo) -> NetworkShape:
    """Return the shape that `config` asks for on the data of `info`.

    Raises:
        ConfigError: an output is asked for that the data do not have.
    """
    size = config.image_size
    return NetworkShape(
        input_shape=(size, size, info.image_shape[2]),
        outputs=_chosen_outputs(config, info),
        channel_mean=tuple(info.channel_mean),
        channel_std=tuple(info.channel_std),
    )


def build_network(config: RunConfig, info: DatasetInfo, batch_size: int | None = None) -> keras.Model:
    """Build the network of `config` for the data of `info`.

    It takes raw pixels, `(batch, height, width, channels)` from 0 to 255, and returns logits
    `(batch, num_classes)`: one tensor for one output, a dict by output name for several.

    Args:
        batch_size: For a network that is only looked at; any number of images where left out.
    """
    return build_networks(config, info, batch_size)[0]


def build_networks(
    config: RunConfig, info: DatasetInfo, batch_size: int | None = None
) -> tuple[keras.Model, keras.Model | None]:
    """Build the network and, of a family with auxiliary heads, its companion for training.

    Returns:
        What `build_network` returns, and a model of the same layers and further heads whose
        answer is `{"logits": {output: logits}, "auxiliary": {output: [logits, ...]}}`; None
        for most families.
    """
    shape = network_shape(config, info)
    images = keras.Input(shape.input_shape, batch_size=batch_size, name="images")
    entry = get_architecture(config.architecture.name)
    x = images if entry.wants_pixels(config.architecture.parameters) else _normalised(images, shape)
    built = _function(entry.builder)(x, **_with_weights(config))
    features = built if isinstance(built, Features) else Features(built)
    logits = {name: _head(entry, features.main, classes, f"{name}_logits") for name, classes in shape.outputs.items()}
    network = keras.Model(images, next(iter(logits.values())) if len(logits) == 1 else logits, name=entry.name)
    if not features.auxiliary:
        return network, None
    auxiliary = {
        name: [
            _dense_head(each, len(classes), f"{name}_auxiliary{index}_logits")
            for index, each in enumerate(features.auxiliary, start=1)
        ]
        for name, classes in shape.outputs.items()
    }
    return network, keras.Model(images, {"logits": logits, "auxiliary": auxiliary}, name=f"{entry.name}_training")


def _with_weights(config: RunConfig) -> dict[str, Any]:
    """Return the parameters of the network; those of keras.applications load the weights that transfer asks for."""
    asked = {"weights": IMAGENET} if config.transfer.source == IMAGENET else {}
    return {**config.architecture.parameters, **asked}


def _normalised(images: Any, shape: NetworkShape) -> Any:
    variance = np.maximum(np.asarray(shape.channel_std), SMALLEST_STD) ** 2
    return keras.layers.Normalization(mean=shape.channel_mean, variance=variance.tolist(), name="normalise")(images)


def _head(entry: Architecture, features: Any, classes: Sequence[str], name: str) -> Any:
    attach = _function(entry.head) if entry.head else _dense_head
    return attach(features, len(classes), name)


def _dense_head(features: Any, num_classes: int, name: str) -> Any:
    # Logits stay in 32 bits where the rest computes in fewer.
    return keras.layers.Dense(num_classes, dtype="float32", name=name)(features)


def _chosen_outputs(config: RunConfig, info: DatasetInfo) -> dict[str, Sequence[str]]:
    if config.data.outputs is None:
        return dict(info.outputs)
    unknown = [name for name in config.data.outputs if name not in info.outputs]
    if unknown or not config.data.outputs:
        raise ConfigError(
            f"Data set {info.name!r} has no output {', '.join(map(repr, unknown)) or 'chosen'}. "
            f"Expected some of: {', '.join(info.outputs)}. Leave 'outputs' out to learn all."
        )
    return {name: classes for name, classes in info.outputs.items() if name in config.data.outputs}


def _function(path: str) -> Callable[..., Any]:
    module, function = path.split(":")
    return getattr(importlib.import_module(module), function)
