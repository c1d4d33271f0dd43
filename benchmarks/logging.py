"""What the log of every step and epoch costs.

    python -m benchmarks.logging

An epoch of CIFAR-10 at batch 128 (351 steps), as LeNet-5's engine hands it to the log: 22 chunks of 16 steps with
loss and accuracy, and the epoch's row. The time is set against the epoch that the same machine trains meanwhile:
LeNet-5's, the shortest there is. The run's own parquet files are read back, so that what was timed was written.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import polars as pl

from benchmarks.report import machine_text, write_results
from benchmarks.training_sides.side import in_turn
from benchmarks.training_sides.task import Task
from cnnlab.runs.writer import RunWriter
from cnnlab.training.report import Report

STEPS, CHUNK, EPOCHS, BATCH_SIZE = 351, 16, 20, 128
LIBRARIES = ("numpy", "pyarrow", "keras", "tensorflow")


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    print(machine_text())
    rows = []
    works = {"cnnlab": ("ours", Task("lenet5", num_images=25_600, epochs=repeats))}
    for repeat, rates in enumerate(in_turn(works, "tensorflow", repeats)):
        rate = rates["cnnlab"]
        epoch_s, log_s = STEPS * BATCH_SIZE / rate, logged()
        rows.append({"repeat": repeat, "epoch_s": epoch_s, "log_s": log_s, "share": log_s / epoch_s})
        print(f"{repeat + 1}: {1000 * log_s:.1f} ms of {epoch_s:.2f} s", file=sys.stderr)
    shares = [100 * row["share"] for row in rows]
    log_ms, epoch_s = 1000 * median(row["log_s"] for row in rows), median(row["epoch_s"] for row in rows)
    print(f"log of an epoch: {log_ms:.1f} ms, LeNet-5's epoch {epoch_s:.2f} s")
    print(f"share: {median(shares):.2f} % ({min(shares):.2f} to {max(shares):.2f}, n={repeats})")
    write_results("logging", rows, LIBRARIES)


def logged() -> float:
    """Return the seconds that the log of an epoch takes, parquet at the end included."""
    rates = np.full(STEPS * EPOCHS, 0.01)
    rng = np.random.default_rng(0)
    chunks = [_measured(rng, min(CHUNK, STEPS - start)) for start in range(0, STEPS, CHUNK)]
    with tempfile.TemporaryDirectory() as folder:
        writer = RunWriter(Path(folder))
        report = Report(writer, rates, EPOCHS, BATCH_SIZE)
        begin = time.perf_counter()
        for epoch in range(EPOCHS):
            step = 0
            for chunk in chunks:
                report.steps_done(epoch, step, chunk)
                step += len(chunk["loss"])
            report.epoch_done(epoch, {"loss": 1.0, "label/loss": 1.0}, {"loss": 1.0, "label/loss": 1.0})
        writer.finish()
        elapsed = time.perf_counter() - begin
        assert len(pl.read_parquet(Path(folder) / "steps.parquet")) == 2 * STEPS * EPOCHS
    return elapsed / EPOCHS


def _measured(rng: np.random.Generator, count: int) -> dict[str, Any]:
    return {name: rng.random(count) for name in ("loss", "label/loss", "label/accuracy")}


if __name__ == "__main__":
    main()
