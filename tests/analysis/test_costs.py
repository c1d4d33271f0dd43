"""MACs against products written out by hand."""

import keras
import pytest
import tensorflow as tf
from keras import layers, ops

from cnnlab.analysis.costs import costs

IMAGES = (8, 10, 6)


def macs_of(layer: keras.Layer) -> int | None:
    """The MACs of one layer on 8x10 images of 6 channels."""
    images = keras.Input(IMAGES)
    return costs(keras.Model(images, layer(images))).rows[-1].macs


@pytest.mark.parametrize(
    ("layer", "by_hand"),
    [
        (lambda: layers.Conv2D(4, 3), 6 * 8 * 4 * 3 * 3 * 6),
        (lambda: layers.Conv2D(4, 3, padding="same", strides=2), 4 * 5 * 4 * 3 * 3 * 6),
        (lambda: layers.Conv2D(4, 3, groups=2), 6 * 8 * 4 * 3 * 3 * 3),
        (lambda: layers.Conv2D(4, 3, dilation_rate=2), 4 * 6 * 4 * 3 * 3 * 6),
        (lambda: layers.DepthwiseConv2D(3, depth_multiplier=2), 6 * 8 * 6 * 2 * 3 * 3),
        (lambda: layers.SeparableConv2D(4, 3), 6 * 8 * (6 * 3 * 3 + 6 * 4)),
        (lambda: layers.Conv2DTranspose(4, 3, strides=2), 8 * 10 * 4 * 3 * 3 * 6),
        (lambda: layers.Conv2DTranspose(4, 3, strides=2, padding="same"), 8 * 10 * 4 * 3 * 3 * 6),
        (lambda: layers.DepthwiseConv2D(3, strides=2, padding="same"), 4 * 5 * 6 * 3 * 3),
        (lambda: layers.Dense(7), 8 * 10 * 6 * 7),
        (lambda: layers.EinsumDense("bhwc,cd->bhwd", (8, 10, 7)), 8 * 10 * 6 * 7),
        (lambda: layers.EinsumDense("...c,cd->...d", 7), 8 * 10 * 6 * 7),
        (lambda: layers.Flatten(), 0),
        (lambda: layers.BatchNormalization(), 0),
        (lambda: layers.MaxPooling2D(), 0),
    ],
)
def test_macs_are_the_products_of_the_definition(layer, by_hand):
    assert macs_of(layer()) == by_hand


def test_what_cannot_be_counted_is_listed_and_never_zero():
    class Hidden(layers.Layer):
        """Computes where no symbol can follow it."""

        def build(self, input_shape):
            self.kernel = self.add_weight(shape=(input_shape[-1], 4), name="kernel")

        def compute_output_shape(self, input_shape):
            return (*input_shape[:-1], 4)

        def call(self, inputs):
            return tf.matmul(inputs, self.kernel)

    images = keras.Input(IMAGES)
    x = Hidden(name="hidden")(images)
    counted = costs(keras.Model(images, layers.Dense(2, name="dense")(x)))
    assert counted.not_counted == ("hidden",)
    assert counted.macs == 8 * 10 * 4 * 2
    assert [(row.macs, row.num_params) for row in counted.rows if row.name == "hidden"] == [(None, 24)]


def test_a_layer_of_an_unknown_class_is_opened():
    class Squeeze(layers.Layer):
        """A gate made of Keras's own parts, with a weight of its own."""

        def build(self, input_shape):
            self.dense = layers.Dense(input_shape[-1], name="dense")
            self.dense.build((None, input_shape[-1]))
            self.scale = self.add_weight(shape=(input_shape[-1],), name="scale")

        def call(self, inputs):
            gate = self.dense(ops.mean(inputs, axis=(1, 2)))
            return inputs * ops.sigmoid(gate)[:, None, None, :] * self.scale

    class Twice(layers.Conv2D):
        """A subclass may compute anything; what it does is seen."""

        def call(self, inputs):
            return super().call(inputs) + super().call(inputs)

    images = keras.Input(IMAGES)
    x = Squeeze(name="gate")(images)
    network = keras.Model(images, Twice(4, 3, name="twice")(x))
    counted = costs(network)
    rows = {row.name: row for row in counted.rows}
    assert counted.not_counted == ()
    assert rows["gate/dense"].macs == 6 * 6
    assert (rows["gate"].macs, rows["gate"].num_params) == (0, 6)
    assert rows["twice"].macs == 2 * 6 * 8 * 4 * 3 * 3 * 6
    assert counted.num_params == network.count_params()


def test_nested_models_are_opened_and_shared_layers_counted_once():
    inner_in = keras.Input((None, None, 6))
    inner = keras.Model(inner_in, layers.Conv2D(5, 3, name="conv")(inner_in), name="inner")
    stack = keras.Sequential([inner, layers.MaxPooling2D(2, name="pool")], name="stack")
    left, right = keras.Input(IMAGES, name="left"), keras.Input(IMAGES, name="right")
    network = keras.Model([left, right], layers.Add(name="add")([stack(left), stack(right)]))
    counted = costs(network)
    rows = {row.name: row for row in counted.rows}
    assert list(rows) == ["left", "right", "stack/inner/conv", "stack/pool", "add"]
    conv = rows["stack/inner/conv"]
    assert (conv.calls, conv.output_shape) == (2, (6, 8, 5))
    assert conv.macs == 2 * 6 * 8 * 5 * 3 * 3 * 6
    assert counted.num_params == network.count_params() == 5 * 3 * 3 * 6 + 5


