"""Backbones of keras.applications: the literal list, the preprocessing, the weights, what is refused."""

import sys
from typing import get_args

import keras
import numpy as np
import pytest
from keras.src.utils import file_utils

from cnnlab.architectures.backbones import build_features, preprocessed
from cnnlab.architectures.entries.applications import Application, preprocessing, smallest_px
from cnnlab.config import config_from_dict
from cnnlab.errors import ConfigError, DownloadError

NAMES = get_args(Application)
# The least network of each family that has a builder of its own.
FAMILIES = (
    "MobileNetV3Small", "MobileNetV2", "MobileNet", "NASNetMobile", "EfficientNetB0", "EfficientNetV2B0", "DenseNet121",
    "ResNet50", "ResNet50V2", "InceptionV3", "Xception", "InceptionResNetV2", "VGG16", "ConvNeXtTiny",
)  # fmt: skip


@pytest.fixture
def no_connection(monkeypatch):
    """Let every download fail as it does without a network."""

    def fail(*_args, origin="", **_kwargs):
        raise Exception(f"URL fetch failure on {origin}: None -- [Errno -2] Name or service not known")

    monkeypatch.setattr(file_utils, "get_file", fail)


def test_the_names_are_those_of_keras():
    assert sorted(NAMES) == [name for name in dir(keras.applications) if name[0].isupper()]


@pytest.mark.parametrize("name", NAMES)
def test_the_preprocessing_is_that_of_the_network(name):
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 5, 4, 3)).astype("float32")
    module = sys.modules[getattr(keras.applications, name).__module__]
    expected = module.preprocess_input(pixels.copy())
    images = keras.Input((5, 4, 3))
    answer = images if preprocessing(name) == "inside" else preprocessed(images, name)
    found = keras.Model(images, answer)(pixels)
    np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_smallest_size_is_that_of_keras(name):
    build = getattr(keras.applications, name)
    size = smallest_px(name)
    try:
        with keras.StatelessScope(initialize_variables=False):
            build(include_top=False, weights=None, input_shape=(size, size, 3), pooling="avg")
            with pytest.raises(ValueError, match="Input size must be at least"):
                build(include_top=False, weights=None, input_shape=(size - 1, size, 3), pooling="avg")
    finally:
        keras.backend.clear_session(free_memory=False)


def test_images_too_small_for_the_chosen_network_are_refused():
    values = {"architecture": {"name": "keras_application", "parameters": {"network": "Xception"}}}
    assert config_from_dict(values).image_size == 224
    with pytest.raises(ConfigError) as error:
        config_from_dict({**values, "data": {"image_size": 64}})
    assert str(error.value) == (
        "image_size=64 is too small for Xception. Expected at least 71 px. "
        "Raise the image size or choose another network."
    )


def test_images_of_five_channels_are_refused():
    with pytest.raises(ConfigError) as error:
        build_features(keras.Input((32, 32, 5)), network="MobileNet", weights="none", freeze=False)
    assert str(error.value) == (
        "MobileNet takes colour or grey images and gets 5 channels. Expected 3 or 1. "
        "Choose another architecture or import the images in colour."
    )


@pytest.mark.usefixtures("no_connection")
def test_weights_that_cannot_be_fetched_are_said_with_the_way_out(monkeypatch):
    monkeypatch.setenv("KERAS_HOME", "keras-home")
    with pytest.raises(DownloadError) as error:
        build_features(keras.Input((32, 32, 3)), network="MobileNetV3Small", weights="imagenet", freeze=False)
    sentence = str(error.value)
    assert sentence.startswith("The ImageNet weights of MobileNetV3Small could not be fetched: URL fetch failure on ")
    assert sentence.endswith("Put the file there, or set weights to none.")
    assert "keras-home" in sentence


@pytest.mark.usefixtures("no_connection")
def test_counting_fetches_nothing():
    with keras.StatelessScope(initialize_variables=False):
        features = build_features(keras.Input((32, 32, 3)), network="EfficientNetB0", weights="imagenet", freeze=False)
    assert features.shape == (None, 1280)
    keras.backend.clear_session(free_memory=False)


@pytest.mark.training
@pytest.mark.parametrize(("name", "channels"), [("MobileNetV3Small", 3), ("ResNet50", 1), ("EfficientNetB0", 3)])
def test_fetched_weights_answer_as_the_network_of_keras_does(name, channels, tmp_path, monkeypatch):
    build = getattr(keras.applications, name)
    if name == "EfficientNetB0":  # with ImageNet weights it has one layer more
        monkeypatch.setattr(keras.Model, "load_weights", lambda *_args, **_kwargs: None)
    made = build(include_top=False, weights=None, input_shape=(32, 32, 3), pooling="avg")
    made.save_weights(tmp_path / "made.weights.h5")
    asked = []

    def fetched(fname, *_args, **_kwargs):
        asked.append(fname)
        return str(tmp_path / "made.weights.h5")

    monkeypatch.setattr(file_utils, "get_file", fetched)
    images = keras.Input((32, 32, channels))
    network = keras.Model(images, build_features(images, network=name, weights="imagenet", freeze=True))
    assert len(asked) == 1
    assert network.trainable_weights == []
    if name == "EfficientNetB0":
        return
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, channels)).astype("float32")
    coloured = np.broadcast_to(pixels, (2, 32, 32, 3)).copy()
    expected = made(sys.modules[build.__module__].preprocess_input(coloured))
    np.testing.assert_allclose(np.asarray(network(pixels)), np.asarray(expected), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", ["ConvNeXtTiny", "InceptionResNetV2"])
def test_networks_with_layers_of_their_own_come_back_from_a_file(name):
    try:
        with keras.StatelessScope(initialize_variables=False):
            images = keras.Input((80, 80, 3))
            network = keras.Model(images, build_features(images, network=name, weights="none", freeze=False))
            again = keras.models.model_from_json(network.to_json())
            assert again.count_params() == network.count_params()
    finally:
        keras.backend.clear_session(free_memory=False)
