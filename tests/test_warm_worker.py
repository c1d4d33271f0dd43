"""The real trainer that waits: imported ahead, and then the worker of a run like any other."""

import os
import time

import pytest

from cnnlab import warm_worker
from cnnlab.config import config_from_dict
from cnnlab.datasets.storage import open_dataset
from cnnlab.launch import warm
from cnnlab.launch.queue import Queue
from cnnlab.runs.status import settle
from cnnlab.runs.store import Store

pytestmark = [
    pytest.mark.training,
    pytest.mark.processes,
    pytest.mark.skipif(os.name == "nt", reason="no trainer waits on Windows"),
]
DEADLINE_S = 300.0


def wait_for(condition, run_dir):
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        log = run_dir / "log.txt"
        assert time.monotonic() < deadline, log.read_text() if log.exists() else "nothing came"
        time.sleep(0.02)


def test_a_run_is_trained_by_the_one_that_waits(tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    monkeypatch.setenv("CNNLAB_SLOTS", "1")
    monkeypatch.setenv(warm.VARIABLE, "1")
    monkeypatch.setattr(warm, "is_short_of_memory", lambda: False)
    store, queue = Store(), Queue(tmp_path / "queue.sqlite")
    open_dataset(store.root, "digits")
    values = {"data": {"image_size": 16}, "training": {"epochs": 1, "batch_size": 256}}
    run_dir = store.create_run(config_from_dict(values))
    queue.tick()
    assert queue.warm("tensorflow")
    assert not queue.warm("tensorflow")  # one is enough
    state = queue.warm_state()
    wait_for(lambda: warm.fifo_of(queue.path, state.pid).exists(), run_dir)
    monkeypatch.setenv(warm.VARIABLE, "0")
    queue.submit(run_dir)
    try:
        wait_for(lambda: settle(run_dir).has_ended, run_dir)
        status = settle(run_dir)
        assert (status.state, status.pid) == ("completed", state.pid), store.log_tail(run_dir.name)
        assert "taken" in [event["event"] for event in store.events(run_dir.name)]
        assert store.log_tail(run_dir.name).startswith("epoch 1, ")  # no word of TensorFlow's
        assert store.read_result(run_dir.name)["epochs_done"] == 1
    finally:
        # The one that ended was told to want another: the run's parent starts it as its last act.
        wait_for(lambda: not warm.is_alive(state.pid, None), run_dir)
        warm.dismiss(queue._database)
        queue.close()


def test_without_an_order_it_leaves(monkeypatch):
    prepared = []
    monkeypatch.setattr(warm_worker, "prepare", prepared.append)
    with open(os.devnull, encoding="utf-8") as nothing:
        monkeypatch.setattr("sys.stdin", nothing)
        assert warm_worker.main(["jax"]) == 0
    assert prepared == ["jax"]
