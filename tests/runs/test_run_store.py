"""The store: folders appear whole, ids keep inside it, deleting can be undone."""

import json
import os
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from run_making import complete

from cnnlab.config import RunConfig
from cnnlab.errors import RunNotFoundError, StoreError
from cnnlab.runs import store as store_module
from cnnlab.runs.status import RunStatus, write_status
from cnnlab.runs.store import Store, default_root, new_run_id

Make = Callable[..., Path]


def test_a_new_run_has_its_config_and_identity(store: Store) -> None:
    config = RunConfig.model_validate({"training": {"epochs": 3, "seed": 7}})
    run_dir = store.create_run(config)
    assert re.fullmatch(r"\d{8}-\d{6}-lenet5-digits-[0-9a-f]{4}", run_dir.name)
    assert store.run_ids() == [run_dir.name]
    assert store.read_config(run_dir.name) == config
    run = store.read_run(run_dir.name)
    assert run["run_id"] == run_dir.name
    assert run["name"] == "lenet5 on digits"
    assert run["group_id"] == config.fingerprint()
    assert run["schema_version"] == 1
    assert run["created_at"].endswith("+00:00")


def test_a_given_name_stays(store: Store) -> None:
    assert store.read_run(store.create_run(RunConfig(name="Mine")).name)["name"] == "Mine"


def test_odd_data_set_names_make_plain_folders() -> None:
    config = RunConfig.model_validate({"data": {"dataset": "../Müllers Äpfel & co"}})
    run_id = new_run_id(config, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert re.fullmatch(r"20260102-030405-lenet5-m-llers-pfel-co-[0-9a-f]{4}", run_id)


def test_two_runs_never_share_a_folder(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    names = iter(["a", "a", "b", "b", "c"])
    monkeypatch.setattr(store_module, "new_run_id", lambda *_: next(names))
    first = store.create_run(RunConfig())
    second = store.create_run(RunConfig())
    store.delete_run("b")
    third = store.create_run(RunConfig())  # nor the name of one that may be restored
    assert [first.name, second.name, third.name] == ["a", "b", "c"]


def test_a_folder_appears_whole(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(store_module.os, "rename", killed)
    with pytest.raises(KeyboardInterrupt):
        store.create_run(RunConfig())
    assert store.run_ids() == []
    assert list(store.runs_dir.iterdir()) == []


def test_leftovers_of_killed_creators_are_swept(store: Store, make_run: Make) -> None:
    make_run()
    old, young = store.runs_dir / ".1.tmp", store.runs_dir / ".2.tmp"
    for folder in (old, young):
        folder.mkdir()
        (folder / "config.yaml").touch()
    os.utime(old, (time.time() - 7200,) * 2)
    make_run()
    assert not old.exists()
    assert young.exists()
    assert len(store.run_ids()) == 2


def test_an_unknown_run_is_named_with_the_way_out(store: Store, make_run: Make) -> None:
    run_id = make_run().name
    with pytest.raises(RunNotFoundError) as caught:
        store.run_dir("x")
    assert str(caught.value) == f"No run 'x' in {store.runs_dir}. List runs with 'python -m cnnlab runs'."
    with pytest.raises(RunNotFoundError, match=f"Did you mean '{run_id}'"):
        store.run_dir(run_id[:-2])
    with pytest.raises(RunNotFoundError, match=f"Did you mean '{run_id}'"):
        store.run_dir(run_id.replace("lenet5", "lenet"))


@pytest.mark.parametrize("run_id", ["", ".", "..", "../outside", "a/b", ".hidden.tmp", "x\n", "/etc"])
def test_ids_from_an_address_stay_inside_the_store(store: Store, run_id: str) -> None:
    (store.root / "outside").mkdir(parents=True)
    store.runs_dir.mkdir()
    with pytest.raises(RunNotFoundError):
        store.run_dir(run_id)


def test_an_empty_or_missing_store_has_no_runs(tmp_path: Path) -> None:
    assert Store(tmp_path / "nowhere").run_ids() == []
    assert not (tmp_path / "nowhere").exists()


def test_a_store_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = Store(tmp_path / "file" / "store")
    with pytest.raises(StoreError) as caught:
        store.create_run(RunConfig())
    assert str(caught.value) == (
        f"The store {store.root} cannot be written: Not a directory. Expected a folder of yours with free space. "
        "Choose another with '--store' or the variable CNNLAB_STORE."
    )


def test_the_root_is_the_variable_else_the_projects_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CNNLAB_STORE", str(tmp_path / "here"))
    assert Store().root == tmp_path / "here"
    assert Store(tmp_path / "there").root == tmp_path / "there"
    monkeypatch.delenv("CNNLAB_STORE")
    assert default_root() == Path(store_module.__file__).parents[2] / "experiments"


def test_a_folder_that_is_no_run_is_explained(store: Store) -> None:
    (store.runs_dir / "stray").mkdir(parents=True)
    with pytest.raises(StoreError, match="The run 'stray' has no readable"):
        store.read_config("stray")


def test_what_is_not_written_yet_is_none(store: Store, make_run: Make) -> None:
    run_id = make_run().name
    assert store.read_result(run_id) is None
    assert store.read_progress(run_id) is None
    assert store.read_environment(run_id) is None
    assert store.events(run_id) == []
    assert store.log_tail(run_id) == ""


def test_the_log_ends_with_its_last_lines(store: Store, make_run: Make) -> None:
    run_dir = make_run()
    (run_dir / "log.txt").write_bytes(b"one\r\n10%\r50%\r100%\ntwo \xff\nthree\n")
    assert store.log_tail(run_dir.name, lines=3) == "100%\ntwo �\nthree"
    assert store.log_tail(run_dir.name) == "one\n100%\ntwo �\nthree"
    assert store.log_tail(run_dir.name, lines=0) == ""


def test_deleting_can_be_undone(store: Store, make_run: Make) -> None:
    run_id = make_run(complete).name
    store.delete_run(run_id)
    assert store.run_ids() == []
    assert store.trash_ids() == [run_id]
    store.restore_run(run_id)
    assert store.run_ids() == [run_id]
    assert store.trash_ids() == []
    result = store.read_result(run_id)
    assert result
    assert result["main_output"] == "label"


@pytest.mark.parametrize("state", ["queued", "running"])
def test_a_run_that_has_not_ended_is_not_deleted(store: Store, make_run: Make, state: str) -> None:
    run_dir = make_run()
    write_status(run_dir, RunStatus(state=state, host="another machine"))
    with pytest.raises(StoreError) as caught:
        store.delete_run(run_dir.name)
    assert str(caught.value) == (
        f"The run '{run_dir.name}' is {state}. Only ended runs can be deleted. "
        f"Cancel it first with 'python -m cnnlab cancel {run_dir.name}'."
    )
    assert store.run_ids() == [run_dir.name]


def test_a_run_that_was_never_queued_can_be_deleted(store: Store, make_run: Make) -> None:
    store.delete_run(make_run().name)
    assert store.run_ids() == []


def test_a_run_of_a_newer_version_is_refused_with_the_way_out(store: Store, make_run: Make) -> None:
    run_dir = make_run()
    run = json.loads((run_dir / "run.json").read_text())
    (run_dir / "run.json").write_text(json.dumps(run | {"schema_version": 99}))
    with pytest.raises(StoreError) as caught:
        store.read_config(run_dir.name)
    assert str(caught.value) == (
        f"The run '{run_dir.name}' was written with schema version 99. This CNN Lab reads up to 1. "
        "Update CNN Lab to open it."
    )
