"""What is said of a list of layers without Keras is what Keras makes of it."""

import keras
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layer_lists import layer_lists

from cnnlab.analysis.costs import costs
from cnnlab.architectures.layer_list import LAYER_KINDS, check_layers
from cnnlab.architectures.layer_list_keras import build_features
from cnnlab.architectures.layer_list_table import layer_table

INPUT_SHAPES = [(32, 32, 3), (17, 17, 1), (9, 14, 2)]


def compare(layers, input_shape) -> None:
    """Build the list and compare every number of the table with the counts of the built network."""
    layers = check_layers(layers)
    table = layer_table(layers, input_shape, [])
    try:
        with keras.StatelessScope(initialize_variables=False):
            images = keras.Input(input_shape, name="images")
            network = keras.Model(images, build_features(images, layers=layers))
            found = costs(network)
    finally:
        keras.backend.clear_session(free_memory=False)
    by_number = {row.number: [] for row in table.rows}
    for row in found.rows:
        if row.name.startswith("layer"):
            by_number[int(row.name.removeprefix("layer").split("_")[0])].append(row)
    for row in table.rows:
        built = by_number[row.number]
        assert row.shape.output == built[-1].output_shape, row
        assert row.shape.num_params == sum(one.num_params for one in built), row
        assert row.shape.trainable_params == sum(one.trainable_params for one in built), row
        assert row.shape.macs == sum(one.macs for one in built), row
        assert row.receptive_field_px == built[-1].receptive_field_px, row
    assert (table.num_params, table.macs) == (found.num_params, found.macs)
    assert found.not_counted == ()


@pytest.mark.parametrize("kind", sorted(set(LAYER_KINDS) - {"dense", "skip"}))
def test_each_kind_alone_is_what_keras_makes(kind):
    compare([kind] if "global" in kind or kind == "flatten" else [kind, "flatten"], (9, 14, 2))


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_any_list_is_what_keras_makes(data):
    input_shape = data.draw(st.sampled_from(INPUT_SHAPES))
    compare(data.draw(layer_lists(input_shape)), input_shape)


def test_skips_in_skips_and_over_features_are_what_keras_makes():
    compare(
        [
            {"kind": "conv", "filters": 4, "stride": 3},
            {"kind": "skip", "layers": 1},
            {"kind": "transposed_conv", "filters": 4, "kernel": 4},
            "max_pool",
            {"kind": "skip", "layers": 3},
            "skip",
            "flatten",
            {"kind": "dense", "units": 7},
            {"kind": "skip", "layers": 1, "activation": "none"},
        ],
        (17, 17, 1),
    )
