"""Files that the real tools wrote, and damaged or hostile ones."""

import json
import math
import shutil
import sqlite3
import sys
import zipfile

import pytest
from exchange_making import STORES, found_in, values_of
from real_tools import BEGUN_MS, RUNS

from cnnlab.errors import UnknownNameError
from cnnlab.exchange import beside, unpacking
from cnnlab.exchange.event_files import write_records
from cnnlab.exchange.event_making import scalar_event, version_event
from cnnlab.exchange.found import ImportRunsError
from cnnlab.exchange.mlflow_files import local_path
from cnnlab.exchange.sources import opened, tool_of

# What real_tools.RUNS becomes: places of the names in the tools, epochs counted from 1.
PLACES = {
    "val_accuracy": "val//accuracy",
    "val_loss": "val//loss",
    "loss": "train//loss",
    "system/memory": "train//system/memory",
}
BY_MLFLOW = ["mlflow-3.17.2.zip", "mlruns-3.17.2.zip", "mlruns-2.8.1.zip"]


def expected(name, *, rounded=lambda value: value):
    metrics = RUNS[name]["metrics"].items()
    return {PLACES[key]: [(step + 1, rounded(value)) for step, _, value in rows] for key, rows in metrics}


def as_float32(value):
    import numpy as np

    with np.errstate(over="ignore"):
        return float(np.float32(value))


def assert_values(run, wanted):
    found = values_of(run)
    assert repr({key: found[key] for key in sorted(found)}) == repr({key: wanted[key] for key in sorted(wanted)})


@pytest.mark.parametrize("store", BY_MLFLOW)
def test_mlflow_says_numbers_settings_tags_times_and_states(store, tmp_path):
    runs = found_in(STORES / store, tmp_path)
    assert set(runs) == {"first", "second"}  # the deleted one is left out
    first, second = runs["first"], runs["second"]
    assert_values(first, expected("first"))
    assert_values(second, expected("second"))
    assert first.config == {
        "training": {"learning_rate": 0.01, "optimizer": "adam", "batch_size": 32, "seed": 1},
        "parameters": {"nested/depth": 3},
    }
    assert dict(first.origin.tags) == {"team": "a/b"}
    assert first.origin.notes == ("two\nlines",)
    assert first.origin.title == "MLflow: cats & dogs"
    assert (first.state, second.state, second.origin.said_status) == ("completed", "failed", "FAILED")
    assert first.started_at == "2023-11-14T22:13:20.000000+00:00"
    assert first.ended_at == "2023-11-14T22:13:24.000000+00:00"
    assert sorted(first.metrics["elapsed_s"].tolist()) == [0.9, 0.9, 1, 1, 1.9, 1.9, 2, 2, 2.9, 2.9, 3, 3]


@pytest.mark.parametrize("store", BY_MLFLOW)
def test_a_note_says_which_runs_mlflow_deleted(store, tmp_path):
    with opened(STORES / store, tmp_path) as source:
        assert list(source.notes) == ["Deleted in MLflow, so left out: 1 run."]


def test_tensorboard_files_have_numbers_and_hyperparameters(tmp_path):
    runs = found_in(STORES / "tensorboard", tmp_path)
    assert set(runs) == {"first", "second", "third"}
    assert_values(runs["first"], expected("first", rounded=as_float32))
    assert_values(runs["second"], expected("second", rounded=as_float32))
    assert runs["first"].config["training"] == {"learning_rate": 0.01, "optimizer": "adam", "batch_size": 32, "seed": 1}
    assert runs["first"].started_at == "2023-11-14T22:13:20.000000+00:00"
    assert sorted(set(runs["first"].metrics["elapsed_s"].round(6))) == [0.9, 1, 1.9, 2, 2.9, 3]
    # As TensorFlow 2 writes them, in the folders 'train' and 'validation'.
    third = [1.0, 0.5, as_float32(1 / 3)]
    assert_values(runs["third"], {
        "train//loss": list(enumerate(third, 1)),
        "val//loss": list(enumerate([2.0, 1.0, as_float32(2 / 3)], 1)),
    })  # fmt: skip


