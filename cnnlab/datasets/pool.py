"""A few decoder processes, or none: small imports are done before a process has started.

Imports the standard library alone: the processes start first, and everything else is imported meanwhile.
"""

import contextlib
import os
import pickle
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from cnnlab.datasets.children import bare_environment
from cnnlab.errors import DatasetError

MAX_PROCESSES = 16
# A process takes 0.1 s to start: as long as decoding so much.
BYTES_WORTH_PROCESSES = 16 * 2**20
SERVE = "from cnnlab.datasets.decoding import serve; serve()"
# So many calls a process has at a time: however busy this one is, no process waits for its next call.
CALLS_AHEAD = 4
# What reading the answer of a dead process raises.
BROKEN = (OSError, EOFError, pickle.UnpicklingError, ValueError)
Call = tuple[str, tuple[Any, ...]]
Finished = queue.SimpleQueue[tuple[int, Any]]


class Pool:
    """Runs calls of `cnnlab.datasets.decoding`: in children once they are started, until then right here."""

    def __init__(self) -> None:
        self._children: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Start one child per core, if there is more than one; return without waiting for them."""
        processes = min(usable_cores(), MAX_PROCESSES)
        if self._children or processes < 2:
            return
        command = [sys.executable, "-S", "-c", SERVE]
        # One core per process is what we share out: no thread pool of a library beside it.
        environment = {**bare_environment(), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        for _ in range(processes):
            self._children.append(
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
            )

    def __enter__(self) -> "Pool":
        return self

    def __exit__(self, *_: object) -> None:
        for child in self._children:
            child.kill()
        for child in self._children:
            for pipe in (child.stdin, child.stdout):
                with contextlib.suppress(OSError):
                    if pipe:
                        pipe.close()
            child.wait()

    @property
    def is_started(self) -> bool:
        return bool(self._children)

    def ask(self, name: str, *arguments: Any) -> Callable[[], Any]:
        """Give one short call to the first process; its answer is had, once, from what is returned."""
        child = self._children[0]
        assert child.stdin is not None
        with contextlib.suppress(OSError):  # it is dead, as whoever wants the answer finds out
            pickle.dump((name, arguments), child.stdin, protocol=pickle.HIGHEST_PROTOCOL)
            child.stdin.flush()

        def answer() -> Any:
            assert child.stdout is not None
            try:
                return pickle.load(child.stdout)
            except BROKEN as error:
                raise _died() from error

        return answer

    def run(self, calls: Iterable[Call]) -> Iterator[tuple[int, Any]]:
        """Give `(position of the call, its result)` as they come.

        Raises:
            DatasetError: a process died, for want of memory as a rule.
        """
        if not self._children:
            from cnnlab.datasets.decoding import CALLS

            for index, (name, arguments) in enumerate(calls):
                yield index, CALLS[name](*arguments)
            return
        waiting: queue.SimpleQueue[tuple[int, Call] | None] = queue.SimpleQueue()
        finished: Finished = queue.SimpleQueue()
        count = 0
        for item in enumerate(calls):
            waiting.put(item)
            count += 1
        feeders = [_Feeder(child, waiting, finished) for child in self._children]
        try:
            for _ in range(count):
                index, result = finished.get()
                if isinstance(result, BaseException):
                    raise _died() from result
                yield index, result
        finally:
            # Who stops listening half-way leaves no call behind for the next pass to trip over.
            with contextlib.suppress(queue.Empty):
                while True:
                    waiting.get_nowait()
            for _ in feeders:
                waiting.put(None)
            for feeder in feeders:
                feeder.join()


class _Feeder:
    """Hands one child its calls until there are no more, or until it dies; each answer goes to `finished`.

    One thread writes and one reads: a single one might write a long call while its child writes a long answer.
    """

    def __init__(
        self,
        child: "subprocess.Popen[bytes]",
        waiting: "queue.SimpleQueue[tuple[int, Call] | None]",
        finished: Finished,
    ):
        self._child, self._waiting, self._finished = child, waiting, finished
        self._room = threading.Semaphore(CALLS_AHEAD)
        self._asked: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._threads = [threading.Thread(target=target, daemon=True) for target in (self._ask, self._listen)]
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        assert self._child.stdin is not None
        try:
            while self._room.acquire() and (item := self._waiting.get()) is not None:
                index, call = item
                self._asked.put(index)
                pickle.dump(call, self._child.stdin, protocol=pickle.HIGHEST_PROTOCOL)
                self._child.stdin.flush()
        except (OSError, ValueError):
            pass  # it is dead, as whoever listens to it finds out
        self._asked.put(None)

    def _listen(self) -> None:
        assert self._child.stdout is not None
        while (index := self._asked.get()) is not None:
            try:
                result = pickle.load(self._child.stdout)
            except BROKEN as error:
                result = error
            self._finished.put((index, result))
            self._room.release()


def _died() -> DatasetError:
    return DatasetError(
        "A decoder process ended before its work was done. Nothing was imported. "
        "Free some memory, choose a smaller image size, or import fewer images."
    )


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
