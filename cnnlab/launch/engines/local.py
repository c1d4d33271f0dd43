"""Runs on this machine, each under its own parent, in no need of a server.

Measured: a child started in a session of its own survives SIGTERM, Ctrl-C and SIGKILL of
the dashboard; one without dies with Ctrl-C.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil

import cnnlab
from cnnlab.errors import QueueError
from cnnlab.launch import warm
from cnnlab.launch.engines.base import LAUNCH_VARIABLE, Handle, Launch, Presence, Task
from cnnlab.launch.logs import log_path, log_tail
from cnnlab.launch.parent import default_command, die_with_parent
from cnnlab.processes import ATTEMPT_VARIABLE, RUN_VARIABLE, created_of, is_alive

PACKAGE_ROOT = Path(cnnlab.__file__).resolve().parent.parent

# What the trainer of another run was given and a new run must not inherit.
_PRIVATE = (LAUNCH_VARIABLE, RUN_VARIABLE, ATTEMPT_VARIABLE)
# Windows (not tested): CREATE_BREAKAWAY_FROM_JOB | CREATE_NEW_PROCESS_GROUP | DETACHED_PROCESS.
_WINDOWS_FLAGS = 0x01000208

# Ended children stay zombies until they are asked for, and a dashboard lives for weeks.
_children: list[subprocess.Popen[bytes]] = []
_children_lock = threading.Lock()


class LocalEngine:
    """Starts parents of runs, and chief and workers of studies, as processes of this machine."""

    def submit(self, launch: Launch) -> Handle:
        taken = warm.take(launch, default_command(Path(launch.run_dir)))
        if taken is not None:
            return taken
        arguments = [sys.executable, "-m", "cnnlab.launch.parent", launch.run_dir, str(launch.attempt)]
        environment = {LAUNCH_VARIABLE: launch.to_json()}
        try:
            with open(log_path(Path(launch.run_dir)), "ab") as log:
                process = start_detached(arguments, environment, output=log.fileno())
        except OSError as error:
            raise QueueError(f"Run {Path(launch.run_dir).name!r} could not be started: {error}. Retry it.") from error
        return Handle(process.pid, created_of(process.pid))

    def place(self, task: Task) -> Handle:
        try:
            with open(task.log, "ab") as log:
                # On Linux none outlives its supervisor: a new one starts them anew, and nothing is done twice.
                process = start_detached(list(task.command), {}, output=log.fileno(), dies_with=os.getpid())
        except OSError as error:
            raise QueueError(f"The {task.name} of a study could not be started: {error}. Resume it later.") from error
        return Handle(process.pid, created_of(process.pid))

    def status(self, handle: Handle) -> Presence:
        reap()
        return "alive" if is_alive(handle.pid, handle.created) else "gone"

    def cancel(self, handle: Handle) -> None:
        if os.name != "nt" and is_alive(handle.pid, handle.created):
            with contextlib.suppress(OSError):
                os.kill(handle.pid, signal.SIGTERM)

    def kill(self, handle: Handle) -> None:
        if is_alive(handle.pid, handle.created):
            with contextlib.suppress(psutil.Error):
                psutil.Process(handle.pid).kill()

    def logs(self, run_dir: Path, lines: int = 200) -> str:
        return log_tail(run_dir, lines)


def start_detached(
    arguments: list[str], environment: dict[str, str], output: int, dies_with: int | None = None
) -> subprocess.Popen[bytes]:
    """Start a process that outlives this one, in a session of its own, with this same package on its path.

    Args:
        dies_with: The pid of this process, for one that shall not outlive it after all (on Linux).
    """
    inherited = {key: value for key, value in os.environ.items() if key not in _PRIVATE}
    paths = [str(PACKAGE_ROOT), *filter(None, inherited.get("PYTHONPATH", "").split(os.pathsep))]
    inherited["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(paths))
    reap()
    process = subprocess.Popen(
        arguments,
        env=inherited | environment,
        cwd=PACKAGE_ROOT,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
        preexec_fn=die_with_parent(dies_with) if dies_with is not None else None,
        creationflags=_WINDOWS_FLAGS if os.name == "nt" else 0,
    )
    with _children_lock:
        _children.append(process)
    return process


def reap() -> None:
    """Let children of this process that have ended go."""
    with _children_lock:
        _children[:] = [process for process in _children if process.poll() is None]
