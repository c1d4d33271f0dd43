"""The architectures page: what it shows of known networks, its address, and the way into the training form."""

import functools
import json
from pathlib import Path
from typing import Any

import pytest
from page_text import said

from cnnlab.architectures.catalogue import ARCHITECTURES
from cnnlab.config import RunConfig, config_from_yaml
from cnnlab.inspector.questions import inspect
from dashboard import data
from dashboard.components.explorer_numbers import layer_rows, padding_sentence, padding_text


@functools.cache
def document(asked: str) -> dict[str, Any]:
    return inspect(Path(), **json.loads(asked)).value


@pytest.fixture(autouse=True)
def inspected(monkeypatch) -> list[dict[str, Any]]:
    """Answer as the inspector does, in this process; returns what was asked."""
    asked: list[dict[str, Any]] = []

    def ask_later(kind: str, **arguments: Any) -> data.Answer:
        if kind != "inspect":
            return data.Answer()
        asked.append(arguments)
        return data.Answer(document(json.dumps(arguments)))

    monkeypatch.setattr(data, "ask_later", ask_later)
    return asked


def metrics(app) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def test_it_opens_with_lenet_as_published(open_page):
    app = open_page("explorer")
    assert metrics(app) == {
        "Parameters": "61,706",
        "MACs": "417 k",
        "Activations": "38.1 kB",
        "Training memory": metrics(app)["Training memory"],
        "Receptive field": "16 px",
    }
    text = said(app)
    assert "Gradient\\-Based Learning Applied to Document Recognition" in text
    assert "Trained parameters: ours 61,706, published 61,706: :green[:material/check:] the same" in text
    assert "MACs are the multiply-accumulates of one image" in text
    assert "8 maps and vectors at the level of blocks, sides 32 to 28 to 14 to 10 to 5 px" in text


def test_the_address_holds_the_network(open_page, inspected):
    app = open_page("explorer", arch="resnet", p='{"width":32}', size="40", channels="1", classes="7")
    assert inspected[-1] == {
        "architecture": "resnet",
        "parameters": ARCHITECTURES["resnet"].brief({"width": 32}),
        "input_shape": [40, 40, 1],
        "num_classes": 7,
    }
    assert "9 skip connections" in said(app)
    app.number_input(key="explorer.classes").set_value(9).run()
    assert app.query_params["classes"] == "9"
    assert app.query_params["p"] == '{"width":32}'
    app.selectbox(key="explorer.arch").set_value("alexnet").run()  # another network comes as in its paper
    assert inspected[-1]["input_shape"] == [224, 224, 3]
    assert app.query_params["classes"] == "1000"
    assert "p" not in app.query_params
    assert "published 61,100,840: :green[:material/check:] the same" in said(app)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"arch": "resnt"}, "Unknown architecture 'resnt'"),
        ({"arch": "resnet", "p": "{"}, "The settings in the address cannot be read"),
        ({"arch": "resnet", "p": '{"widht":3}'}, "Did you mean 'width'"),
        ({"arch": "vgg", "size": "9"}, "VGG needs images of at least 16 px"),
    ],
)
def test_a_broken_address_is_said_in_a_sentence(open_page, query, sentence):
    assert sentence in said(open_page("explorer", **query)).replace("\\", "")


def test_sizes_out_of_range_become_the_nearest(open_page):
    app = open_page("explorer", size="99999", channels="x", classes="0")
    assert [app.number_input(key=f"explorer.{name}").value for name in ("size", "channels", "classes")] == [1024, 1, 2]


def test_two_networks_stand_side_by_side(open_page, inspected):
    app = open_page("explorer", **{"arch": "lenet5", "with": "resnet", "with_p": '{"width":8}'})
    assert {asked["architecture"]: asked["input_shape"] for asked in inspected} == {
        "lenet5": [32, 32, 1],
        "resnet": [32, 32, 1],
    }
    assert app.number_input(key="explorer.b.resnet.width").value == 8
    table = next(frame.value for frame in app.dataframe if "Ratio" in frame.value.columns)
    assert table["LeNet-5"][0] == "61,706"
    assert len([metric for metric in app.metric if metric.label == "MACs"]) == 2


def value_ranges(app) -> list[list[float]]:
    """Return the ranges of the value axes of the charts below the drawings, in order."""
    figures = [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]
    return [one["layout"]["yaxis"]["range"] for one in figures if one["layout"]["yaxis"].get("visible", True)]


def test_charts_side_by_side_have_one_range(open_page):
    both = {"arch": "lenet5", "with": "alexnet", "size": "64"}
    costs = value_ranges(open_page("explorer", view="costs", with_view="costs", **both))
    assert len(costs) == 6
    assert costs[:3] == costs[3:]
    assert value_ranges(open_page("explorer", view="costs", arch="lenet5", size="64")) != costs[:3]
    fields = value_ranges(open_page("explorer", view="field", with_view="field", **both))
    assert fields[0] == fields[2] == [0, pytest.approx(1.05 * 99)]  # of AlexNet
    assert len(fields) == 4


