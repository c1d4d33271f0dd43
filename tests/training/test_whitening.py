"""A whitened first convolution: what it answers, that it stays, and where it is refused."""

import keras
import numpy as np
import pytest

from cnnlab.config import config_from_dict
from cnnlab.datasets.storage import open_dataset
from cnnlab.errors import ConfigError
from cnnlab.training import trainer
from cnnlab.training.equipment import equip, split_images, split_labels
from cnnlab.training.whitening import EPSILON, patches_of, whiten_first_conv, whitening_filters

pytestmark = pytest.mark.training
SMALL = {"width": 8, "later_width": 8, "convs_per_block": 1, "activation": "relu"}


def images(count=40, side=6, channels=3):
    """Pictures whose neighbouring pixels are alike, as those of photographs are."""
    random = np.random.default_rng(0).integers(0, 256, (count, side // 2, side // 2, channels))
    noise = np.random.default_rng(1).integers(-20, 20, (count, side, side, channels))
    return np.clip(random.repeat(2, axis=1).repeat(2, axis=2) + noise, 0, 255).astype(np.uint8)


def network(filters, *, before=()):
    pixels = keras.Input((6, 6, 3))
    x = keras.layers.Rescaling(1 / 255, offset=-0.5)(pixels)
    for layer in before:
        x = layer(x)
    return keras.Model(pixels, keras.layers.Conv2D(filters, 2, name="first")(x))


def test_patches_are_in_the_order_of_a_kernel():
    pixels = np.arange(2 * 3 * 3 * 2, dtype=np.float32).reshape(2, 3, 3, 2)
    found = patches_of(pixels, 2, 2)
    assert found.shape == (2 * 2 * 2, 8)
    np.testing.assert_array_equal(found[3], pixels[0, 1:3, 1:3].ravel())


def test_filters_answer_with_variance_one_and_without_correlation():
    random = np.random.default_rng(2)
    patches = random.normal(size=(5000, 6)) @ random.normal(size=(6, 6))
    answers = patches @ whitening_filters(patches).T
    spread = np.linalg.eigvalsh(patches.T @ patches / len(patches))[::-1]
    np.testing.assert_allclose(answers.T @ answers / len(answers), np.diag(spread / (spread + EPSILON)), atol=1e-9)
    assert spread[0] > spread[-1] > EPSILON


def test_the_layer_answers_so_and_stays():
    model, pixels = network(30), images()
    rest = np.array(model.get_layer("first").kernel)[..., 24:]
    assert whiten_first_conv(model, pixels) == "first"
    answers = np.asarray(model(pixels))[..., :24].reshape(-1, 24)
    np.testing.assert_allclose(answers[:, :12], -answers[:, 12:], atol=1e-4)
    positive = answers[:, :12]
    np.testing.assert_allclose(positive.T @ positive / len(positive), np.eye(12), atol=0.15)
    np.testing.assert_array_equal(np.array(model.get_layer("first").kernel)[..., 24:], rest)
    assert [variable.path for variable in model.trainable_variables] == ["first/bias"]


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (lambda: network(23), "'first' has 23 filters for patches of 12 values. Expected at least 24"),
        (lambda: network(30, before=[keras.layers.MaxPooling2D(1)]), "does not begin with a convolution"),
    ],
)
def test_it_is_refused_with_the_way_out(model, said):
    with pytest.raises(ConfigError, match=said) as error:
        whiten_first_conv(model(), images())
    assert "leave whiten_first_conv out" in str(error.value)


def test_weights_come_from_one_place():
    with pytest.raises(ConfigError, match="Leave whiten_first_conv out, or train from scratch"):
        config_from_dict({"transfer": {"source": "run:some"}, "tricks": {"whiten_first_conv": True}})


def test_a_training_begins_with_it_keeps_it_and_moves_offsets_faster(tmp_path):
    """One training shows both: the kernel is that of the images, and only offsets go further than without."""
    digits = open_dataset(tmp_path, "digits")

    def trained(**tricks):
        config = config_from_dict(
            {
                "data": {"dataset": "digits", "image_size": 16},
                "architecture": {"name": "airbench", "parameters": SMALL},
                "training": {"epochs": 1, "batch_size": 512, "optimizer": "sgd", "learning_rate": 1e-3, "momentum": 0},
                "tricks": {"whiten_first_conv": True, **tricks},
            }
        )
        return config, trainer.train(config, digits).network

    config, usual = trained()
    _, fast = trained(offset_rate=64)
    begun = equip(
        config, digits.info, split_images(config, digits, "train"), split_labels(config, digits, "train"), None
    )
    kernel = np.array(begun.networks[0].get_layer("patches_conv").kernel)
    np.testing.assert_array_equal(np.array(usual.get_layer("patches_conv").kernel), kernel)

    def moved(network):
        return np.abs(np.array(network.get_layer("block3_1_bn").beta)).max()

    assert moved(fast) / moved(usual) == pytest.approx(64, rel=0.1)
