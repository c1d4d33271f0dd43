"""A list of layers: what is refused in words, and what it amounts to, by hand."""

import pytest
from hypothesis import given
from layer_lists import layer_lists

from cnnlab.architectures.layer_list import LAYER_KINDS, LayerListParameters, brief, check_layers
from cnnlab.architectures.layer_list_keras import BUILDERS
from cnnlab.architectures.layer_list_shapes import RULES, LayerListError, check_shapes, shapes_of
from cnnlab.architectures.layer_list_table import layer_table
from cnnlab.config import config_from_dict
from cnnlab.errors import ConfigError
from cnnlab.parameters import specs


def own(layers, size=None):
    return config_from_dict(
        {"architecture": {"name": "layers", "parameters": {"layers": layers}}, "data": {"image_size": size}}
    )


@pytest.mark.parametrize(
    ("layers", "sentence"),
    [
        (
            "conv",
            "layers='conv' is no list. Expected a list of layers. "
            "Write it like [{kind: conv, filters: 32}, max_pool, global_average_pool].",
        ),
        ([3], "Layer 1: 3 is no layer. Expected a kind and settings. Write it like {kind: conv, filters: 32}."),
        (["conv", "maxpool"], "Layer 2: unknown kind of layer 'maxpool'. Did you mean 'max_pool'?"),
        (["conv"] * 201, "The list has 201 layers. Expected at most 200. Leave some out."),
        (
            [{"kind": "conv", "filtres": 8}],
            "Layer 1 (convolution): Unknown setting 'filtres'. Did you mean 'filters'?",
        ),
        (
            [{"kind": "dropout", "rate": 2}],
            "Layer 1 (dropout): rate=2 is out of range. Expected a number in [0, 0.95].",
        ),
        (
            [{"kind": "conv", 3: 8}],
            "Layer 1 (convolution): a setting has no name. Expected 'name: value' pairs. Write it like filters: 32.",
        ),
        (
            [],
            "The list has no layers. Expected at least one that gives features. Add convolutions and a global pooling.",
        ),
        (
            ["conv"],
            "The list ends in a map of 32x32x32, and the output needs features. "
            "Add a global pooling or flatten at the end.",
        ),
        (
            ["conv", *["max_pool"] * 6, "flatten"],
            "Layer 7 (max pooling): a window of 2x2 does not fit into 1x1. Remove it or pool less before.",
        ),
        (
            [{"kind": "conv", "kernel": 5, "stride": 8}, {"kind": "conv", "kernel": 5, "padding": "valid"}, "flatten"],
            "Layer 2 (convolution): a kernel of 5x5 does not fit into 4x4. Take padding 'same' or pool less before.",
        ),
        (
            [{"kind": "dilated_conv", "dilation": 16, "padding": "valid"}, "flatten"],
            "Layer 1 (dilated convolution): a kernel of 3x3, which dilation 16 spreads over 33x33, does not fit into "
            "32x32. Take padding 'same' or pool less before.",
        ),
        (
            ["conv", "dense"],
            "Layer 2 (dense): it takes features and gets a map of 32x32x32. Add a flatten or global pooling before it.",
        ),
        (
            ["global_max_pool", "average_pool"],
            "Layer 2 (average pooling): it takes a map and gets 3 features. "
            "Move it before the flatten or global pooling.",
        ),
        (["skip"], "Layer 1 (skip): it skips over 2 layers and has none before it. Move it down."),
        (
            ["conv", {"kind": "skip", "layers": 2}],
            "Layer 2 (skip): it skips over 2 layers and has 1 before it. Lower it to 1 or less.",
        ),
        (
            ["conv", "flatten", "skip"],
            "Layer 3 (skip): it cannot add a map of 32x32x3, from before the last 2 layers, to 32768 features. "
            "Skip over fewer layers.",
        ),
        (
            [{"kind": "conv", "padding": "valid"}, {"kind": "skip", "layers": 1}, "flatten"],
            "Layer 2 (skip): no stride makes 30x30x32 of 32x32x3, from before the last layer. "
            "Take padding 'same' there or skip over fewer layers.",
        ),
        (
            [{"kind": "transposed_conv", "stride": 8}] * 5,
            "Layer 3 (transposed convolution): its output has 8,589,934,592 values, and at most 2,147,483,648 are "
            "possible. Make the map smaller.",
        ),
    ],
)
def test_what_does_not_fit_is_said_with_its_layer(layers, sentence):
    with pytest.raises(ConfigError) as error:
        own(layers)
    assert str(error.value) == sentence


