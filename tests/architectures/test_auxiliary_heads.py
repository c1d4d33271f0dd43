"""Auxiliary heads help in training only: the saved network lacks them."""

import keras
import numpy as np
import pytest

from cnnlab.config import config_from_dict
from cnnlab.datasets.storage import DatasetInfo
from cnnlab.training.losses import build_loss
from cnnlab.training.model import AUXILIARY_WEIGHT, TrainingModel
from cnnlab.training.models import build_network, build_networks

pytestmark = pytest.mark.training


def info(outputs) -> DatasetInfo:
    """A data set's description, without images."""
    return DatasetInfo(
        name="made", version="", title="", source="", image_shape=(16, 16, 3), outputs=outputs, counts={},
        channel_mean=(0.0,) * 3, channel_std=(1.0,) * 3, created_at="", skipped=(), parameters={}, path=None,
    )  # fmt: skip


def config(name: str, size: int = 16):
    """A config of an architecture."""
    return config_from_dict({"architecture": {"name": name}, "data": {"dataset": "made", "image_size": size}})


def shapes(name: str, size: int, classes: int = 1000) -> tuple[int, int, dict]:
    """Trainable parameters without and with auxiliary heads, and what the latter answers."""
    labels = {"label": tuple(map(str, range(classes)))}
    try:
        with keras.StatelessScope(initialize_variables=False):
            network, with_auxiliary = build_networks(config(name, size), info(labels))
    finally:
        keras.backend.clear_session(free_memory=False)
    counts = [
        sum(int(np.prod(weight.shape)) for weight in model.trainable_weights) for model in (network, with_auxiliary)
    ]
    return *counts, keras.tree.map_structure(lambda logits: tuple(logits.shape), with_auxiliary.output)


def test_googlenet_has_two_as_in_torchvision():
    # By hand, each: a 1x1 convolution to 128 with its normalisation, 2048 to 1024, and 1000 classes.
    first, second = (128 * channels + 2 * 128 + 2049 * 1024 + 1025 * 1000 for channels in (512, 528))
    plain, helped, answer = shapes("googlenet", 224)
    assert plain == 6_624_904
    assert helped - plain == first + second
    assert answer == {"logits": {"label": (None, 1000)}, "auxiliary": {"label": [(None, 1000)] * 2}}


def test_inception_v3_has_the_one_of_torchvision():
    plain, helped, answer = shapes("inception_v3", 299)
    assert (plain, helped - plain) == (23_834_568, 3_326_696)
    assert helped == 27_161_264  # torchvision's own count has it in
    assert answer == {"logits": {"label": (None, 1000)}, "auxiliary": {"label": [(None, 1000)]}}


def test_only_training_asks_them_and_their_losses_count_three_tenths():
    keras.utils.set_random_seed(0)
    outputs = {"shape": ("a", "b", "c"), "colour": ("d", "e")}
    network, with_auxiliary = build_networks(config("googlenet"), info(outputs))
    losses = {name: build_loss() for name in outputs}
    model = TrainingModel(network, None, {"shape": 3, "colour": 2}, losses, with_auxiliary)
    images = np.random.default_rng(0).uniform(0, 255, (4, 16, 16, 3)).astype("float32")
    labels = {"shape": np.array([0, 1, 2, 0]), "colour": np.array([0, 1, 1, 0])}
    targets = model.augment(images, labels)[1]
    keras.utils.set_random_seed(1)
    dropout = [layer for layer in with_auxiliary._flatten_layers() if isinstance(layer, keras.layers.Dropout)]
    for layer in dropout:  # two passes are compared
        layer.rate = 0.0
    answers = with_auxiliary(images, training=True)
    assert {name: len(further) for name, further in answers["auxiliary"].items()} == {"shape": 2, "colour": 2}

    def entropy(name, logits):
        return float(keras.ops.mean(keras.losses.categorical_crossentropy(targets[name], logits, from_logits=True)))

    own = {name: entropy(name, answers["logits"][name]) for name in outputs}
    further = sum(entropy(name, logits) for name in outputs for logits in answers["auxiliary"][name])
    measured = model(images, targets, training=True)
    assert AUXILIARY_WEIGHT == 0.3
    assert float(measured["loss"]) == pytest.approx(sum(own.values()) + 0.3 * further, rel=1e-5)
    # What people read is the network's own.
    assert {name: float(measured[f"{name}/loss"]) for name in outputs} == pytest.approx(own, rel=1e-5)
    asked = model(images, targets, training=False)
    assert float(asked["loss"]) == pytest.approx(sum(float(asked[f"{name}/loss"]) for name in outputs), rel=1e-5)


def test_the_saved_network_lacks_them():
    network = build_network(config("googlenet"), info({"label": ("a", "b")}))
    assert [layer.name for layer in network.layers if "auxiliary" in layer.name] == []
