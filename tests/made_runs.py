"""Runs as a trainer leaves them, made in milliseconds through the same writer."""

import math
import os
from pathlib import Path
from typing import Any

import numpy as np

from cnnlab import processes
from cnnlab.config import RunConfig, config_from_dict
from cnnlab.runs.status import RunStatus, failure, now, write_status
from cnnlab.runs.store import Store
from cnnlab.runs.writer import RunWriter

CLASSES = [str(digit) for digit in range(10)]
TEST_IMAGES = 200


def make_config(**values: Any) -> RunConfig:
    """Return a small config; `training` and others override it section by section."""
    base: dict[str, Any] = {"training": {"epochs": 4}}
    return config_from_dict(base | values)


def make_run(
    root: Path,
    state: str = "completed",
    accuracy: float = 0.9,
    num_params: int = 61_706,
    macs: int | None = 416_520,
    version: str = "0123456789ab",
    **values: Any,
) -> str:
    """Write one run in `state` and return its id."""
    config = make_config(**values)
    run_dir = Store(root).create_run(config)
    writer = RunWriter(run_dir)
    if state != "queued":
        _measure(writer, config, accuracy, is_nan=state == "failed")
    if state == "completed":
        _finish(writer, config, accuracy, num_params, macs, version)
    _settle(run_dir, state)
    return run_dir.name


def _measure(writer: RunWriter, config: RunConfig, accuracy: float, is_nan: bool) -> None:
    rows = []
    for epoch in range(1, config.training.epochs + 1):
        for split in ("train", "val"):
            share = accuracy * (1 - math.exp(-epoch))
            loss = math.nan if is_nan and epoch > 2 else 2.3 * math.exp(-epoch / 2)
            common = {"epoch": epoch, "step": 20 * epoch, "split": split, "elapsed_s": 1.5 * epoch}
            for output in ("", "label"):
                rows += [{**common, "output": output, "metric": "loss", "value": loss}]
                rows += [{**common, "output": output, "metric": "accuracy", "value": share}]
        rows += [{"epoch": epoch, "step": 20 * epoch, "split": "train", "metric": "learning_rate", "value": 0.002}]
    writer.metrics(rows)
    writer.progress({"epoch": config.training.epochs - 1, "epochs": config.training.epochs, "batch": 10, "batches": 20,
                     "elapsed_s": 3.0, "eta_s": 12.0, "images_per_s": 900.0})  # fmt: skip


def _finish(
    writer: RunWriter, config: RunConfig, accuracy: float, num_params: int, macs: int | None, version: str
) -> None:
    labels = np.arange(TEST_IMAGES) % 10
    correct = round(accuracy * TEST_IMAGES)
    predicted = np.where(np.arange(TEST_IMAGES) < correct, labels, (labels + 1) % 10)
    probabilities = np.full((TEST_IMAGES, 10), 0.01, np.float32)
    probabilities[np.arange(TEST_IMAGES), predicted] = 0.91
    for split in ("val", "test"):
        ids = [f"digits-{index:04d}" for index in range(TEST_IMAGES)]
        writer.predictions(split, "label", ids, labels.tolist(), probabilities)
    shown = {"accuracy": correct / TEST_IMAGES, "loss": 0.3, "correct": correct, "n": TEST_IMAGES}
    writer.result(
        {
            "num_params": num_params,
            "trainable_params": num_params,
            "macs": macs,
            "not_counted": [] if macs else ["mystery"],
            "epochs_done": config.training.epochs,
            "best_epoch": config.training.epochs,
            "train_s": 6.0,
            "images_per_s": 900.0,
            "test": {"label": shown},
            "val": {"label": shown},
            "main_output": "label",
            "outputs": {"label": CLASSES},
            "dataset_version": version,
            "image_shape": [32, 32, 1],
        }
    )
    writer.finish()


def _settle(run_dir: Path, state: str) -> None:
    if state == "running":  # this very process stands for the parent, so that the run is seen alive
        (run_dir / "heartbeat").touch()
        status = RunStatus(
            state=state,
            host=processes.host_name(),
            process_space=processes.process_space(),
            pid=os.getpid(),
            pid_created=processes.created_of(os.getpid()),
            queued_at=now(),
            started_at=now(),
        )
    else:
        why = failure("nan_loss", "The loss is not a number in epoch 3.") if state == "failed" else None
        ended = None if state == "queued" else now()
        status = RunStatus(state=state, queued_at=now(), started_at=ended, ended_at=ended, failure=why)
    write_status(run_dir, status)
