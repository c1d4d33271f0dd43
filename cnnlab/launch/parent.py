"""The parent of one attempt of a run: starts the trainer, watches it, writes how it ended.

`python -m cnnlab.launch.parent RUN_DIR ATTEMPT`. It needs no queue and no dashboard, and
dies alone: on Linux the kernel kills the trainer with it, and the next reader records the
loss (`cnnlab.runs.status.settle`). Standard library and psutil only, for one waits per run.
"""

import contextlib
import ctypes
import json
import os
import select
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import FrameType

from cnnlab import processes
from cnnlab.launch import failures, logs
from cnnlab.launch.engines.base import LAUNCH_VARIABLE, Launch
from cnnlab.processes import ATTEMPT_VARIABLE, RUN_VARIABLE
from cnnlab.runs.lines import append_lines
from cnnlab.runs.status import (
    EXIT_PAUSED,
    HEARTBEAT_S,
    RunStatus,
    failure,
    now,
    read_status,
    wants_cancel,
    wants_pause,
    write_status,
)

POLL_S = 0.1
GRACE_S = 0.2
KILL_S = 5.0
# On a full disk the last word is tried again: space may come back.
LAST_WORD_S = 600.0

NOT_MINE = 3

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_IS_LINUX = sys.platform.startswith("linux")
_libc = ctypes.CDLL(None, use_errno=True) if _IS_LINUX else None


def main(arguments: list[str] | None = None) -> int:
    """Run one attempt and return the trainer's exit code.

    It is 128 + its number for a signal, and 3 where the attempt is not ours to start.
    """
    given = sys.argv[1:] if arguments is None else arguments
    run_dir, attempt = Path(given[0]).resolve(), int(given[1])
    orders = os.environ.pop(LAUNCH_VARIABLE, None)  # gone before anything inherits it
    launch = Launch.from_json(orders) if orders else Launch(str(run_dir), attempt, default_command(run_dir))
    return carry_out(launch, Supervisor)


def carry_out(launch: Launch, supervisor: Callable[[Path, int, Launch], "Supervisor"]) -> int:
    """Run the attempt of a launch; see `main`."""
    run_dir = Path(launch.run_dir)
    if not _confirm(launch) or not _claim(run_dir, launch.attempt):
        return NOT_MINE
    status = supervisor(run_dir, launch.attempt, launch).run()
    _move_queue_on(launch, run_dir)
    if status.state in ("completed", "paused"):
        return 0
    return status.exit_code or 128 + signal.Signals.__members__.get(status.signal or "", signal.SIGTERM)


def default_command(run_dir: Path) -> tuple[str, ...]:
    """Return the command line that trains the run of this folder."""
    return (sys.executable, "-m", "cnnlab.worker", str(run_dir))


def _confirm(launch: Launch) -> bool:
    """Take over the reservation, unless it expired and belongs to another start by now."""
    if not launch.queue:
        return True
    try:
        address = f"{Path(launch.queue).as_uri()}?mode=rw"
        with contextlib.closing(sqlite3.connect(address, uri=True, timeout=30.0)) as connection, connection:
            taken = connection.execute(
                "UPDATE jobs SET state = 'running', pid = ?, pid_created = ? WHERE run_dir = ? AND token = ?",
                (os.getpid(), processes.created_of(os.getpid()), launch.run_dir, launch.token),
            )
            return taken.rowcount == 1
    except sqlite3.Error:  # a full disk, a queue that is gone: the claim alone decides
        return True


def _claim(run_dir: Path, attempt: int) -> bool:
    """Make this process the only one that ever starts this attempt, whatever an engine does."""
    try:
        with open(run_dir / f"attempt-{attempt}.claim", "x", encoding="utf-8") as file:
            json.dump(_identity() | {"started_at": now()}, file)
    except FileExistsError:
        return False
    return True


def _identity() -> dict[str, str | int | float | None]:
    return {
        "host": processes.host_name(),
        "process_space": processes.process_space(),
        "pid": os.getpid(),
        "pid_created": processes.created_of(os.getpid()),
    }


