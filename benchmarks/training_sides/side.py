"""Sides that take turns: each trains in a process of its own and waits, ready and compiled, until it is asked.

A machine that others share has fast and slow minutes, some twice as fast. Epochs of seconds in turn meet the same one.
"""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

from benchmarks.training_sides.task import Task


@dataclass(frozen=True)
class Side:
    """A process that trains an epoch each time it is asked."""

    process: "subprocess.Popen[str]"

    def hear(self) -> float:
        """Return what the process says next: images per second.

        Raises:
            RuntimeError: the process has ended.
        """
        assert self.process.stdout is not None
        # What libraries print stands between the answers.
        for line in self.process.stdout:
            if line.startswith("{"):
                return float(json.loads(line)["images_per_s"])
        raise RuntimeError(f"{' '.join(map(str, self.process.args[1:3]))} has ended. Run it alone to see why.")  # type: ignore[index]

    def epoch(self) -> float:
        """Let it train an epoch; return its images per second."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.hear()


@contextlib.contextmanager
def sides(works: Mapping[str, tuple[str, Task]], backend: str) -> Iterator[dict[str, Side]]:
    """Start a process per side, a module of this package with its task; they have compiled when this is entered."""
    environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    with contextlib.ExitStack() as ending:
        started = {}
        for name, (module, task) in works.items():
            command = [sys.executable, "-m", f"benchmarks.training_sides.{module}", json.dumps(asdict(task))]
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env=environment,
            )
            ending.callback(_end, process)
            started[name] = Side(process)
            started[name].hear()
        yield started


def in_turn(works: Mapping[str, tuple[str, Task]], backend: str, rounds: int) -> Iterator[dict[str, float]]:
    """Give images per second by side, once per round: every side trains one epoch in it."""
    with sides(works, backend) as started:
        for _ in range(rounds):
            yield {name: side.epoch() for name, side in started.items()}


def _end(process: "subprocess.Popen[str]") -> None:
    process.kill()
    process.communicate()