def test_folders_of_pytorchs_writer_are_one_run(tmp_path):
    (run,) = found_in(STORES / "tensorboardx", tmp_path).values()
    found = values_of(run, "step")
    assert found["train//loss"] == [(0, 1.0), (100, as_float32(1 / 101)), (200, as_float32(1 / 201))]
    assert found["val//accuracy"] == [(0, 0.0), (100, as_float32(0.2)), (200, as_float32(0.4))]
    assert found["train//accuracy"] == [(0, 0.0), (100, 0.25), (200, 0.5)]
    assert found["train//best"] == [(0, 0.5)]
    assert run.config == {"training": {"learning_rate": 0.1, "optimizer": "adam"}, "parameters": {"augment": True}}
    # Each validation ends an epoch.
    assert values_of(run)["train//loss"] == [(1, 1.0), (2, as_float32(1 / 101)), (3, as_float32(1 / 201))]
    assert not run.origin.has_epochs


def test_folders_of_pytorch_itself_are_one_run(tmp_path):
    """PyTorch calls them otherwise than tensorboardX: after the tag, with an underscore."""
    folder = tmp_path / "logs" / "run"
    shutil.copytree(STORES / "tensorboardx", folder)
    for name in ("train", "val"):
        shutil.move(folder / "Accuracy" / name, folder / f"Accuracy_{name}")
    (run,) = found_in(tmp_path / "logs", tmp_path).values()
    assert run.name == "run"
    assert {"train//accuracy", "val//accuracy"} < set(values_of(run))


def test_keras_files_agree_with_its_own_log(tmp_path):
    (board,) = found_in(STORES / "keras-tensorboard", tmp_path).values()
    (log,) = found_in(STORES / "keras-csvlogger.csv", tmp_path).values()
    found, said = values_of(board), values_of(log)
    for key in said:
        assert found[key] == [(epoch, as_float32(value)) for epoch, value in said[key]]
    assert set(found) - set(said) == {"train//learning_rate", "train//steps_per_second"}


def test_trials_of_keras_tuner(tmp_path):
    runs = found_in(STORES / "keras-tuner", tmp_path)
    assert list(runs) == ["keras-tuner trial 0", "keras-tuner trial 1", "keras-tuner trial 2"]
    said = json.loads((STORES / "keras-tuner" / "trial_1" / "trial.json").read_text())
    first, second, failed = runs.values()
    assert values_of(second) == {"val//accuracy": [(5, 0.75)], "train//loss": [(5, 0.125)]}
    assert second.config["training"]["learning_rate"] == said["hyperparameters"]["values"]["lr"]
    assert second.config["parameters"]["units"] == said["hyperparameters"]["values"]["units"]
    assert second.origin.tags["score"] == "0.75"
    assert (first.state, failed.state, failed.failure["message"]) == ("completed", "failed", "Out of memory.")
    assert first.started_at is not None


def test_a_search_with_several_executions_has_their_mean(tmp_path):
    shutil.copytree(STORES / "keras-tuner", tmp_path / "search")
    path = tmp_path / "search" / "trial_0" / "trial.json"
    said = json.loads(path.read_text())
    said["metrics"]["metrics"]["val_accuracy"]["observations"] = [{"value": [0.25, 0.75], "step": 0}, {"value": "x"}]
    path.write_text(json.dumps(said))
    assert values_of(found_in(tmp_path / "search", tmp_path)["search trial 0"])["val//accuracy"] == [(1, 0.5)]


# === Which tool ===


def test_tools_are_told_by_what_lies_there(tmp_path):
    for name, tool in {
        "tensorboard": "tensorboard",
        "tensorboardx": "tensorboard",
        "keras-tuner": "keras-tuner",
        "keras-csvlogger.csv": "csv",
        "keras-tuner/oracle.json": "keras-tuner",
    }.items():
        assert tool_of(STORES / name) == tool
    assert tool_of(STORES / "README.md") is None
    assert tool_of(tmp_path) is None


