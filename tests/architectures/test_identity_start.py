"""Convolutions that begin by handing their input on."""

import keras
import numpy as np
import pytest

from cnnlab.architectures.layers import IdentityStart


@pytest.mark.parametrize(("channels", "filters"), [(3, 8), (8, 8), (8, 3)])
def test_the_first_filters_hand_on_a_channel_each(channels, filters):
    images = np.random.default_rng(0).normal(size=(2, 5, 5, channels)).astype("float32")
    conv = keras.layers.Conv2D(filters, 3, padding="same", kernel_initializer=IdentityStart(seed=1))
    answers, shared = np.asarray(conv(images)), min(channels, filters)
    np.testing.assert_allclose(answers[..., :shared], images[..., :shared], atol=1e-6)
    others = np.asarray(conv.kernel)[..., shared:]
    limit = np.sqrt(1 / (9 * channels))
    assert np.abs(others).max(initial=0) <= limit
    assert others.size == 0 or others.std() == pytest.approx(limit / np.sqrt(3), rel=0.2)


def test_it_is_written_down_with_the_network():
    start = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(IdentityStart(seed=7)))
    assert isinstance(start, IdentityStart)
    assert start.seed == 7
