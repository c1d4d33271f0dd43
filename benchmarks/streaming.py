"""Whether the memory of the feed stays flat over an epoch of a set that is read through a window.

    python -m benchmarks.streaming                  # 4 GiB on disk, a window of 256 MiB
    python -m benchmarks.streaming --gib 16

A split of 64 px images, as an import leaves it, is written to a temporary folder and read as a training reads one that
does not fit into memory: shuffled, through the window, in batches of 128. Memory of the process's own, pages of the
file left out (the system may take these back at once), is looked at after each batch.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.report import machine_text, write_results
from cnnlab.training.feed import WINDOW_BYTES, Feed
from cnnlab.training.order import BLOCK

SIDE, BATCH_SIZE, GIB, MIB = 64, 128, 2**30, 2**20
IMAGE_BYTES = SIDE * SIDE * 3
PARTS = 10
LIBRARIES = ("numpy", "psutil")


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gib", type=float, default=4.0, help="size of the split on disk")
    gib = parser.parse_args().gib
    num_images = int(gib * GIB) // IMAGE_BYTES
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pixels.npy"
        _write(path, num_images)
        rows = epoch(np.load(path, mmap_mode="r"))
    print(machine_text())
    print(f"{num_images:,} images of {SIDE} px, {gib:.1f} GiB; window {WINDOW_BYTES / MIB:.0f} MiB")
    for row in rows:
        print(f"{row['images_read']:>9,} images read: {row['own_mib']:7.0f} MiB at most, {row['images_per_s']:,.0f}/s")
    after = [row["own_mib"] for row in rows[1:]]
    print(
        f"from the second tenth on: {min(after):.0f} to {max(after):.0f} MiB, {max(after) - min(after):.0f} MiB apart"
    )
    write_results("streaming", rows, LIBRARIES)


def epoch(images: Any) -> list[dict[str, Any]]:
    """Read an epoch; return the most memory and the rate of each tenth of it."""
    window = WINDOW_BYTES // IMAGE_BYTES // BLOCK * BLOCK
    feed = Feed(images, {"label": np.zeros(len(images), np.int32)}, BATCH_SIZE, seed=0, window=window)
    process = psutil.Process()
    rows: list[dict[str, Any]] = []
    most, read, since, before = 0.0, 0, time.perf_counter(), 0
    for chunk in feed.epoch(0):
        read += chunk.rows.size
        memory = process.memory_info()
        most = max(most, (memory.rss - getattr(memory, "shared", 0)) / MIB)
        if read * PARTS >= len(images) * (len(rows) + 1) or read == feed.steps_per_epoch * BATCH_SIZE:
            now = time.perf_counter()
            rows.append({"images_read": read, "own_mib": most, "images_per_s": (read - before) / (now - since)})
            most, since, before = 0.0, now, read
            print(f"{read:,} images", file=sys.stderr)
    return rows


def _write(path: Path, num_images: int) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (BLOCK, SIDE, SIDE, 3), dtype=np.uint8)
    whole = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=(num_images, SIDE, SIDE, 3))
    for start in range(0, num_images, BLOCK):
        whole[start : start + BLOCK] = noise[: min(BLOCK, num_images - start)]
    whole.flush()


if __name__ == "__main__":
    main()
