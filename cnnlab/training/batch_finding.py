"""Find a batch size: throughput of a few steps at each size, and the largest that fits into memory."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import psutil

from cnnlab.analysis.costs import costs
from cnnlab.analysis.memory import training_memory
from cnnlab.analysis.suggestions import suggest_batch
from cnnlab.analysis.training_memory import HEADROOM, TrainingMemory, slots_name
from cnnlab.config import RunConfig
from cnnlab.datasets.storage import Dataset
from cnnlab.runs.nvml import opened, visible_handles
from cnnlab.training.answering import device_name
from cnnlab.training.engines.base import Chunk
from cnnlab.training.equipment import Equipment
from cnnlab.training.finding import Progress, chunks, equipped
from cnnlab.training.trainer import is_out_of_memory
from cnnlab.training.transfer import Transfer

SMALLEST, LARGEST = 8, 8192
LONGEST_CHUNK = 4
# The first chunk compiles, the second fills caches; after them a size is timed.
WARM_CHUNKS = 2
FEWEST_CHUNKS, MOST_CHUNKS = 3, 30
# Doublings that make nothing faster before no larger size is timed.
PATIENCE = 2
FASTER = 1.02
# Of each weight while speed is measured: small, so that nothing diverges and nothing is NaN.
RATE = 1e-6


def find_batch(
    config: RunConfig,
    dataset: Dataset,
    seconds: float = 1.0,
    report: Progress = lambda _done, _total: None,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Any]:
    """Time training steps of `config` at doubling batch sizes. No run is written.

    On a GPU sizes double until memory is full; elsewhere, where a full memory ends the process, the estimate decides.

    Args:
        seconds: Of timing per size, and at least a few steps.

    Returns:
        `rows` of `batch_size`, `images_per_s`, `step_s` (median) and `steps`; `largest_estimated` and `largest_tried`;
        `stopped`, why there is no larger size; `suggestion`, the smallest within 5 % of the fastest; `device`.

    Raises:
        ConfigError: the config does not fit the data.
        DatasetError: the train split has no images.
    """
    equipment, transfer = equipped(config, dataset)
    search = _Search(equipment, transfer, seconds, clock)
    sizes = search.sizes()
    rows: list[dict[str, Any]] = []
    largest, stopped = 0, search.end_of_sizes(sizes)
    for done, size in enumerate(sizes):
        report(done, len(sizes))
        try:
            rows += [search.timed(size)] if not _is_flat(rows) else search.tried(size)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            stopped = f"Memory is full at a batch of {size} images."
            break
        largest = size
        if _is_flat(rows) and device_name() is None and size != sizes[-1]:
            stopped = f"Larger batches than {size} were not tried: the last two doublings made nothing faster."
            break
    report(len(sizes), len(sizes))
    return {
        "rows": rows,
        "largest_estimated": search.largest_estimated(),
        "largest_tried": largest,
        "stopped": stopped,
        "suggestion": suggest_batch([row["batch_size"] for row in rows], [row["images_per_s"] for row in rows]),
        "device": device_name() or "CPU",
    }


class _Search:
    def __init__(
        self, equipment: Equipment, transfer: Transfer | None, seconds: float, clock: Callable[[], float]
    ) -> None:
        self._equipment, self._transfer, self._seconds, self._clock = equipment, transfer, seconds, clock
        self._memory: TrainingMemory = training_memory(costs(equipment.networks[0]))
        training = equipment.config.training
        self._slots = slots_name(training.optimizer, training.momentum)
        self._budget = free_bytes()

    def largest_estimated(self) -> int:
        return self._memory.largest_batch(self._budget, self._slots)

    def sizes(self) -> list[int]:
        """Return the sizes to try; at least one."""
        images = len(self._equipment.feed.images)
        found = [size for size in _doubled() if size <= images and (device_name() or self._fits(size))]
        return found or [min(SMALLEST, images)]

    def end_of_sizes(self, sizes: list[int]) -> str:
        """Return why the sizes end where they do."""
        next_size, images = 2 * sizes[-1], len(self._equipment.feed.images)
        if next_size > images:
            return f"The train split has {images} images: no larger batch fits into an epoch."
        if next_size > LARGEST:
            return f"Larger batches than {LARGEST} cannot be asked for."
        return f"A batch of {next_size} images is estimated to take more memory than is free."

    def timed(self, size: int) -> dict[str, Any]:
        """Return the row of a size."""
        times: list[float] = []
        steps = 0
        began = self._clock()
        for place, chunk in enumerate(self._steps(size)):
            now = self._clock()
            if place >= WARM_CHUNKS:
                times.append((now - began) / chunk.num_steps)
                steps += chunk.num_steps
            began = now
            if len(times) >= MOST_CHUNKS or (
                len(times) >= FEWEST_CHUNKS and sum(times) * chunk.num_steps >= self._seconds
            ):
                break
        median = float(np.median(times))
        return {"batch_size": size, "images_per_s": size / median, "step_s": median, "steps": steps}

    def tried(self, size: int) -> list[dict[str, Any]]:
        """Take a step at a size that would not be faster, to see whether it fits; no row comes of it."""
        next(iter(self._steps(size)))
        return []

    def _steps(self, size: int) -> Iterator[Chunk]:
        feed = self._equipment.feed
        feed.batch_size = size
        _, engine = self._equipment.engine(np.array([RATE]), self._transfer)
        for chunk in chunks(feed, LONGEST_CHUNK):
            np.asarray(engine.train(chunk)["loss"])  # waits until the device is done
            yield chunk

    def _fits(self, size: int) -> bool:
        return self._memory.peak_bytes(size, self._slots) <= (1 - HEADROOM) * self._budget


def free_bytes() -> float:
    """Return the memory that a training may take: of the first GPU where the backend uses one, else what is free."""
    if device_name() is not None:
        with opened() as nvml:
            handles = visible_handles(nvml) if nvml else []
            if handles:
                return float(nvml.nvmlDeviceGetMemoryInfo(handles[0]).total)
    return float(psutil.virtual_memory().available)


def _doubled() -> list[int]:
    return [SMALLEST << power for power in range((LARGEST // SMALLEST).bit_length())]


def _is_flat(rows: list[dict[str, Any]]) -> bool:
    """Return whether the last doublings made nothing faster."""
    speeds = [row["images_per_s"] for row in rows]
    return len(speeds) > PATIENCE and max(speeds[-PATIENCE:]) < FASTER * max(speeds[:-PATIENCE])
