"""The layer editor as a page: every change shows in the table, errors in words, and the list goes to training."""

import pytest
from page_text import said

from cnnlab.architectures.layer_list import DEFAULT_LAYERS, brief, check_layers
from cnnlab.architectures.layer_list_presets import PRESETS
from cnnlab.architectures.layer_list_shapes import check_shapes
from cnnlab.config import config_from_yaml
from dashboard.components import layer_editor_state as state
from dashboard.questions import Answer, Questions

pytestmark = pytest.mark.usefixtures("questions", "queue")


LAYER = {
    "settings": {}, "calls": 1, "padding": None, "formulas": [], "output_shape": [6, 6, 4], "receptive_field_px": 3,
    "activation_bytes": 576, "num_params": 112, "macs": 3888, "counted": True,
}  # fmt: skip
SAVED = {
    "num_params": 112, "trainable_params": 112, "macs": 3888, "activation_bytes": 1152, "receptive_field_px": None,
    "sees_whole_image": None, "not_counted": ["odd"], "conventions": {"macs": "MACs.", "receptive_field": "Field."},
    "training_memory": {
        "weights_bytes": 100, "trained_bytes": 100, "kept_bytes_per_image": 20, "moving_bytes_per_image": 10
    },
    "input_shape": [8, 8, 3],
    "layers": [
        {**LAYER, "name": "conv", "kind": "Conv2D"},
        {**LAYER, "name": "odd", "kind": "Odd", "macs": None, "counted": False, "receptive_field_px": None},
    ],
}  # fmt: skip


def kinds(app) -> list[str]:
    return [layer["kind"] for _, layer in app.session_state["editor.layers"]]


def metrics(app) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def outputs(app) -> list[str]:
    return list(app.dataframe[0].value["Output"])


def add(app, kind: str) -> None:
    app.menu_button(key="editor.add").click(kind).run()
    assert not app.exception, app.exception


def click(app, key: str) -> None:
    app.button(key=key).click().run()
    assert not app.exception, app.exception


def test_it_opens_with_a_small_network_that_is_counted(open_page):
    app = open_page("editor")
    assert app.title[0].value == "Layer editor"
    assert kinds(app) == [layer["kind"] for layer in check_layers(DEFAULT_LAYERS)]
    rows = app.dataframe[0].value
    assert list(rows["Layer"])[-1] == "Output 10 classes"
    assert rows["Parameters"].sum() == 448 + 4_640 + 18_496 + 650
    assert metrics(app) == {"Parameters": "24,234", "MACs of one image": "2.80 M", "Receptive field": "18 px"}
    assert not app.button(key="train_this").disabled
    assert "".join(app.query_params["layers"]) == state.value_text(list(DEFAULT_LAYERS))


def test_layers_are_added_moved_copied_and_taken_out(open_page):
    app = open_page("editor", layers="[conv, max_pool, flatten]")
    add(app, "batch_norm")
    assert kinds(app) == ["conv", "batch_norm", "max_pool", "flatten"]
    assert app.subheader[0].value == "Layer 2: Batch normalisation"
    click(app, "down")
    assert kinds(app) == ["conv", "max_pool", "batch_norm", "flatten"]
    click(app, "duplicate")
    click(app, "up")
    click(app, "up")
    assert kinds(app) == ["conv", "batch_norm", "max_pool", "batch_norm", "flatten"]
    click(app, "delete")
    assert kinds(app) == ["conv", "max_pool", "batch_norm", "flatten"]
    assert "".join(app.query_params["layers"]) == "[conv, max_pool, batch_norm, flatten]"
    for _ in range(6):
        click(app, "undo")
    assert kinds(app) == ["conv", "max_pool", "flatten"]
    click(app, "redo")
    assert kinds(app) == ["conv", "batch_norm", "max_pool", "flatten"]


def test_a_changed_setting_changes_the_table_and_can_be_undone(open_page):
    app = open_page("editor", layers="[conv, global_average_pool]")
    number = app.session_state["editor.layers"][0][0]
    app.number_input(key=f"editor.set.{number}.filters").set_value(8).run()
    app.slider(key=f"editor.set.{number}.stride").set_value(2).run()
    assert outputs(app) == ["16×16×8", "8", "10"]
    click(app, "undo")
    assert outputs(app) == ["32×32×8", "8", "10"]
    assert app.slider(key=f"editor.set.{number}.stride").value == 1
    assert app.number_input(key=f"editor.set.{number}.filters").value == 8


def test_what_does_not_fit_is_said_and_cannot_be_trained(open_page):
    app = open_page("editor", layers="[conv, max_pool, max_pool, max_pool, max_pool, max_pool, max_pool, flatten]")
    assert app.error[0].value.replace("\\", "") == (
        "Layer 7 (max pooling): a window of 2x2 does not fit into 1x1. Remove it or pool less before."
    )
    assert app.button(key="train_this").disabled
    assert len(outputs(app)) == 6
    assert app.radio[0].options[6].startswith(":red[")


