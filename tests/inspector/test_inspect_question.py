"""The question `inspect`: totals, and how the layers of a network hang together."""

from pathlib import Path

import pytest

from cnnlab.errors import ConfigError, UnknownNameError
from cnnlab.inspector.questions import inspect


def ask(architecture: str, size: int = 32, **parameters):
    return inspect(
        Path(), architecture=architecture, parameters=parameters, input_shape=(size, size, 3), num_classes=10
    ).value


def test_every_layer_but_the_input_has_one_before_it():
    found = ask("resnet")
    names = [layer["name"] for layer in found["layers"]]
    assert {second for _, second in found["edges"]} == set(range(1, len(names)))
    before = {names[second]: set() for _, second in found["edges"]}
    for first, second in found["edges"]:
        before[names[second]].add(names[first])
    assert before["stack1_block1_add"] == {"stack1_block1_2_bn", "stem_relu"}
    assert before["stem_bn"] == {"stem_conv"}


def test_settings_and_training_memory_come_along():
    found = ask("alexnet", 64)
    settings = {layer["name"]: layer["settings"] for layer in found["layers"]}
    assert settings["conv2"] == {"kernel": [5, 5], "strides": [1, 1], "dilation": [1, 1], "activation": "relu"}
    assert settings["pool1"] == {"kernel": [3, 3], "strides": [2, 2]}
    assert settings["flatten"] == {}
    assert found["training_memory"]["weights_bytes"] == 4 * found["num_params"]


def test_what_cannot_be_built_is_said():
    with pytest.raises(UnknownNameError, match="Did you mean 'resnet'"):
        ask("resnt")
    with pytest.raises(ConfigError, match="too small for 'vgg'"):
        ask("vgg", 8)
