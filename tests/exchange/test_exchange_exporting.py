"""Runs of ours for other tools: every number, whole or not at all, and back again."""

import io
import json
import math
import os
import sqlite3
import zipfile

import polars as pl
import pytest
import yaml
from exchange_making import ELSEWHERE, ENDED, STARTED, STORES, found_in, make_measured, same, sorted_metrics, values_of

from cnnlab.config import config_from_dict
from cnnlab.errors import RunNotFoundError, UnknownNameError
from cnnlab.exchange import exporting, to_tensorboard
from cnnlab.exchange.exporting import FORMATS, export_runs
from cnnlab.exchange.found import ExportError, ImportRunsError
from cnnlab.exchange.importing import import_runs
from cnnlab.exchange.mlflow_schema import statements
from cnnlab.exchange.selection import safe_name
from cnnlab.exchange.to_mlflow import run_uuid
from cnnlab.runs import queries
from cnnlab.runs.annotations import annotate, change
from cnnlab.runs.status import RunStatus, failure, write_status
from cnnlab.runs.store import Store


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


def make_unmeasured(store):
    """Write a run that failed before its first number, and return its id."""
    run_dir = store.create_run(config_from_dict({}))
    why = failure("nan_loss", "The loss became NaN.")
    write_status(run_dir, RunStatus(state="failed", started_at=STARTED, ended_at=ENDED, failure=why))
    return run_dir.name


@pytest.fixture
def two(store):
    return [make_measured(store.root, name="a/b & co", seed=1), make_measured(store.root, seed=2, learning_rate=0.01)]


def test_parquet_holds_the_tables_as_they_are(store, two, tmp_path):
    done = export_runs(store, two, tmp_path / "out", "parquet")
    assert (done.runs, done.format, done.path) == (2, "parquet", tmp_path / "out")
    metrics = pl.read_parquet(tmp_path / "out" / "metrics.parquet")
    assert metrics.equals(queries.metrics(store, two))
    predictions = pl.read_parquet(tmp_path / "out" / "predictions.parquet")
    assert predictions.equals(pl.concat([queries.predictions(store, run_id, None) for run_id in two]))
    runs = pl.read_parquet(tmp_path / "out" / "runs.parquet", columns=["run_id", "test_accuracy"])
    assert runs.rows() == [(two[0], 0.5), (two[1], 0.5)]
    for run_id in two:
        config = tmp_path / "out" / "configs" / f"{run_id}.yaml"
        assert config.read_bytes() == (store.run_dir(run_id) / "config.yaml").read_bytes()
    assert "| val_accuracy | float64 |" in (tmp_path / "out" / "README.md").read_text()


def test_csv_holds_every_digit_and_the_settings(store, two, tmp_path):
    export_runs(store, two, tmp_path / "out", "csv")
    metrics = pl.read_csv(tmp_path / "out" / "metrics.csv", null_values="")
    said = queries.metrics(store, two)
    assert same(metrics["value"].to_list(), said["value"].to_list())
    assert metrics["epoch"].to_list() == said["epoch"].to_list()
    runs = pl.read_csv(tmp_path / "out" / "runs.csv")
    assert runs["config.training.learning_rate"].to_list() == [0.002, 0.01]
    assert runs["run_id"].to_list() == two


def test_a_zip_holds_one_folder_and_nothing_is_left_beside_it(store, two, tmp_path):
    done = export_runs(store, two, tmp_path / "new" / "runs.zip", "csv")
    assert os.listdir(tmp_path / "new") == ["runs.zip"]
    assert done.size_bytes == (tmp_path / "new" / "runs.zip").stat().st_size
    with zipfile.ZipFile(tmp_path / "new" / "runs.zip") as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == ["runs/README.md", "runs/metrics.csv", "runs/runs.csv"]
        assert pl.read_csv(io.BytesIO(archive.read("runs/runs.csv"))).height == 2


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("name", ["out", "out.zip"])
def test_an_export_that_fails_leaves_nothing(store, two, tmp_path, monkeypatch, format, name):
    def fail(*_arguments, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exporting, "_pack" if name == "out.zip" else "_size", fail)
    monkeypatch.setattr(exporting.os, "rename", fail)
    with pytest.raises(ExportError, match=r"cannot be written: No space left on device. Expected a new folder"):
        export_runs(store, two, tmp_path / "new" / name, format)
    assert os.listdir(tmp_path / "new") == []


