"""Blocks that begin as the identity, are skipped at random, and stride in other places."""

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy

from cnnlab.architectures import resnet, resnet_imagenet, resnet_preact, resnext
from cnnlab.architectures.blocks import rising

FAMILIES = {
    "resnet": (resnet.build_features, {"blocks_per_stack": 2, "width": 4}, "norm"),
    "resnet_preact": (resnet_preact.build_features, {"blocks_per_stack": 2, "width": 4, "bottleneck": True}, "conv"),
    "wide_resnet": (resnet_preact.build_wide_features, {"depth": 16, "widen_factor": 1, "dropout": 0.0}, "conv"),
    "resnet_imagenet": (resnet_imagenet.build_features, {"depth": 18, "variant": "b"}, "norm"),
    "resnext": (resnext.build_features, {"depth": 50, "cardinality": 8, "path_width": 4}, "norm"),
}


def build(name: str, is_zero: bool = False, stochastic_depth: float = 0.0, side: int = 16, **others) -> keras.Model:
    """The features of a family."""
    builder, settings, kind = FAMILIES[name]
    keras.utils.set_random_seed(0)
    images = keras.Input((side, side, 3))
    tricks = {f"zero_init_last_{kind}": is_zero, "stochastic_depth": stochastic_depth}
    return keras.Model(images, builder(images, **{**settings, **others}, **tricks))


def images(count: int = 2) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(count, 16, 16, 3)).astype("float32")


# The others share their blocks with these.
SMALL = ("resnet", "resnet_preact", "resnet_imagenet")


@pytest.mark.parametrize("name", SMALL)
def test_the_branches_of_each_block_are_zero_at_first_and_then_learn(name):
    model = build(name, is_zero=True)
    adds = [layer.name for layer in model.layers if isinstance(layer, keras.layers.Add)]
    assert adds
    branches = keras.Model(model.input, [model.get_layer(add).input[0] for add in adds])
    for training in (False, True):
        for branch in branches(images(), training=training):
            np.testing.assert_array_equal(convert_to_numpy(branch), 0.0)
    plain = build(name)
    branch = convert_to_numpy(keras.Model(plain.input, plain.get_layer(adds[0]).input[0])(images()))
    assert np.abs(branch).max() > 0


@pytest.mark.parametrize("name", SMALL)
def test_what_starts_at_zero_gets_a_gradient(name):
    import tensorflow as tf

    model = build(name, is_zero=True)
    zeros = [weight for weight in model.trainable_weights if not convert_to_numpy(weight).any() and _is_scale(weight)]
    assert zeros
    with tf.GradientTape() as tape:
        features = model(images(), training=True)
        loss = tf.reduce_mean(features * np.linspace(-1, 1, features.shape[-1], dtype="float32"))
    assert all(np.abs(gradient).max() > 0 for gradient in tape.gradient(loss, [zero.value for zero in zeros]))


def _is_scale(weight) -> bool:
    return weight.name in ("gamma", "kernel")


def test_the_share_of_skipped_blocks_rises_evenly():
    # Huang et al. 2016, section 3: p_l = 1 - l/L * (1 - p_L).
    np.testing.assert_allclose([rising(0.4, block, 4) for block in (1, 2, 3, 4)], [0.1, 0.2, 0.3, 0.4])


@pytest.mark.parametrize("name", FAMILIES)
def test_the_tricks_reach_every_family(name):
    with keras.StatelessScope(initialize_variables=False):
        model, plain = build(name, is_zero=True, stochastic_depth=0.5), build(name)
    keras.backend.clear_session(free_memory=False)
    rates = [layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)]
    blocks = sum(isinstance(layer, keras.layers.Add) for layer in model.layers)
    np.testing.assert_allclose(rates, 0.5 * np.arange(1, blocks + 1) / blocks)
    assert not [layer for layer in plain.layers if isinstance(layer, keras.layers.Dropout)]
    assert len(_zeros(model)) == blocks
    assert not _zeros(plain)


def _zeros(model: keras.Model) -> list[str]:
    """Layers whose scale or kernel starts at zero."""
    return [
        layer.name
        for layer in model.layers
        for first in (getattr(layer, "gamma_initializer", None), getattr(layer, "kernel_initializer", None))
        if isinstance(first, keras.initializers.Zeros)
    ]


def test_the_trained_network_skips_nothing():
    model, plain = build("resnet", stochastic_depth=0.5), build("resnet")
    for layer in [layer for layer in plain.layers if layer.get_weights()]:
        model.get_layer(layer.name).set_weights(layer.get_weights())
    np.testing.assert_array_equal(convert_to_numpy(model(images())), convert_to_numpy(plain(images())))


def test_a_block_that_is_skipped_at_random_gives_its_branch_on_average():
    model = build("resnet", stochastic_depth=0.5)
    dropped = keras.Model(model.input, model.get_layer("stack3_block2_drop").output)
    one = np.repeat(images(1), 4000, axis=0)
    layer = model.get_layer("stack3_block2_drop")
    branch = convert_to_numpy(keras.Model(model.input, layer.input)(one[:1]))
    found = convert_to_numpy(layer(np.repeat(branch, 4000, axis=0), training=True))
    kept = np.abs(found).reshape(4000, -1).max(axis=1) > 0
    assert kept.mean() == pytest.approx(0.5, abs=0.05)  # six deviations
    np.testing.assert_allclose(found[kept], np.repeat(branch / 0.5, kept.sum(), axis=0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(convert_to_numpy(dropped(one[:1])), branch, rtol=1e-5, atol=1e-6)


def strides(variant: str) -> dict[str, int]:
    with keras.StatelessScope(initialize_variables=False):
        model = build("resnet_imagenet", side=64, depth=50, variant=variant)
    keras.backend.clear_session(free_memory=False)
    return {
        layer.name: layer.strides[0]
        for layer in model.layers
        if isinstance(layer, keras.layers.Conv2D | keras.layers.AveragePooling2D) and layer.strides[0] > 1
    }


def test_where_the_variants_stride():
    stages = (2, 3, 4)
    assert strides("original") == {
        f"stage{stage}_block1_{place}_conv": 2 for stage in stages for place in ("shortcut", 1)
    }
    assert strides("b") == {f"stage{stage}_block1_{place}_conv": 2 for stage in stages for place in ("shortcut", 2)}
    assert strides("c") == strides("b")
    assert strides("d") == {f"stage{stage}_block1_2_conv": 2 for stage in stages} | {
        f"stage{stage}_block1_shortcut_pool": 2 for stage in stages
    }


def test_the_shortcut_of_d_reads_the_mean_of_four_pixels():
    with keras.StatelessScope(initialize_variables=False):
        model = build("resnet_imagenet", side=16, depth=18, variant="d")
    keras.backend.clear_session(free_memory=False)
    pool = next(layer for layer in model.layers if isinstance(layer, keras.layers.AveragePooling2D))
    assert pool.name == "stage3_block1_shortcut_pool"
    x = np.random.default_rng(0).normal(size=(1, 4, 4, 3)).astype("float32")
    expected = x.reshape(1, 2, 2, 2, 2, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(convert_to_numpy(pool(x)), expected, rtol=1e-5)
