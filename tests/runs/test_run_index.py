"""The list of all runs: the same from the index as from the folders, whatever happened to either."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from run_making import ENDED_AT, complete, epoch_rows, fail, result_of

from cnnlab.files import write_json
from cnnlab.runs import facts, index, queries, tables
from cnnlab.runs.schema import INDEX, SUMMARY, polars_schema
from cnnlab.runs.status import RunStatus, failure, write_status
from cnnlab.runs.store import Store
from cnnlab.runs.writer import RunWriter

Make = Callable[..., Path]
ELSEWHERE = "another machine"  # runs of other machines are never judged


def running(run_dir: Path) -> None:
    RunWriter(run_dir).metrics(epoch_rows(1, 0.5, 0.25))
    write_status(run_dir, RunStatus(state="running", host=ELSEWHERE, started_at=ENDED_AT))


def queued(run_dir: Path) -> None:
    write_status(run_dir, RunStatus(state="queued", queued_at=ENDED_AT))


def cancelled(run_dir: Path) -> None:
    write_status(run_dir, RunStatus(state="cancelled", ended_at=ENDED_AT))


def lost(run_dir: Path) -> None:
    write_status(run_dir, RunStatus(state="lost", ended_at=ENDED_AT, failure=failure("lost", "Gone.")))


STATES = {"completed": complete, "failed": fail, "running": running, "queued": queued} | {
    "cancelled": cancelled,
    "lost": lost,
}


def read_anew(store: Store) -> pl.DataFrame:
    """Read as a process does that has just begun."""
    for cache in (index._listings, index._indexes, index._bases):
        cache.clear()
    return queries.summaries(store)


def row_of(store: Store, run_dir: Path) -> dict:
    frame = queries.summaries(store).filter(run_id=run_dir.name)
    assert frame.height == 1
    return frame.row(0, named=True)


def assert_agrees(store: Store) -> None:
    scanned = index.scan(store)
    assert queries.summaries(store).equals(scanned)
    assert read_anew(store).equals(scanned)


def test_a_store_without_runs_has_an_empty_table(store: Store) -> None:
    frame = queries.summaries(store)
    assert frame.is_empty()
    assert frame.schema == pl.Schema(polars_schema(SUMMARY))
    assert not store.root.exists()


def test_runs_of_every_state_are_listed_newest_first(store: Store, make_run: Make) -> None:
    made = {state: make_run(finish).name for state, finish in STATES.items()}
    for frame in (queries.summaries(store), queries.summaries(store), read_anew(store)):
        assert dict(frame.select("state", "run_id").rows()) == made
        assert frame["run_id"].to_list() == list(made.values())[::-1]
        assert frame.schema == pl.Schema(polars_schema(SUMMARY))
    assert_agrees(store)


def test_a_completed_run_shows_its_result(store: Store, make_run: Make) -> None:
    row = row_of(store, make_run(complete, seed=5, epochs=2))
    assert row["state"] == "completed"
    assert row["name"] == "lenet5 on digits"
    assert (row["dataset"], row["dataset_version"], row["architecture"]) == ("digits", "abc", "lenet5")
    assert (row["seed"], row["epochs"], row["epochs_done"], row["best_epoch"]) == (5, 2, 2, 2)
    assert (row["val_accuracy"], row["test_accuracy"], row["test_correct"], row["test_n"]) == (0.5, 0.75, 6, 8)
    assert (row["num_params"], row["trainable_params"], row["macs"]) == (100, 90, 1000)
    assert (row["train_s"], row["images_per_s"], row["main_output"]) == (3.5, 120.0, "label")
    assert row["failure"] is None
    assert row["ended_at"].isoformat() == "2026-11-22T14:11:36+00:00"


def test_what_was_not_counted_is_null_and_a_nan_stays(store: Store, make_run: Make) -> None:
    test = {"label": {"accuracy": 0.5, "loss": float("nan"), "correct": 4, "n": 8}}
    row = row_of(store, make_run(lambda run_dir: complete(run_dir, macs=None, test=test)))
    assert row["macs"] is None
    assert row["test_loss"] != row["test_loss"]


def test_a_run_without_a_result_shows_what_it_measured(store: Store, make_run: Make) -> None:
    row = row_of(store, make_run(fail))
    assert (row["state"], row["failure"]) == ("failed", "nan_loss")
    assert (row["epochs_done"], row["best_epoch"], row["val_accuracy"]) == (3, 2, 0.2)
    assert (row["train_s"], row["main_output"]) == (3.0, "label")
    assert row["test_accuracy"] is None
    assert row["num_params"] is None


def test_a_live_run_moves_in_the_table(store: Store, make_run: Make) -> None:
    run_dir = make_run(running)
    assert row_of(store, run_dir)["epochs_done"] == 1
    RunWriter(run_dir).metrics(epoch_rows(2, 0.25, 0.5))
    row = row_of(store, run_dir)
    assert (row["epochs_done"], row["best_epoch"], row["val_accuracy"]) == (2, 2, 0.5)
    complete(run_dir)
    assert row_of(store, run_dir)["state"] == "completed"
    assert_agrees(store)


@pytest.mark.parametrize(
    ("losses", "accuracies", "best"),
    [
        ({1: 0.5, 2: float("nan"), 3: 0.25}, {}, 3),
        ({1: 0.5, 2: 0.5}, {2: 1.0}, 1),
        ({1: float("nan")}, {1: 0.5, 2: 0.75, 3: 0.75}, 2),
        ({}, {1: float("nan")}, None),
    ],
)
def test_the_best_epoch_is_never_one_of_a_nan(losses: dict, accuracies: dict, best: int | None) -> None:
    assert facts.best_epoch(losses, accuracies) == best


def test_ended_runs_go_into_the_index_and_their_tail_into_parquet(store: Store, make_run: Make) -> None:
    ended, live = make_run(fail), make_run(running)
    before = queries.metrics(store, [ended.name])
    queries.summaries(store)
    assert pl.read_parquet(index.index_path(store))["run_id"].to_list() == [ended.name]
    assert (ended / tables.METRICS_FILE).exists()
    assert not (live / tables.METRICS_FILE).exists()
    assert queries.metrics(store, [ended.name]).equals(before)


def test_the_index_is_read_not_the_folders(store: Store, make_run: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    for finish in (complete, fail, complete):
        make_run(finish)
    expected = queries.summaries(store)

    def looked(*_: object) -> None:
        raise AssertionError("a folder was read")

    monkeypatch.setattr(facts, "summary_row", looked)
    monkeypatch.setattr(index, "settle", looked)
    assert queries.summaries(store).equals(expected)
    assert read_anew(store).equals(expected)


def test_a_deleted_index_is_rebuilt(store: Store, make_run: Make) -> None:
    for finish in STATES.values():
        make_run(finish)
    expected = queries.summaries(store)
    shutil.rmtree(store.index_dir)
    assert queries.summaries(store).equals(expected)
    assert pl.read_parquet(index.index_path(store)).height == 4


@pytest.mark.parametrize("damage", ["empty", "torn", "text", "columns", "version"])
def test_a_damaged_index_is_rebuilt(store: Store, make_run: Make, damage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(complete)
    make_run(fail)
    expected = queries.summaries(store)
    path = index.index_path(store)
    data = path.read_bytes()
    if damage == "columns":
        pl.read_parquet(path).drop("macs").write_parquet(path)
    elif damage == "version":
        monkeypatch.setattr(index, "INDEX_VERSION", index.INDEX_VERSION + 1)
    else:
        path.write_bytes({"empty": b"", "torn": data[: len(data) // 2], "text": b"no parquet" * 50}[damage])
    assert read_anew(store).equals(expected)
    assert pl.read_parquet(path).columns == INDEX.names


def test_deleted_and_restored_runs(store: Store, make_run: Make) -> None:
    first, second = make_run(complete), make_run(fail)
    queries.summaries(store)
    store.delete_run(first.name)
    assert queries.summaries(store)["run_id"].to_list() == [second.name]
    assert_agrees(store)
    store.restore_run(first.name)
    assert queries.summaries(store).height == 2
    assert_agrees(store)


def test_a_run_that_was_copied_in_is_listed(store: Store, make_run: Make) -> None:
    run_dir = make_run(complete)
    queries.summaries(store)
    copy = run_dir.with_name("20200101-000000-lenet5-digits-copy")
    shutil.copytree(run_dir, copy)
    assert queries.summaries(store)["run_id"].to_list() == [run_dir.name, copy.name]
    assert_agrees(store)


def test_a_retried_run_leaves_the_index_and_comes_back(store: Store, make_run: Make) -> None:
    run_dir = make_run(fail)
    assert row_of(store, run_dir)["state"] == "failed"
    write_status(run_dir, RunStatus(state="queued", attempt=2))
    row = row_of(store, run_dir)
    assert (row["state"], row["failure"], row["epochs_done"]) == ("queued", None, 0)
    assert_agrees(store)
    running(run_dir)
    assert row_of(store, run_dir)["epochs_done"] == 1
    complete(run_dir)
    assert row_of(store, run_dir)["test_accuracy"] == 0.75
    assert_agrees(store)


def test_one_damaged_or_newer_folder_does_not_hide_the_others(store: Store, make_run: Make) -> None:
    good, newer, damaged = make_run(complete), make_run(complete), make_run(complete)
    run = json.loads((newer / "run.json").read_text())
    write_json(newer / "run.json", run | {"schema_version": 99})
    (damaged / "run.json").write_text("{")
    (store.runs_dir / "stray").mkdir()
    frame = queries.summaries(store)
    assert dict(frame.select("run_id", "failure").rows()) == {
        good.name: None,
        newer.name: "unreadable",
        damaged.name: "unreadable",
        "stray": "unreadable",
    }
    assert_agrees(store)


def test_a_config_that_cannot_be_read_leaves_nulls(store: Store, make_run: Make) -> None:
    run_dir = make_run(complete)
    (run_dir / "config.yaml").write_text("a: [")
    row = row_of(store, run_dir)
    assert (row["state"], row["architecture"], row["test_accuracy"]) == ("completed", None, 0.75)


def test_a_store_that_may_only_be_read_is_listed(store: Store, make_run: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    run_dir = make_run(complete)
    monkeypatch.setattr(index.os, "access", lambda *_: False)
    assert queries.summaries(store)["run_id"].to_list() == [run_dir.name]
    assert not index.index_path(store).exists()

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.undo()
    monkeypatch.setattr(tables, "write_table", refuse)
    assert queries.summaries(store)["run_id"].to_list() == [run_dir.name]


def test_two_who_write_the_index_at_once_lose_nothing_for_long(store: Store, make_run: Make) -> None:
    make_run(complete)
    queries.summaries(store)
    old = index.index_path(store).read_bytes()
    make_run(fail)
    expected = queries.summaries(store)
    index.index_path(store).write_bytes(old)  # somebody slower, who had not seen the second run
    assert queries.summaries(store).equals(expected)
    assert pl.read_parquet(index.index_path(store)).height == 2


def test_a_listing_made_right_after_a_change_is_not_trusted(store: Store, make_run: Make) -> None:
    first = make_run(complete)
    queries.summaries(store)
    stamp = os.stat(store.runs_dir).st_mtime_ns
    second = make_run(complete)
    os.utime(store.runs_dir, ns=(stamp, stamp))  # a file system whose clock has not moved on
    assert queries.summaries(store)["run_id"].to_list() == [second.name, first.name]


def test_a_quiet_folder_is_not_listed_again(store: Store, make_run: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(complete)
    os.utime(store.runs_dir, (1_000_000_000, 1_000_000_000))
    expected = queries.summaries(store)
    monkeypatch.setattr(index.os, "listdir", lambda _: pytest.fail("listed again"))
    assert queries.summaries(store) is queries.summaries(store)
    assert queries.summaries(store).equals(expected)


def test_one_run_alone_agrees_with_the_table(store: Store, make_run: Make) -> None:
    for finish in STATES.values():
        run_dir = make_run(finish)
        assert queries.summary(store, run_dir.name)["state"] == row_of(store, run_dir)["state"]


def test_result_without_numbers_of_validation(store: Store, make_run: Make) -> None:
    run_dir = make_run(cancelled)
    write_json(run_dir / "result.json", result_of() | {"val": None, "macs": None})
    assert row_of(store, run_dir)["val_accuracy"] is None
