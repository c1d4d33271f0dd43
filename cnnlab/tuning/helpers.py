"""A process that a supervisor keeps alive: started again when it dies, ever more slowly."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from cnnlab.launch.parent import die_with_parent

LONGEST_BACK_OFF_S = 20.0
KILL_S = 5.0


class Helper:
    """One kept process.

    Args:
        name: What it is called in words.
        arguments: Of Python.
        log: Where it prints to.

    Attributes:
        deaths: How often in a row it ended other than by leaving with 0.
        has_left: It left with 0, as one that has no more to do.
    """

    def __init__(self, name: str, arguments: Sequence[str], log: Path, clock: Callable[[], float] = time.monotonic):
        self.name = name
        self.deaths = 0
        self.has_left = False
        self.started_at = 0.0
        self._arguments = [sys.executable, *arguments]
        self._log = log
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None
        self._not_before = 0.0

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def look(self) -> None:
        """Note how it ended, and start it where it is not there and its time has come."""
        if self._process is not None:
            code = self._process.poll()
            if code is None:
                return
            self._process = None
            self.has_left = code == 0
            if code:
                self.deaths += 1
                wait_s = min(0.1 * 4.0 ** (self.deaths - 1), LONGEST_BACK_OFF_S)
                self._not_before = self._clock() + wait_s
        if not self.has_left and self._clock() >= self._not_before:
            self._start()

    def call_again(self) -> None:
        """Let one that has left come back."""
        self.has_left = False

    def end(self) -> None:
        """Ask it to leave, and kill it where it does not."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(KILL_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _start(self) -> None:
        self.started_at = time.time()
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(
                self._arguments,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # On Linux none outlives its supervisor: a new one starts them anew, and nothing is done twice.
                preexec_fn=die_with_parent(os.getpid()) if os.name != "nt" else None,
            )
