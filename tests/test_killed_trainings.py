"""Trainings that are killed with SIGKILL, with real parents and trainers, go on as if nothing had happened."""

import json
import os
import sys
import time
from collections import Counter

import keras
import numpy as np
import pytest

from cnnlab.config import config_from_dict
from cnnlab.datasets.storage import open_dataset
from cnnlab.launch.engines.local import PACKAGE_ROOT
from cnnlab.launch.queue import Queue
from cnnlab.runs import queries
from cnnlab.runs.status import settle
from cnnlab.runs.steps import read_steps
from cnnlab.runs.store import Store

pytestmark = [pytest.mark.training, pytest.mark.processes]

DEADLINE_S = 300.0
# The real worker, in a process that is killed at one moment per attempt: by then what it did is on disk or is not.
MORTAL = """
import os, signal, sys, time
sys.path.insert(0, {root!r})
from cnnlab import worker
from cnnlab.runs.writer import RunWriter

def die(*pids):
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    time.sleep(600)  # the kernel ends a trainer whose parent is gone

def after(owner, name, condition, *pids):
    whole = getattr(owner, name)
    def dying(self, *arguments, **named):
        returned = whole(self, *arguments, **named)
        if condition(*arguments):
            die(*pids)
        return returned
    setattr(owner, name, dying)

me, parent = os.getpid(), os.getppid()
match os.environ["CNNLAB_ATTEMPT"]:
    case "1":  # in the middle of the second epoch: the trainer
        after(RunWriter, "steps", lambda epoch, *_: epoch == 2, me)
    case "2":  # the second epoch is measured and its checkpoint is not written: the parent
        after(RunWriter, "metrics", lambda rows: rows[0]["epoch"] == 2, parent)
    case "3":  # half a checkpoint is on disk: both
        import cnnlab.training.checkpoints as checkpoints
        checkpoints.replace = lambda *_: die(parent, me)
sys.exit(worker.main(sys.argv[1:]))
"""
CONFIG = {
    "data": {"image_size": 16},
    "architecture": {"name": "lenet5", "parameters": {"dropout": 0.2}},
    "augmentation": "shift(0.1)|mixup(0.2)",
    "training": {"epochs": 3, "batch_size": 64, "checkpoint_every_s": 0.0, "seed": 3},
}


@pytest.fixture
def queue(tmp_path, monkeypatch):
    """A queue with two slots of one thread, whose trainers have the time of others."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    monkeypatch.setenv("CNNLAB_SLOTS", "2")
    made = Queue(tmp_path / "queue.sqlite")
    yield made
    for entry in made.entries():
        made.cancel(entry.run_dir)
    made.close()


def until_ended(run_dir) -> str:
    deadline = time.monotonic() + DEADLINE_S
    while not (status := settle(run_dir)).has_ended:
        assert time.monotonic() < deadline, (run_dir / "log.txt").read_text()
        time.sleep(0.02)
    return status.state


def weights(run_dir):
    return keras.saving.load_model(run_dir / "model.keras", compile=False).get_weights()


def test_killed_again_and_again_it_ends_with_the_same_weights(queue, tmp_path):
    store = Store()
    open_dataset(store.root, "digits")
    script = tmp_path / "mortal.py"
    script.write_text(MORTAL.format(root=str(PACKAGE_ROOT)))
    whole, killed = (store.create_run(config_from_dict(CONFIG)) for _ in range(2))
    queue.submit(whole)
    mortal = Queue(queue.path, command=[sys.executable, str(script)])
    mortal.submit(killed)
    ends, goings = [until_ended(killed)], []
    while ends[-1] != "completed" and len(ends) < 6:
        goings.append(mortal.retry(killed).words)
        ends.append(until_ended(killed))
    mortal.close()
    assert ends == ["failed", "lost", "lost", "completed"], (killed / "log.txt").read_text()
    assert goings == ["from its checkpoint, after epoch 1"] * 3
    assert until_ended(whole) == "completed", (whole / "log.txt").read_text()

    rows = queries.metrics(store, [killed.name])
    assert set(Counter(rows.select("epoch", "split", "output", "metric").iter_rows()).values()) == {1}
    assert sorted(set(rows["epoch"])) == [1, 2, 3]
    steps, expected = (read_steps(run).select("epoch", "step", "output", "loss") for run in (killed, whole))
    assert steps.filter(output="")["step"].to_list() == list(range(1, steps["step"].max() + 1))
    assert steps.equals(expected)
    for one, two in zip(weights(killed), weights(whole), strict=True):
        np.testing.assert_array_equal(one, two)
    scores = [json.loads((run / "result.json").read_text())["test"] for run in (killed, whole)]
    assert scores[0] == scores[1]
    assert os.listdir(killed / "checkpoints") == os.listdir(whole / "checkpoints")  # no half file is left
