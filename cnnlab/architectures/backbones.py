"""Networks of keras.applications without their tops, fed with raw pixels.

What `preprocess_input` would do is done by layers, so that the saved network takes pixels
as every other does. Grey images are shown to all three channels.
"""

import os
import warnings
from typing import Any

import keras
from keras import layers, ops

# Keras exports no name for it; a test fails when it moves.
from keras.src.backend.common.stateless_scope import in_stateless_scope

from cnnlab.architectures.entries.applications import preprocessing
from cnnlab.errors import ConfigError, DownloadError

# Source: keras.applications.imagenet_utils.preprocess_input; RGB.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
CAFFE_MEAN_BGR = (103.939, 116.779, 123.68)


def build_features(images: Any, *, network: str, weights: str, freeze: bool) -> Any:
    """Return the pooled features of a network of keras.applications for pixels from 0 to 255.

    Raises:
        ConfigError: the images have neither one channel nor three.
        DownloadError: the weights cannot be fetched.
    """
    x = preprocessed(_coloured(images, network), network)
    # Where a network is only counted no weight is made, and none is fetched.
    is_loaded = weights == "imagenet" and not in_stateless_scope()
    build = getattr(keras.applications, network)
    try:
        with warnings.catch_warnings():
            # Said of every size but 224: convolutions take their weights at any size.
            warnings.filterwarnings("ignore", message=".*Weights for input shape")
            chosen = "imagenet" if is_loaded else None
            backbone = build(include_top=False, weights=chosen, input_tensor=x, pooling="avg")
    except Exception as error:  # Keras raises a plain Exception where a download fails
        if not is_loaded:
            raise
        raise DownloadError(_not_fetched(network, error)) from error
    if freeze:
        for layer in backbone.layers:
            layer.trainable = False
    return backbone.output


def preprocessed(x: Any, network: str) -> Any:
    """Return what the network's own `preprocess_input` makes of pixels."""
    match preprocessing(network):
        case "caffe":
            x = ops.flip(x, axis=-1)
            return layers.Normalization(mean=CAFFE_MEAN_BGR, variance=(1.0,) * 3, name="less_mean")(x)
        case "tf":
            return layers.Rescaling(1 / 127.5, offset=-1.0, name="to_one")(x)
        case "torch":
            mean = [255 * value for value in IMAGENET_MEAN]
            variance = [(255 * value) ** 2 for value in IMAGENET_STD]
            return layers.Normalization(mean=mean, variance=variance, name="standardise")(x)
        case _:
            return x


def _coloured(images: Any, network: str) -> Any:
    channels = images.shape[-1]
    if channels == 1:
        return layers.Concatenate(name="grey_to_rgb")([images] * 3)
    if channels != 3:
        raise ConfigError(
            f"{network} takes colour or grey images and gets {channels} channels. Expected 3 or 1. "
            "Choose another architecture or import the images in colour."
        )
    return images


def _not_fetched(network: str, error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    folder = os.path.join(os.environ.get("KERAS_HOME", os.path.join("~", ".keras")), "models")
    return (
        f"The ImageNet weights of {network} could not be fetched: {lines[0][:300].rstrip('.')}. Expected a connection, "
        f"or the file in {folder}. Put the file there, or set weights to none."
    )
