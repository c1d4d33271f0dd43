"""Other classifiers on the features of a network: what they learn on, how they are chosen, and where it is kept."""

import json

import keras
import numpy as np
import pytest
from made_info import info

from cnnlab.__main__ import run
from cnnlab.analysis.intervals import wilson
from cnnlab.config import config_from_dict
from cnnlab.errors import ConfigError
from cnnlab.runs.feature_scores import read_feature_scores, write_feature_scores
from cnnlab.runs.status import RunStatus, write_status
from cnnlab.runs.store import Store
from cnnlab.training import feature_classifiers
from cnnlab.training.feature_classifiers import extractor, fitted
from cnnlab.training.models import build_network


def clouds(counts, spread=0.3):
    """Three clouds of points in eight dimensions, by split."""
    random = np.random.default_rng(0)
    centres = random.normal(size=(3, 8))
    labels = {split: np.arange(count, dtype=np.int32) % 3 for split, count in counts.items()}
    features = {
        split: (centres[known] + spread * random.normal(size=(len(known), 8))).astype("float32")
        for split, known in labels.items()
    }
    return features, labels


@pytest.mark.parametrize("classifier", ["svm", "knn", "linear"])
def test_a_classifier_learns_and_tells_its_interval(classifier):
    row = fitted(classifier, *clouds({"train": 60, "val": 30, "test": 90}))
    assert row["test_accuracy"] > 0.95
    assert row["test_correct"] == round(row["test_accuracy"] * 90)
    assert (row["test_low"], row["test_high"]) == wilson(row["test_correct"], 90)
    assert (row["num_features"], row["n_train"], row["test_n"]) == (8, 60, 90)
    assert row["setting"].startswith("k=" if classifier == "knn" else "C=")


def test_the_setting_is_chosen_on_the_validation_images():
    features, labels = clouds({"train": 30, "val": 30, "test": 30}, spread=1.5)
    row = fitted("knn", features, labels)
    accuracies = {}
    for neighbours in (1, 3, 5, 9, 15):
        mean, deviation = features["train"].mean(axis=0), features["train"].std(axis=0)
        train, val = ((features[split] - mean) / deviation for split in ("train", "val"))
        near = np.argsort(((val[:, None] - train[None]) ** 2).sum(-1), axis=1, kind="stable")[:, :neighbours]
        votes = [np.bincount(labels["train"][one], minlength=3).argmax() for one in near]
        accuracies[f"k={neighbours}"] = float((np.array(votes) == labels["val"]).mean())
    assert row["val_accuracy"] == max(accuracies.values())
    assert accuracies[row["setting"]] == row["val_accuracy"]


@pytest.mark.parametrize(
    ("architecture", "expected"), [({"name": "lenet5"}, 84), ({"name": "squeezenet", "parameters": {}}, 512)]
)
def test_features_are_what_enters_the_classifier(architecture, expected):
    network = build_network(config_from_dict({"architecture": architecture}), info(channels=1))
    images = np.zeros((2, *network.input_shape[1:]), "float32")
    assert extractor(network, "label").predict_on_batch(images).shape == (2, expected)


@pytest.fixture
def run_id():
    """A run with an untrained network: even such features tell digits apart."""
    store = Store()
    config = config_from_dict({"data": {"image_size": 16}})
    run_dir = store.create_run(config)
    keras.utils.set_random_seed(0)
    build_network(config, info(channels=1, size=16)).save(run_dir / "model.keras")
    write_status(run_dir, RunStatus(state="completed"))
    return run_dir.name


def test_the_command_keeps_a_row_per_classifier_and_replaces_it(run_id, capsys):
    assert run(["features", run_id, "--classifier", "knn", "--json", "--progress-json"]) == 0
    told = capsys.readouterr()
    document = json.loads(told.out)
    assert document["run_id"] == run_id
    progress = [json.loads(line) for line in told.err.splitlines() if line.startswith('{"stage"')]
    assert progress[-1] == {"stage": "done", "done": 4, "total": 4}
    assert run(["features", run_id, "--classifier", "knn"]) == 0
    assert "k=" in capsys.readouterr().out
    kept = read_feature_scores(Store().run_dir(run_id))
    assert kept["classifier"].to_list() == ["knn"]
    assert kept["test_n"].to_list() == [359]
    assert kept["test_accuracy"][0] > 0.5
    write_feature_scores(Store().run_dir(run_id), [{**kept.drop("run_id").to_dicts()[0], "classifier": "svm"}])
    assert sorted(read_feature_scores(Store().run_dir(run_id))["classifier"]) == ["knn", "svm"]


def test_a_config_with_a_source_is_classified_too(run_id, tmp_path, capsys):
    config = config_from_dict({"data": {"image_size": 16}, "transfer": {"source": f"run:{run_id}", "mode": "features"}})
    (tmp_path / "config.yaml").write_text(config.to_yaml())
    assert run(["features", str(tmp_path / "config.yaml"), "--classifier", "knn", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["run_id"] is None
    assert document["rows"][0]["classifier"] == "knn"


def test_what_cannot_be_is_said(run_id, tmp_path, capsys):
    assert run(["features", run_id, "--classifier", "svn"]) == 2
    assert capsys.readouterr().err == "Unknown classifier 'svn'. Did you mean 'svm'?\n"
    (tmp_path / "config.yaml").write_text(config_from_dict({}).to_yaml())
    assert run(["features", str(tmp_path / "config.yaml")]) == 2
    assert capsys.readouterr().err == (
        "The config has no source of weights, so that its features would be random. Expected transfer.source. Set it "
        "to run:ID or 'imagenet', or give the id of a trained run.\n"
    )
    (Store().run_dir(run_id) / "model.keras").unlink()
    with pytest.raises(ConfigError, match="has no model file"):
        feature_classifiers.network_of_run(Store(), run_id)
