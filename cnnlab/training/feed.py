"""Chunks of training images, made ready while the step before them runs."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

from cnnlab.training.engines.base import Chunk
from cnnlab.training.order import num_steps, shuffled, shuffled_by_windows

# A split that takes less of the free memory than this is read once and stays.
SHARE_IN_MEMORY = 0.4
WINDOW_BYTES = 256 * 2**20

# Changes a batch before it leaves for the step: `(images uint8, rng) -> images uint8`.
HostAugmentation = Callable[[NDArray[np.uint8], np.random.Generator], NDArray[np.uint8]]


@dataclass
class Feed:
    """The train split, as chunks of steps.

    Args:
        images: `(n, height, width, channels)` uint8, memory-mapped or not.
        labels: `(n,)` int32 by output.
        augmentation: What happens to a batch here; None for nothing.
        is_resident: The engine has the images: chunks name rows alone.
        window: Images in memory at once; None keeps the whole split there.
    """

    images: NDArray[np.uint8]
    labels: Mapping[str, NDArray[np.int32]]
    batch_size: int
    seed: int
    augmentation: HostAugmentation | None = None
    is_resident: bool = False
    window: int | None = field(default=None)

    def __post_init__(self) -> None:
        self.labels = {name: np.asarray(values, np.int32) for name, values in self.labels.items()}
        self.batch_size = min(self.batch_size, len(self.images))
        if self.window is None and not self.is_resident:
            self.images = np.array(self.images)

    @property
    def steps_per_epoch(self) -> int:
        return num_steps(len(self.images), self.batch_size)

    def epoch(self, epoch: int, first_step: int = 0, steps_per_call: int = 1) -> Iterator[Chunk]:
        """Give the chunks of an epoch from a step on; what does not fill a chunk comes step by step.

        Args:
            epoch: 0-based.
            first_step: 0-based, within the epoch.
        """
        reader = _Reader(self.images, self._order(epoch), self.window)
        calls = [(step, count) for step, count in _spans(first_step, self.steps_per_epoch, steps_per_call)]
        with ThreadPoolExecutor(1) as helper:
            waiting = None
            for step, count in calls:
                coming = helper.submit(self._chunk, reader, epoch, step, count)
                if waiting is not None:
                    yield waiting.result()
                waiting = coming
            if waiting is not None:
                yield waiting.result()

    def _order(self, epoch: int) -> NDArray[np.int64]:
        if self.window is None:
            return shuffled(len(self.images), self.seed, epoch)
        return shuffled_by_windows(len(self.images), self.seed, epoch, self.window)

    def _chunk(self, reader: "_Reader", epoch: int, first_step: int, count: int) -> Chunk:
        begin, end = first_step * self.batch_size, (first_step + count) * self.batch_size
        rows = reader.order[begin:end].reshape(count, self.batch_size)
        if self.is_resident:
            return Chunk(rows=rows.astype(np.int32))
        images = np.empty((*rows.shape, *self.images.shape[1:]), np.uint8)
        for index in range(count):
            batch = reader.read(begin + index * self.batch_size, self.batch_size)
            if self.augmentation is not None:
                # By step, not by chunk: a run that goes on in the middle draws what it would have drawn.
                batch = self.augmentation(batch, np.random.default_rng([self.seed, epoch, first_step + index, 1]))
            images[index] = batch
        return Chunk(rows.astype(np.int32), images, {name: values[rows] for name, values in self.labels.items()})


class _Reader:
    """Images in the order of an epoch; with a window, from blocks that are read when their turn comes."""

    def __init__(self, images: NDArray[np.uint8], order: NDArray[np.int64], window: int | None) -> None:
        self.order = order
        self._images, self._window = images, window
        self._held: NDArray[np.uint8] | None = None
        self._held_rows: NDArray[np.int64] = np.zeros(0, np.int64)
        self._held_from = -1

    def read(self, begin: int, count: int) -> NDArray[np.uint8]:
        """Return the images at positions `begin` to `begin + count` of the order."""
        if self._window is None:
            return self._images[self.order[begin : begin + count]]
        parts = []
        while count:
            start = begin // self._window * self._window
            if start != self._held_from:
                self._hold(start)
            here = min(count, start + self._window - begin)
            places = np.searchsorted(self._held_rows, self.order[begin : begin + here])
            assert self._held is not None
            parts.append(self._held[places])
            begin, count = begin + here, count - here
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _hold(self, start: int) -> None:
        assert self._window is not None
        self._held_rows = np.sort(self.order[start : start + self._window])
        self._held = None  # one window at a time
        self._held = read_rows(self._images, self._held_rows)
        self._held_from = start


def read_rows(images: NDArray[np.uint8], rows: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Read sorted rows, neighbours in one piece.

    Past the memory map where there is one: pages of a map stay in the process until somebody
    else wants the memory, so that a set larger than memory would fill all of it.
    """
    ends = np.flatnonzero(np.diff(rows) != 1) + 1
    found = np.empty((len(rows), *images.shape[1:]), np.uint8)
    with _source(images) as read:
        for begin, end in zip([0, *ends], [*ends, len(rows)], strict=True):
            read(int(rows[begin]), found[begin:end])
    return found


class _source:  # noqa: N801 a context manager that reads like a function
    """A function that fills an array with the rows from a first one on."""

    def __init__(self, images: NDArray[np.uint8]) -> None:
        self._images = images
        self._file: Any = None

    def __enter__(self) -> Callable[[int, NDArray[np.uint8]], None]:
        images = self._images
        if not isinstance(images, np.memmap) or images.filename is None or not images.flags.c_contiguous:
            return self._from_memory
        self._row_bytes = int(np.prod(images.shape[1:]))
        # A split is a slice of the file: where it begins follows from its address within the map.
        base = images
        while isinstance(base.base, np.memmap):
            base = base.base
        self._offset = base.offset + images.ctypes.data - base.ctypes.data
        self._file = open(images.filename, "rb", buffering=0)
        return self._from_file

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def _from_memory(self, row: int, target: NDArray[np.uint8]) -> None:
        target[...] = self._images[row : row + len(target)]

    def _from_file(self, row: int, target: NDArray[np.uint8]) -> None:
        self._file.seek(self._offset + row * self._row_bytes)
        view = memoryview(target.data).cast("B")
        while len(view):
            view = view[self._file.readinto(view) :]


def fitting_window(num_bytes: int, num_images: int) -> int | None:
    """Return the images that may be in memory at once; None where all may."""
    if num_bytes <= SHARE_IN_MEMORY * psutil.virtual_memory().available:
        return None
    from cnnlab.training.order import BLOCK

    per_image = max(1, num_bytes // num_images)
    return max(1, WINDOW_BYTES // per_image // BLOCK) * BLOCK


def _spans(first: int, end: int, length: int) -> Iterator[tuple[int, int]]:
    """Give start and count of whole spans, then the rest one by one."""
    while first < end:
        count = length if end - first >= length else 1
        yield first, count
        first += count
