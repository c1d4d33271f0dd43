"""Every setting and number of all runs in one table: kinds of columns, live runs, and the file that may be deleted."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from run_making import complete, fail

from cnnlab.config import RunConfig
from cnnlab.runs import fields, index
from cnnlab.runs.status import RunStatus, write_status
from cnnlab.runs.store import Store

Make = Callable[..., Path]


def forget() -> None:
    for cache in (index._listings, index._indexes, index._bases, fields._known, fields._last):
        cache.clear()


def value(store: Store, run_dir: Path, column: str) -> object:
    frame = fields.fields(store)
    assert frame["run_id"].to_list() == list(dict.fromkeys(frame["run_id"]))
    return frame.filter(run_id=run_dir.name)[column].item() if column in frame.columns else None


def test_settings_and_numbers_of_ended_and_live_runs(store: Store, make_run: Make) -> None:
    ended, live = make_run(complete, batch_size=64), make_run(batch_size=32)
    write_status(live, RunStatus(state="running", host="another machine"))
    assert value(store, ended, "training.batch_size") == 64
    assert value(store, live, "training.batch_size") == 32
    assert value(store, ended, "result.kept_epoch") == 2
    assert value(store, ended, "result.test.label.accuracy") == 0.75
    assert value(store, live, "result.test.label.accuracy") is None
    complete(live)
    assert value(store, live, "result.test.label.accuracy") == 0.75
    schema = fields.fields(store).schema
    assert schema["training.batch_size"] == pl.Int64
    assert schema["training.nesterov"] == pl.Boolean
    assert not {"name", "notes", "result.outputs.label"} & set(schema)


def test_an_empty_store_has_no_rows(store: Store) -> None:
    assert fields.fields(store).rows() == []


def test_columns_that_are_of_several_kinds_are_text(store: Store) -> None:
    values = [{"architecture": {"name": "vgg", "parameters": {"depth": 11}}}, {"data": {"outputs": ["a", "b"]}}, {}]
    for one in values:
        complete(store.create_run(RunConfig.model_validate(one)))
    frame = fields.fields(store).sort("run_id")
    assert frame["architecture.parameters.depth"].to_list().count(11) == 1
    assert '["a", "b"]' in frame["data.outputs"].to_list()
    mixed = fields._together([pl.DataFrame({"x": [1, None]}), pl.DataFrame({"x": ["a"], "y": [True]})])
    assert mixed.rows() == [("1", None), (None, None), ("a", True)]
    assert fields._together([pl.DataFrame({"x": [1]}), pl.DataFrame({"x": [0.5]})])["x"].to_list() == [1.0, 0.5]


def test_the_file_is_read_not_the_folders(store: Store, make_run: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fields, "_MOST_UNWRITTEN", 1)
    for finish in (complete, fail, complete):
        make_run(finish)
    expected = fields.fields(store).sort("run_id")
    monkeypatch.setattr(fields, "field_values", lambda _: pytest.fail("a folder was read"))
    assert fields.fields(store).sort("run_id").equals(expected)
    forget()
    assert fields.fields(store).sort("run_id").equals(expected)


def test_few_new_runs_are_read_from_their_folders(store: Store, make_run: Make) -> None:
    run_dir = make_run(complete)
    assert fields.fields(store).height == 1
    assert not (store.index_dir / fields.FILE).exists()
    store.delete_run(run_dir.name)
    assert fields.fields(store).height == 0


@pytest.mark.parametrize("damage", [b"", b"no parquet", None])
def test_a_damaged_or_missing_file_is_made_anew(
    store: Store, make_run: Make, damage: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fields, "_MOST_UNWRITTEN", 0)
    make_run(complete)
    expected = fields.fields(store)
    path = store.index_dir / fields.FILE
    assert path.exists()
    if damage is None:
        path.unlink()
    else:
        path.write_bytes(damage)
    forget()
    assert fields.fields(store).equals(expected)


def test_a_retried_run_has_its_new_numbers(store: Store, make_run: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fields, "_MOST_UNWRITTEN", 0)
    run_dir = make_run(fail)
    assert value(store, run_dir, "result.kept_epoch") is None
    write_status(run_dir, RunStatus(state="queued", attempt=2))
    assert value(store, run_dir, "training.seed") == 0
    complete(run_dir)
    assert value(store, run_dir, "result.kept_epoch") == 2
