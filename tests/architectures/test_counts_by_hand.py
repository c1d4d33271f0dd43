"""Parameters that follow from the papers' tables, as products written out."""

from collections import Counter

import keras
import numpy as np
import pytest

from cnnlab.analysis.costs import costs
from cnnlab.architectures import (
    alexnet,
    convnext,
    densenet,
    efficientnet,
    googlenet,
    lenet_1998,
    mobilenet,
    mobilenet_v2,
    plain,
    resnet,
    resnet_imagenet,
    resnet_preact,
    shufflenet_v2,
    vgg,
    vit,
)

AS_IT_COMES = {"zero_init_last_norm": False, "stochastic_depth": 0.0}
WIDE_AS_IT_COMES = {"zero_init_last_conv": False, "stochastic_depth": 0.0}


def build(builder, side: int, /, *, channels: int = 3, **parameters) -> keras.Model:
    """The features of a family, without weights."""
    try:
        with keras.StatelessScope(initialize_variables=False):
            images = keras.Input((side, side, channels))
            return keras.Model(images, builder(images, **parameters))
    finally:
        keras.backend.clear_session(free_memory=False)


def trainable(model: keras.Model) -> int:
    """How many trainable parameters a model has."""
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


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


def test_lenet_5_of_1998_has_the_papers_sixty_thousand_up_to_f6():
    model = build(lenet_1998.build_features, 32, channels=1)
    counts = {}
    for layer in model.layers:
        if layer.trainable_weights:
            key = layer.name.split("_")[0]
            counts[key] = counts.get(key, 0) + trainable(layer)
    # As the paper says it, layer by layer.
    assert counts == {"c1": 156, "s2": 12, "c3": 1_516, "s4": 32, "c5": 48_120, "f6": 10_164}
    assert sum(counts.values()) == 60_000


def test_lenet_5_of_1998_has_the_papers_connections():
    counted = {row.name: row for row in costs(build(lenet_1998.build_features, 32, channels=1)).rows}
    products = {key: sum(row.macs for name, row in counted.items() if name.split("_")[0] == key)
                for key in ("c1", "c3", "c5", "f6")}  # fmt: skip
    # The paper counts the offset as a connection too.
    offsets = {"c1": 6 * 28 * 28, "c3": 16 * 10 * 10, "c5": 120, "f6": 84}
    assert {key: products[key] + offsets[key] for key in products} == {
        "c1": 122_304,
        "c3": 151_600,
        "c5": 48_120,
        "f6": 10_164,
    }


def test_table_1_of_lenet_5_has_sixty_pairs_and_each_map_is_read_ten_times():
    readers = [*lenet_1998.THREES, *lenet_1998.FOURS, *lenet_1998.SPLIT_FOURS, tuple(range(6))]
    assert len(readers) == 16
    assert len(set(map(frozenset, readers))) == 16
    assert Counter(one for reader in readers for one in reader) == dict.fromkeys(range(6), 10)


def test_alexnet_of_two_columns():
    model = build(alexnet.build_features, 224, columns="two_columns", dropout=0.5)
    convolutions = (
        11 * 11 * 3 * 96 + 96,
        2 * 5 * 5 * 48 * 128 + 256,
        3 * 3 * 256 * 384 + 384,
        2 * 3 * 3 * 192 * 192 + 384,
        2 * 3 * 3 * 192 * 128 + 256,
    )
    hidden = (6 * 6 * 256 * 4096 + 4096, 4096 * 4096 + 4096)
    assert trainable(model) == sum(convolutions) + sum(hidden) == 60_965_224 - 4097 * 1000


def test_googlenet_of_the_paper_counts_its_table():
    # The parameters of table 1, whose printed numbers are rounded to thousands, by its filters.
    modules = 0
    channels = 192
    for one, three_before, three, five_before, five, after_pool in googlenet.MODULES.values():
        narrow = (one, three_before, five_before, after_pool)
        modules += sum(channels * filters + filters for filters in narrow)
        modules += 9 * three_before * three + three + 25 * five_before * five + five
        channels = one + three + five + after_pool
    stem = 49 * 3 * 64 + 64 + 64 * 64 + 64 + 9 * 64 * 192 + 192
    model = build(lambda images: googlenet.build_features(images, batch_norm=False, dropout=0.4).main, 224)
    assert trainable(model) == stem + modules == 6_998_552 - 1025 * 1000


