"""Parameters that follow from the papers' tables, as products written out."""

import keras
import pytest

from cnnlab.architectures import vgg


def build(builder, size: int, channels: int = 3, **parameters) -> keras.Model:
    """The features of a family, without weights."""
    try:
        with keras.StatelessScope(initialize_variables=False):
            images = keras.Input((size, size, channels))
            return keras.Model(images, builder(images, **parameters))
    finally:
        keras.backend.clear_session(free_memory=False)


def trainable(model: keras.Model) -> int:
    """How many trainable parameters a model has."""
    return sum(int(keras.ops.prod(weight.shape)) for weight in model.trainable_weights)


def test_vgg_16():
    settings = {"depth": 16, "dense_units": 4096, "dropout": 0.5}
    convolutions = [(3, 64), (64, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 256), (256, 512),
                    (512, 512), (512, 512), (512, 512), (512, 512), (512, 512)]  # fmt: skip
    in_convolutions = sum(9 * into * out for into, out in convolutions)
    filters = sum(out for _, out in convolutions)
    hidden = 7 * 7 * 512 * 4096 + 4096 + 4096 * 4096 + 4096
    plain = build(vgg.build_features, 224, batch_norm=False, **settings)
    assert trainable(plain) == in_convolutions + filters + hidden == 138_357_544 - 4097 * 1000
    normalised = build(vgg.build_features, 224, batch_norm=True, **settings)
    assert trainable(normalised) == in_convolutions + 2 * filters + hidden


@pytest.mark.parametrize(("size", "places"), [(32, 1), (64, 4)])
def test_vgg_has_an_eighth_of_the_dense_units_for_small_images(size, places):
    small = build(vgg.build_features, size, depth=11, batch_norm=True, dense_units=4096, dropout=0.5)
    assert small.get_layer("fc6").kernel.shape == (places * 512, 512)
