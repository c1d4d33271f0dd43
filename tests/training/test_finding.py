"""The searches for a learning rate and a batch size, on a task so small that they take seconds."""

import json

import numpy as np
import pytest

from cnnlab.__main__ import run
from cnnlab.config import config_from_dict
from cnnlab.datasets.storage import open_dataset
from cnnlab.runs.store import Store
from cnnlab.training import batch_finding, finding
from cnnlab.training.batch_finding import find_batch
from cnnlab.training.finding import RateRange, find_rate

pytestmark = pytest.mark.training

LINEAR = {"name": "layers", "parameters": {"layers": ["flatten"]}}


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    return open_dataset(tmp_path_factory.mktemp("store"), "digits")


def config(**training):
    values = {"optimizer": "sgd", "momentum": 0.0, "batch_size": 64, **training}
    return config_from_dict({"data": {"image_size": 8}, "architecture": LINEAR, "training": values})


def test_the_rate_of_a_convex_task_is_near_the_best_and_no_run_is_kept(digits):
    told = []
    found = find_rate(config(), digits, RateRange(1e-5, 10, 70), lambda done, total: told.append((done, total)))
    assert {total for _, total in told} == {70}
    assert [done for done, _ in told] == sorted({done for done, _ in told})
    assert len(found["rates"]) == len(found["losses"]) == len(found["smoothed"])
    np.testing.assert_allclose(found["rates"], np.geomspace(1e-5, 10, 70)[: len(found["rates"])])
    # Softmax regression on 64 standardised pixels: rates of 0.01 to 0.1 learn best, far above it the loss jumps.
    assert 3e-3 < found["suggestion"] < 0.5
    assert found["rule"] == "steepest"
    assert found["losses"][0] == pytest.approx(max(found["losses"][:20]), abs=1.0)
    assert Store().run_ids() == []


def test_batches_double_until_the_split_ends(digits):
    ticks = iter(np.arange(1e4) * 0.01)
    found = find_batch(config(), digits, seconds=0.0, clock=lambda: float(next(ticks)))
    sizes = [row["batch_size"] for row in found["rows"]]
    assert sizes == [8, 16, 32, 64, 128, 256, 512, 1024]
    # Each chunk takes one tick of 0.01 s; a chunk has one to four steps.
    steps = [round(0.01 / row["step_s"], 6) for row in found["rows"]]
    assert set(steps) <= {1, 2, 3, 4}
    assert [row["images_per_s"] for row in found["rows"]] == pytest.approx(
        [100 * size * count for size, count in zip(sizes, steps, strict=True)]
    )
    assert found["suggestion"] == next(
        row["batch_size"]
        for row in found["rows"]
        if row["images_per_s"] >= 0.95 * max(one["images_per_s"] for one in found["rows"])
    )
    assert found["stopped"] == "The train split has 1259 images: no larger batch fits into an epoch."
    assert found["largest_tried"] == 1024
    assert found["largest_estimated"] >= 1024


def test_sizes_that_are_no_faster_are_the_last_without_a_gpu(digits, monkeypatch):
    speeds = {8: 100, 16: 200, 32: 201, 64: 199}
    monkeypatch.setattr(
        batch_finding._Search,
        "timed",
        lambda _self, size: {"batch_size": size, "images_per_s": speeds[size], "step_s": 0.1, "steps": 3},
    )
    found = find_batch(config(), digits)
    assert [row["batch_size"] for row in found["rows"]] == [8, 16, 32, 64]
    assert found["suggestion"] == 16
    assert found["stopped"].startswith("Larger batches than 64 were not tried")


def test_a_full_memory_ends_the_search(digits, monkeypatch):
    def timed(_self, size):
        if size > 32:
            raise RuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 1 bytes.")
        return {"batch_size": size, "images_per_s": float(size), "step_s": 0.1, "steps": 3}

    monkeypatch.setattr(batch_finding._Search, "timed", timed)
    found = find_batch(config(), digits)
    assert (found["largest_tried"], found["suggestion"]) == (32, 32)
    assert found["stopped"] == "Memory is full at a batch of 64 images."


def test_a_gpu_tries_larger_sizes_after_the_timing(digits, monkeypatch):
    monkeypatch.setattr(batch_finding, "device_name", lambda: "a GPU")
    monkeypatch.setattr(batch_finding, "free_bytes", lambda: 1.0)  # the estimate forbids everything
    tried = []
    monkeypatch.setattr(
        batch_finding._Search,
        "timed",
        lambda _self, size: {"batch_size": size, "images_per_s": 100.0, "step_s": 0.1, "steps": 3},
    )
    monkeypatch.setattr(batch_finding._Search, "tried", lambda _self, size: tried.append(size) or [])
    found = find_batch(config(), digits)
    assert [row["batch_size"] for row in found["rows"]] == [8, 16, 32]
    assert tried == [64, 128, 256, 512, 1024]
    assert (found["largest_tried"], found["largest_estimated"]) == (1024, 0)


def test_a_size_that_is_estimated_not_to_fit_is_not_tried(digits, monkeypatch):
    monkeypatch.setattr(batch_finding, "free_bytes", lambda: 60_000.0)
    found = find_batch(config(), digits, seconds=0.0)
    assert found["largest_tried"] < 1024
    assert found["stopped"].endswith("images is estimated to take more memory than is free.")


def test_the_command_prints_one_document_and_tells_its_progress(capsys):
    words = ["--image-size", "8", "--architecture", "layers", "-p", "layers=[flatten]", "--optimizer", "sgd"]
    assert run(["find-rate", *words, "--steps", "20", "--json", "--progress-json"]) == 0
    out, err = capsys.readouterr()
    assert 10 < len(json.loads(out)["rates"]) < 20  # it may diverge before
    told = json.loads(err.splitlines()[-1])
    assert (told["stage"], told["total"]) == ("trying rates", 20)
    assert run(["find-rate", *words, "--steps", "20"]) == 0
    assert "Suggested: " in capsys.readouterr().out
    assert run(["find-rate", "--lowest", "1", "--highest", "0.1"]) == 2
    assert (
        capsys.readouterr().err == "--lowest 1 is not below --highest 0.1. Expected a rising range. Exchange the two.\n"
    )


def test_the_command_prints_the_batch_sizes(capsys, monkeypatch):
    monkeypatch.setattr(batch_finding, "LARGEST", 16)
    words = ["--image-size", "8", "--architecture", "layers", "-p", "layers=[flatten]"]
    assert run(["find-batch", *words, "--seconds", "0"]) == 0
    printed = capsys.readouterr().out
    assert "Largest that was tried on CPU: 16. Larger batches than 16 cannot be asked for." in printed
    assert "the smallest within 5 % of the fastest." in printed


def test_chunks_have_one_length_over_epochs(digits):
    equipment, _ = finding.equipped(config(batch_size=256), digits)
    stream = finding.chunks(equipment.feed, 3)
    lengths = [next(stream).num_steps for _ in range(5)]
    assert len(set(lengths)) == 1
