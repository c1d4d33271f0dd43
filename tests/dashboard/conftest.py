"""Pages over a store of the test's own: runs are written as a trainer would, and nothing trains."""

import functools
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner
from streamlit.runtime.scriptrunner import script_runner
from streamlit.testing.v1 import AppTest

from cnnlab.config import config_from_dict
from cnnlab.errors import CNNLabError
from cnnlab.launch.queue import Queue
from cnnlab.runs import status as run_status
from cnnlab.runs.status import RunStatus, write_status
from cnnlab.runs.store import Store
from cnnlab.runs.writer import RunWriter
from dashboard import data

APP = Path(__file__).resolve().parents[2] / "dashboard" / "app.py"
MEMORY = {"weights_bytes": 100, "trained_bytes": 100, "kept_bytes_per_image": 8, "moving_bytes_per_image": 2}
COSTS = {
    "num_params": 61_706, "trainable_params": 61_706, "macs": 416_520, "not_counted": [], "layers": [],
    "training_memory": MEMORY,
}  # fmt: skip
# Stands in for the trainer: it says nothing and waits to be cancelled.
IDLE_TRAINER = (sys.executable, "-c", "import time; time.sleep(600)")


@pytest.fixture(autouse=True, scope="session")
def _quick_runs_of_pages() -> Iterator[None]:
    """Streamlit reads the metadata of every installed package at each run of a page that is tested.

    And where Keras is loaded, as by other tests and never in the dashboard, it has Keras look for garbage after each.
    """
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(script_runner, "_clean_problem_modules", lambda: None)
        scan = functools.cache(manifest_scanner.scan_component_manifests)
        patched.setattr(manifest_scanner, "scan_component_manifests", scan)
        yield


@pytest.fixture(autouse=True)
def _fresh_caches() -> Iterator[None]:
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def questions(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """Answer for the inspector, so that no test of a page starts Keras; returns what was asked."""
    asked: list[tuple[str, dict[str, Any]]] = []

    def ask_later(kind: str, **arguments: Any) -> data.Answer:
        asked.append((kind, arguments))
        return data.Answer(COSTS if kind == "costs" else [])

    monkeypatch.setattr(data, "ask_later", ask_later)
    return asked


@pytest.fixture
def queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Queue]:
    """A queue with one slot whose runs do nothing until they are cancelled."""
    monkeypatch.setenv("CNNLAB_SLOTS", "1")
    made = Queue(tmp_path / "queue.sqlite", command=IDLE_TRAINER)
    monkeypatch.setattr(data, "queue", lambda: made)
    yield made
    for entry in reversed(made.entries()):  # the waiting first, so that none of them starts
        with suppress(CNNLabError):
            made.cancel(entry.run_dir)
    made.close()


@pytest.fixture
def start(queue: Queue) -> Callable[[Path], None]:
    """Submit a run and wait until it says that it is running: what a press does to it depends on that."""

    def submit(run_dir: Path) -> None:
        queue.submit(run_dir)
        deadline = time.monotonic() + 60
        while run_status.read_status(run_dir).state != "running":
            assert time.monotonic() < deadline, "waited in vain for the run to start"
            time.sleep(0.01)

    return submit


@pytest.fixture
def make_run(store: Store) -> Callable[..., str]:
    """Write a run into the store and return its id.

    `state` is the one it is left in, `failure` a kind of `FAILURES`; a completed run has metrics of
    three epochs, predictions of ten test and ten validation images per output, layers and a result.
    """

    def make(state: str = "completed", failure: str = "", message: str = "", **values: Any) -> str:
        run_dir = store.create_run(config_from_dict(values))
        if state == "completed":
            _write_results(run_dir, store)
        (run_dir / "log.txt").write_text("first line\nlast line\n", encoding="utf-8")
        at = "2026-01-01T12:00:00.000+00:00"
        write_status(
            run_dir,
            RunStatus(
                state=state,
                queued_at=at,
                started_at=None if state == "queued" else at,
                ended_at=at if state in run_status.ENDED else None,
                failure=run_status.failure(failure, message) if failure else None,
            ),
        )
        return run_dir.name

    return make


def _write_results(run_dir: Path, store: Store) -> None:
    config = store.read_config(run_dir.name)
    outputs = {"shape": ["circle", "square"], "colour": ["red", "green"]}
    outputs = outputs if config.data.dataset == "shapes" else {"label": [str(digit) for digit in range(10)]}
    writer = RunWriter(run_dir)
    names = ["", *outputs] if len(outputs) > 1 else [""]
    writer.metrics(
        {
            "epoch": epoch, "step": epoch * 20, "split": split, "output": output, "metric": metric,
            "value": value / epoch if metric == "loss" else 1 - value / (epoch + 1), "elapsed_s": epoch,
        }
        for epoch in (1, 2, 3) for split, value in (("train", 0.4), ("val", 0.5))
        for metric in ("loss", "accuracy") for output in names
    )  # fmt: skip
    tested = {"accuracy": 0.9, "loss": 0.2, "correct": 9, "n": 10}
    for output, classes in outputs.items():
        labels = np.arange(10) % len(classes)
        shares = np.eye(len(classes))[np.where(np.arange(10) == 3, (labels + 1) % len(classes), labels)]
        for split in ("val", "test"):
            writer.predictions(split, output, [f"{split}-{index}" for index in range(10)], labels.tolist(), shares)
    writer.layers(
        [{"name": "conv", "kind": "Conv2D", "output_shape": [28, 28, 6], "num_params": 156, "trainable_params": 156,
          "macs": 117_600, "counted": True}]
    )  # fmt: skip
    writer.environment({"python": "3.11.7", "backend": "tensorflow", "libraries": {"keras": "3.12.0"}})
    writer.result(
        {
            "num_params": 61_706, "trainable_params": 61_706, "macs": 416_520, "not_counted": [], "epochs_done": 3,
            "best_epoch": 3, "train_s": 4.2, "images_per_s": 1234.0, "test": dict.fromkeys(outputs, tested),
            "val": dict.fromkeys(outputs, tested), "main_output": next(iter(outputs)), "outputs": outputs,
            "dataset_version": "0123456789ab", "image_shape": [8, 8, 1],
        }
    )  # fmt: skip
    writer.event("completed")
    writer.finish()
    (run_dir / "model.keras").write_bytes(b"not a real model")


@pytest.fixture
def open_page() -> Callable[..., AppTest]:
    """Open a page of the dashboard by its key, with its address's query; fails on an exception."""

    def open_one(page: str, **query: str) -> AppTest:
        app = AppTest.from_file(str(APP), default_timeout=120)
        app.run()
        app.switch_page(f"app_pages/{page}.py")
        app.query_params.update(query)
        app.run()
        assert not app.exception, app.exception
        return app

    return open_one
