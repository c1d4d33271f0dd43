"""The drawing: what it holds of known networks, and that it can be made of every network of the catalogue."""

import functools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnlab.architectures.catalogue import ARCHITECTURES
from cnnlab.inspector.questions import inspect
from cnnlab.plots.architecture_drawing import (
    LEVELS,
    architecture_drawing,
    architecture_drawing_info,
    architecture_drawing_summary,
    proposed_level,
)
from cnnlab.plots.architecture_drawing_graph import graph_of, regions_of
from cnnlab.plots.layer_costs import COSTS, layer_costs, layer_costs_info, layer_costs_summary
from cnnlab.plots.receptive_growth import (
    MOST_FRAMES,
    receptive_frames,
    receptive_growth,
    receptive_growth_info,
    receptive_growth_summary,
)


@functools.cache
def answer(name: str, size: int, parameters: str) -> dict[str, Any]:
    asked = {"parameters": json.loads(parameters), "input_shape": (size, size, 3), "num_classes": 10}
    return inspect(Path(), architecture=name, **asked).value


def document(name: str, size: int = 32, **parameters: Any) -> dict[str, Any]:
    return answer(name, size, json.dumps(parameters))


def test_lenet_is_drawn_as_in_the_textbook():
    info = architecture_drawing_info(document("lenet5"), "layers")
    assert [box.name for box in info.maps] == ["images", "c1", "s2", "c3", "s4", "c5", "f6", "logits"]
    assert [box.shape for box in info.maps[1:]] == [
        (28, 28, 6), (14, 14, 6), (10, 10, 16), (5, 5, 16), (120,), (84,), (10,)
    ]  # fmt: skip
    assert info.sides == [32, 28, 14, 10, 5]
    heights = [placed.height for placed in info.boxes[:5]]
    assert heights == sorted(heights, reverse=True)
    assert [placed.x for placed in info.boxes] == sorted(placed.x for placed in info.boxes)
    assert info.links == tuple((place, place + 1, "flow") for place in range(7))
    assert architecture_drawing_summary(info) == (
        "8 maps and vectors at the level of layers, sides 32 to 28 to 14 to 10 to 5 px."
    )


def test_alexnet_has_the_maps_of_its_figure():
    info = architecture_drawing_info(document("alexnet", 224))
    assert info.sides == [224, 55, 27, 13, 6]
    assert [box.shape[-1] for box in info.maps if box.role == "conv"] == [64, 192, 384, 256, 256]


@pytest.mark.parametrize(
    ("name", "parameters", "blocks"),
    [("resnet", {"blocks_per_stack": 5}, 15), ("resnet_preact", {}, 9), ("resnet_imagenet", {"depth": 50}, 16),
     ("densenet", {}, 58), ("plain", {}, 0), ("vgg", {}, 0)],
)  # fmt: skip
def test_as_many_skips_as_blocks(name, parameters, blocks):
    found = document(name, **parameters)
    info = architecture_drawing_info(found, "blocks")
    assert info.num_skips == blocks
    assert sum(first == second for first, second, _ in info.links) == blocks
    # In full, a way past a block leads over it or through one convolution beside it.
    full = architecture_drawing_info(found, "layers")
    ends = {
        second for _, second, kind in full.links if kind == "skip" and full.boxes[second].box.role in ("add", "join")
    }
    assert len(ends) == blocks


def test_branches_of_googlenet_are_rows():
    for level in ("blocks", "layers"):
        info = architecture_drawing_info(document("googlenet"), level)
        assert info.num_branched == 9
        rows = {placed.y for placed in info.boxes if placed.box.name.startswith("inception_3a") and placed.box.lane}
        assert len(rows) == 4
    stages = architecture_drawing_info(document("googlenet"), "stages")
    assert [box.repeats for box in stages.maps if box.role == "join"] == [2, 5, 2]


def test_densenet_is_coarse_first():
    found = document("densenet")
    assert proposed_level(found) == "stages"
    info = architecture_drawing_info(found, "stages")
    assert [box.repeats for box in info.maps if box.repeats > 1] == [6, 12, 24, 16]
    assert len(info.boxes) < 15


