"""The parent of a trainer that waits for a run, and then of that run.

`python -m cnnlab.launch.waiting ORDERS`, with the orders as JSON: `queue`, `trainer` (its command line)
and `environment`; see `cnnlab.launch.warm`. It leaves by itself: when it was not needed for a quarter of an
hour, when its row or the queue is gone, when memory is short, when its trainer died.
"""

import contextlib
import json
import os
import select
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from cnnlab import processes
from cnnlab.launch import logs, warm
from cnnlab.launch.engines.base import Launch
from cnnlab.launch.parent import Supervisor, become_subreaper, carry_out, die_with_parent, marks

LOOK_S = 1.0
# Between its row being taken and the launch coming in there is one write.
TAKEN_S = 10.0


def main(arguments: list[str] | None = None) -> int:
    """Wait for a launch and carry it out; return its exit code, 0 where none came."""
    orders: dict[str, Any] = json.loads((sys.argv[1:] if arguments is None else arguments)[0])
    queue = Path(orders["queue"])
    signal.signal(signal.SIGTERM, _leave)
    with _ear(queue) as ear:
        trainer = _start(orders["trainer"], orders["environment"], queue)
        launch = None
        try:
            launch = _wait(ear, trainer, queue)
        finally:
            if launch is None:
                _sign_off(queue)
                processes.kill_group(trainer.pid, signal.SIGKILL)
                trainer.wait()
    if launch is None:
        return 0
    code = carry_out(launch, lambda *about: _Taking(*about, trainer=trainer))
    _next(queue, launch, orders["trainer"])
    return code


@contextlib.contextmanager
def _ear(queue: Path) -> Iterator[int]:
    """Give what a launch is heard by, as long as one is waited for."""
    fifo = warm.fifo_of(queue, os.getpid())
    fifo.unlink(missing_ok=True)
    os.mkfifo(fifo, 0o600)
    try:
        end = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)  # for writing too: without a writer it would be at its end
        try:
            yield end
        finally:
            os.close(end)
    finally:
        fifo.unlink(missing_ok=True)


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def _start(command: Sequence[str], environment: Mapping[str, str], queue: Path) -> "subprocess.Popen[bytes]":
    become_subreaper()
    with open(queue.with_name(f"{queue.name}.waiting.log"), "wb") as log:  # until it has a run, whose log it takes
        return subprocess.Popen(
            command,
            env=os.environ | {"PYTHONUNBUFFERED": "1"} | dict(environment),
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent(os.getpid()),
        )


def _wait(ear: int, trainer: "subprocess.Popen[bytes]", queue: Path) -> Launch | None:
    """Return the launch that came, None where it is time to leave."""
    heard, until, taken_at = b"", time.monotonic() + warm.IDLE_S, None
    while trainer.poll() is None and time.monotonic() < until:
        if select.select([ear], [], [], LOOK_S)[0]:
            with contextlib.suppress(BlockingIOError):
                heard += os.read(ear, 1 << 16)
            if heard.endswith(b"\n"):
                return Launch.from_json(heard.decode())
            continue
        if _has_row(queue):
            taken_at = None
        elif taken_at is None:
            taken_at = time.monotonic()
        elif time.monotonic() - taken_at > TAKEN_S:
            return None
        if not queue.exists() or warm.is_short_of_memory():
            return None
    return None


def _has_row(queue: Path) -> bool:
    try:
        with contextlib.closing(_connected(queue)) as connection:
            return connection.execute("SELECT 1 FROM waiting WHERE pid = ?", (os.getpid(),)).fetchone() is not None
    except sqlite3.Error:
        return True  # busy: the next look tells


def _sign_off(queue: Path) -> None:
    with contextlib.suppress(sqlite3.Error), contextlib.closing(_connected(queue)) as connection, connection:
        connection.execute("DELETE FROM waiting WHERE pid = ?", (os.getpid(),))


def _connected(queue: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{queue.as_uri()}?mode=rw", uri=True, timeout=30.0)


class _Taking(Supervisor):
    """Watches a trainer that is there already."""

    def __init__(self, run_dir: Path, attempt: int, launch: Launch, *, trainer: "subprocess.Popen[bytes]"):
        super().__init__(run_dir, attempt, launch)
        self._trainer = trainer

    def _start(self) -> "subprocess.Popen[bytes]":
        order = {
            "run_dir": str(self.run_dir),
            "log": str(logs.log_path(self.run_dir)),
            "environment": {**marks(self.run_dir, self.attempt), **self.launch.environment},
        }
        assert self._trainer.stdin is not None
        try:
            logs.log_path(self.run_dir).touch()
            with self._trainer.stdin as pipe:
                pipe.write(json.dumps(order).encode() + b"\n")
        except OSError:  # it died a moment ago: cold, then
            return super()._start()
        self._journal("taken", pid=self._trainer.pid)
        return self._trainer


def _next(queue: Path, launch: Launch, trainer: Sequence[str]) -> None:
    """Start another one: who had one will likely want one again."""
    from cnnlab.launch.database import Database

    if not queue.exists():  # opening it would make it anew
        return
    with contextlib.suppress(Exception):  # the run is over and well
        database = Database(queue)
        warm.ensure(database, warm.backend_of(Path(launch.run_dir)), trainer=trainer)
        database.close()


if __name__ == "__main__":
    sys.exit(main())