def test_what_lies_there_is_never_written_over(store, two, tmp_path):
    (tmp_path / "out").mkdir()
    export_runs(store, two, tmp_path / "out", "csv")  # an empty folder is as good as none
    with pytest.raises(
        ExportError, match=r"There is something at '.*out' already. Expected a new place. Choose another"
    ):
        export_runs(store, two, tmp_path / "out", "csv")
    with pytest.raises(ExportError, match=r"No run to export"):
        export_runs(store, [], tmp_path / "x", "csv")
    with pytest.raises(RunNotFoundError):
        export_runs(store, ["nothing"], tmp_path / "x", "csv")
    with pytest.raises(UnknownNameError, match=r"Unknown format 'parket'. Did you mean 'parquet'"):
        export_runs(store, two, tmp_path / "x", "parket")
    assert not (tmp_path / "x").exists()


def test_progress_is_told(store, two, tmp_path):
    told = []
    export_runs(store, two, tmp_path / "out.zip", "csv", progress=lambda *one: told.append(one))
    assert told == [("writing runs", 1, 2), ("writing runs", 2, 2), *[("packing", done, 3) for done in (1, 2, 3)]]


# === MLflow ===


def test_mlflow_database_has_parameters_tags_and_the_last_numbers(store, two, tmp_path):
    export_runs(store, two, tmp_path / "out", "mlflow", models=True)
    database = sqlite3.connect(tmp_path / "out" / "mlflow.db")
    uuid = run_uuid(two[0])
    rows = dict(database.execute("SELECT key, value FROM params WHERE run_uuid = ?", (uuid,)))
    assert (rows["training.learning_rate"], rows["data.dataset"], rows["training.seed"]) == ("0.002", "digits", "1")
    latest = {
        key: rest
        for key, *rest in database.execute(
            "SELECT key, step, value, is_nan FROM latest_metrics WHERE run_uuid = ?", (uuid,)
        )
    }
    assert latest["val/accuracy"] == [21, 3 / 7, 0]
    assert latest["train/loss"] == [21, 1.7976931348623157e308, 0]
    history = database.execute(
        "SELECT step, timestamp, is_nan FROM metrics WHERE run_uuid = ? AND key = 'val/label/loss'", (uuid,)
    )
    began = 1772359200250
    assert sorted(history) == [(7, began + 1125, 0), (14, began + 2250, 1), (21, began + 3375, 0)]
    artifacts = tmp_path / "out" / "mlartifacts" / "1" / uuid / "artifacts"
    assert sorted(os.listdir(artifacts)) == [
        "config.yaml", "environment.json", "model.keras", "predictions.parquet", "result.json",
    ]  # fmt: skip
    database.close()


def test_mlflow_tables_are_those_of_its_own_migrations(tmp_path):
    """A later MLflow changes tables by the names of their columns: they are compared with those that it made."""
    with zipfile.ZipFile(STORES / "mlflow-3.17.2.zip") as archive:
        archive.extract("mlflow.db", tmp_path)
    real, ours = sqlite3.connect(tmp_path / "mlflow.db"), sqlite3.connect(":memory:")
    for statement in statements():
        ours.execute(statement)
    for (table,) in ours.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        columns = [[row[1] for row in one.execute(f"PRAGMA table_info({table})")] for one in (ours, real)]
        assert set(columns[0]) <= set(columns[1]), table
    real.close()