def test_what_is_of_no_tool_is_refused_with_what_is_expected(tmp_path):
    with pytest.raises(ImportRunsError, match=r"There is no file or folder"), opened(tmp_path / "none", tmp_path):
        pass
    with pytest.raises(ImportRunsError, match=r"holds no runs of a tool that is known"), opened(tmp_path, tmp_path):
        pass
    with pytest.raises(UnknownNameError, match=r"Unknown format 'mlflov'. Did you mean 'mlflow'"):
        found_in(tmp_path, tmp_path, "mlflov")
    with pytest.raises(
        ImportRunsError, match=r"holds no runs of MLflow. Expected an 'mlflow.db', or a folder 'mlruns'"
    ):
        found_in(STORES / "tensorboard", tmp_path, "mlflow")


def mixed(folder):
    """Fill a folder with runs of every tool, and with what belongs to those of MLflow."""
    for name, inside in {"mlflow-3.17.2.zip": ".", "mlruns-3.17.2.zip": "."}.items():
        with zipfile.ZipFile(STORES / name) as archive:
            archive.extractall(folder / inside)
    shutil.copyfile(folder / "mlflow.db", folder / "a-backup.db")
    shutil.copyfile(STORES / "keras-csvlogger.csv", folder / "log.csv")
    shutil.copytree(STORES / "tensorboard", folder / "logs")
    return folder


def notes_of(path, tmp_path, tool=None):
    with opened(path, tmp_path, tool) as source:
        return [*source.notes]


def test_what_else_lies_in_a_folder_is_said_with_the_way_to_it(tmp_path):
    folder = mixed(tmp_path / "all")
    deleted = "Deleted in MLflow, so left out: 1 run."
    stores = "There are also 'a-backup.db' and 'mlruns' of MLflow in it. Import these by their own paths."
    others = (
        "There are also event files of TensorBoard and CSV files in it. "
        "Import them too, with the format 'tensorboard' or 'csv' (--format)."
    )
    assert notes_of(folder, tmp_path) == [deleted, stores, others]
    assert notes_of(folder, tmp_path, "mlflow") == [deleted, stores]
    assert notes_of(folder, tmp_path, "tensorboard") == []
    shutil.make_archive(str(tmp_path / "all"), "zip", folder)
    assert notes_of(tmp_path / "all.zip", tmp_path) == [deleted, stores, others]
    shutil.copytree(STORES / "keras-tuner", folder / "search")
    assert notes_of(folder, tmp_path) == [
        "There are also runs of MLflow, event files of TensorBoard and CSV files in it. "
        "Import them too, with the format 'mlflow', 'tensorboard' or 'csv' (--format)."
    ]


def test_files_that_belong_to_runs_of_mlflow_are_no_other_runs(tmp_path):
    with zipfile.ZipFile(STORES / "mlruns-3.17.2.zip") as archive:
        archive.extractall(tmp_path)
    artifacts = next((tmp_path / "mlruns").glob("*/*/metrics")).with_name("artifacts")
    artifacts.mkdir(exist_ok=True)
    shutil.copyfile(STORES / "keras-csvlogger.csv", artifacts / "log.csv")
    for path in (tmp_path, tmp_path / "mlruns"):
        assert notes_of(path, tmp_path) == ["Deleted in MLflow, so left out: 1 run."]


def test_looks_for_other_runs_end_soon(tmp_path, monkeypatch):
    shutil.copytree(STORES / "tensorboard", tmp_path / "logs")
    (tmp_path / "logs" / "z").mkdir()
    shutil.copyfile(STORES / "keras-csvlogger.csv", tmp_path / "logs" / "z" / "log.csv")
    assert len(notes_of(tmp_path / "logs", tmp_path)) == 1
    monkeypatch.setattr(beside, "MOST_LOOKED_INTO", 2)
    assert notes_of(tmp_path / "logs", tmp_path) == []