def test_operations_are_counted_or_free():
    images = keras.Input(IMAGES)
    tokens = ops.reshape(images, (-1, 80, 6))
    scores = ops.softmax(ops.matmul(tokens, ops.transpose(tokens, (0, 2, 1))))
    mixed = ops.einsum("bqk,bkd->bqd", scores, tokens)
    counted = costs(keras.Model(images, mixed + 1.0))
    assert counted.macs == 2 * 80 * 80 * 6
    assert counted.not_counted == ()


def test_what_a_network_puts_into_the_batch_is_counted():
    images = keras.Input(IMAGES)
    windows = ops.reshape(images, (-1, 20, 6))  # 4 windows per image
    counted = costs(keras.Model(images, layers.Dense(3)(windows)))
    assert counted.macs == 4 * 20 * 6 * 3


@pytest.mark.parametrize(
    ("layer", "by_hand"),
    [
        # Query, key, value of 2 heads of 5, values of 7, then back to 6; scores and weighted values.
        (layers.MultiHeadAttention(2, 5, value_dim=7), 80 * 6 * 2 * (5 + 5 + 7 + 7) + 80 * 80 * 2 * (5 + 7)),
        # Four heads of the query share two of key and value.
        (layers.GroupQueryAttention(5, 4, 2), 80 * 6 * 5 * (4 + 2 + 2 + 4) + 80 * 80 * 4 * (5 + 5)),
        (layers.Attention(), 80 * 80 * (6 + 6)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_attention_by_hand(layer, by_hand):
    tokens = keras.Input((80, 6))
    answer = layer([tokens, tokens]) if isinstance(layer, layers.Attention) else layer(tokens, tokens)
    assert costs(keras.Model(tokens, answer)).macs == by_hand


def test_activation_bytes_are_those_of_the_outputs():
    images = keras.Input(IMAGES, dtype="uint8")
    half = layers.Conv2D(4, 3, dtype="mixed_float16", name="half")(images)
    network = keras.Model(images, layers.Dense(5, name="dense")(half))
    rows = {row.name: row for row in costs(network).rows}
    assert rows["half"].activation_bytes == 6 * 8 * 4 * 2
    assert rows["dense"].activation_bytes == 6 * 8 * 5 * 4
    assert next(iter(rows.values())).activation_bytes == 8 * 10 * 6


def test_a_shape_may_be_given_where_the_network_leaves_it_open():
    images = keras.Input((None, None, 3))
    network = keras.Model(images, layers.Conv2D(2, 3, name="conv")(images))
    assert costs(network).not_counted == ("conv",)
    assert costs(network, (9, 7, 3)).macs == 7 * 5 * 2 * 27


def test_wrappers_and_subclassed_models_are_seen_through_or_listed():
    class Own(keras.Model):
        """A model that is written and not drawn."""

        def __init__(self):
            super().__init__(name="own")
            self.conv = layers.Conv2D(4, 3, name="conv")

        def call(self, images):
            return ops.relu(self.conv(images))

    network = Own()
    network(ops.zeros((1, *IMAGES)))
    counted = costs(network, IMAGES)
    assert (counted.macs, counted.num_params) == (6 * 8 * 4 * 54, network.count_params())
    images = keras.Input(IMAGES)
    normed = layers.SpectralNormalization(layers.Conv2D(4, 3, name="conv"), name="norm")
    network = keras.Model(images, normed(images))
    counted = costs(network)
    assert (counted.macs, counted.num_params) == (6 * 8 * 4 * 54, network.count_params())
    steps = keras.Input((5, 3))
    network = keras.Model(steps, layers.LSTM(2, name="lstm")(steps))
    assert costs(network).not_counted == ("lstm",)
    assert costs(network).num_params == network.count_params()


def test_frozen_layers_and_tied_weights_add_up():
    images = keras.Input((4,))
    table = layers.Dense(4, name="first")
    frozen = layers.Dense(3, name="frozen", trainable=False)
    network = keras.Model(images, frozen(table(table(images))))
    counted = costs(network)
    assert (counted.num_params, counted.trainable_params) == (20 + 15, 20)
    assert counted.macs == 2 * 16 + 12


def test_parameters_of_one_layer():
    images = keras.Input(IMAGES)
    x = layers.BatchNormalization(name="bn")(layers.Conv2D(4, 3, name="conv")(images))
    rows = {row.name: row for row in costs(keras.Model(images, layers.Dropout(0.5, seed=1)(x))).rows}
    assert (rows["conv"].num_params, rows["conv"].output_shape) == (3 * 3 * 6 * 4 + 4, (6, 8, 4))
    assert (rows["bn"].num_params, rows["bn"].trainable_params) == (16, 8)
