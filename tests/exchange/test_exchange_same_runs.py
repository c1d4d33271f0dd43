"""TensorBoard's runs are the same runs wherever their files lie and wherever one begins to look."""

import shutil

import pytest
from exchange_making import STORES
from test_exchange_sources import event_file, scalars

from cnnlab.exchange.event_making import scalar_event
from cnnlab.exchange.importing import import_runs
from cnnlab.runs import queries
from cnnlab.runs.store import Store

NAME = "events.out.tfevents.1"


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


def logs(tmp_path):
    """Return a folder with a run, one of Keras's layout, and one of PyTorch's."""
    for name in ("tensorboard", "keras-tensorboard", "tensorboardx"):
        shutil.copytree(STORES / name, tmp_path / "all" / "logs" / name)
    return tmp_path / "all" / "logs"


@pytest.mark.parametrize("is_parent_first", [False, True])
def test_a_folder_and_its_parent_hold_the_same_runs(store, tmp_path, is_parent_first):
    inside = logs(tmp_path)
    places = [
        inside / "tensorboard",
        inside / "keras-tensorboard",
        inside / "tensorboardx",
        inside / "tensorboard/third",
    ]
    above = [inside, inside.parent]
    first, second = (above, places) if is_parent_first else (places, above)
    imported = [run_id for place in first for run_id in import_runs(store, place).imported]
    assert len(imported) == len(store.run_ids()) == 5
    for place in second:
        report = import_runs(store, place)
        assert (report.imported, report.newer) == ([], {})
        assert set(report.known) <= set(imported)
        assert len(report.known) in (1, 3, 5)


def test_a_copy_elsewhere_and_a_file_alone_are_the_same_run(store, tmp_path):
    (run_id,) = import_runs(store, logs(tmp_path) / "tensorboard" / "first").imported
    shutil.copytree(STORES / "tensorboard" / "first", tmp_path / "copies" / "another name")
    assert import_runs(store, tmp_path / "copies").known == [run_id]
    assert import_runs(store, next((tmp_path / "copies" / "another name").iterdir())).known == [run_id]
    shutil.make_archive(str(tmp_path / "a zip"), "zip", tmp_path / "copies")
    assert import_runs(store, tmp_path / "a zip.zip").known == [run_id]


def test_a_run_that_has_grown_is_a_later_state_of_it_from_anywhere(store, tmp_path):
    path = event_file(tmp_path / "logs" / "a" / NAME, *scalars("loss", range(3)))
    (old,) = import_runs(store, tmp_path / "logs").imported
    grown = event_file(tmp_path / "grown" / NAME, *scalars("loss", range(4)))
    assert grown.read_bytes().startswith(path.read_bytes())
    report = import_runs(store, tmp_path / "grown")
    (new,) = report.imported
    assert report.newer == {new: [old]}
    # Its first validation brings a folder, a training that went on another file.
    folder = tmp_path / "logs" / "a"
    event_file(folder / "validation" / "events.out.tfevents.0", scalar_event("loss", 3, 20.0, 1.0), began=13.0)
    event_file(folder / "events.out.tfevents.2", scalar_event("loss", 4, 30.0, 1.0), began=29.0)
    report = import_runs(store, folder)
    (newest,) = report.imported
    assert set(report.newer[newest]) == {old, new}


def test_a_deleted_run_is_not_brought_back_from_its_parent(store, tmp_path):
    inside = logs(tmp_path) / "tensorboard"
    for run_id in (deleted := import_runs(store, inside).imported):
        store.delete_run(run_id)
    assert sorted(import_runs(store, inside.parent).known) == sorted(deleted)


def test_files_of_one_name_with_other_content_are_other_runs(store, tmp_path):
    event_file(tmp_path / "logs" / "a" / NAME, *scalars("loss", range(3), 1.0))
    event_file(tmp_path / "logs" / "b" / NAME, *scalars("loss", range(3), 2.0))
    event_file(tmp_path / "logs" / "c" / NAME, *scalars("loss", range(3), 2.0), scalar_event("loss", 3, 40.0, 1.0))
    report = import_runs(store, tmp_path / "logs")
    assert (len(report.imported), report.known, report.newer) == (3, [], {})
    assert queries.summaries(store)["group_id"].n_unique() >= 2
    assert len(import_runs(store, tmp_path).known) == 3
