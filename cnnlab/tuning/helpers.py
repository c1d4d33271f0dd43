"""A process that a supervisor keeps alive: started again when it dies, ever more slowly."""

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from cnnlab.errors import QueueError
from cnnlab.launch.engines.base import Handle, Placer, Task
from cnnlab.tuning.limits import farewell_path

LONGEST_BACK_OFF_S = 20.0
KILL_S = 5.0
LOOK_S = 0.02


class Helper:
    """One kept process: the chief or a worker, wherever the engine places it.

    Args:
        name: What it is called in words.
        arguments: Of Python.
        study_dir: Where it leaves a farewell when it has no more to do.
        log: Where it prints to.

    Attributes:
        deaths: How often in a row it ended without a farewell.
        has_left: It has no more to do.
    """

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        study_dir: Path,
        log: Path,
        placer: Placer,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.name = name
        self.deaths = 0
        self.has_left = False
        self._task = Task(name, (sys.executable, *arguments), log)
        self._farewell = farewell_path(study_dir, name)
        self._placer = placer
        self._clock = clock
        self._handle: Handle | None = None
        self._is_called = False
        self._not_before = 0.0

    @property
    def is_running(self) -> bool:
        """Return whether it was started and did not end, as far as the engine says."""
        return self._handle is not None and self._placer.status(self._handle) in ("alive", "unreachable")

    def look(self) -> None:
        """Note how it ended, and start it where it is not there and its time has come."""
        if self._handle is not None:
            if self._placer.status(self._handle) != "gone":
                return
            self._handle = None
            # Called again while it was leaving: it may not have seen what there is to do.
            self.has_left = self._farewell.exists() and not self._is_called
            if not self._farewell.exists():
                self._note_death()
        if not self.has_left and self._clock() >= self._not_before:
            self._start()

    def call_again(self) -> None:
        """Let one that has left come back."""
        self.has_left, self._is_called = False, True

    def end(self) -> None:
        """Ask it to leave, and kill it where it does not."""
        if self._handle is None:
            return
        self._placer.cancel(self._handle)
        if not self._is_gone_in(KILL_S):
            self.kill()

    def kill(self) -> None:
        """End it at once."""
        if self._handle is not None:
            self._placer.kill(self._handle)
            self._is_gone_in(KILL_S)

    def _start(self) -> None:
        self._farewell.unlink(missing_ok=True)
        self._is_called = False
        try:
            self._handle = self._placer.place(self._task)
        except QueueError:
            self._note_death()

    def _note_death(self) -> None:
        self.deaths += 1
        self._not_before = self._clock() + min(0.1 * 4.0 ** (self.deaths - 1), LONGEST_BACK_OFF_S)

    def _is_gone_in(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self._handle is not None and self._placer.status(self._handle) != "gone":
            if time.monotonic() > deadline:
                return False
            time.sleep(LOOK_S)
        return True