@pytest.mark.parametrize("looks", [1, 2, 3])
def test_charts_wait_for_a_network_that_comes_late(open_page, monkeypatch, looks):
    answered, asked = data.ask_later, []

    def ask_later(kind: str, **arguments: Any) -> data.Answer:
        asked.append(arguments["architecture"])
        is_late = asked[-1] == "alexnet" and asked.count("alexnet") <= looks
        return data.Answer() if is_late else answered(kind, **arguments)

    monkeypatch.setattr(data, "ask_later", ask_later)
    app = open_page("explorer", view="costs", with_view="costs", size="64", **{"arch": "lenet5", "with": "alexnet"})
    # The page was drawn once: at once a second time, browsers lose what widgets were set to.
    assert asked.count("alexnet") == 2
    assert ("Building the network" in said(app)) == (looks > 1)
    while looks > 1 and "Building the network" in said(app):
        app.run()
    ranges = value_ranges(app)
    assert ranges[:3] == ranges[3:]
    assert any("Ratio" in frame.value.columns for frame in app.dataframe)


def test_the_address_holds_how_it_is_looked_at(open_page):
    app = open_page(
        "explorer", **{"detail": "layers", "view": "field", "images": "shapes", "image": "3", "with": "lenet5"}
    )
    assert "at the level of layers" in said(app)
    assert (app.selectbox(key="a_images").value, app.number_input(key="a_number").value) == ("shapes", 3)
    assert app.segmented_control(key="b_view").value == "layers"
    data.refresh()  # the images are in the store by now and offered first: the address names them all the same
    app.segmented_control(key="b_view").set_value("costs").run()
    app.segmented_control(key="a_detail").set_value("blocks").run()  # as it is proposed
    app.number_input(key="a_number").set_value(5).run()
    assert {name: "".join(app.query_params[name]) for name in ("view", "with_view", "images", "image")} == {
        "view": "field",
        "with_view": "costs",
        "images": "shapes",
        "image": "5",
    }
    assert "detail" not in app.query_params
    app.selectbox(key="explorer.with").set_value("").run()
    assert "with_view" not in app.query_params
    assert app.segmented_control(key="a_view").value == "field"


def test_another_address_in_the_session_is_taken(open_page):
    app = open_page("explorer", view="costs", detail="stages")
    app.query_params.clear()
    app.query_params.update({"view": "formulas", "detail": "nonsense"})
    app.run()
    assert not app.exception
    assert app.segmented_control(key="a_view").value == "formulas"
    assert app.segmented_control(key="a_detail").value == "blocks"
    app.selectbox(key="explorer.arch").set_value("alexnet").run()  # its own level is proposed, the part stays
    assert app.segmented_control(key="a_view").value == "formulas"


def test_what_a_dense_layer_sees_is_a_dash(open_page):
    app = open_page("explorer")
    table = next(frame for frame in app.dataframe if "Sees (px)" in frame.value.columns)
    assert table.proto.placeholder == "–"
    assert table.value["Sees (px)"].isna().sum() == 4  # the flatten and three dense layers


def test_train_this_opens_the_form_with_the_network(open_page):
    app = open_page("explorer", arch="resnet", p='{"blocks_per_stack":5}', size="48")
    app.button(key="a_train").click().run()
    config: RunConfig = config_from_yaml(next(block.value for block in app.code if block.language == "yaml"))
    assert config.architecture.name == "resnet"
    assert config.architecture.parameters == ARCHITECTURES["resnet"].check({"blocks_per_stack": 5}).model_dump()
    assert config.data.image_size == 48
    assert config.training == RunConfig().training


def test_every_part_below_the_drawing(open_page):
    app = open_page("explorer")
    for view in ("costs", "field", "formulas"):
        app.segmented_control(key="a_view").set_value(view).run()
        assert not app.exception
    text = said(app)
    assert "Parameters: `(F*F*D1)*K + K` = `(5*5*1)*6 + 6` = **156**" in text
    assert "MACs: `H2*W2*(F*F*D1)*K` = `28*28*(5*5*1)*6` = **117,600**" in text
    assert "No padding." in text
    for level in ("stages", "layers"):
        app.segmented_control(key="a_detail").set_value(level).run()
        assert f"at the level of {level}" in said(app)


@pytest.mark.parametrize("name", ["lenet5_1998", "googlenet", "vit", "layers"])
def test_unusual_networks_have_their_page(open_page, name):
    app = open_page("explorer", arch=name, size="32", classes="10")
    assert metrics(app)["Parameters"]


def test_a_channel_that_cannot_be_counted_is_null():
    asked = {"architecture": "lenet5", "parameters": {}, "input_shape": [32, 32, 1], "num_classes": 10}
    found = json.loads(json.dumps(document(json.dumps(asked))))
    found["layers"][1] |= {"macs": None, "counted": False}
    assert layer_rows(found)["MACs"].to_list()[:3] == [0, None, 0]


def test_uneven_padding_is_told():
    padding = {"height": [0, 1], "width": [0, 1]}
    assert padding_text(padding) == "0+1"
    assert padding_text({"height": [1, 1], "width": [0, 1]}) == "1 × 0+1"
    assert padding_sentence(padding) == (
        "Padding, height: 0 before and 1 after; width: 0 before and 1 after. It is uneven: with a stride, padding "
        "'same' puts the odd pixel at the end."
    )
    assert (
        padding_sentence({"height": [1, 1], "width": [1, 1]})
        == "Padding, height: 1 on both sides; width: 1 on both sides."
    )