@pytest.mark.parametrize("name", ["out", "out.zip"])
def test_our_runs_come_back_from_mlflow_as_they_were(store, two, tmp_path, name):
    failed = make_measured(store.root, state="failed", notes="what a pity")
    cancelled, lost = (make_measured(store.root, state=state) for state in ("cancelled", "lost"))
    runs = [*two, failed, cancelled, lost]
    annotate(store, [failed], change(name="renamed", notes="seen", add_tags=["odd"], is_starred=True))
    export_runs(store, runs, tmp_path / name, "mlflow", models=True)
    other = Store(tmp_path / "other")
    report = import_runs(other, tmp_path / name)
    assert sorted(report.imported) == sorted(runs)
    ours, theirs = (queries.summaries(one).sort("run_id").drop(*ELSEWHERE) for one in (store, other))
    assert ours.equals(theirs)
    assert theirs.filter(run_id=failed).select("name", "notes").row(0) == ("renamed", "seen")
    for run_id in runs:
        assert sorted_metrics(store, run_id).equals(sorted_metrics(other, run_id))
        assert other.read_config(run_id) == store.read_config(run_id)
        assert other.read_status(run_id).failure == store.read_status(run_id).failure
    assert queries.predictions(store, two[0], None).equals(queries.predictions(other, two[0], None))
    assert (other.run_dir(two[0]) / "model.keras").read_bytes() == b"weights"
    # Where they still are, nothing is added.
    assert sorted(import_runs(store, tmp_path / name).known) == sorted(runs)


@pytest.mark.parametrize("format", FORMATS)
def test_runs_of_other_tools_go_on_to_the_next(store, tmp_path, format):
    imported = import_runs(store, STORES / "mlflow-3.17.2.zip").imported
    imported += import_runs(store, STORES / "keras-tuner").imported
    export_runs(store, imported, tmp_path / "out", format)
    other = Store(tmp_path / "other")
    report = import_runs(other, tmp_path / "out")
    assert len(report.imported) == 5
    assert queries.summaries(other)["is_foreign"].to_list() == [True] * len(report.imported)
    assert sorted(report.imported) == sorted(imported)
    if format != "tensorboard":
        before, after = (queries.summaries(one).sort("run_id") for one in (store, other))
        began = pl.col("started_at").dt.round("1ms")  # MLflow keeps no more
        before = before.with_columns(began) if format == "mlflow" else before
        assert before.drop("disk_bytes").equals(after.drop("disk_bytes"))


# === TensorBoard and CSV ===


def test_our_runs_come_back_from_tensorboard_rounded(store, two, tmp_path):
    export_runs(store, two, tmp_path / "out", "tensorboard")
    runs = found_in(tmp_path / "out", tmp_path / "work")
    first = runs["a/b & co"]
    found, said = values_of(first), values_of(queries.metrics(store, two[:1]))
    assert set(found) == set(said)
    for key, rows in said.items():
        assert [epoch for epoch, _ in found[key]] == [epoch for epoch, _ in rows]
        for (_, value), (_, exact) in zip(found[key], rows, strict=True):
            assert value == pytest.approx(exact, rel=6e-8, nan_ok=True)
    assert values_of(first, "step")["val//loss"][2] == (21, math.inf)
    assert first.metrics["elapsed_s"].tolist() == pytest.approx([1.125] * 8 + [2.25] * 8 + [3.375] * 8)
    assert first.started_at == "2026-03-01T10:00:00.250000+00:00"
    assert first.config == (store.run_dir(two[0]) / "config.yaml").read_text()
    assert (first.state, first.run_id) == ("completed", two[0])
    assert "TensorBoard's files keep numbers rounded to 32 bits." in first.origin.notes


