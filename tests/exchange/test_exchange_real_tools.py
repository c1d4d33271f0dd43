"""There and back through the real MLflow and TensorBoard, where they are installed: `pip install -e .[test]`."""

import importlib.util
import json
import math
import zipfile

import numpy as np
import polars as pl
import pytest
from exchange_making import ELSEWHERE, ENDED, found_in, make_measured, real_tool, sorted_metrics, values_of
from real_tools import BEGUN_MS, RUNS
from test_exchange_sources import assert_values, expected

from cnnlab.exchange.exporting import export_runs
from cnnlab.exchange.importing import import_runs
from cnnlab.exchange.names import name_of
from cnnlab.runs import queries
from cnnlab.runs.facts import moment
from cnnlab.runs.store import Store


def needs(package):
    is_there = importlib.util.find_spec(package) is not None
    return pytest.mark.skipif(not is_there, reason=f"{package} is not installed: pip install -e .[test]")


def exported_rows(store, run_id, by="step"):
    """Return the numbers of a run under the names that an export gives them: (step, seconds, value) by name."""
    found = {}
    for row in queries.metrics(store, [run_id]).iter_rows(named=True):
        name = name_of(row["split"], row["output"], row["metric"])
        found.setdefault(name, []).append((row[by], row["elapsed_s"], row["value"]))
    return {name: sorted(rows, key=lambda one: one[0]) for name, rows in found.items()}


@needs("mlflow")
def test_mlflow_reads_what_we_write_and_we_read_what_it_writes(tmp_path):
    store = Store(tmp_path / "store")
    run_id = make_measured(store.root, name="a & b", notes="two\nlines", seed=3)
    failed = make_measured(store.root, state="failed")
    export_runs(store, [run_id, failed], tmp_path / "out.zip", "mlflow", models=True)
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        archive.extractall(tmp_path)

    said = json.loads(real_tool("mlflow", tmp_path / "out"))

    run = said["a & b"]
    assert (run["status"], said[store.read_run(failed)["name"]]["status"]) == ("FINISHED", "FAILED")
    assert (run["start_ms"], run["end_ms"]) == (1772359200250, round(moment(ENDED).timestamp() * 1000))
    assert run["parameters"]["training.seed"] == "3"
    assert run["parameters"]["architecture.name"] == "lenet5"
    assert run["tags"]["mlflow.note.content"] == "two\nlines"
    assert run["artifacts"] == ["config.yaml", "environment.json", "model.keras", "predictions.parquet", "result.json"]
    assert run["config"] == store.read_config(run_id).to_yaml()
    for name, rows in exported_rows(store, run_id).items():
        # The client says of an infinity what its database holds: the largest number.
        wanted = [
            [step, round(1000 * seconds), repr(min(value, 1.7976931348623157e308))] for step, seconds, value in rows
        ]
        assert run["metrics"][name] == wanted
    assert run["metrics"]["train/epoch"] == [[7, 1125, "1.0"], [14, 2250, "2.0"], [21, 3375, "3.0"]]
    assert run["latest"]["val/accuracy"] == repr(3 / 7)

    # By now MLflow has changed the tables to its own and added its runs.
    runs = found_in(tmp_path / "out", tmp_path / "work")
    assert_values(runs["first"], expected("first"))
    assert_values(runs["second"], expected("second"))
    assert runs["first"].config["training"]["learning_rate"] == RUNS["first"]["parameters"]["lr"]
    assert runs["first"].started_at == moment("2023-11-14T22:13:20Z").isoformat(timespec="microseconds")
    assert 1000 * moment(runs["first"].started_at).timestamp() == BEGUN_MS
    other = Store(tmp_path / "other")
    import_runs(other, tmp_path / "out")
    assert sorted_metrics(other, run_id).equals(sorted_metrics(store, run_id))
    assert other.read_config(run_id) == store.read_config(run_id)
    ours = queries.summaries(other).filter(pl.col("run_id") == run_id).drop(*ELSEWHERE)
    assert ours.equals(queries.summaries(store).filter(pl.col("run_id") == run_id).drop(*ELSEWHERE))


@needs("tensorboard")
def test_tensorboard_reads_what_we_write_by_both_of_its_readers(tmp_path):
    store = Store(tmp_path / "store")
    run_id = make_measured(store.root, name="a", seed=3)
    failed = make_measured(store.root, name="b", state="failed", learning_rate=0.5)
    export_runs(store, [run_id, failed], tmp_path / "out", "tensorboard")

    said = json.loads(real_tool("read-tensorboard", tmp_path / "out"))

    folder = f"a {run_id[-4:]}"
    for name, rows in exported_rows(store, run_id).items():
        began = moment("2026-03-01T10:00:00.250+00:00").timestamp()
        with np.errstate(over="ignore"):
            wanted = [[step, began + seconds, repr(float(np.float32(value)))] for step, seconds, value in rows]
        assert said["scalars"][f"{folder}/{name}"] == wanted
        assert said["fast"][f"{folder}/{name}"] == wanted
    sessions = {name.partition(" ")[0]: session for name, session in said["sessions"].items() if name != "."}
    assert (sessions["a"]["status"], sessions["b"]["status"]) == (1, 2)
    assert sessions["a"]["parameters"]["training.seed"] == 3
    assert sessions["b"]["parameters"]["training.learning_rate"] == 0.5
    assert sessions["a"]["parameters"]["architecture.name"] == "lenet5"
    # Numbers of the result, for the table of hyperparameters; what failed has none.
    for name, value in {"test_accuracy": 0.5, "test_loss": 1.5, "test_n": 4.0, "num_params": 61_706.0}.items():
        ((step, _, shown),) = said["scalars"][f"{folder}/{name}"]
        assert (step, shown) == (0, repr(value))
    assert f"b {failed[-4:]}/num_params" not in said["scalars"]


@needs("tensorboard")
def test_we_read_what_tensorboard_writes_as_it_reads_it_itself(tmp_path):
    real_tool("write-tensorboard", tmp_path / "logs")
    said = json.loads(real_tool("read-tensorboard", tmp_path / "logs"))["scalars"]
    runs = found_in(tmp_path / "logs", tmp_path / "work")
    for name, rows in RUNS["first"]["metrics"].items():
        ((_, found),) = [one for one in values_of(runs["first"]).items() if one[0].endswith(_metric(name))]
        theirs = [float(value) for _, _, value in said[f"first/{name}"]]
        assert repr([value for _, value in found]) == repr(theirs)
        assert len(rows) == len(found)
    assert math.isnan(values_of(runs["first"])["val//loss"][2][1])
    assert values_of(runs["third"])["val//loss"] == [(1, 2.0), (2, 1.0), (3, float(np.float32(2 / 3)))]


def _metric(name):
    return {"val_accuracy": "val//accuracy", "val_loss": "val//loss", "loss": "train//loss"}.get(name, name)