def test_a_wide_resnet_28_10():
    widths = (160, 320, 640)
    total, channels = 9 * 3 * 16, 16
    for width in widths:
        # The first block normalises what comes in, then its own; its shortcut is a 1x1 convolution.
        total += 2 * channels + 9 * channels * width + 2 * width + 9 * width * width + channels * width
        total += 3 * (2 * width + 9 * width * width + 2 * width + 9 * width * width)
        channels = width
    total += 2 * channels
    model = build(resnet_preact.build_wide_features, 32, depth=28, widen_factor=10, dropout=0.3, **WIDE_AS_IT_COMES)
    assert trainable(model) == total == 36_479_194 - 641 * 10


@pytest.mark.parametrize(("blocks", "layers"), [(3, 20), (9, 56)])
def test_a_plain_network_is_a_resnet_without_shortcuts(blocks, layers):
    plain_one = build(plain.build_features, 32, blocks_per_stack=blocks, width=16)
    residual = build(resnet.build_features, 32, blocks_per_stack=blocks, width=16, **AS_IT_COMES)
    # Two projections of 1x1 convolutions and what normalises them.
    assert trainable(residual) - trainable(plain_one) == 16 * 32 + 2 * 32 + 32 * 64 + 2 * 64
    convolutions = [layer for layer in plain_one.layers if isinstance(layer, keras.layers.Conv2D)]
    assert len(convolutions) + 1 == layers  # and the dense layer of the output
    assert not [layer for layer in plain_one.layers if isinstance(layer, keras.layers.Add)]


@pytest.mark.parametrize(("depth", "published"), [(18, 11_708_744), (50, 25_576_264), (101, 44_568_392)])
def test_a_resnet_d_has_a_stem_of_three_convolutions_and_nothing_else_to_learn(depth, published):
    first = build(resnet_imagenet.build_features, 224, depth=depth, variant="b", **AS_IT_COMES)
    deep = build(resnet_imagenet.build_features, 224, depth=depth, variant="d", **AS_IT_COMES)
    stem = 9 * 3 * 32 + 9 * 32 * 32 + 9 * 32 * 64 + 2 * (32 + 32 + 64)
    assert trainable(deep) - trainable(first) == stem - (49 * 3 * 64 + 2 * 64) == 19_232
    features = 512 if depth == 18 else 2048
    assert trainable(deep) == published - (features + 1) * 1000


@pytest.mark.parametrize("factor", [0.5, 1.0])
def test_mobilenet_equals_keras_own(factor):
    ours = build(mobilenet.build_features, 224, width_factor=factor, dropout=0.0)
    try:
        with keras.StatelessScope(initialize_variables=False):
            theirs = keras.applications.MobileNet((224, 224, 3), alpha=factor, include_top=False, weights=None)
    finally:
        keras.backend.clear_session(free_memory=False)
    assert trainable(ours) == trainable(theirs)


def test_a_channel_shuffle_deals_both_halves_out_in_turn():
    images = keras.Input((1, 1, 6))
    model = keras.Model(images, shufflenet_v2._shuffle(images, "x"))
    dealt = np.asarray(model(np.arange(6, dtype="float32").reshape(1, 1, 1, 6)))
    assert dealt.ravel().tolist() == [0, 3, 1, 4, 2, 5]


@pytest.mark.parametrize(("side", "patch"), [(224, 16), (128, 16), (112, 16), (64, 8), (32, 4), (28, 4), (16, 2)])
def test_patches_are_halved_until_seven_fit(side, patch):
    assert vit.kept_patch(keras.Input((side, side, 3)), 16) == patch


@pytest.mark.parametrize(
    ("builder", "settings", "maps"),
    [
        (
            resnet_imagenet.build_features,
            {"depth": 18, "variant": "b", **AS_IT_COMES},
            {224: 7, 128: 4, 64: 4, 32: 4, 28: 4, 16: 4},
        ),
        (densenet.build_features, {"depth": 121, "dropout": 0.0}, {224: 7, 64: 4, 32: 4}),
        (mobilenet_v2.build_features, {"width_factor": 0.25, "dropout": 0.0}, {224: 7, 64: 4, 32: 4}),
        (efficientnet.build_features, {"variant": "b0", "dropout": 0, "stochastic_depth": 0}, {224: 7, 64: 4, 32: 4}),
        (convnext.build_features, {"size": "tiny", "stochastic_depth": 0.0}, {224: 7, 64: 4, 32: 4}),
    ],
)
def test_the_last_map_of_small_images(builder, settings, maps):
    for side, last in maps.items():
        model = build(builder, side, **settings)
        pool = next(layer for layer in model.layers if layer.name == "pool")
        assert pool.input.shape[1:3] == (last, last)
