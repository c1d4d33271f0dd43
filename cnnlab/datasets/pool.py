"""A few decoder processes, or none: small imports are done before a process has started."""

import contextlib
import os
import pickle
import queue
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from typing import Any

from cnnlab.datasets.build import child_environment
from cnnlab.datasets.decoding import CALLS
from cnnlab.errors import DatasetError

MAX_PROCESSES = 16
SERVE = "from cnnlab.datasets.decoding import serve; serve()"
Call = tuple[str, tuple[Any, ...]]


class Pool:
    """Runs calls of `cnnlab.datasets.decoding`: in children once they are started, until then right here."""

    def __init__(self) -> None:
        self._children: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Start one child per core, if there is more than one; return without waiting for them."""
        processes = min(usable_cores(), MAX_PROCESSES)
        if self._children or processes < 2:
            return
        command = [sys.executable, "-c", SERVE]
        # One core per process is what we share out: no thread pool of a library beside it.
        environment = {**child_environment(), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        for _ in range(processes):
            self._children.append(
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
            )

    def __enter__(self) -> "Pool":
        return self

    def __exit__(self, *_: object) -> None:
        for child in self._children:
            child.kill()
            for pipe in (child.stdin, child.stdout):
                with contextlib.suppress(OSError):
                    if pipe:
                        pipe.close()
            child.wait()

    def run(self, calls: Iterable[Call]) -> Iterator[tuple[int, Any]]:
        """Give `(position of the call, its result)` as they come.

        Raises:
            DatasetError: a process died, for want of memory as a rule.
        """
        if not self._children:
            for index, (name, arguments) in enumerate(calls):
                yield index, CALLS[name](*arguments)
            return
        waiting: queue.SimpleQueue[tuple[int, Call] | None] = queue.SimpleQueue()
        finished: queue.SimpleQueue[tuple[int, Any]] = queue.SimpleQueue()
        count = 0
        for item in enumerate(calls):
            waiting.put(item)
            count += 1
        threads = [
            threading.Thread(target=_feed, args=(child, waiting, finished), daemon=True) for child in self._children
        ]
        for thread in threads:
            waiting.put(None)
            thread.start()
        try:
            for _ in range(count):
                index, result = finished.get()
                if isinstance(result, BaseException):
                    raise DatasetError(
                        "A decoder process ended before its work was done. Nothing was imported. "
                        "Free some memory, choose a smaller image size, or import fewer images."
                    ) from result
                yield index, result
        finally:
            # Who stops listening half-way leaves no call behind for the next pass to trip over.
            with contextlib.suppress(queue.Empty):
                while True:
                    waiting.get_nowait()
            for _ in threads:
                waiting.put(None)
            for thread in threads:
                thread.join()


def _feed(
    child: "subprocess.Popen[bytes]",
    waiting: "queue.SimpleQueue[tuple[int, Call] | None]",
    finished: "queue.SimpleQueue[tuple[int, Any]]",
) -> None:
    """Hand one child its calls until there are no more, or until it dies."""
    assert child.stdin is not None
    assert child.stdout is not None
    while (item := waiting.get()) is not None:
        index, call = item
        try:
            pickle.dump(call, child.stdin, protocol=pickle.HIGHEST_PROTOCOL)
            child.stdin.flush()
            finished.put((index, pickle.load(child.stdout)))
        except (OSError, EOFError, pickle.UnpicklingError, ValueError) as error:
            finished.put((index, error))
            return


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
