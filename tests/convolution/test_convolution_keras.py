"""Every result of the lab is that of Keras's layer with the same weights; the shown line makes that layer."""

import itertools

import keras
import numpy as np
import pytest

from cnnlab.analysis.costs import costs as count_costs
from cnnlab.convolution.formulas import formulas
from cnnlab.convolution.geometry import output_shape
from cnnlab.convolution.keras_code import keras_code
from cnnlab.convolution.layer import apply, make_layer
from cnnlab.convolution.settings import Settings

RANDOM = np.random.default_rng(3)
IMAGES = {channels: RANDOM.normal(size=(9, 8, channels)) for channels in (1, 2, 3, 4)}


def cases():
    for operation, size, stride, padding in itertools.product(
        ("standard", "depthwise", "separable", "transposed", "max_pooling", "average_pooling"),
        (1, 2, 3, 5), (1, 2, 3), ("valid", "same"),
    ):  # fmt: skip
        yield Settings(operation=operation, size=size, stride=stride, padding=padding), 2
    for operation, padding in itertools.product(("standard", "depthwise", "separable"), ("valid", "same", "full")):
        yield Settings(operation=operation, size=3, dilation=2, padding=padding), 3
    yield Settings(size=2, dilation=3, padding="same", mode="convolution"), 1
    yield Settings(size=4, stride=3, padding="full"), 1
    yield Settings(operation="transposed", size=2, dilation=2), 1
    for groups in (1, 2, 4):
        yield Settings(size=3, filters=4, groups=groups, stride=2, padding="same"), 4
    yield Settings(operation="separable", size=3, filters=5), 3
    yield Settings(operation="transposed", size=4, stride=3, filters=3, padding="same", mode="convolution"), 3


def keras_layer(settings: Settings):
    return eval(keras_code(settings), {"keras": keras})


def called(value) -> str:
    return keras_code(value) if isinstance(value, Settings) else str(value)


@pytest.mark.parametrize(("settings", "channels"), list(cases()), ids=called)
def test_same_numbers_as_keras(settings, channels):
    image = IMAGES[channels]
    kernels = RANDOM.normal(size=(settings.filters, settings.size, settings.size))
    layer = make_layer(settings, channels, list(kernels))
    theirs = keras_layer(settings)
    theirs.build((None, *image.shape))
    if theirs.weights:
        *_, bias = theirs.get_weights()
        theirs.set_weights([*layer.weights(), bias])
    expected = np.asarray(theirs(image[None].astype("float32")))[0]
    found = apply(layer, image)
    assert found.shape == expected.shape == output_shape(settings, image.shape)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert formulas(settings, image.shape)[-2].value == theirs.count_params()


@pytest.mark.parametrize("settings", [
    Settings(filters=4, groups=2, stride=2, padding="same"),
    Settings(filters=4, dilation=2),
    Settings(operation="depthwise", stride=2),
    Settings(operation="separable", filters=6),
    Settings(operation="transposed", filters=3, stride=2, padding="same"),
    Settings(operation="max_pooling", size=2, stride=2),
], ids=keras_code)  # fmt: skip
def test_the_cost_of_a_network_counts_the_same(settings):
    inputs = keras.Input((9, 8, 4))
    counted = count_costs(keras.Model(inputs, keras_layer(settings)(inputs)))
    *_, parameters, macs = formulas(settings, (9, 8, 4))
    assert (parameters.value, macs.value) == (counted.num_params, counted.macs or 0)