def test_a_list_that_fits_its_size_does_not_fit_a_smaller_one():
    deep = [*["max_pool"] * 5, "flatten"]
    assert own(deep).architecture.parameters["layers"][0] == {
        "kind": "max_pool", "window": 2, "stride": 2, "padding": "valid"
    }  # fmt: skip
    with pytest.raises(LayerListError) as error:
        own(deep, size=16)
    assert error.value.number == 5


def test_counts_by_hand():
    rows = check_shapes(
        check_layers(
            [
                {"kind": "conv", "filters": 6, "kernel": 5, "padding": "valid"},
                "max_pool",
                {"kind": "conv", "filters": 16, "kernel": 5, "padding": "valid"},
                "max_pool",
                "flatten",
                {"kind": "dense", "units": 120},
                {"kind": "dense", "units": 84},
            ]
        ),
        (32, 32, 1),
    )
    assert [row.output for row in rows] == [
        (28, 28, 6), (14, 14, 6), (10, 10, 16), (5, 5, 16), (400,), (120,), (84,)
    ]  # fmt: skip
    assert sum(row.num_params for row in rows) == 61_706 - 850
    assert sum(row.macs for row in rows) == 117_600 + 240_000 + 48_000 + 10_080


def test_a_skip_says_what_it_goes_through():
    layers = check_layers(
        [
            {"kind": "conv", "filters": 8},
            {"kind": "conv", "filters": 16, "stride": 2},
            {"kind": "conv", "filters": 16},
            "skip",
            {"kind": "conv", "filters": 16},
            {"kind": "skip", "layers": 1},
            "global_average_pool",
        ]
    )
    table = layer_table(layers, (16, 16, 3), [10, 4])
    first, second = table.rows[3], table.rows[5]
    assert first.words == "over 2, ReLU, through a 1×1 convolution, stride 2"
    assert first.shape.num_params == 8 * 16 + 4 * 16
    assert (second.words, second.shape.num_params) == ("over 1, ReLU", 0)
    assert [row.title for row in table.rows[-2:]] == ["Output", "Output"]
    # A 3x3 window; two of them, the first with stride 2; one more at stride 2.
    assert [row.receptive_field_px for row in table.rows] == [3, 5, 9, 9, 13, 13, None, None, None]
    assert table.receptive_field_px == 13


def test_the_table_ends_before_what_does_not_fit():
    table = layer_table(check_layers(["max_pool", "max_pool", "max_pool"]), (4, 4, 1), [10])
    assert [row.shape.output for row in table.rows] == [(2, 2, 1), (1, 1, 1)]
    assert table.error is not None
    assert table.error.number == 3


@given(layer_lists())
def test_a_list_is_the_same_short_and_long(layers):
    full = check_layers(layers)
    assert check_layers(full) == full
    assert check_layers(brief(full)) == full
    assert brief(full) == layers
    assert shapes_of(full, (32, 32, 3))[1] is None
    assert LayerListParameters(layers=layers).brief() == {"layers": layers}


def test_every_kind_has_a_rule_a_builder_and_words():
    assert set(RULES) == set(BUILDERS) == set(LAYER_KINDS) - {"skip"}
    for kind in LAYER_KINDS.values():
        assert kind.summary.endswith(".")
        assert (kind.settings().words() == "") == (not specs(kind.settings))
        assert all(spec.help for spec in specs(kind.settings))
