"""Layers with kernels of our own compute what Keras's compute, and become Keras's again."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from cnnlab.training.engines.own_kernels import OWN, own_kernels

pytestmark = pytest.mark.training
SIDE = 7


def network(layer):
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input((SIDE, SIDE, 4)), layer])


def step(model, images):
    """The answer, its gradients by weights and pixels, and the moving statistics after it."""
    pixels = tf.convert_to_tensor(images)
    with tf.GradientTape() as tape:
        tape.watch(pixels)
        answer = model(pixels, training=True)
        loss = tf.reduce_sum(tf.sin(answer))
    gradients = tape.gradient(loss, [*[variable.value for variable in model.trainable_variables], pixels])
    return [np.asarray(value) for value in (answer, *gradients, *model.non_trainable_variables)]


@pytest.mark.parametrize(
    "make",
    [
        lambda: keras.layers.BatchNormalization(momentum=0.7),
        lambda: keras.layers.BatchNormalization(scale=False),
        lambda: keras.layers.BatchNormalization(center=False),
        lambda: keras.layers.Conv2D(5, 1, strides=2, padding="same"),
        lambda: keras.layers.Conv2D(5, 1, strides=(3, 2), activation="relu", use_bias=False),
        lambda: keras.layers.Conv2D(6, 3, strides=2, padding="same"),
        lambda: keras.layers.Conv2D(4, 1, strides=2, groups=2),
    ],
)
def test_they_compute_what_keras_computes(make):
    images = np.random.default_rng(1).normal(2, 3, (6, SIDE, SIDE, 4)).astype("float32")
    expected = step(network(make()), images)
    model = network(make())
    with own_kernels(model):
        assert type(model.layers[0]) in OWN.values()
        found = step(model, images)
    assert type(model.layers[0]) in OWN
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-4, atol=2e-4)


def test_skipped_pixels_are_skipped_before_the_convolution():
    model = network(keras.layers.Conv2D(5, 1, strides=2))
    with own_kernels(model):
        graph = tf.function(lambda pixels: model(pixels)).get_concrete_function(tf.TensorSpec((3, SIDE, SIDE, 4)))
    strides = [list(op.get_attr("strides")) for op in graph.graph.get_operations() if op.type == "Conv2D"]
    assert strides == [[1, 1, 1, 1]]


@pytest.mark.parametrize("parts", [{}, {"scale": False}, {"center": False}])
def test_every_batch_normalisation_has_the_fused_kernel(parts):
    model = network(keras.layers.BatchNormalization(**parts))
    with own_kernels(model):
        step_ = tf.function(lambda pixels: model(pixels, training=True))
        graph = step_.get_concrete_function(tf.TensorSpec((3, SIDE, SIDE, 4))).graph
    assert "FusedBatchNormV3" in {operation.type for operation in graph.get_operations()}
