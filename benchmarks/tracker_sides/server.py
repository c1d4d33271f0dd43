"""A tracker's server in a process of its own, on this machine only, and the memory that it takes."""

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.first_run import answers
from benchmarks.tracker_sides.environment import ROOT, Environment, NotMeasurableError
from benchmarks.tracker_sides.side import Side

ENDING_S = 10.0


@dataclass(frozen=True)
class Server:
    """A server that answers.

    Attributes:
        start_s: From the start of its process to its first answer.
    """

    address: str
    start_s: float
    process: psutil.Process

    @property
    def memory_bytes(self) -> int:
        """Resident memory of its process and all that it started; what they share is counted for each."""
        total = 0
        for one in [self.process, *self.process.children(recursive=True)]:
            with contextlib.suppress(psutil.Error):
                total += one.memory_info().rss
        return total


@contextlib.contextmanager
def serving(side: Side, environment: Environment, store: Path, patience_s: float) -> Iterator[Server]:
    """Start the server of a tracker, and end it with all that it started.

    Raises:
        NotMeasurableError: it ends by itself, or does not answer in time.
    """
    port = free_port()
    command = side.command(environment.scripts, store, port)
    variables = {**os.environ, **side.environment(store)}
    begin = time.perf_counter()
    # In the store's folder, where MLflow looks for what it keeps beside; our own server needs the project.
    place = store if side.requirement else ROOT
    with open(store.parent / "server.log", "w", encoding="utf-8") as log:
        process = psutil.Popen(command, cwd=place, env=variables, stdout=log, stderr=subprocess.STDOUT)
        try:
            address = f"http://127.0.0.1:{port}"
            _wait(process, address + side.health, begin + patience_s)
            yield Server(address, time.perf_counter() - begin, process)
        finally:
            _end(process)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(process: psutil.Popen, address: str, deadline: float) -> None:
    while not answers(address):
        if process.poll() is not None:
            raise NotMeasurableError("its server ends by itself; server.log beside the store says why")
        if time.perf_counter() > deadline:
            raise NotMeasurableError("its server does not answer in time")
        time.sleep(0.02)


def _end(process: psutil.Popen) -> None:
    family: list[psutil.Process] = [process]
    with contextlib.suppress(psutil.Error):
        family = [*process.children(recursive=True), process]
    for one in family:
        with contextlib.suppress(psutil.Error):
            one.terminate()
    for one in psutil.wait_procs(family, timeout=ENDING_S)[1]:
        with contextlib.suppress(psutil.Error):
            one.kill()
    psutil.wait_procs(family, timeout=ENDING_S)
