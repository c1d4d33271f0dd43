"""Measured inference: the arithmetic with a clock of the test's own, and a trained network for real."""

import json
import os
import subprocess
import sys
from datetime import UTC

import numpy as np
import pytest

from cnnlab import worker
from cnnlab.__main__ import run
from cnnlab.config import config_from_dict
from cnnlab.errors import ConfigError
from cnnlab.runs import queries
from cnnlab.runs.status import RunStatus, now, write_status
from cnnlab.runs.store import Store
from cnnlab.training import answering, inference
from cnnlab.training.inference import MeasureOptions, PeakMemory, measurable, measure_batch, timed_calls

QUICK = {"data": {"image_size": 16}, "training": {"epochs": 1, "batch_size": 256}}


class Clock:
    """A clock that a call moves by as much as it is told."""

    def __init__(self, *durations: float) -> None:
        self.now = 0.0
        self.durations = list(durations)

    def __call__(self) -> float:
        return self.now

    def call(self) -> None:
        self.now += self.durations.pop(0)


def test_calls_are_timed_one_by_one():
    clock = Clock(*[0.5, 0.25] * 5)
    assert timed_calls(clock.call, 10, 100.0, clock) == [0.5, 0.25] * 5


def test_slow_calls_end_early_but_not_before_five():
    clock = Clock(*[1.0] * 100)
    assert len(timed_calls(clock.call, 100, 8.0, clock)) == 8
    clock = Clock(*[60.0] * 100)
    assert len(timed_calls(clock.call, 100, 8.0, clock)) == 5


def test_a_row_by_hand(monkeypatch):
    # Ten calls of 1 to 10 ms: the tenths lie at 1.9 and 9.1 ms, the median at 5.5 ms.
    monkeypatch.setattr(inference, "timed_calls", lambda *_: [count / 1000 for count in range(1, 11)])
    seen = []
    row = measure_batch(lambda pixels: seen.append(pixels.copy()), 11, (4, 5, 3), MeasureOptions())
    assert row["n"] == 10
    assert (row["p10_s"], row["median_s"], row["p90_s"]) == pytest.approx((0.0019, 0.0055, 0.0091))
    assert row["images_per_s"] == pytest.approx(2000)
    assert row["measured_at"].tzinfo is UTC
    assert row["gpu_memory_bytes"] is None or row["gpu_memory_bytes"] > 0
    assert len(seen) == inference.WARM_CALLS
    assert seen[0].shape == (11, 4, 5, 3)
    assert seen[0].dtype == np.float32
    assert 0 <= seen[0].min() < seen[0].max() <= 255


def test_memory_is_counted_at_its_highest():
    with PeakMemory() as peak:
        block = np.ones(64 * 2**20, np.uint8)
        assert block.sum() == 64 * 2**20
        del block
    first = peak.bytes
    with PeakMemory() as small:
        pass
    assert first > small.bytes + 32 * 2**20


def test_versions_name_the_backend():
    capture = {"python": "3.11.7", "libraries": {"keras": "3.15.0", "jax": "0.7.0", "tensorflow": "2.21.0"}}
    assert inference.versions_text("jax", capture) == "Python 3.11.7, keras 3.15.0, jax 0.7.0"


def test_a_gpu_says_how_much_it_holds(monkeypatch):
    import keras
    import tensorflow as tf

    if keras.backend.backend() != "tensorflow":
        pytest.skip("the stand-in is TensorFlow's")
    told = []
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [kind])
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda _: {"device_name": "A GPU"})
    monkeypatch.setattr(tf.config.experimental, "reset_memory_stats", told.append)
    monkeypatch.setattr(tf.config.experimental, "get_memory_info", lambda _: {"current": 1, "peak": 7})
    assert answering.device_name() == "A GPU"
    answering.gpu_memory.reset()
    assert answering.gpu_memory.peak_bytes() == 7
    assert told == ["GPU:0"]


@pytest.mark.parametrize("state", ["queued", "failed"])
def test_only_completed_runs_can_be_measured(state):
    run_dir = Store().create_run(config_from_dict(QUICK))
    write_status(run_dir, RunStatus(state=state))
    with pytest.raises(ConfigError) as error:
        measurable(run_dir)
    assert str(error.value) == (
        f"The run {run_dir.name!r} is {state}. Only the trained network of a completed run can be measured. "
        "Choose one from 'python -m cnnlab runs --status completed'."
    )


def test_a_run_without_its_model_says_so():
    run_dir = Store().create_run(config_from_dict(QUICK))
    write_status(run_dir, RunStatus(state="completed"))
    with pytest.raises(ConfigError, match=r"has lost its model.keras\. Only the trained network"):
        measurable(run_dir)


@pytest.mark.training
@pytest.mark.processes
def test_a_trained_run_is_measured_from_the_command_line(capsys):
    shapes = {"dataset": "shapes", "image_size": 16, "parameters": {"count": 240, "size": 16}}
    run_dir = Store().create_run(config_from_dict({**QUICK, "data": shapes}))
    assert worker.main([str(run_dir)]) == 0
    write_status(run_dir, RunStatus(state="completed", ended_at=now()))
    other = Store().create_run(config_from_dict(QUICK))
    capsys.readouterr()
    asked = ["measure", run_dir.name, "--batch-sizes", "4,1", "--repeats", "6", "--json", "--progress-json"]
    assert run(asked) == 0
    said = capsys.readouterr()
    (document,) = json.loads(said.out)["runs"]
    assert (document["run_id"], document["stopped"]) == (run_dir.name, "")
    frame = queries.inference(Store(), [run_dir.name, other.name])
    assert frame["batch_size"].to_list() == [1, 4] == [row["batch_size"] for row in document["rows"]]
    assert frame["n"].to_list() == [6, 6]
    for row in frame.iter_rows(named=True):
        assert 0 < row["p10_s"] <= row["median_s"] <= row["p90_s"]
        assert row["images_per_s"] == pytest.approx(row["batch_size"] / row["median_s"])
        assert row["memory_bytes"] > 0
        assert "keras" in row["versions"]
        assert row["hardware"]
    progress = [json.loads(line) for line in said.err.splitlines() if line.startswith("{")]
    assert [line["done"] for line in progress] == [0, 1, 2]
    assert {line["total"] for line in progress} == {2}
    assert run(["measure", other.name]) == 2
    assert capsys.readouterr().err.startswith(f"The run {other.name!r} is queued.")


@pytest.mark.training
@pytest.mark.processes
@pytest.mark.skipif(not os.environ.get("CNNLAB_SLOW_TESTS"), reason="half a minute; CNNLAB_SLOW_TESTS=1 asks for it")
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_other_backends_answer_too(backend):
    pytest.importorskip(backend, reason=f"the backend {backend} is not installed")
    words = [sys.executable, "-m", "cnnlab"]
    trained = subprocess.run(
        [*words, "train", "--backend", backend, "--image-size", "16", "--epochs", "1", "--json"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert trained.stdout
    (run_id,) = Store().run_ids()
    subprocess.run([*words, "measure", run_id, "--batch-sizes", "2", "--repeats", "5"], capture_output=True, check=True)
    (row,) = queries.inference(Store(), [run_id]).rows(named=True)
    assert (row["batch_size"], row["n"]) == (2, 5)
    assert f", {backend} " in row["versions"]
