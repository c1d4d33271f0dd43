"""One look at every image of a source: at its header, or at its pixels."""

import importlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from cnnlab.datasets.archive import Listing
from cnnlab.datasets.channels import ChannelStatistics
from cnnlab.datasets.decoding import Decoded, Measured, Target
from cnnlab.datasets.pool import Call, Pool
from cnnlab.datasets.reading import Files
from cnnlab.datasets.storage import Progress
from cnnlab.errors import ImportRefusedError

CHUNK_FILES = 512
CHUNK_PIXEL_BYTES = 16 * 2**20
CHUNK_SOURCE_BYTES = 8 * 2**20


@dataclass
class DecodedRows:
    """What is known of each row after a pass over the pixels.

    Attributes:
        sizes: Width and height of the file, `(n, 2)`.
        failures: Row and reason.
        statistics: Of the first `num_train` rows.
    """

    hashes: list[str]
    sizes: np.ndarray
    statistics: ChannelStatistics
    failures: list[tuple[int, str]] = field(default_factory=list)
    remarks: Counter[str] = field(default_factory=Counter)


class Passes:
    """Passes over the files of a listing, shared out in chunks."""

    def __init__(self, listing: Listing, pool: Pool, progress: Progress):
        self._listing, self._pool, self._progress = listing, pool, progress

    def measure(self, rows: np.ndarray) -> np.ndarray:
        """Return `(n, 3)`: width, height and greyness of each listed file in `rows`; 0, 0, 0 where unreadable."""
        chunks = self._chunks(rows, 0, CHUNK_FILES)
        calls: list[Call] = [("measure", (self._files(rows[chunk]),)) for chunk in chunks]
        sizes, done = np.zeros((len(rows), 3), np.int32), 0
        for index, result in self._pool.run(calls):
            assert isinstance(result, Measured)
            self._refuse_bomb(result.bomb, rows[chunks[index]])
            sizes[chunks[index]] = result.sizes
            done += len(result.sizes)
            self._progress("measuring", done, len(rows))
        return sizes

    def decode(self, rows: np.ndarray, target: Target, num_train: int) -> DecodedRows | None:
        """Decode the listed files in `rows` to the rows of `target`; None where an image breaks what was guessed."""
        size = int(np.prod(target.shape))
        # No chunk lies on both sides of the end of train, whose sums are wanted.
        chunks = [*self._chunks(rows[:num_train], 0, CHUNK_PIXEL_BYTES // size)]
        num_train_chunks = len(chunks)
        chunks += self._chunks(rows[num_train:], num_train, CHUNK_PIXEL_BYTES // size)
        calls: Iterator[Call] = (
            ("decode", (self._files(rows[chunk]), target, chunk.start, index < num_train_chunks))
            for index, chunk in enumerate(chunks)
        )
        decoded = DecodedRows([""] * len(rows), np.zeros((len(rows), 2), np.int32), ChannelStatistics(target.shape[2]))
        done = 0
        for index, result in self._pool.run(calls):
            if not done:
                # Wanted at the end, and slow to import (pyarrow): meanwhile others decode what they have been given.
                importlib.import_module("cnnlab.datasets.samples")
            assert isinstance(result, Decoded)
            self._refuse_bomb(result.bomb, rows[chunks[index]])
            if result.surprise:
                return None
            _merge(decoded, result, chunks[index])
            if index < num_train_chunks:
                num_pixels = len(result.hashes) * target.shape[0] * target.shape[1]
                decoded.statistics.add_sums(num_pixels, result.total, result.squares)
            done += len(result.hashes)
            self._progress("decoding", done, len(rows))
        return decoded

    def _chunks(self, rows: np.ndarray, first: int, most: int) -> list[slice]:
        if not len(rows):
            return []
        mean_bytes = max(1, int(self._listing.places[rows, 2].mean()))
        length = max(1, min(CHUNK_FILES, most, CHUNK_SOURCE_BYTES // mean_bytes))
        return [slice(first + at, first + min(at + length, len(rows))) for at in range(0, len(rows), length)]

    def _files(self, rows: np.ndarray) -> Files:
        listing = self._listing
        paths = [] if listing.is_zip else [listing.paths[row] for row in rows]
        return Files(str(listing.source), listing.is_zip, listing.places[rows], paths)

    def _refuse_bomb(self, bomb: tuple[int, str] | None, rows: np.ndarray) -> None:
        if bomb:
            position, text = bomb
            raise ImportRefusedError(
                f"{self._listing.source.name!r} holds an image bomb, {self._listing.names[rows[position]]!r}: {text}. "
                "Nothing was imported. Remove that file, or make it smaller."
            )


def _merge(decoded: DecodedRows, result: Decoded, rows: slice) -> None:
    decoded.hashes[rows] = result.hashes
    decoded.sizes[rows] = result.sizes
    decoded.failures += [(rows.start + position, reason) for position, reason in result.failures]
    decoded.remarks.update(result.remarks)