@pytest.mark.parametrize("name", ["out", "out.zip"])
def test_our_runs_come_back_from_tensorboard_with_their_results(store, two, tmp_path, name):
    failed = make_measured(store.root, state="failed", notes="what a pity: ```\n")
    cancelled, lost = (make_measured(store.root, state=state) for state in ("cancelled", "lost"))
    early = Store(store.root).create_run(config_from_dict({"name": "broke at once"}))
    why = failure("nan_loss", "The loss became NaN: early.")
    write_status(early, RunStatus(state="failed", started_at=STARTED, ended_at=ENDED, failure=why))
    (store.run_dir(two[0]) / "result.json").write_text(
        '{"main_output": "label", "num_params": 61706, "macs": 416520, "depth": 5, "best_epoch": 1, "epochs_done": 3, '
        '"test": {"label": {"accuracy": 0.1234567890123, "loss": 1.5, "correct": 2, "n": 4}}}'
    )
    runs = [*two, failed, cancelled, lost, early.name]
    annotate(store, [failed], change(name="renamed", notes="seen", add_tags=["odd"], is_starred=True))
    export_runs(store, runs, tmp_path / name, "tensorboard")
    other = Store(tmp_path / "other")
    report = import_runs(other, tmp_path / name)
    assert (sorted(report.imported), report.skipped) == (sorted(runs), [])
    # A run without a result has its accuracies from its numbers, which are rounded.
    rounded = ("val_accuracy",)
    ours, theirs = (queries.summaries(one).sort("run_id").drop(*ELSEWHERE, *rounded) for one in (store, other))
    assert ours.equals(theirs)
    row = queries.summary(other, two[0])
    assert (row["test_accuracy"], row["test_n"], row["macs"], row["depth"]) == (0.1234567890123, 4, 416520, 5)
    for run_id in runs:
        assert other.read_config(run_id) == store.read_config(run_id)
        assert other.read_status(run_id).failure == store.read_status(run_id).failure
        columns = ("epoch", "step", "split", "output", "metric")
        assert sorted_metrics(store, run_id).select(columns).equals(sorted_metrics(other, run_id).select(columns))
    # Where they still are, nothing is added, wherever one begins.
    assert sorted(import_runs(store, tmp_path / name).known) == sorted(runs)
    if name == "out":
        inside = next(path for path in (tmp_path / "out").iterdir() if path.name.endswith(f" {failed[-4:]}"))
        assert import_runs(store, inside).known == [failed]


def test_what_says_to_be_a_run_of_ours_and_is_damaged_comes_as_a_strangers(store, two, tmp_path, monkeypatch):
    monkeypatch.setattr(
        to_tensorboard, "texts_of", lambda _run: {"config": "```yaml\na: 1\n```", "run": "```json\n[\n```"}
    )
    export_runs(store, two, tmp_path / "out", "tensorboard")
    report = import_runs(Store(tmp_path / "other"), tmp_path / "out")
    assert len(report.imported) == 2
    assert queries.summaries(Store(tmp_path / "other"))["is_foreign"].to_list() == [True, True]


TABLES = [("csv", "out"), ("csv", "out.zip"), ("parquet", "out"), ("parquet", "out.zip")]


@pytest.mark.parametrize(("format", "name"), TABLES)
def test_our_runs_come_back_from_tables_with_their_results(store, two, tmp_path, format, name):
    failed = make_measured(store.root, state="failed", notes="what a pity")
    early = make_unmeasured(store)
    cancelled, lost = (make_measured(store.root, state=state) for state in ("cancelled", "lost"))
    runs = [*two, failed, early, cancelled, lost]
    said = change(name="renamed", notes="seen", add_tags=["odd", "a/b"], is_starred=True, is_archived=True)
    annotate(store, [failed], said)
    export_runs(store, runs, tmp_path / name, format)
    other = Store(tmp_path / "other")
    report = import_runs(other, tmp_path / name)
    assert sorted(report.imported) == sorted(runs)
    assert (report.notes, report.newer) == ([], {})
    ours, theirs = (queries.summaries(one).sort("run_id").drop(*ELSEWHERE) for one in (store, other))
    assert ours.equals(theirs)
    assert theirs.filter(run_id=two[0]).select("test_accuracy", "test_n", "num_params").row(0) == (0.5, 4, 61_706)
    for run_id in runs:
        assert sorted_metrics(store, run_id).equals(sorted_metrics(other, run_id))
        assert other.read_config(run_id) == store.read_config(run_id).model_copy(
            update={"notes": other.read_config(run_id).notes}
        )
    assert other.read_status(early).failure["kind"] == "nan_loss"
    # Where they still are, nothing is added.
    again = import_runs(store, tmp_path / name)
    assert (again.imported, sorted(again.known)) == ([], sorted(runs))


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_either_table_of_an_export_brings_the_other(store, two, tmp_path, format):
    export_runs(store, two, tmp_path / "out", format)
    for table in ("runs", "metrics"):
        assert import_runs(store, tmp_path / "out" / f"{table}.{format}").known == two


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_runs_without_a_number_come_back_from_tables(store, tmp_path, format):
    run_id = make_unmeasured(store)
    export_runs(store, [run_id], tmp_path / "out", format)
    report = import_runs(Store(tmp_path / "other"), tmp_path)  # also from a folder further up
    assert (report.imported, report.notes) == ([run_id], [])


