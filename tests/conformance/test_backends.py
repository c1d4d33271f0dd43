"""TensorFlow and JAX give the same logits for the same saved network and pixels."""

import importlib.util
from pathlib import Path

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy
from test_architectures import NAMES, SLOW, config, info, least, pixels, small_px

from cnnlab.training.models import build_networks

TOLERANCE = 1e-4

# One of each kind of layer; with CNNLAB_SLOW_TESTS all.
FEW = ("lenet5", "lenet5_1998", "mobilenet_v3", "resnet_preact", "shufflenet_v2", "vit")
COMPARED = NAMES if SLOW else FEW

pytestmark = [
    pytest.mark.training,
    pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="jax is not installed (pip install jax)"),
    pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="compares TensorFlow with JAX"),
]


def enliven(network: keras.Model, images: np.ndarray) -> None:
    """Give a new network weights that let its images through.

    Constant first weights, such as a layer scale of 1e-6, hide what is behind them, and with
    first moving means the logits of a deep network are nearly zero: nothing to compare.
    """
    random = np.random.default_rng(1)
    for weight in network.trainable_weights:
        first = convert_to_numpy(weight)
        if np.ptp(first) == 0:
            weight.assign(
                random.uniform(0.5, 1.5, first.shape) if first.flat[0] else random.normal(0, 0.1, first.shape)
            )
    normalisations = [layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)]
    momenta = [layer.momentum for layer in normalisations]
    for layer in normalisations:
        layer.momentum = 0.0
    network(images, training=True)
    for layer, momentum in zip(normalisations, momenta, strict=True):
        layer.momentum = momentum


@pytest.fixture(scope="module")
def jax_answers(on_backend, tmp_path_factory):
    """What a process with JAX says of the networks saved here."""
    folder = tmp_path_factory.mktemp("networks")
    for name in COMPARED:
        keras.utils.set_random_seed(0)
        network = build_networks(config(name, small_px(name), least(name)), info())[0]
        images = pixels(name, 4)
        enliven(network, images)
        network.save(folder / f"{name}.keras")
        np.savez(folder / f"{name}.npz", images=images[:2], logits=convert_to_numpy(network(images[:2])))
    keras.backend.clear_session(free_memory=False)
    return on_backend("jax").ask(Path(__file__).with_name("jax_answers.py"), "differences", folder)


@pytest.mark.parametrize("name", COMPARED)
def test_tensorflow_and_jax_agree(name, jax_answers):
    row = jax_answers[name]
    assert row["largest"] > 0.05, "logits near zero would agree whatever the backends do"
    assert row["difference"] <= TOLERANCE * max(1.0, row["largest"])
