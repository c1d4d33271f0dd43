"""Runs in every state, written by the product's own writer."""

from pathlib import Path
from typing import Any

from cnnlab.runs.status import RunStatus, failure, write_status
from cnnlab.runs.writer import RunWriter

ENDED_AT = "2026-11-22T14:11:36.000+00:00"


def epoch_rows(epoch: int, loss: float, accuracy: float | None) -> list[dict[str, Any]]:
    """Return what a trainer measures in one epoch."""
    common = {"epoch": epoch, "step": epoch * 10, "elapsed_s": float(epoch)}
    return [
        {**common, "split": "train", "output": "", "metric": "loss", "value": loss},
        {**common, "split": "val", "output": "", "metric": "loss", "value": loss + 0.1},
        {**common, "split": "val", "output": "label", "metric": "accuracy", "value": accuracy},
    ]


def result_of(accuracy: float = 0.75, **values: Any) -> dict[str, Any]:
    """Return a whole result with one output."""
    return {
        "num_params": 100,
        "trainable_params": 90,
        "macs": 1000,
        "not_counted": [],
        "epochs_done": 2,
        "best_epoch": 2,
        "kept_epoch": 2,
        "gpu_memory_bytes": None,
        "train_s": 3.5,
        "images_per_s": 120.0,
        "test_time": "none",
        "val": {"label": {"accuracy": 0.5, "loss": 1.0, "correct": 2, "n": 4}},
        "test": {"label": {"accuracy": accuracy, "loss": 0.9, "correct": round(accuracy * 8), "n": 8}},
        "main_output": "label",
        "outputs": {"label": ["cat", "dog"]},
        "dataset_version": "abc",
        "image_shape": [8, 8, 1],
        **values,
    }


def complete(run_dir: Path, **values: Any) -> None:
    """Let a run come to its end."""
    writer = RunWriter(run_dir)
    for epoch in (1, 2):
        writer.metrics(epoch_rows(epoch, 1 / epoch, 0.4 + epoch / 10))
    writer.result(result_of(**values))
    writer.finish()
    write_status(run_dir, RunStatus(state="completed", exit_code=0, started_at=ENDED_AT, ended_at=ENDED_AT))


def fail(run_dir: Path, kind: str = "nan_loss", epochs: int = 3) -> None:
    """Let a run end like one that was killed: a tail of metrics, no result."""
    writer = RunWriter(run_dir)
    for epoch in range(1, epochs + 1):
        writer.metrics(epoch_rows(epoch, abs(epoch - 2) + 0.5, epoch / 10))
    write_status(run_dir, RunStatus(state="failed", ended_at=ENDED_AT, failure=failure(kind, "It happened.")))