# === Damaged files ===


def event_file(path, *events, began=1.0):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:
        write_records(file, [version_event(began), *events])
    return path


def scalars(tag, steps, value=0.5):
    return [scalar_event(tag, step, 10.0 + step, value) for step in steps]


def test_a_file_that_is_being_written_is_read_as_far_as_it_goes(tmp_path):
    path = event_file(tmp_path / "logs" / "events.out.tfevents.1", *scalars("loss", range(4)))
    path.write_bytes(path.read_bytes()[:-7])
    (run,) = found_in(tmp_path / "logs", tmp_path).values()
    assert values_of(run)["train//loss"] == [(1, 0.5), (2, 0.5), (3, 0.5)]
    torn = "the last record is not whole: still being written, or cut"
    assert run.origin.notes == (f"events.out.tfevents.1: {torn}",)


def test_a_damaged_record_is_left_out_and_said(tmp_path):
    path = event_file(tmp_path / "logs" / "events.out.tfevents.1", *scalars("loss", range(4)))
    content = bytearray(path.read_bytes())
    content[-10] ^= 1
    path.write_bytes(content)
    (run,) = found_in(tmp_path / "logs", tmp_path).values()
    assert len(values_of(run)["train//loss"]) == 3
    assert run.origin.notes == ("events.out.tfevents.1: 1 damaged record left out",)


def test_a_file_that_only_has_the_name_is_refused(tmp_path):
    path = tmp_path / "events.out.tfevents.1"
    path.write_bytes(b"nothing of the kind, but long enough for a record")
    with pytest.raises(ImportRunsError, match=r"is no event file, or damaged from its beginning"):
        found_in(path, tmp_path)


def test_where_a_training_went_on_the_later_file_holds(tmp_path):
    event_file(tmp_path / "logs" / "events.out.tfevents.1", *scalars("loss", range(5), 1.0))
    event_file(tmp_path / "logs" / "events.out.tfevents.2", *scalars("loss", [3, 4, 4], 2.0))
    (run,) = found_in(tmp_path / "logs", tmp_path).values()
    assert [value for _, value in values_of(run)["train//loss"]] == [1.0, 1.0, 1.0, 2.0, 2.0]


def database(tmp_path, *statements):
    with zipfile.ZipFile(STORES / "mlflow-3.17.2.zip") as archive:
        archive.extract("mlflow.db", tmp_path)
    path = tmp_path / "mlflow.db"
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
    return path


def test_a_database_of_something_else_is_refused(tmp_path):
    path = tmp_path / "other.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE runs (a)")
    connection.commit()
    connection.close()
    with pytest.raises(
        ImportRunsError, match=r"is a database, but not of MLflow: it has no table experiments, metrics"
    ):
        found_in(path, tmp_path)


def test_a_damaged_database_is_refused_in_a_sentence(tmp_path):
    path = database(tmp_path)
    path.write_bytes(path.read_bytes()[:5000] + b"x" * 200_000)
    with pytest.raises(
        ImportRunsError, match=r"'mlflow.db' cannot be read as a database: .*\. Expected the 'mlflow.db'"
    ):
        found_in(path, tmp_path)


def test_an_empty_database_is_said_to_be_empty(tmp_path):
    folder = tmp_path / "store"
    folder.mkdir()
    (folder / "mlflow.db").touch()
    for path, tool in ((folder / "mlflow.db", None), (folder, None), (folder, "mlflow")):
        with pytest.raises(ImportRunsError, match=r"'mlflow.db' is empty: it has 0 bytes. .*Copy the file again"):
            found_in(path, tmp_path / "work", tool)
    (folder / "mlflow.db").write_text("what is this" * 100)
    for path in (folder / "mlflow.db", folder):
        with pytest.raises(ImportRunsError, match=r"'mlflow.db' cannot be read as a database: file is not a database"):
            found_in(path, tmp_path / "work")
    with zipfile.ZipFile(STORES / "mlruns-3.17.2.zip") as archive:
        archive.extractall(folder)
    assert set(found_in(folder, tmp_path / "work")) == {"first", "second"}
    assert "'mlflow.db' is empty or damaged, so left out." in notes_of(folder, tmp_path)


