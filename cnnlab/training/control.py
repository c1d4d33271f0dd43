"""What stops a training before its last epoch, asked between two chunks of steps."""

import time
from collections.abc import Callable
from pathlib import Path


class PausedError(Exception):
    """Somebody asked for a pause: the state is in the checkpoint, nothing is finished."""


class Control:
    """Looks whether a pause is asked for.

    Args:
        pause_file: Its existence asks; None for a training that nobody can pause.
    """

    LOOK_EVERY_S = 0.25

    def __init__(self, pause_file: Path | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._pause_file = pause_file
        self._clock = clock
        self._looked_at = -float("inf")

    def is_pause_wanted(self) -> bool:
        """Return whether a pause is asked for; looks at the disk a few times a second at most."""
        if self._pause_file is None or self._clock() - self._looked_at < self.LOOK_EVERY_S:
            return False
        self._looked_at = self._clock()
        return self._pause_file.exists()
