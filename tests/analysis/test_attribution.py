"""Where a network looked: against plain NumPy on networks small enough to be followed by hand."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import layers
from PIL import Image

from cnnlab.analysis.attribution import grad_cam, occluded, occlusion_map, scaled, squares, upsampled
from cnnlab.analysis.feature_map import CutNetwork, cut_network, map_and_gradients

SIDE = 6


def images(count=2, channels=2):
    return np.random.default_rng(0).uniform(0, 255, (count, SIDE, SIDE, channels)).astype(np.float32)


def pooled_network():
    inputs = keras.Input((SIDE, SIDE, 2))
    maps = layers.Conv2D(3, 3, activation="relu", name="conv")(inputs)
    return keras.Model(inputs, layers.Dense(4, name="logits")(layers.GlobalAveragePooling2D()(maps)))


def dense_network():
    inputs = keras.Input((SIDE, SIDE, 2))
    maps = layers.Conv2D(3, 3, activation="relu", name="conv")(layers.Rescaling(1 / 255)(inputs))
    hidden = layers.Dense(5, activation="relu", name="hidden")(layers.Flatten()(maps))
    return keras.Model(inputs, {"a": layers.Dense(4, name="a")(hidden), "b": layers.Dense(2, name="b")(hidden)})


def convolved(image, kernel, bias):
    """The rectified answers of a 3x3 convolution without padding, place by place."""
    side = image.shape[0] - 2
    answers = [
        [np.einsum("ijc,ijck->k", image[row : row + 3, column : column + 3], kernel) + bias for column in range(side)]
        for row in range(side)
    ]
    return np.maximum(np.array(answers), 0)


# ---- Grad-CAM ----


def test_with_pooling_the_weights_are_those_of_the_classifier():
    keras.utils.set_random_seed(1)
    network = pooled_network()
    cut = cut_network(network)
    assert (cut.layer, cut.map_px) == ("conv", (4, 4))
    pixels, classes = images(), [3, 0]
    kernel, bias = (np.asarray(one, np.float64) for one in network.get_layer("conv").get_weights())
    weights = network.get_layer("logits").get_weights()[0]
    maps, gradients, logits = map_and_gradients(cut, pixels, classes)
    np.testing.assert_allclose(logits, network.predict_on_batch(pixels), rtol=1e-5)
    for image, one, gradient, number in zip(pixels, maps, gradients, classes, strict=True):
        by_hand = convolved(image.astype(np.float64), kernel, bias)
        np.testing.assert_allclose(one, by_hand, rtol=1e-4, atol=1e-3)
        expected = np.maximum(by_hand @ weights[:, number] / by_hand[..., 0].size, 0)
        np.testing.assert_allclose(grad_cam(one, gradient), expected, rtol=1e-3, atol=1e-3)


def test_with_dense_layers_the_gradients_are_those_of_small_steps():
    keras.utils.set_random_seed(2)
    network = dense_network()
    cut = cut_network(network, "b")
    maps, gradients, _ = map_and_gradients(cut, images(1), [1])
    hidden, bias = (np.asarray(one, np.float64) for one in network.get_layer("hidden").get_weights())
    last = network.get_layer("b").get_weights()[0].astype(np.float64)

    def logit(values):
        return np.maximum(values.reshape(-1) @ hidden + bias, 0) @ last[:, 1]

    step = 1e-6
    by_steps = np.zeros(maps[0].shape)
    for place in np.ndindex(by_steps.shape):
        nudge = np.zeros(by_steps.shape)
        nudge[place] = step
        by_steps[place] = (logit(maps[0] + nudge) - logit(maps[0] - nudge)) / (2 * step)
    np.testing.assert_allclose(gradients[0], by_steps, rtol=1e-3, atol=1e-6)
    expected = np.maximum((by_steps.mean(axis=(0, 1)) * maps[0]).sum(axis=-1), 0)
    np.testing.assert_allclose(grad_cam(maps[0], gradients[0]), expected, rtol=1e-3, atol=1e-6)


def test_images_of_a_batch_do_not_change_each_other():
    cut = cut_network(pooled_network())
    together = map_and_gradients(cut, images(), [1, 2])[1]
    alone = map_and_gradients(cut, images()[1:], [2])[1]
    np.testing.assert_allclose(together[1:], alone, rtol=1e-5, atol=1e-7)


def test_what_speaks_against_a_class_is_not_shown():
    assert grad_cam(np.ones((2, 2, 1)), -np.ones((2, 2, 1))).max() == 0
    assert scaled(np.zeros((2, 2))).tolist() == [[0, 0], [0, 0]]
    assert scaled(np.array([[2.0, -1.0]])).tolist() == [[1, 0]]


# ---- where Grad-CAM applies ----


def with_shortcut():
    inputs = keras.Input((8, 8, 3))
    maps = layers.Conv2D(4, 3, padding="same", name="first")(inputs)
    added = layers.Add(name="add")([maps, layers.Conv2D(4, 3, padding="same", name="second")(maps)])
    return keras.Model(inputs, layers.Dense(2)(layers.GlobalMaxPooling2D()(added)))


def around_the_map():
    inputs = keras.Input((8, 8, 3))
    pooled = layers.GlobalAveragePooling2D()(
        layers.Conv2D(4, 3, name="late")(layers.Conv2D(4, 3, name="early")(inputs))
    )
    around = layers.GlobalAveragePooling2D()(inputs)
    return keras.Model(inputs, layers.Dense(2)(layers.Concatenate()([pooled, around])))


def with_attention():
    inputs = keras.Input((8, 8, 3))
    tokens = layers.Reshape((16, 4))(layers.Conv2D(4, 2, 2)(inputs))
    mixed = layers.MultiHeadAttention(1, 4)(tokens, tokens)
    return keras.Model(inputs, layers.Dense(2)(layers.GlobalAveragePooling1D()(mixed)))


def stack():
    parts = [keras.Input((8, 8, 3)), layers.Conv2D(4, 3, name="only"), layers.ReLU(name="relu")]
    return keras.Sequential([*parts, layers.Dropout(0.5, name="dropout"), layers.Flatten(), layers.Dense(2)])


@pytest.mark.parametrize(("make", "layer"), [(with_shortcut, "add"), (stack, "dropout")])
def test_the_map_is_the_last_through_which_all_goes(make, layer):
    network = make()
    cut = cut_network(network)
    assert isinstance(cut, CutNetwork)
    assert cut.layer == layer
    pixels = np.random.default_rng(0).random((2, 8, 8, 3), np.float32)
    np.testing.assert_allclose(cut.back(cut.front(pixels)), network(pixels), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (around_the_map, "The network has no convolution whose map decides alone."),
        (with_attention, "After its convolutions the network has attention, which moves what it sees between places."),
        (lambda: keras.Sequential([keras.Input((4, 4, 1)), layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(2)]),
         "Its last map has 2 x 2 places only."),
        (lambda: keras.Sequential([keras.Input((4, 4, 1)), layers.Flatten(), layers.Dense(2)]),
         "The network has no convolution whose map decides alone."),
    ],
)  # fmt: skip
def test_where_it_does_not_apply_the_reason_is_said(make, reason):
    assert cut_network(make()) == reason


# ---- occlusion ----


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 9))
def test_squares_cover_every_pixel_and_stay_inside(height, width, per_side):
    covered = np.zeros((height, width))
    for one in squares(height, width, per_side):
        assert 0 <= one.top < one.bottom <= height
        assert 0 <= one.left < one.right <= width
        covered[one.top : one.bottom, one.left : one.right] += 1
    assert covered.min() >= 1
    assert len(squares(height, width, per_side)) <= per_side**2


def test_occlusion_finds_the_only_pixel_that_matters():
    image = np.zeros((16, 16, 1), np.float32)
    image[4, 11] = 100
    places = squares(16, 16)
    copies = occluded(image, places, np.array([50.0]))
    assert copies.shape == (len(places), 16, 16, 1)
    answers = np.where(copies[:, 4, 11, 0] == 100, 0.9, 0.1)
    fallen = occlusion_map(0.9 - answers, places, 16, 16)
    assert fallen[4, 11] == pytest.approx(0.8), "every square over it lets the probability fall"
    assert np.unravel_index(fallen.argmax(), fallen.shape) != (0, 0)
    assert fallen[12, 2] == 0
    assert image.sum() == 100, "the image itself is left as it was"


# ---- drawing ----


@pytest.mark.parametrize(
    ("shape", "size"), [((4, 4), (32, 32)), ((7, 5), (28, 40)), ((3, 3), (3, 3)), ((1, 1), (4, 6))]
)
def test_upsampling_is_that_of_pillow(shape, size):
    values = np.random.default_rng(1).random(shape).astype(np.float32)
    expected = np.asarray(Image.fromarray(values).resize(size[::-1], Image.Resampling.BILINEAR))
    np.testing.assert_allclose(upsampled(values, *size), expected, atol=1e-5)