class Supervisor:
    """Watches one trainer from its start to the end of the last process it left behind."""

    def __init__(self, run_dir: Path, attempt: int, launch: Launch):
        self.run_dir = run_dir
        self.attempt = attempt
        self.launch = launch
        self.asked: str | None = None
        self.child: subprocess.Popen[bytes] | None = None
        queued_at = read_status(run_dir).queued_at
        self.status = RunStatus(
            state="running",
            attempt=attempt,
            queued_at=queued_at,
            started_at=now(),
            slot=launch.slots,
            **_identity(),  # type: ignore[arg-type]
        )

    def run(self) -> RunStatus:
        """Start the trainer, wait for its end and return how it went."""
        if wants_cancel(self.run_dir):
            return self._end(replace(self.status, state="cancelled", ended_at=now()))
        if wants_pause(self.run_dir):
            return self._end(replace(self.status, state="paused", ended_at=now()))
        ooms = failures.oom_kills()
        with _wakened_by_signals(self._ask) as wait:
            self._beat()
            write_status(self.run_dir, self.status)
            try:
                self.child = self._start()
            except OSError as error:
                said = failure("not_started", f"The training could not be started: {error}.")
                return self._end(replace(self.status, state="failed", ended_at=now(), failure=said))
            created = processes.created_of(self.child.pid)
            self.status = replace(self.status, child_pid=self.child.pid, child_created=created)
            write_status(self.run_dir, self.status)
            self._journal("started", attempt=self.attempt, slot=list(self.launch.slots))
            was_cancelled = self._watch(self.child, wait)
            self._kill_rest(self.child)
            return self._end(self._verdict(self.child.returncode, was_cancelled, failures.oom_kills() > ooms))

    def _start(self) -> subprocess.Popen[bytes]:
        become_subreaper()
        with open(logs.log_path(self.run_dir), "ab") as log:
            return subprocess.Popen(
                self.launch.command,
                env=os.environ | marks(self.run_dir, self.attempt) | dict(self.launch.environment),
                cwd=self.run_dir,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent(os.getpid()),
                creationflags=0x200 if os.name == "nt" else 0,  # CREATE_NEW_PROCESS_GROUP
            )

    def _watch(self, child: subprocess.Popen[bytes], wait: Callable[[float], None]) -> bool:
        """Wait for the end of the trainer, or end it; return whether it was cancelled."""
        next_beat = 0.0
        while not self._has_ended(child):
            if self.asked or wants_cancel(self.run_dir) or not self.run_dir.exists():
                was_cancelled = wants_cancel(self.run_dir) or self.asked == "SIGINT"
                self._stop(child)
                return was_cancelled
            if time.monotonic() >= next_beat:
                self._beat()
                logs.rotate(self.run_dir)
                next_beat = time.monotonic() + HEARTBEAT_S
            wait(POLL_S)
        return False

    def _has_ended(self, child: subprocess.Popen[bytes]) -> bool:
        """Reap every child, adopted ones included, and return whether the trainer is among the ended."""
        if os.name == "nt":
            return child.poll() is not None
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == child.pid:
                    child.returncode = os.waitstatus_to_exitcode(ended[1])
        return child.returncode is not None

    def _stop(self, child: subprocess.Popen[bytes]) -> None:
        processes.kill_group(child.pid, signal.SIGTERM)
        deadline = time.monotonic() + GRACE_S
        while not self._has_ended(child) and time.monotonic() < deadline:
            time.sleep(0.01)

    def _kill_rest(self, child: subprocess.Popen[bytes]) -> None:
        """Kill what the trainer started and left, and the trainer itself where it would not go."""
        deadline = time.monotonic() + KILL_S
        while not (self._has_ended(child) and _is_childless()) and time.monotonic() < deadline:
            if os.name != "nt" and child.returncode is None:
                processes.kill_group(child.pid, signal.SIGKILL)
            processes.kill_descendants()
            time.sleep(0.005)
        if not _IS_LINUX:  # nobody adopts orphans for us there
            processes.kill_marked(str(self.run_dir), self.attempt)

    def _verdict(self, return_code: int | None, was_cancelled: bool, was_oom_killed: bool) -> RunStatus:
        name = failures.signal_of(return_code) if return_code is not None else None
        exit_code = return_code if name is None else None
        ended = replace(self.status, ended_at=now(), exit_code=exit_code, signal=name)
        if was_cancelled:
            return replace(ended, state="cancelled")
        if self.asked:
            text = f"The process that watches over the training was told to end ({self.asked}), as at a shutdown."
            return replace(ended, state="failed", failure=failure("killed", text))
        if return_code == EXIT_PAUSED and not (self.run_dir / "failure.json").exists():
            return replace(ended, state="paused")
        if return_code == 0 and not (self.run_dir / "failure.json").exists():
            return replace(ended, state="completed")
        return replace(ended, state="failed", failure=failures.explain(self.run_dir, exit_code, name, was_oom_killed))

    def _end(self, status: RunStatus) -> RunStatus:
        """Write the last word, patiently where the disk is full, and not at all where the folder is gone."""
        deadline = time.monotonic() + LAST_WORD_S
        while self.run_dir.exists() and time.monotonic() < deadline:
            try:
                write_status(self.run_dir, status)
                break
            except OSError:
                self._beat()
                time.sleep(HEARTBEAT_S)
        said = {"reason": status.failure["kind"]} if status.failure else {}
        self._journal(status.state, attempt=self.attempt, **said)
        self.status = status
        return status

    def _ask(self, number: int) -> None:
        self.asked = signal.Signals(number).name

    def _beat(self) -> None:
        with contextlib.suppress(OSError):
            (self.run_dir / "heartbeat").touch()

    def _journal(self, event: str, **fields: object) -> None:
        with contextlib.suppress(OSError):
            append_lines(self.run_dir / "events.jsonl", [{"time": now(), "event": event, **fields}])


