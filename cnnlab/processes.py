"""Which process is which, and how a whole tree of them ends.

Never a pid alone, since pids are reused: a process is known by its pid and the time of its
creation. A zombie counts as ended. Standard library and psutil only.
"""

import contextlib
import os
import signal
import sys
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil

# What a trainer and all it starts carry in their environment, so that none is overlooked.
RUN_VARIABLE = "CNNLAB_RUN"
ATTEMPT_VARIABLE = "CNNLAB_ATTEMPT"

_IS_LINUX = sys.platform.startswith("linux")


@cache
def host_name() -> str:
    """Return the name of this machine."""
    if hasattr(os, "uname"):
        return os.uname().nodename
    import socket

    return socket.gethostname()


@cache
def process_space() -> str:
    """Return what tells this boot, and this container, from others: pids mean something only within it.

    Containers may share a host name, and after a reboot pids and times since boot begin anew.
    """
    if not _IS_LINUX:
        return host_name()
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return host_name()


def created_of(pid: int) -> float | None:
    """Return when process `pid` was created, None where there is none or it is a zombie.

    On Linux in seconds since boot as the kernel keeps them. psutil adds the boot time, which
    moves when the clock is set, and a set clock must not turn running trainers into lost ones.
    """
    if _IS_LINUX:
        return _created_on_linux(pid)
    import psutil  # here and below late: a parent starts 20 ms sooner without it

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.Error:
        return None


def _created_on_linux(pid: int) -> float | None:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()  # the name before it may hold blanks and brackets
        return None if fields[0] in (b"Z", b"X") else int(fields[19]) / os.sysconf("SC_CLK_TCK")
    except (OSError, IndexError, ValueError):
        return None


def is_alive(pid: int | None, created: float | None) -> bool:
    """Return whether the process `pid` that was created at `created` (as of `created_of`) still runs.

    With `created` None any living process of that pid counts.
    """
    if pid is None or pid <= 0:
        return False
    now = created_of(pid)
    if now is None or created is None:
        return now is not None
    return abs(now - created) < (0.02 if _IS_LINUX else 1.0)


def kill_group(pid: int, signal_number: int) -> None:
    """Signal the process group that `pid` leads; on Windows, which has none, the process itself."""
    with contextlib.suppress(OSError):
        if os.name == "nt":
            os.kill(pid, signal.SIGTERM)
        else:
            os.killpg(pid, signal_number)


def descendants() -> "list[psutil.Process]":
    """Return everything that this process started or adopted."""
    import psutil

    return psutil.Process().children(recursive=True)


def kill_descendants() -> None:
    """Kill everything that this process started or adopted; zombies stay until they are reaped."""
    import psutil

    for process in descendants():
        with contextlib.suppress(psutil.Error):
            process.kill()


def kill_marked(run: str, attempt: int, *, timeout_s: float = 5.0) -> None:
    """Kill every process of this user that carries the mark of this attempt, until none is left.

    For trees whose root is gone: orphans are found by the environment they inherited.
    """
    import psutil

    deadline = time.monotonic() + timeout_s
    while (found := _marked(run, attempt)) and time.monotonic() < deadline:
        for process in found:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(found, timeout=0.2)


def _marked(run: str, attempt: int) -> "list[psutil.Process]":
    import psutil

    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
                continue
            variables = process.environ()
            if variables.get(RUN_VARIABLE) == run and variables.get(ATTEMPT_VARIABLE) == str(attempt):
                found.append(process)
    return found
