"""The form's part about transfer: sources, mode cards, the map, and the way from a run's page."""

import hashlib

import pytest
from page_text import said as said_with_escapes

from cnnlab.config import config_from_yaml
from dashboard import data

pytestmark = pytest.mark.usefixtures("questions", "queue", "mapped")
SOURCE = "First weights from"
MAP = {
    "stages": [{"title": "Classifier", "first_epoch": 1, "last_epoch": 20}],
    "layers": [
        {"name": "c1", "kind": "Conv2D", "block": "c1", "num_params": 456, "origin": "adapted", "reason": "1 channel",
         "factors": [0.0]},
        {"name": "label_logits", "kind": "Dense", "block": "label_logits", "num_params": 850, "origin": "new",
         "reason": "classifier", "factors": [1.0]},
    ],
}  # fmt: skip


def config_of(app):
    return config_from_yaml(next(block.value for block in app.code if block.language == "yaml"))


def said(app):
    return said_with_escapes(app).replace("\\", "")


def box(app):
    return next(widget for widget in app.selectbox if widget.label == SOURCE)


def buttons(app):
    return {button.label: button for button in app.button}


@pytest.fixture
def mapped(monkeypatch):
    """Answer the question for the map; returns what was asked."""
    asked = []

    def freeze_map(config):
        asked.append(config)
        return data.Answer(MAP)

    monkeypatch.setattr(data, "freeze_map", freeze_map)
    return asked


def test_without_a_source_there_is_nothing_to_set(open_page, mapped):
    app = open_page("train")
    assert box(app).value == ""
    assert "Fixed features" not in buttons(app)
    assert not mapped


def test_runs_are_offered_with_their_data_and_accuracy_those_of_the_architecture_first(open_page, make_run):
    lenet = make_run(data={"dataset": "shapes"})
    make_run(architecture={"name": "resnet"})
    make_run("failed", failure="nan_loss", message="NaN.")
    app = open_page("train")
    labels = box(app).options
    assert labels[0] == "From scratch: all weights drawn anew"
    assert [label.split(" · ")[:3] for label in labels[1:]] == [
        ["lenet5", "shapes", "90.0 %"],
        ["resnet", "digits", "90.0 %"],
    ]
    assert labels[1].endswith(lenet[-4:])


def test_a_mode_is_a_card_with_a_sentence_and_shows_what_it_needs(open_page, make_run, mapped):
    run_id = make_run()
    app = open_page("train")
    box(app).select(f"run:{run_id}").run()
    assert config_of(app).transfer.mode == "stages"
    assert "only the new classifier learns" in said(app)
    buttons(app)["Fixed features"].click().run()
    assert config_of(app).transfer.mode == "features"
    assert not [widget for widget in [*app.slider, *app.number_input] if "blocks" in widget.label.lower()]
    buttons(app)["Fine-tune the last blocks"].click().run()
    assert config_of(app).transfer.mode == "last_blocks"
    assert [widget for widget in [*app.slider, *app.number_input] if widget.label == "Last blocks"]
    assert mapped[-1].transfer.mode == "last_blocks"
    assert "850 parameters are new, 456 taken ones stay." in said(app)


def test_the_run_that_starts_has_the_digest_of_its_source(open_page, make_run):
    run_id = make_run()
    app = open_page("train")
    box(app).select(f"run:{run_id}").run()
    buttons(app)["Start training"].click().run()
    started = next(name for name in data.store().run_ids() if name != run_id)
    transfer = data.store().read_config(started).transfer
    assert transfer.source == f"run:{run_id}"
    assert transfer.source_sha256 == hashlib.sha256(b"not a real model").hexdigest()


def test_a_deleted_source_is_said_where_it_is_chosen(open_page, make_run):
    source = make_run()
    run_id = make_run(transfer={"source": f"run:{source}", "source_sha256": "0" * 64})
    data.store().delete_run(source)
    app = open_page("train", **{"from": run_id})
    assert f"The source run '{source}' was deleted." in said(app)
    box(app).select("").run()
    assert config_of(app).transfer.source_sha256 == ""


def test_a_runs_page_offers_it_as_source(open_page, make_run):
    run_id = make_run(architecture={"name": "resnet"})
    assert "Use as source" in buttons(open_page("run", run=run_id))
    app = open_page("train", source=run_id, dataset="shapes")
    config = config_of(app)
    assert (config.transfer.source, config.architecture.name, config.data.dataset) == (
        f"run:{run_id}",
        "resnet",
        "shapes",
    )


def test_a_file_as_source_is_refused(open_page, make_run):
    run_id = make_run(transfer={"source": "/somewhere/net.keras"})
    app = open_page("train", **{"from": run_id})
    assert "Pages open no files of this machine" in said(app)
