"""The trash: what it holds and takes, that it can be emptied, and that what is old leaves by itself."""

import os
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from ablation_making import CHANGES
from run_making import complete, fail

from cnnlab.ablation import plan_from_dict
from cnnlab.errors import ConfigError, RunNotFoundError
from cnnlab.runs import trash
from cnnlab.runs.ablations import create_ablation, delete_ablation
from cnnlab.runs.store import Store

Make = Callable[..., Path]


def test_an_emptied_trash_is_gone_for_good(store: Store, make_run: Make) -> None:
    gone, kept = make_run(complete), make_run(fail)
    assert trash.empty_trash(store) == 0
    size = trash.size_of(gone)
    store.delete_run(gone.name)
    assert [(one.kind, one.id_, one.disk_bytes) for one in trash.contents(store)] == [("run", gone.name, size)]
    assert trash.empty_trash(store) == size
    assert store.run_ids() == [kept.name]
    assert os.listdir(store.trash_dir) == []
    with pytest.raises(RunNotFoundError, match="Only deleted runs can be restored, until the trash is emptied"):
        store.restore_run(gone.name)


def test_ablations_are_in_it_too(store: Store) -> None:
    made = create_ablation(store, plan_from_dict({"baseline": {}, "changes": CHANGES}))
    delete_ablation(store, made.ablation_id)
    assert [(one.kind, one.id_) for one in trash.contents(store)] == [("ablation", made.ablation_id)]
    assert trash.empty_trash(store) > 0
    assert trash.contents(store) == []


def deleted_days_ago(store: Store, run_dir: Path, days: float) -> str:
    os.utime(run_dir, (1e9, 1e9))  # an old run that is deleted today is young in the trash
    store.delete_run(run_dir.name)
    assert time.time() - trash.contents(store)[-1].deleted_at < 60
    moment = time.time() - days * trash.DAY_S
    os.utime(store.trash_dir / run_dir.name, (moment, moment))
    return run_dir.name


def test_what_is_old_leaves_by_itself(store: Store, make_run: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    old, young = (deleted_days_ago(store, make_run(fail), days) for days in (31, 29))
    monkeypatch.setenv(trash.VARIABLE, "0")
    assert trash.sweep_trash(store) == 0
    monkeypatch.delenv(trash.VARIABLE)
    assert trash.sweep_trash(store) == 1
    assert store.trash_ids() == [young]
    monkeypatch.setenv(trash.VARIABLE, "20.5")
    assert trash.sweep_trash(store) == 1
    assert store.trash_ids() == []
    assert old not in store.run_ids()


def test_somebody_else_may_empty_it_meanwhile(store: Store, make_run: Make) -> None:
    run_dir = make_run(fail)
    store.delete_run(run_dir.name)
    things = trash.contents(store)
    trash.empty_trash(store)
    assert trash.empty_trash(store, things) == 0


@pytest.mark.parametrize("text", ["x", "-1", "inf", "nan"])
def test_a_number_of_days_that_is_none(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(trash.VARIABLE, text)
    said = f"CNNLAB_TRASH_DAYS='{text}' cannot be used. Expected a number of days, 0 for ever. Change it."
    with pytest.raises(ConfigError, match=re.escape(said)):
        trash.kept_days()