def marks(run_dir: Path, attempt: int) -> dict[str, str]:
    """Return the variables by which everything that a trainer starts is known."""
    return {RUN_VARIABLE: str(run_dir), ATTEMPT_VARIABLE: str(attempt), "PYTHONUNBUFFERED": "1"}


def become_subreaper() -> None:
    """Let what the trainer orphans become a child of this process, which finds it at the end."""
    if _libc is not None:
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def die_with_parent(parent: int) -> Callable[[], None] | None:
    """Return what a child has to do before it runs, so that it never outlives `parent`; None where it cannot be."""
    if not _IS_LINUX:
        return None

    def prepare() -> None:
        assert _libc is not None
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it died before the kernel knew
            os._exit(1)

    return prepare


def _is_childless() -> bool:
    """Return whether nothing is left to wait for; on Linux that includes adopted orphans."""
    if os.name == "nt":
        return not processes.descendants()
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return True
    return False


@contextlib.contextmanager
def _wakened_by_signals(ask: Callable[[int], None]) -> Iterator[Callable[[float], None]]:
    """Give a wait that ends early when a child ends or somebody signals this process."""
    if os.name == "nt":
        yield time.sleep
        return

    def heard(number: int, _frame: FrameType | None) -> None:
        if number != signal.SIGCHLD:
            ask(number)

    reader, writer = os.pipe()
    for end in (reader, writer):
        os.set_blocking(end, False)
    before = {number: signal.signal(number, heard) for number in _HEARD}
    wakeup_before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)

    def wait(seconds: float) -> None:
        if select.select([reader], [], [], seconds)[0]:
            with contextlib.suppress(BlockingIOError):
                os.read(reader, 4096)

    try:
        yield wait
    finally:
        signal.set_wakeup_fd(wakeup_before)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(reader)
        os.close(writer)


_HEARD = () if os.name == "nt" else (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def _move_queue_on(launch: Launch, run_dir: Path) -> None:
    """Start what waits for the slot that is free now, whether or not a dashboard is open."""
    if not launch.queue or not os.path.exists(launch.queue):
        return
    try:
        from cnnlab.launch.queue import Queue

        Queue(Path(launch.queue)).tick()
    except Exception as error:  # the run is over and well; the next look at the queue tries again
        with contextlib.suppress(OSError):
            append_lines(run_dir / "events.jsonl", [{"time": now(), "event": "queue_error", "message": str(error)}])


if __name__ == "__main__":
    sys.exit(main())
