"""Mean and standard deviation per colour channel, exact. Imports NumPy alone: decoders use it in their processes."""

import numpy as np


def channel_sums(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the sum and the sum of squares per channel of `(n, height, width, channels)` uint8 images."""
    channels = images.shape[-1]
    total, squares = np.zeros(channels, np.int64), np.zeros(channels, np.int64)
    rows = images.reshape(len(images), int(np.prod(images.shape[1:])))
    # Adding whole rows is several times faster than a sum along the short last axis, and fastest as
    # a product of matrices. Parts fit into a core's own cache, and 32-bit floats hold every whole
    # number up to 2**24, which the squares of 258 rows reach at most: the sums are exact.
    length = max(1, min(256, 2**18 // max(1, rows.shape[1])))
    for start in range(0, len(rows), length):
        part = rows[start : start + length].astype(np.float32)
        ones = np.ones(len(part), np.float32)
        total += (ones @ part).astype(np.int64).reshape(-1, channels).sum(0)
        np.multiply(part, part, out=part)
        squares += (ones @ part).astype(np.int64).reshape(-1, channels).sum(0)
    return total, squares


class ChannelStatistics:
    """Adds up batches; the order and size of the batches make no difference."""

    def __init__(self, channels: int) -> None:
        self.channels = channels
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self.count = 0
        self.total = np.zeros(self.channels, np.int64)
        self.squares = np.zeros(self.channels, np.int64)

    def add(self, images: np.ndarray) -> None:
        """Add `(n, height, width, channels)` uint8 images; n may be 0."""
        total, squares = channel_sums(images)
        self.add_sums(int(np.prod(images.shape[:3])), total, squares)

    def add_sums(self, count: int, total: np.ndarray, squares: np.ndarray) -> None:
        """Add what `channel_sums` gave for `count` pixels."""
        self.count += count
        self.total += total
        self.squares += squares

    def mean(self) -> list[float]:
        """Return one mean per channel, on the scale 0 to 255."""
        return [int(total) / self.count for total in self.total] if self.count else []

    def std(self) -> list[float]:
        """Return one standard deviation per channel, on the scale 0 to 255."""
        # In Python's integers: the difference of two large squares loses its digits in floats.
        pairs = zip(self.total.tolist(), self.squares.tolist(), strict=True) if self.count else ()
        return [(square * self.count - total**2) ** 0.5 / self.count for total, square in pairs]