def test_views_in_the_place_of_tables_are_not_asked(tmp_path):
    path = database(tmp_path, "ALTER TABLE params RENAME TO hidden", "CREATE VIEW params AS SELECT * FROM hidden")
    with pytest.raises(ImportRunsError, match=r"it has no table params"):
        found_in(path, tmp_path)


def test_values_that_are_no_numbers_are_left_out_and_said(tmp_path):
    path = database(tmp_path, "UPDATE metrics SET value = 'many' WHERE key = 'val_loss' AND step = 1")
    run = found_in(path, tmp_path)["first"]
    assert [epoch for epoch, _ in values_of(run)["val//loss"]] == [1, 3]
    assert "1 value without a number left out" in run.origin.notes


def test_numbers_logged_without_a_step_are_in_the_order_of_time(tmp_path):
    path = database(tmp_path, "UPDATE metrics SET step = 0")
    found = values_of(found_in(path, tmp_path)["first"])
    assert found["val//accuracy"] == [(1, 0.5), (2, 0.75), (3, 0.8125)]
    assert math.isnan(found["val//loss"][2][1])


def unpacked_mlruns(tmp_path):
    with zipfile.ZipFile(STORES / "mlruns-3.17.2.zip") as archive:
        archive.extractall(tmp_path)
    root = tmp_path / "mlruns"
    return root, next(path.parent for path in root.glob("*/*/metrics") if (path / "val_loss").exists())


