"""The blocks that the families share, against numbers by hand."""

import keras
import numpy as np
import pytest
from keras import layers

from cnnlab.architectures.blocks import (
    LEAST_MAP_PX,
    divisible,
    drop_path,
    kept_strides,
    max_pool_half,
    squeeze_excite,
)


@pytest.mark.parametrize(
    ("side", "strides", "kept"),
    [
        (224, (2, 2, 2, 2, 2), (2, 2, 2, 2, 2)),
        (128, (2, 2, 2, 2, 2), (2, 2, 2, 2, 2)),
        (64, (2, 2, 2, 2, 2), (1, 2, 2, 2, 2)),
        (32, (2, 2, 2, 2, 2), (1, 1, 2, 2, 2)),
        (28, (2, 2, 2, 2, 2), (1, 1, 2, 2, 2)),  # 28 / 8 rounds up to 4
        (8, (2, 2, 2, 2, 2), (1, 1, 1, 1, 2)),
        (4, (2, 2), (1, 1)),
        (64, (4, 2, 2, 2), (2, 2, 2, 2)),
        (32, (4, 2, 2, 2), (1, 2, 2, 2)),
    ],
)
def test_the_first_strides_go_first(side, strides, kept):
    assert kept_strides(keras.Input((side, side, 3)), strides) == kept


@pytest.mark.parametrize("side", range(4, 256))
def test_the_last_map_is_large_enough_and_no_larger_than_it_must_be(side):
    strides = kept_strides(keras.Input((side, side, 3)), (2, 2, 2, 2, 2))
    left = -(-side // int(np.prod(strides)))
    assert left >= LEAST_MAP_PX
    assert strides == (2, 2, 2, 2, 2) or left < 2 * LEAST_MAP_PX


@pytest.mark.parametrize(
    ("channels", "expected"), [(32 * 0.35, 16), (24 * 0.75, 24), (96 * 1.4, 136), (3, 8), (16, 16)]
)
def test_channels_are_a_multiple_of_eight_and_at_most_a_tenth_less(channels, expected):
    assert divisible(channels) == expected


@pytest.mark.parametrize(("side", "expected"), [(112, 56), (109, 54), (55, 27), (54, 27), (27, 13), (13, 6), (4, 2)])
def test_pooling_rounds_down(side, expected):
    assert max_pool_half(keras.Input((side, side, 1)), name="pool").shape == (None, expected, expected, 1)


def test_a_dropped_path_is_dropped_for_a_whole_image_and_the_others_make_up_for_it():
    images = keras.Input((4, 4, 3))
    model = keras.Model(images, drop_path(images, 0.5, name="drop"))
    found = np.asarray(model(np.ones((64, 4, 4, 3), "float32"), training=True)).reshape(64, -1)
    assert set(map(tuple, np.unique(found, axis=0)[:, :1])) == {(0.0,), (2.0,)}
    assert (found == found[:, :1]).all()
    np.testing.assert_array_equal(np.asarray(model(np.ones((2, 4, 4, 3), "float32"))), 1.0)


def test_a_rate_of_zero_adds_no_layer():
    images = keras.Input((4, 4, 3))
    assert drop_path(images, 0.0, name="drop") is images


def test_squeeze_and_excite_scales_channels_by_a_gate():
    images = keras.Input((4, 4, 6))
    model = keras.Model(images, squeeze_excite(images, 2, activation="relu", gate="sigmoid", name="se"))
    # By hand: 6*2 + 2 and 2*6 + 6.
    assert model.count_params() == 14 + 18
    values = np.random.default_rng(0).normal(size=(1, 4, 4, 6)).astype("float32")
    ratio = np.asarray(model(values)) / values
    np.testing.assert_allclose(ratio, np.broadcast_to(ratio[:, :1, :1], ratio.shape), rtol=1e-4)
    assert ((ratio > 0) & (ratio < 1)).all()
    assert isinstance(model.layers[-1], layers.Multiply)