def test_a_config_that_was_changed_in_a_table_is_not_taken_for_ours(store, two, tmp_path):
    export_runs(store, two[:1], tmp_path / "out", "csv")
    path = tmp_path / "out" / "runs.csv"
    pl.read_csv(path).with_columns(pl.lit(17).alias("config.training.batch_size")).write_csv(path)
    other = Store(tmp_path / "other")
    assert import_runs(other, tmp_path / "out").imported == two[:1]
    row = queries.summary(other, two[0])
    assert (row["is_foreign"], row["batch_size"], row["test_accuracy"], row["test_n"]) == (True, 17, 0.5, 4)
    assert import_runs(store, tmp_path / "out").known == two[:1]


def test_parquet_that_is_no_export_of_runs_is_refused_with_the_way_out(tmp_path):
    pl.DataFrame({"epoch": [1], "loss": [0.5]}).write_parquet(tmp_path / "metrics.parquet")
    with pytest.raises(
        ImportRunsError, match=r"^'metrics.parquet' cannot be imported\. Expected CSV, or the folder .* for MLflow"
    ):
        import_runs(Store(tmp_path / "store"), tmp_path / "metrics.parquet")


def test_runs_of_one_name_have_folders_of_their_own(store, tmp_path):
    runs = [make_measured(store.root, name="../x", seed=seed) for seed in range(3)]
    export_runs(store, runs, tmp_path / "out", "tensorboard")
    folders = [path.name for path in (tmp_path / "out").iterdir() if path.is_dir()]
    assert len(folders) == 3
    assert all(name.startswith("-x ") for name in folders)
    assert safe_name("a" * 200) == "a" * 80


def test_steps_that_mean_several_epochs_give_way_to_epochs(store, tmp_path):
    run_id = make_measured(store.root)
    path = store.run_dir(run_id) / "metrics" / "metrics.parquet"
    pl.read_parquet(path).with_columns(step=pl.lit(5, pl.Int64)).write_parquet(path)
    export_runs(store, [run_id], tmp_path / "out", "mlflow")
    database = sqlite3.connect(tmp_path / "out" / "mlflow.db")
    steps = database.execute("SELECT DISTINCT step FROM metrics ORDER BY step").fetchall()
    assert steps == [(1,), (2,), (3,)]
    database.close()


def test_a_run_that_never_began_can_be_exported(store, tmp_path):
    from made_runs import make_run

    run_id = make_run(store.root, state="queued")
    for format in FORMATS:
        assert export_runs(store, [run_id], tmp_path / format, format).runs == 1


def test_names_and_texts_of_people_stay_as_they_are(store, tmp_path):
    name, notes = '=1+1; "x" — ä\t\'', "- a: [b\n'c\n"
    run_id = make_measured(store.root, name=name, notes=notes)
    export_runs(store, [run_id], tmp_path / "out", "mlflow")
    other = Store(tmp_path / "other")
    import_runs(other, tmp_path / "out")
    assert other.read_config(run_id).notes == notes
    assert other.read_run(run_id)["name"] == store.read_run(run_id)["name"]
    database = sqlite3.connect(tmp_path / "out" / "mlflow.db")
    ((said,),) = database.execute("SELECT value FROM tags WHERE key = 'cnnlab.run.json'").fetchall()
    assert json.loads(said)["run_id"] == run_id
    database.close()
    assert yaml.safe_load((store.run_dir(run_id) / "config.yaml").read_text())["notes"] == notes