def test_files_of_a_run_that_are_damaged_are_named(tmp_path):
    root, run = unpacked_mlruns(tmp_path)
    with open(run / "metrics" / "loss", "a") as file:
        file.write("what is this\n\n1700000008000 2\n1700000009000 0.5 3 a-model a-data-set\n")
    found = found_in(root, tmp_path)["first"]
    assert "loss: 1 line without a number left out" in found.origin.notes
    assert (4, 0.5) in values_of(found)["train//loss"]
    (run / "meta.yaml").write_text("- no mapping")
    with pytest.raises(ImportRunsError, match=r"'meta.yaml' is damaged: it holds no YAML mapping"):
        found_in(root, tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights on Windows")
def test_links_that_lead_out_of_the_folder_are_not_followed(tmp_path):
    root, run = unpacked_mlruns(tmp_path)
    secret = tmp_path / "secret"
    secret.write_text("1700000000000 0.123 1\n")
    (run / "metrics" / "linked").symlink_to(secret)
    (run / "params" / "stolen").symlink_to(secret)
    found = found_in(root, tmp_path)["first"]
    assert "0.123" not in repr(values_of(found))
    assert "stolen" not in repr(found.config)
    (run / "meta.yaml").unlink()
    (run / "meta.yaml").symlink_to(secret)
    with pytest.raises(ImportRunsError, match=r"'meta.yaml' is a link that leads out of"):
        found_in(root, tmp_path)


def test_a_file_that_is_much_too_large_is_refused(tmp_path):
    root, run = unpacked_mlruns(tmp_path)
    (run / "params" / "huge").write_text("x" * ((1 << 20) + 1))
    with pytest.raises(ImportRunsError, match=r"'huge' is larger than 1 MiB"):
        found_in(root, tmp_path)


def test_a_damaged_trial_is_refused(tmp_path):
    shutil.copytree(STORES / "keras-tuner", tmp_path / "search")
    for text in ("{", "[" * 100_000, "[]"):
        (tmp_path / "search" / "trial_0" / "trial.json").write_text(text)
        with pytest.raises(ImportRunsError, match=r"is damaged: it holds no JSON mapping"):
            found_in(tmp_path / "search", tmp_path)


def test_places_of_artifacts():
    assert str(local_path("file:///data/a%20b")) == "/data/a b"
    assert local_path("s3://bucket/a") is None
    assert local_path("dbfs:/a") is None
    assert str(local_path("mlartifacts/1/a")) == "mlartifacts/1/a"


# === Zips ===


def zipped(path, **files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/"), content)
    return path


def test_a_zip_is_gone_once_it_was_read(tmp_path):
    path = zipped(tmp_path / "logs.zip", **{"a.csv": "epoch,loss\n1,2\n", "b.csv": "epoch,loss\n1,3\n"})
    assert set(found_in(path, tmp_path / "work")) == {"a", "b"}
    assert list((tmp_path / "work").iterdir()) == []


@pytest.mark.parametrize("name", ["../out.csv", "/out.csv", "a/../../out.csv", "..\\out.csv", "C:\\out.csv"])
def test_a_zip_that_would_write_elsewhere_is_refused(tmp_path, name):
    path = tmp_path / "evil.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, "epoch,loss\n1,2\n")
    with pytest.raises(ImportRunsError, match=r"'evil.zip' holds a file that would land elsewhere"):
        found_in(path, tmp_path / "work")
    assert not (tmp_path / "out.csv").exists()
    assert list((tmp_path / "work").iterdir()) == []


def test_a_zip_with_a_link_is_refused(tmp_path):
    link = zipfile.ZipInfo("link.csv")
    link.external_attr = 0o120777 << 16
    path = tmp_path / "evil.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(ImportRunsError, match=r"holds a symbolic link, 'link.csv'"):
        found_in(path, tmp_path / "work")


def test_a_zip_that_would_fill_the_disk_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(unpacking, "RATIO_FREE_BYTES", 1000)
    path = zipped(tmp_path / "bomb.zip", **{"a.csv": b"0" * 1_000_000})
    with pytest.raises(ImportRunsError, match=r"unpacks to [0-9,]+ times its size"):
        found_in(path, tmp_path / "work")
    monkeypatch.setattr(unpacking, "MOST_BYTES", 1000)
    with pytest.raises(ImportRunsError, match=r"unpacks to 0 GB"):
        found_in(path, tmp_path / "work")
    monkeypatch.setattr(unpacking, "MOST_FILES", 0)
    with pytest.raises(ImportRunsError, match=r"holds more than 0 files"):
        found_in(path, tmp_path / "work")


def test_a_zip_that_is_damaged_is_refused(tmp_path):
    path = zipped(tmp_path / "x.zip", **{"a.csv": "epoch,loss\n" + "1,2\n" * 5000})
    content = bytearray(path.read_bytes())
    content[60] ^= 255
    path.write_bytes(content)
    with pytest.raises(ImportRunsError, match=r"'x.zip' cannot be read as a zip"):
        found_in(path, tmp_path / "work")
    assert list((tmp_path / "work").iterdir()) == []


def test_a_zip_that_was_cut_is_said_to_be(tmp_path):
    whole = zipped(tmp_path / "x.zip", **{"a.csv": "epoch,loss\n" + "1,2\n" * 5000}).read_bytes()
    for name in ("x.zip", "without an end"):
        path = tmp_path / name
        path.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(
            ImportRunsError, match=rf"'{name}' is cut or damaged: the list of files with which .* Copy or make the zip"
        ):
            found_in(path, tmp_path / "work")
    for content, said in ((b"", "is empty: it has 0 bytes"), (b"hello", "is no zip, whatever its name says")):
        (tmp_path / "x.zip").write_bytes(content)
        with pytest.raises(ImportRunsError, match=f"'x.zip' {said}. Expected a zip of runs. Copy or make the zip"):
            found_in(tmp_path / "x.zip", tmp_path / "work")
    assert list((tmp_path / "work").iterdir()) == []


def test_the_beginning_of_these_runs_is_what_the_tools_were_told():
    assert BEGUN_MS == 1_700_000_000_000
