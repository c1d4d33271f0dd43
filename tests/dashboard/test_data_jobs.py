"""Imports as child processes: progress, result, error, cancel, and a dashboard that forgets."""

import io
import json
import os
import time
from pathlib import Path

import pytest

from cnnlab.files import write_json
from cnnlab.processes import created_of
from dashboard.components import data_jobs

pytestmark = pytest.mark.processes


@pytest.fixture
def child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return what writes the child's program as a module that `start` can run."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def write(program: str) -> list[str]:
        (tmp_path / "made_child.py").write_text(f"import json, sys, time\n{program}\n")
        return ["made_child"]

    return write


def wait_for(is_true, what: str) -> None:
    deadline = time.monotonic() + 30
    while not is_true():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


def ended(store: Path) -> data_jobs.Job:
    wait_for(lambda: not data_jobs.jobs(store)[0].is_running, "the child to end")
    return data_jobs.jobs(store)[0]


def test_progress_then_result(tmp_path, child):
    store, gate = tmp_path / "store", tmp_path / "gate"
    arguments = child(
        "import pathlib\n"
        "print(json.dumps({'done': 3, 'total': 12, 'stage': 'decoding'}), file=sys.stderr, flush=True)\n"
        f"while not pathlib.Path({str(gate)!r}).exists(): time.sleep(0.01)\n"
        "print(json.dumps({'name': 'cats', 'version': 'abc'}))"
    )
    data_jobs.start(store, "cats", "Import cats", arguments)
    wait_for(lambda: data_jobs.jobs(store)[0].done == 3, "the progress")
    job = data_jobs.jobs(store)[0]
    assert (job.is_running, job.share, job.stage, job.title) == (True, 0.25, "decoding", "Import cats")
    assert job.remaining_s(job.started_at + 10) == pytest.approx(30)
    gate.touch()
    done = ended(store)
    assert done.result == {"name": "cats", "version": "abc"}
    assert done.error == ""
    data_jobs.dismiss(done)
    assert data_jobs.jobs(store) == []


def test_error_is_the_last_sentence(tmp_path, child):
    arguments = child("print('Not a zip. Give a zip.', file=sys.stderr)\nsys.exit(2)")
    data_jobs.start(tmp_path / "store", "cats", "Import cats", arguments)
    job = ended(tmp_path / "store")
    assert job.result is None
    assert job.error == "Not a zip. Give a zip."


def test_error_of_a_build_comes_as_its_answer(tmp_path, child):
    arguments = child("print(json.dumps({'error': 'DownloadError', 'message': 'No network. Try later.'}))")
    data_jobs.start(tmp_path / "store", "mnist", "Download MNIST", arguments)
    assert ended(tmp_path / "store").error == "No network. Try later."


def test_another_try_takes_the_place_of_the_failed_one(tmp_path, child):
    store = tmp_path / "store"
    data_jobs.start(store, "mnist", "Download MNIST", child("sys.exit('No network.')"))
    assert ended(store).error == "No network."
    data_jobs.start(store, "mnist", "Download MNIST", child("print('{}')"))
    assert len(data_jobs.jobs(store)) == 1
    assert ended(store).error == ""


def test_a_silent_end_is_no_success(tmp_path, child):
    data_jobs.start(tmp_path / "store", "cats", "Import cats", child("import os\nos._exit(1)"))
    assert ended(tmp_path / "store").error == data_jobs.NO_WORD


def test_cancel_ends_the_whole_tree(tmp_path, child):
    store = tmp_path / "store"
    grandchild = tmp_path / "grandchild"
    arguments = child(
        "import pathlib, subprocess\n"
        "other = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"pathlib.Path({str(grandchild)!r} + '.new').write_text(str(other.pid))\n"
        f"pathlib.Path({str(grandchild)!r} + '.new').rename({str(grandchild)!r})\n"
        "time.sleep(600)"
    )
    job = data_jobs.start(store, "cats", "Import cats", arguments)
    wait_for(grandchild.exists, "the grandchild")
    data_jobs.cancel(job)
    assert ended(store).error == "Cancelled."
    wait_for(lambda: created_of(int(grandchild.read_text())) is None, "the grandchild to end")


def test_uploads_are_kept_under_their_name_and_removed_at_the_end(tmp_path, child):
    cache = tmp_path / "store" / "cache"
    path = data_jobs.keep_upload(cache, "../../My cats & dogs.zip", io.BytesIO(b"zip"))
    assert path.name == "My cats & dogs.zip"
    assert path.read_bytes() == b"zip"
    assert cache in path.parents
    data_jobs.start(tmp_path / "store", "cats", "Import", child("print('{}')"), path.parents[1])
    ended(tmp_path / "store")
    assert not path.exists()


def test_a_job_of_a_dead_dashboard_is_found_again_and_old_ones_are_swept(tmp_path):
    folder = tmp_path / "store" / "cache" / "jobs" / "abc"
    folder.mkdir(parents=True)
    record = {"name": "cats", "title": "Import cats", "pid": 2**22 - 1, "created": 1.0, "started_at": time.time()}
    write_json(folder / "job.json", record)
    (folder / "result.json").write_text(json.dumps({"version": "abc"}))
    assert data_jobs.jobs(tmp_path / "store")[0].result == {"version": "abc"}
    write_json(folder / "job.json", record | {"started_at": time.time() - 2 * data_jobs.KEPT_S})
    os.utime(folder, (0, 0))
    assert data_jobs.jobs(tmp_path / "store") == []
    assert not folder.exists()


def test_torn_progress_is_left_out():
    text = '{"done": 1, "total": 2, "stage": "a"}\n{"done": 2, "to'
    assert data_jobs._progress(text) == ({"done": 1, "total": 2, "stage": "a"}, "")
