"""`pause`, `resume`, `retry` and `extend`, with a trainer that does nothing but obey."""

import json
import sys
import time

import numpy as np
import pytest

from cnnlab.__main__ import run
from cnnlab.commands import follow, training
from cnnlab.config import config_from_dict
from cnnlab.launch.queue import Queue
from cnnlab.runs.checkpoint import checkpoint_path
from cnnlab.runs.status import RunStatus, read_status, write_status
from cnnlab.runs.store import Store

pytestmark = pytest.mark.processes

OBEDIENT = """
import pathlib, sys, time
run = pathlib.Path(sys.argv[1])
while not (run / "pause").exists():
    time.sleep(0.01)
sys.exit(75)
"""


@pytest.fixture
def queue(tmp_path, monkeypatch):
    """A queue whose trainers wait until they are asked to pause."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    monkeypatch.setenv("CNNLAB_SLOTS", "1")
    made = Queue(tmp_path / "queue.sqlite", command=[sys.executable, "-S", "-E", "-c", OBEDIENT])
    monkeypatch.setattr(training, "Queue", lambda: made)
    yield made
    for entry in made.entries():
        made.cancel(entry.run_dir)
    made.close()


def wait_for(run_dir, state):
    deadline = time.monotonic() + 40
    while read_status(run_dir).state != state:
        assert time.monotonic() < deadline, read_status(run_dir)
        time.sleep(0.01)


def write_checkpoint(run_dir, fingerprint="abc-0", epoch=3, **position):
    about = {"format": 1, "fingerprint": fingerprint, "position": {"epoch": epoch, "step": 0, **position}}
    checkpoint_path(run_dir).parent.mkdir()
    np.savez(checkpoint_path(run_dir), about=np.frombuffer(json.dumps(about).encode(), np.uint8))


def test_who_waits_for_a_slot_says_so_once_where_there_is_no_bar(queue, monkeypatch):
    first, second = (Store().create_run(config_from_dict({})) for _ in range(2))
    queue.submit(first)
    wait_for(first, "running")
    queue.submit(second)
    heard = []

    def hear(text):
        heard.append(text)
        queue.cancel(second)

    monkeypatch.setattr(follow, "say", hear)
    monkeypatch.setattr(follow, "TELL_AFTER_S", 0.0)
    follow.follow(Store(), queue, [second.name])
    assert heard == [f"{second.name} waits for a slot; 'python -m cnnlab queue' shows what runs and what waits."]


def test_pause_and_resume(queue, capsys):
    run_dir = Store().create_run(config_from_dict({}))
    queue.submit(run_dir)
    assert run(["pause", run_dir.name]) == 0
    assert f"go on with 'python -m cnnlab resume {run_dir.name}'." in capsys.readouterr().err
    wait_for(run_dir, "paused")
    assert run(["show", run_dir.name, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["status"] == "paused"
    write_checkpoint(run_dir)
    assert run(["resume", run_dir.name]) == 0
    assert "queued again; it trains from its checkpoint, after epoch 3." in capsys.readouterr().err
    assert run(["resume", run_dir.name]) == 2
    assert capsys.readouterr().err.startswith(f"Run {run_dir.name!r} is ")


@pytest.mark.usefixtures("queue")
def test_retry_says_from_where(capsys):
    run_dir = Store().create_run(config_from_dict({}))
    write_status(run_dir, RunStatus(state="failed"))
    write_checkpoint(run_dir)
    assert run(["retry", run_dir.name, "--from-start"]) == 0
    assert capsys.readouterr().err.endswith("queued again; it trains from the start.\n")
    assert not checkpoint_path(run_dir).exists()


@pytest.mark.usefixtures("queue")
def test_extend_makes_a_run_of_its_own(capsys):
    store = Store()
    config = config_from_dict({"training": {"epochs": 3}})
    run_dir = store.create_run(config)
    assert run(["extend", run_dir.name, "--epochs", "2"]) == 2
    assert "is queued. Only a completed run is trained for more epochs." in capsys.readouterr().err
    write_status(run_dir, RunStatus(state="completed"))
    # An image size that was left out is pinned at submission, and so it is in what is continued.
    config = config_from_dict({"training": {"epochs": 3}, "data": {"image_size": 32}})
    (run_dir / "config.yaml").write_text(config.to_yaml())
    write_checkpoint(run_dir, f"{config.fingerprint()}-0", elapsed_s=1.5)
    assert run(["extend", run_dir.name, "--epochs", "2", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["continues"] == run_dir.name
    training = store.read_config(document["run_id"]).training
    assert (training.epochs, training.continue_from) == (5, run_dir.name)
    assert checkpoint_path(store.run_dir(document["run_id"])).exists()


def test_warm_says_what_waits(queue, monkeypatch, capsys):
    assert run(["warm"]) == 0
    assert capsys.readouterr().out.startswith("None waits, and none is started. Change that with '--on'")
    monkeypatch.setenv("CNNLAB_WARM", "1")
    asked = []
    monkeypatch.setattr(type(queue), "warm", lambda _queue, backend: asked.append(backend))
    assert run(["warm", "--backend", "jax"]) == 0
    assert asked == ["jax"]
    assert capsys.readouterr().out.startswith("None waits: every slot is taken")
    assert run(["warm", "--backend", "abacus"]) == 2
    assert capsys.readouterr().err.startswith("backend='abacus' is not known. Expected one of")
    assert run(["warm", "--off", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"is_wanted": True, "pid": None, "memory_bytes": 0}
