"""Runs of other tools in our store: twice adds nothing, all or nothing, and at home in every table."""

import math
import os
import re
import shutil
import time

import polars as pl
import pytest
from exchange_making import STORES, make_measured
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlab.errors import CNNLabError, ConfigError, QueueError, StoreError
from cnnlab.exchange.converting import ImportOptions, adopted
from cnnlab.exchange.event_files import write_records
from cnnlab.exchange.event_making import scalar_event, session_start_event, version_event
from cnnlab.exchange.found import ImportRunsError
from cnnlab.exchange.importing import import_runs, look
from cnnlab.exchange.names import Target
from cnnlab.exchange.report import told_remarks, told_troubles
from cnnlab.exchange.tensorboard_source import TensorBoardSource
from cnnlab.launch.queue import Queue
from cnnlab.runs import adopting, index, queries
from cnnlab.runs.adopting import Adoption
from cnnlab.runs.continuing import extended
from cnnlab.runs.store import Store

ALL = ["tensorboard", "tensorboardx", "keras-tensorboard", "keras-csvlogger.csv", "keras-tuner", "mlflow-3.17.2.zip"]


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


def write_csv(path, text="epoch,loss\n1,2\n2,1\n"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", ALL)
def test_importing_twice_adds_nothing_and_says_so(store, name):
    first = import_runs(store, STORES / name)
    assert first.imported
    assert not first.known
    before = store.run_ids()
    second = import_runs(store, STORES / name)
    assert (second.imported, sorted(second.known)) == ([], sorted(first.imported))
    assert store.run_ids() == before
    assert "already there, so nothing was added for them" in second.sentence()
    assert sorted(os.listdir(store.runs_dir)) == before  # and nothing hidden


def test_a_deleted_run_is_not_brought_back(store):
    (run_id,) = import_runs(store, STORES / "keras-csvlogger.csv").imported
    store.delete_run(run_id)
    assert import_runs(store, STORES / "keras-csvlogger.csv").known == [run_id]
    assert store.run_ids() == []


def test_a_run_that_went_on_is_another_state_of_it(store, tmp_path):
    path = write_csv(tmp_path / "run.csv")
    (old,) = import_runs(store, path).imported
    write_csv(path, "epoch,loss\n1,2\n2,1\n3,0.5\n")
    report = import_runs(store, path)
    (new,) = report.imported
    assert report.newer == {new: [old]}
    assert new.rpartition("-")[0] == old.rpartition("-")[0]


@pytest.fixture
def logs(tmp_path):
    """Return a folder of logs as tools leave them, of 5 runs."""
    folder = tmp_path / "logs"
    write_csv(folder / "a.csv")
    write_csv(folder / "deep" / "b.csv", "run,epoch,loss\nx,1,2\ny,1,3\n")
    write_csv(folder / "version_0" / "metrics.csv", "epoch,step,train_loss\n0,9,2\n1,19,1\n")
    write_csv(folder / "version_1" / "metrics.csv", "epoch,step,train_loss\n0,9,3\n1,19,1\n")
    return folder


FILES = ["a.csv", "deep/b.csv", "version_0/metrics.csv", "version_1/metrics.csv"]


def test_a_file_after_its_folder_adds_nothing(store, logs):
    first = import_runs(store, logs)
    assert (len(first.imported), first.newer) == (5, {})
    for name in FILES:
        assert import_runs(store, logs / name).imported == []
    assert import_runs(store, logs / "version_0").imported == []


def test_a_folder_after_its_files_adds_nothing(store, logs):
    for name in FILES:
        import_runs(store, logs / name)
    report = import_runs(store, logs)
    assert (report.imported, len(report.known)) == ([], 5)


def test_a_copy_of_a_folder_elsewhere_adds_nothing(store, logs, tmp_path):
    import_runs(store, logs)
    shutil.copytree(logs, tmp_path / "copy" / "of logs")
    shutil.make_archive(str(tmp_path / "packed"), "zip", tmp_path, "logs")
    for place in ("copy", "copy/of logs", "packed.zip"):
        report = import_runs(store, tmp_path / place)
        assert (report.imported, len(report.known)) == ([], 5)


def test_a_log_that_grew_is_known_from_wherever_it_comes(store, logs):
    import_runs(store, logs)
    path = logs / "version_0" / "metrics.csv"
    path.write_text(path.read_text() + "2,29,0.5\n")
    report = import_runs(store, path)
    ((new, (old,)),) = report.newer.items()
    assert queries.metrics(store, [old])["value"].to_list() == [2, 1]
    assert queries.metrics(store, [new])["value"].to_list() == [2, 1, 0.5]
    assert import_runs(store, logs).imported == []


def test_a_second_run_in_a_log_leaves_the_first_as_it_was(store, tmp_path):
    path = write_csv(tmp_path / "run.csv")
    (first,) = import_runs(store, path).imported
    write_csv(path, "epoch,loss\n1,2\n2,1\nepoch,loss\n1,9\n")
    report = import_runs(store, path)
    assert (report.known, len(report.imported), report.newer) == ([first], 1, {})


def test_runs_that_cannot_be_read_are_named_and_the_others_come(store, tmp_path):
    shutil.copytree(STORES / "keras-tuner", tmp_path / "search")
    (tmp_path / "search" / "trial_1" / "trial.json").write_text("{")
    report = import_runs(store, tmp_path / "search")
    assert len(report.imported) == 2
    assert [one.key for one in report.skipped] == ["trial_1"]
    assert report.sentence() == "2 runs imported from Keras Tuner; 1 run left out."
    assert report.to_dict()["skipped"][0]["reason"].startswith("'trial_1/trial.json' is damaged")


def test_where_nothing_can_be_read_there_is_an_error(store, tmp_path):
    shutil.copytree(STORES / "keras-tuner", tmp_path / "search")
    for trial in (tmp_path / "search").glob("trial_*/trial.json"):
        trial.write_text("{")
    with pytest.raises(
        ImportRunsError, match=r"None of the 3 runs can be imported. The first: 'trial_0/trial.json' is"
    ):
        import_runs(store, tmp_path / "search")
    assert os.listdir(store.runs_dir) == []


def test_a_store_that_cannot_be_written_keeps_nothing(store, monkeypatch):
    real, calls = adopting._write, []

    def fail_at_the_third(folder, run):
        calls.append(run)
        if len(calls) == 3:
            raise OSError(28, "No space left on device")
        real(folder, run)

    monkeypatch.setattr(adopting, "_write", fail_at_the_third)
    with pytest.raises(StoreError, match=r"No space left on device.*nothing was kept of this attempt"):
        import_runs(store, STORES / "keras-tuner")
    assert os.listdir(store.runs_dir) == []


def test_an_error_while_runs_are_put_in_place_takes_them_all_back(store, monkeypatch):
    real, calls = os.rename, []

    def fail_at_the_second(source, target):
        calls.append(target)
        if len(calls) == 2:
            raise OSError(5, "Input/output error")
        real(source, target)

    monkeypatch.setattr(adopting.os, "rename", fail_at_the_second)
    with pytest.raises(StoreError, match=r"Input/output error"):
        import_runs(store, STORES / "keras-tuner")
    assert os.listdir(store.runs_dir) == []


def test_what_a_killed_import_leaves_is_no_run_and_is_swept(store):
    adoption = Adoption(store).__enter__()
    (leftover,) = os.listdir(store.runs_dir)
    assert store.run_ids() == []
    os.utime(store.runs_dir / leftover, (time.time() - 7200,) * 2)
    make_measured(store.root)
    assert leftover not in os.listdir(store.runs_dir)
    assert adoption is not None


def test_imported_runs_stand_in_the_tables_among_our_own(store):
    own = make_measured(store.root)
    for name in ALL:
        import_runs(store, STORES / name)
    summaries = queries.summaries(store)
    assert summaries.height == 1 + 3 + 1 + 1 + 1 + 3 + 2
    assert summaries.filter(pl.col("is_foreign").is_null())["run_id"].to_list() == [own]
    assert index.scan(store).equals(summaries)  # from the index as from the folders
    by_name = {row["name"]: row for row in summaries.iter_rows(named=True)}
    first = by_name["first"]
    assert (first["learning_rate"], first["batch_size"], first["seed"], first["optimizer"]) == (0.01, 32, 1, "adam")
    assert by_name["keras-csvlogger"]["epochs_done"] == 3
    assert by_name["keras-tuner trial 1"]["val_accuracy"] == 0.75
    assert by_name["keras-tuner trial 1"]["origin"] == "Keras Tuner: keras-tuner"
    assert by_name["tensorboardx"]["epochs_done"] is None
    differences = dict(queries.config_differences(store, summaries["run_id"].to_list()))
    assert differences["parameters.units"][own] is None
    assert len(queries.metrics(store, store.run_ids())) > 50


def test_seeds_of_one_config_are_a_group(store, tmp_path):
    import_runs(store, write_csv(tmp_path / "a.csv", "seed,lr,epoch,loss\n1,1,1,2\n2,1,1,3\n3,1,1,4\n"))
    assert queries.summaries(store)["group_id"].n_unique() == 1
    import_runs(store, write_csv(tmp_path / "b.csv", "run,epoch,loss\na,1,2\nb,1,2\n"))
    assert queries.summaries(store)["group_id"].n_unique() == 3


def test_nothing_trains_an_imported_run(store):
    report = import_runs(store, STORES / "keras-tuner")
    failed = next(run_id for run_id in report.imported if store.read_status(run_id).state == "failed")
    said = "was imported from Keras Tuner, which does not say how to train it here"
    with pytest.raises(StoreError, match=said):
        store.read_config(failed)
    with pytest.raises(QueueError, match=said):
        Queue().retry(store.run_dir(failed))
    with pytest.raises(ConfigError, match=said):
        extended(store.runs_dir, failed, 3)


def test_a_mapping_of_a_person_wins(store):
    options = ImportOptions({"val_loss": None, "val_accuracy": Target("test", "accuracy", "digit")}, "steps")
    (run_id,) = import_runs(store, STORES / "keras-csvlogger.csv", options=options).imported
    metrics = queries.metrics(store, [run_id])
    assert set(metrics["split"]) == {"train", "test"}
    assert queries.summary(store, run_id)["test_accuracy"] == metrics.filter(split="test")["value"][-1]
    assert queries.summary(store, run_id)["main_output"] == "digit"


@pytest.mark.parametrize(
    ("name", "way_out"),
    [("val_los", "Did you mean 'val_loss'?"), ("nonsense", "Expected one of: accuracy, loss, val_accuracy, val_loss.")],
)
def test_a_mapping_of_a_name_that_no_run_has_imports_nothing(store, name, way_out):
    options = ImportOptions({"val_loss": None, name: Target("test", "accuracy")})
    sentence = f"No number is called {name!r} in these runs. {way_out}"
    with pytest.raises(ConfigError, match=re.escape(sentence)):
        look(STORES / "keras-csvlogger.csv", store.cache_dir, options=options)
    with pytest.raises(ConfigError, match=re.escape(sentence)):
        import_runs(store, STORES / "keras-csvlogger.csv", options=options)
    assert os.listdir(store.runs_dir) == []


def test_a_mapping_of_a_name_that_one_run_of_many_has_is_right(store):
    options = ImportOptions({"steps_per_second": None, "loss": Target("train", "loss")})
    report = import_runs(store, STORES / "tensorboard", options=ImportOptions({"system/memory": None}))
    assert len(report.imported) == 3
    with pytest.raises(ConfigError, match=r"No number is called 'steps_per_second' in these runs"):
        import_runs(store, STORES / "tensorboard", options=options)


def test_a_test_that_was_the_validation_counts_as_such(store, tmp_path):
    path = write_csv(tmp_path / "a.csv", "epoch,train_loss,test_acc\n1,2,0.5\n2,1,0.75\n")
    (run_id,) = import_runs(store, path).imported
    row = queries.summary(store, run_id)
    assert (row["val_accuracy"], row["test_accuracy"]) == (0.75, None)
    assert "it counts as validation" in store.read_run(run_id)["origin"]["notes"][0]


def test_progress_is_told_to_its_end(store):
    told = []
    import_runs(store, STORES / "keras-tuner", progress=lambda *one: told.append(one))
    stages, done, totals = zip(*told, strict=True)
    assert set(stages) == {"reading runs"}
    assert list(done) == sorted(done)
    assert (done[-1], set(totals)) == (3000, {3000})


def test_a_look_says_what_an_import_would_do_and_does_nothing(store, tmp_path):
    path = write_csv(tmp_path / "a.csv", "run,epoch,val_acc,dropout_rate\na,1,90,x\nb,1,80,y\n")
    found = look(path, store.cache_dir)
    assert (found.tool, found.runs, found.looked_at, list(found.first_runs)) == ("csv", 2, 2, ["a", "b"])
    assert [(one.name, one.points, one.low, one.high, one.target.text()) for one in found.names] == [
        ("val_acc", 2, 80, 90, "val:accuracy%")
    ]
    assert (found.parameters, found.columns["run"]) == (["dropout_rate"], "run")
    assert not store.runs_dir.exists()


def test_damage_is_in_what_an_import_says_of_each_run(store, tmp_path):
    for name, cut in (("whole", None), ("cut", -17)):
        (tmp_path / "logs" / name).mkdir(parents=True)
        (source,) = (STORES / "tensorboard" / "first").iterdir()
        (tmp_path / "logs" / name / source.name).write_bytes(source.read_bytes()[:cut])
    found = look(tmp_path / "logs", store.cache_dir)
    said = f"{source.name}: the last record is not whole: still being written, or cut"
    assert list(found.notes) == [f"cut: {said}."]
    report = import_runs(store, tmp_path / "logs")
    ((run_id, troubles),) = report.troubles.items()
    assert (troubles, store.read_run(run_id)["origin"]["notes"]) == ([said], [said])
    assert report.to_dict()["troubles"] == {run_id: [said]}
    assert told_troubles(report.troubles, 5) == ["Something of 1 run could not be read.", f"{run_id}: {said}"]
    assert told_troubles(report.troubles, 0)[-1] == "and 1 more run"
    assert told_remarks({"a": ["In percent."], "b": ["In percent.", "Odd."]}, 1) == [
        "2 runs: In percent.",
        "and 1 more note",
    ]


VALUES = st.one_of(st.floats(width=32), st.just(0.5))
TAGS = st.sampled_from(["loss", "val/loss", "epoch", "epoch_loss", "val_acc", "", "a/b"])
STEPS = st.one_of(st.integers(-3, 6), st.integers(-(2**63), 2**63 - 1))


@settings(max_examples=25)
@given(
    rows=st.lists(st.tuples(TAGS, STEPS, st.one_of(st.floats(), st.floats(1e9, 2e9)), VALUES), max_size=8),
    parameters=st.dictionaries(st.sampled_from(["lr", "seed", "x"]), st.one_of(st.text(max_size=4), st.floats())),
    began=st.floats(),
)
def test_any_numbers_and_times_find_a_place(tmp_path_factory, rows, parameters, began):
    folder = tmp_path_factory.mktemp("any")
    with open(folder / "events.out.tfevents.1", "wb") as file:
        start = [version_event(began), session_start_event(began, parameters, "")]
        write_records(file, start + [scalar_event(*row) for row in rows])
    run = TensorBoardSource(folder).read(".", lambda _share: None)
    try:
        made = adopted(run, "tensorboard", "x", ImportOptions())
    except CNNLabError:
        assert not parameters
        return
    store = Store(folder / "store")
    with Adoption(store) as adoption:
        adoption.add(made)
    assert queries.summaries(store).height == 1
    found = queries.metrics(store, store.run_ids())
    assert found.height == len({(tag, step) for tag, step, *_ in rows if tag != "epoch"})
    assert not math.isnan(found["epoch"].min() or 1)
