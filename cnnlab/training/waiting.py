"""How long the steps wait for their images."""

import time
from collections.abc import Callable, Iterable, Iterator

from cnnlab.training.engines.base import Chunk


class Waiting:
    """Adds up, between two calls of `take`, what the loop waits and what its steps take."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._waited_s = self._worked_s = 0.0

    def watched(self, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        """Give the chunks on."""
        coming = iter(chunks)
        while True:
            asked = self._clock()
            chunk = next(coming, None)
            got = self._clock()
            self._waited_s += got - asked
            if chunk is None:
                return
            try:
                yield chunk
            finally:  # also where the loop leaves after the last step of an epoch
                self._worked_s += self._clock() - got

    def take(self) -> tuple[float, float]:
        """Return the share of the time that was waited, in [0, 1], and the seconds in all; begin anew."""
        total = self._waited_s + self._worked_s
        share = self._waited_s / total if total else 0.0
        self._waited_s = self._worked_s = 0.0
        return share, total
