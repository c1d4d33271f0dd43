"""The child process of a run: what it leaves in the folder, for each way it can end."""

import json

import polars as pl
import pytest

from cnnlab import worker
from cnnlab.__main__ import run
from cnnlab.config import config_from_dict
from cnnlab.runs.status import ADVICE
from cnnlab.runs.store import Store

pytestmark = pytest.mark.training
QUICK = {"data": {"image_size": 16}, "training": {"epochs": 1, "batch_size": 256}}


def made(**values):
    """A run folder of a quick config with some values changed."""
    merged = {key: {**QUICK.get(key, {}), **value} for key, value in values.items()}
    return Store().create_run(config_from_dict({**QUICK, **merged}))


def failure_of(run_dir) -> dict:
    """What the worker wrote about its failure."""
    return json.loads((run_dir / "failure.json").read_text())


def test_a_whole_run_leaves_everything():
    run_dir = made(compute={"measure_latency": True})
    assert worker.main([str(run_dir)]) == 0
    names = {path.name for path in run_dir.iterdir()}
    assert {"config.yaml", "environment.json", "events.jsonl", "result.json", "model.keras"} <= names
    assert {"predictions.parquet", "layers.parquet", "metrics"} <= names
    assert not {name for name in names if "writing" in name or name == "failure.json"}
    predictions = pl.read_parquet(run_dir / "predictions.parquet")
    result = json.loads((run_dir / "result.json").read_text())
    test = predictions.filter(split="test")
    assert test.height == result["test"]["label"]["n"]
    assert int((test["label"] == test["predicted"]).sum()) == result["test"]["label"]["correct"]
    assert pl.read_parquet(run_dir / "layers.parquet")["num_params"].sum() == result["num_params"]
    assert result["dataset_version"]
    (latency,) = pl.read_parquet(run_dir / "inference.parquet").to_dicts()
    assert (latency["run_id"], latency["batch_size"], latency["memory_bytes"]) == (run_dir.name, 1, None)
    assert 0 < latency["p10_s"] <= latency["median_s"]
    assert latency["p10_s"] == pytest.approx(result["latency_ms"] / 1000, rel=1e-3)


def test_a_second_attempt_leaves_nothing_twice():
    run_dir = made()
    assert worker.main([str(run_dir)]) == 0
    first = pl.read_parquet(run_dir / "metrics" / "metrics.parquet")
    assert worker.main([str(run_dir)]) == 0
    again = pl.read_parquet(run_dir / "metrics" / "metrics.parquet")
    assert again.drop("elapsed_s").equals(first.drop("elapsed_s"))  # the seed repeats the numbers too
    assert not (run_dir / "metrics.jsonl").exists()


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({"data": {"dataset": "not_there"}}, "bad_data"),
        (
            {"training": {"optimizer": "sgd", "learning_rate": 10.0, "weight_decay": 1.0, "epochs": 40}},
            "nan_loss",
        ),
    ],
)
def test_each_failure_has_its_kind(values, kind):
    run_dir = made(**values)
    assert worker.main([str(run_dir)]) == 1
    assert failure_of(run_dir)["kind"] == kind
    assert failure_of(run_dir)["message"]


def test_a_failed_download_of_weights_is_its_own_failure(monkeypatch):
    import keras

    def unreachable(**_):
        raise Exception("URL fetch failure on https://storage.googleapis.com/x: None -- timed out")

    monkeypatch.setattr(keras.applications, "MobileNetV2", unreachable)
    parameters = {"network": "MobileNetV2", "weights": "imagenet"}
    run_dir = made(data={"image_size": 32}, architecture={"name": "keras_application", "parameters": parameters})
    assert worker.main([str(run_dir)]) == 1
    assert failure_of(run_dir)["kind"] == "download"


@pytest.mark.parametrize(
    ("error", "kind"), [(MemoryError("no room"), "out_of_memory"), (ZeroDivisionError("by zero"), "code_error")]
)
def test_errors_within_the_training(monkeypatch, capsys, error, kind):
    def broken(*_):
        raise error

    monkeypatch.setattr("cnnlab.training.equipment.build_networks", broken)
    run_dir = made()
    assert worker.main([str(run_dir)]) == 1
    assert failure_of(run_dir)["kind"] == kind
    assert "Traceback" in capsys.readouterr().err  # where the log is read


@pytest.mark.processes
def test_train_from_the_command_line(capsys):
    arguments = ["--image-size", "16", "--epochs", "1", "--batch-size", "256", "--augmentation", "shift(0.1)"]
    assert run(["train", "--dataset", "digits", *arguments, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["status"] == "completed"
    assert document["num_params"] > 0
    assert document["macs"] > 0
    assert 0 < document["test_accuracy"] <= 1
    assert run(["show", document["run_id"], "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["config"]["augmentation"] == "shift(share=0.1)"
    assert run(["logs", document["run_id"]]) == 0
    assert "epoch 1, " in capsys.readouterr().out


@pytest.mark.processes
def test_a_failed_training_has_exit_code_1_and_says_why(capsys):
    wild = ["--optimizer", "sgd", "--learning-rate", "10", "--weight-decay", "1", "--epochs", "40"]
    assert run(["train", "--image-size", "16", "--batch-size", "256", *wild, "--json"]) == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out)["failure"]["kind"] == "nan_loss"
    assert ADVICE["nan_loss"] in captured.err
