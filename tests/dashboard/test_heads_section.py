"""The form has a weight and a rate per output where the data have several."""

import pytest

pytestmark = pytest.mark.usefixtures("questions", "queue")


def labels(app):
    return {one.label for one in app.number_input}


def test_one_output_has_no_section(open_page):
    app = open_page("train")
    assert not [label for label in labels(app) if label.startswith("Weight of ")]


def test_a_row_per_output(open_page):
    app = open_page("train", dataset="shapes")
    assert {"Weight of shape", "Weight of colour", "Learning-rate factor of colour"} <= labels(app)
    app.number_input(key="train.heads.weight.colour").set_value(0.25)
    app.number_input(key="train.heads.rate.shape").set_value(10.0).run()
    heads = app.session_state["draft"]["heads"]
    assert heads == {"weights": {"colour": 0.25}, "rates": {"shape": 10.0}, "uncertainty_weighting": False}
    assert not app.exception
    command = next(block.value for block in app.code if "cnnlab submit" in block.value)
    assert "colour=0.25" in command
    assert "shape=10.0" in command


def test_learnt_weights_take_the_place_of_fixed_ones(open_page):
    app = open_page("train", dataset="shapes")
    app.number_input(key="train.heads.weight.colour").set_value(0.25).run()
    app.toggle(key="train.heads.learnt").set_value(True).run()
    assert app.session_state["draft"]["heads"]["uncertainty_weighting"]
    assert app.session_state["draft"]["heads"]["weights"] == {}
    assert "Weight of shape" not in labels(app)
    assert not app.error


def test_a_weight_of_nothing_is_said(open_page):
    app = open_page("train", dataset="shapes")
    app.number_input(key="train.heads.weight.colour").set_value(0.0).run()
    assert "heads.weights.colour=0 is out of range." in app.error[0].value.replace("\\", "")


def test_another_data_set_forgets_the_weights(open_page):
    app = open_page("train", dataset="shapes")
    app.number_input(key="train.heads.weight.colour").set_value(0.25).run()
    app.selectbox(key="train.dataset").set_value("digits").run()
    assert app.session_state["draft"]["heads"]["weights"] == {}