def test_a_gate_is_no_skip_and_no_map():
    found = document("mobilenet_v3", 224)
    info = architecture_drawing_info(found, "layers")
    assert info.num_skips == 10
    assert 1 not in info.sides


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_network_is_drawn_whole_at_every_level(name):
    found = document(name)
    graph = graph_of(found)
    assert sum(node.num_params for node in graph.nodes) == found["num_params"]
    assert {member for node in graph.nodes for member in node.members} == {row["name"] for row in found["layers"]}
    places = [place for region in regions_of(graph) for place in region.places]
    assert sorted(places) == list(range(1, len(graph.nodes)))
    for level in LEVELS:
        info = architecture_drawing_info(found, level)
        assert sum(placed.box.num_params for placed in info.boxes) == found["num_params"]
        assert sum(placed.box.macs or 0 for placed in info.boxes) == found["macs"]
        drawn = {second for _, second, _ in info.links}
        assert drawn == set(range(1, len(info.boxes))), "every box but the input has a way to it"
        assert not any(overlap(info.boxes))
        figure = architecture_drawing(info)
        shown = [place for trace in figure.data if trace.customdata is not None for place in trace.customdata]
        assert sorted(shown) == list(range(len(info.boxes)))


def overlap(boxes):
    """Yield pairs of fronts that lie on one another."""
    for number, one in enumerate(boxes):
        for other in boxes[number + 1 :]:
            is_beside = abs(one.x - other.x) >= (one.width + other.width) / 2 - 1e-9
            is_above = abs(one.y - other.y) >= (one.height + other.height) / 2 - 1e-9
            if one.row == other.row and not is_beside and not is_above:
                yield one, other


def test_costs_by_layer_add_up_and_name_the_largest():
    found = document("lenet5")
    info = layer_costs_info(found, "num_params")
    assert info.total == found["num_params"] == info.table["value"].sum()
    assert layer_costs_summary(info).startswith("Parameters: 62,006 in 8 layers; most in c5 77.6 %")
    assert layer_costs_summary(layer_costs_info(found, "activation_bytes")).startswith("Activations: 46,264 bytes")
    for cost in COSTS:
        bars = [value for trace in layer_costs(layer_costs_info(found, cost)).data for value in trace.y]
        assert sum(bars) == layer_costs_info(found, cost).total


def test_bars_of_two_networks_are_drawn_to_one_scale():
    lenet, vgg = (layer_costs_info(document(name), "macs") for name in ("lenet5", "vgg"))
    first, second = layer_costs(lenet, beside=vgg), layer_costs(vgg, beside=lenet)
    assert first.layout.yaxis.range == second.layout.yaxis.range == (0, 1.05 * vgg.largest)
    assert first.layout.margin == second.layout.margin
    assert first.layout.height == second.layout.height
    assert first.layout.margin.autoexpand is False  # names of other lengths leave the plots as tall
    deep = layer_costs_info(document("mobilenet_v2"), "macs")
    assert not deep.is_named
    assert layer_costs(lenet, beside=deep).layout.margin == layer_costs(deep, beside=lenet).layout.margin
    assert layer_costs(deep, beside=deep).layout.height < first.layout.height


def test_what_cannot_be_counted_is_listed_and_not_zero():
    found = json.loads(json.dumps(document("lenet5")))
    found["layers"][3] |= {"macs": None, "counted": False}
    info = layer_costs_info(found, "macs")
    assert info.not_counted == ("c3",)
    assert info.table.filter(name="c3")["value"].to_list() == [None]
    assert layer_costs_summary(info).endswith("Not counted: c3.")
    assert architecture_drawing_info(found, "layers").boxes[3].box.macs is None


def test_the_receptive_field_of_lenet_grows_as_by_hand():
    info = receptive_growth_info(document("lenet5"))
    assert info.table["size_px"].to_list() == [5, 6, 14, 16]
    assert info.table["name"].to_list() == ["c1", "s2", "c3", "s4"]
    # Its third convolution's sixth of ten outputs sees the pixels 10 to 23.
    assert info.table.row(2, named=True)["left"] == 9.5
    assert info.table.row(2, named=True)["right"] == 23.5
    assert receptive_growth_summary(info) == (
        "The receptive field grows at 4 layers, to 16 px at s4; the image has 32×32 px."
    )


def test_frames_lie_in_the_image_and_are_few():
    info = receptive_growth_info(document("vgg"))
    figure = receptive_frames(info, np.zeros((32, 32, 1), np.uint8))
    assert len(figure.data) == MOST_FRAMES
    assert "from stage3_2_conv on it is as large" in receptive_growth_summary(info)
    assert list(receptive_growth(info).data[0].y)[:3] == [1, 3, 5]


def test_a_network_without_a_field_says_so():
    found = json.loads(json.dumps(document("lenet5")))
    for layer in found["layers"]:
        layer["receptive_field_px"] = None
    info = receptive_growth_info(found)
    assert info.is_empty
    assert receptive_growth_summary(info) == "The receptive field of this network cannot be followed."
    assert not receptive_growth(info).data
