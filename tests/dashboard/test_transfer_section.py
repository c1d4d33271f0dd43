"""The form's part about transfer: sources, mode cards, the map, and the way from a run's page."""

import hashlib
import time
from datetime import UTC, datetime

import pytest
from page_text import said as said_with_escapes

from cnnlab.config import config_from_yaml
from cnnlab.files import read_json, write_json
from cnnlab.runs.feature_scores import write_feature_scores
from dashboard import data
from dashboard.components import data_jobs

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


def test_a_run_tells_what_it_began_with(open_page, make_run):
    source = make_run()
    run_id = make_run(transfer={"source": f"run:{source}", "mode": "features"})
    report = {
        **MAP, "source": f"run:{source}", "source_sha256": "ab" * 32, "mode": "features", "taken": [],
        "adapted": ["c1"], "new": ["label_logits"], "share": 1.0,
    }  # fmt: skip
    write_json(data.store().run_dir(run_id) / "transfer.json", report)
    told = said(open_page("run", run=run_id))
    assert "0 layers taken, 1 adapted, 1 new; 100 % of the parameters before the classifier." in told
    assert "ab" * 32 in told
    assert "0 layers taken" not in said(open_page("run", run=source))


def test_other_classifiers_stand_beside_the_runs_own(open_page, make_run):
    run_id = make_run()
    app = open_page("run", run=run_id)
    assert "Classify" in buttons(app)
    row = {
        "output": "label", "classifier": "svm", "setting": "C=0.1", "num_features": 84, "n_train": 1259,
        "val_accuracy": 0.9, "test_accuracy": 0.8, "test_correct": 8, "test_n": 10, "test_low": 0.49,
        "test_high": 0.94, "fit_s": 1.0, "versions": "scikit-learn", "measured_at": datetime.now(UTC),
    }  # fmt: skip
    write_feature_scores(data.store().run_dir(run_id), [row])
    app = open_page("run", run=run_id)
    table = next(frame.value for frame in app.dataframe if "Classifier" in frame.value.columns)
    assert table["Classifier"].to_list() == ["The run's own", "Linear SVM"]
    assert table["Test accuracy"].to_list() == ["90.0 %", "80.0 %"]
    assert "84 features of each image." in said(app)


@pytest.mark.processes
def test_a_press_starts_a_child_whose_complaint_is_shown(open_page, make_run):
    run_id = make_run()  # its model is none
    app = open_page("run", run=run_id)
    buttons(app)["Classify"].click().run()
    (folder,) = (data.store().root / "cache" / "classifying" / run_id).glob("*")
    assert read_json(folder / "job.json")["name"] == f"features-{run_id}"
    deadline = time.monotonic() + 120
    while data_jobs.read(folder).is_running and time.monotonic() < deadline:
        time.sleep(0.1)
    assert "cannot be read as a model" in said(open_page("run", run=run_id))
