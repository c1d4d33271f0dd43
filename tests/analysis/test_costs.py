"""MACs against products written out by hand."""

import keras
import pytest
from keras import layers

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
        (lambda: layers.Dense(7), 8 * 10 * 6 * 7),
        (lambda: layers.MaxPooling2D(), 0),
    ],
)
def test_macs_are_the_products_of_the_definition(layer, by_hand):
    assert macs_of(layer()) == by_hand


def test_what_cannot_be_counted_is_listed_and_never_zero():
    class Twice(layers.Conv2D):
        """A subclass may compute anything."""

    images = keras.Input(IMAGES)
    x = Twice(4, 3, name="twice")(images)
    counted = costs(keras.Model(images, layers.Dense(2, name="dense")(x)))
    assert counted.not_counted == ("twice",)
    assert counted.macs == 6 * 8 * 4 * 2
    assert [row.macs for row in counted.rows if row.name == "twice"] == [None]


def test_parameters_of_one_layer():
    images = keras.Input(IMAGES)
    x = layers.BatchNormalization(name="bn")(layers.Conv2D(4, 3, name="conv")(images))
    rows = {row.name: row for row in costs(keras.Model(images, layers.Dropout(0.5, seed=1)(x))).rows}
    assert (rows["conv"].num_params, rows["conv"].output_shape) == (3 * 3 * 6 * 4 + 4, (6, 8, 4))
    assert (rows["bn"].num_params, rows["bn"].trainable_params) == (16, 8)