def test_an_empty_list_says_what_to_do(open_page):
    app = open_page("editor")
    app.menu_button(key="editor.preset").click("empty").run()
    assert not app.exception
    assert "The list has no layers" in said(app)
    assert all(app.button(key=key).disabled for key in ("up", "down", "duplicate", "delete", "train_this"))
    add(app, "flatten")
    assert outputs(app) == ["3072", "10"]


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_taken_and_fits(open_page, name):
    app = open_page("editor")
    app.menu_button(key="editor.preset").click(name).run()
    assert not app.exception
    layers = [layer for _, layer in app.session_state["editor.layers"]]
    assert brief(layers) == brief(check_layers(PRESETS[name].layers))
    if layers:
        check_shapes(layers, (16, 16, 1))
        assert not app.error


def test_images_of_a_data_set_and_of_a_size_of_ones_own(open_page):
    app = open_page("editor", layers="[conv, flatten]", size="20", channels="1", classes="7")
    assert outputs(app) == ["20×20×32", "12800", "7"]
    app.selectbox(key="editor.data").set_value("shapes").run()
    assert not app.exception
    assert list(app.dataframe[0].value["Layer"])[-2:] == ["Output 6 classes", "Output 5 classes"]
    assert "".join(app.query_params["data"]) == "shapes"
    app.number_input(key="editor.size").set_value(16).run()
    assert outputs(app)[0] == "16×16×32"


def test_a_wrong_address_is_said_and_the_list_stays(open_page):
    app = open_page("editor", layers="[convv]")
    assert app.error[0].value.replace("\\", "") == "Layer 1: unknown kind of layer 'convv'. Did you mean 'conv'?"
    assert kinds(app) == [layer["kind"] for layer in check_layers(DEFAULT_LAYERS)]


@pytest.mark.parametrize(
    ("pasted", "sentence"),
    [
        ("[conv, flatten]", ""),
        ("layers: [conv, flatten]", ""),
        ("architecture: {name: layers, parameters: {layers: [conv, flatten]}}", ""),
        ("[conv, {", "The YAML cannot be read. Check its indentation, brackets and quotes."),
        ("", "There is no list of layers in it. Expected one such as [conv, max_pool, flatten]. "
         "Paste what 'Copy as YAML' gave here or in the training form."),
    ],
)  # fmt: skip
def test_yaml_goes_in(open_page, pasted, sentence):
    app = open_page("editor")
    app.text_area(key="editor.pasted").set_value(pasted)
    click(app, "load_layers")
    assert [error.value.replace("\\", "") for error in app.error] == ([sentence] if sentence else [])
    assert (kinds(app) == ["conv", "flatten"]) == (not sentence)


def test_yaml_comes_out_as_the_form_reads_it(open_page):
    app = open_page("editor", layers="[conv, flatten]")
    written = next(block.value for block in app.code if block.language == "yaml")
    parameters = config_from_yaml(written).architecture.parameters
    assert brief(parameters["layers"]) == ["conv", "flatten"]


def test_train_this_opens_the_form_with_the_list_and_back(open_page):
    app = open_page("editor", layers="[conv, max_pool, flatten]", size="24", data="digits")
    click(app, "train_this")
    config = config_from_yaml(next(block.value for block in app.code if block.language == "yaml"))
    assert config.architecture.name == "layers"
    assert brief(config.architecture.parameters["layers"]) == ["conv", "max_pool", "flatten"]
    assert (config.data.dataset, config.image_size) == ("digits", 24)
    assert "3 layers" in said(app)
    click(app, "edit_layers")
    assert app.title[0].value == "Layer editor"
    assert kinds(app) == ["conv", "max_pool", "flatten"]
    assert outputs(app)[0] == "24×24×32"


def test_the_list_is_still_there_after_a_look_at_another_page(open_page):
    app = open_page("editor", layers="[conv, flatten]", data="digits")
    app.switch_page("app_pages/queue.py").run()
    app.query_params.clear()
    app.switch_page("app_pages/editor.py").run()
    assert kinds(app) == ["conv", "flatten"]
    assert "".join(app.query_params["layers"]) == "[conv, flatten]"
    assert "".join(app.query_params["data"]) == "digits"


def test_a_list_too_long_for_the_address_says_so(open_page):
    app = open_page("editor")
    app.text_area(key="editor.pasted").set_value(str([{"kind": "conv", "filters": 7}] * 60 + ["flatten"]))
    click(app, "load_layers")
    assert "layers" not in app.query_params
    assert "too long for the address" in said(app)


def test_a_saved_network_is_looked_at(open_page, monkeypatch):
    asked = []

    def ask_about_file(_questions, _root, _upload, content, title, arguments):
        asked.append((content(), title, arguments))
        return Answer(SAVED)

    monkeypatch.setattr(Questions, "ask_about_file", ask_about_file)
    app = open_page("editor")
    assert not asked
    app.file_uploader(key="editor.saved").set_value(("mine.keras", b"content", "application/zip")).run()
    assert not app.exception, app.exception
    assert asked[-1] == (b"content", "mine.keras", {"side_px": 224})
    text = said(app).replace("\\", "")
    assert "**mine.keras** for images of 8×8×3. It can be looked at, not edited." in text
    assert "Not counted: odd." in text
    assert metrics(app)["Training memory"] == "1.36 kB"  # 100 + 3 * 100 and 32 images of 30
    assert list(app.dataframe[-1].value["Layer"]) == ["conv", "odd"]
    app.number_input(key="editor.saved_side").set_value(32).run()
    assert asked[-1][2] == {"side_px": 32}
