"""A queue with real processes: tiny trainers, real parents, deadlines in place of sleeps."""

import contextlib
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from cnnlab.launch.engines.local import PACKAGE_ROOT
from cnnlab.launch.queue import Queue
from cnnlab.runs.status import RunStatus, read_status

DEADLINE_S = 40.0


class Lab:
    """Runs, a queue and what they started, in one folder."""

    def __init__(self, root: Path):
        self.root = root
        self.path = root / "queue.sqlite"
        self._queues: list[Queue] = []

    def queue(self, code: str = "", **keywords: object) -> Queue:
        """Return a queue whose trainers run `code`, which finds its run folder in `run`."""
        queue = Queue(self.path, command=self.command(code), **keywords)  # type: ignore[arg-type]
        self._queues.append(queue)
        return queue

    def command(self, code: str) -> list[str]:
        script = self.root / f"trainer-{abs(hash(code))}.py"
        head = "import os, pathlib, signal, sys, time\nrun = pathlib.Path(sys.argv[1])\n"
        script.write_text(head + textwrap.dedent(code), encoding="utf-8")
        return [sys.executable, "-S", "-E", str(script)]

    def run(self, name: str = "one") -> Path:
        folder = self.root / "store" / "runs" / name
        folder.mkdir(parents=True)
        return folder

    def runs(self, *names: str) -> list[Path]:
        return [self.run(name) for name in names]

    def wait(self, condition: Callable[[], object], what: str = "") -> None:
        deadline = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < deadline, f"waited {DEADLINE_S} s in vain for {what or condition}: {self.state()}"
            time.sleep(0.01)

    def wait_for(self, run_dir: Path, *states: str) -> RunStatus:
        self.wait(lambda: read_status(run_dir).state in states, f"{run_dir.name} to be {states}")
        return read_status(run_dir)

    def wait_for_file(self, path: Path) -> str:
        self.wait(lambda: path.exists() and path.read_text(), f"{path.name}")
        return path.read_text()

    def state(self) -> str:
        folders = sorted((self.root / "store" / "runs").iterdir())
        logs = ((folder / "log.txt") for folder in folders)
        return "\n".join(
            f"{folder.name} {read_status(folder)} {log.read_text()[-2000:] if log.exists() else ''}"
            for folder, log in zip(folders, logs, strict=True)
        )

    def python(self, code: str, **keywords: object) -> subprocess.Popen[bytes]:
        """Start another process that uses the same queue, as a dashboard or a terminal would."""
        head = (
            "import os, sys, time\nfrom pathlib import Path\nfrom cnnlab.launch.queue import Queue\n"
            f"root = Path({str(self.root)!r})\nruns = root / 'store' / 'runs'\n"
        )
        environment = os.environ | {"PYTHONPATH": str(PACKAGE_ROOT)}
        return subprocess.Popen(
            [sys.executable, "-c", head + textwrap.dedent(code), str(self.root)],
            env=environment,
            **keywords,  # type: ignore[call-overload]
        )

    def close(self) -> None:
        for queue in self._queues:
            queue.close()
        end_processes_of(self.root)


def processes_of(root: Path) -> list[psutil.Process]:
    """Return what runs for this test: its folder is in the command line."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.pid != os.getpid() and any(str(root) in part for part in process.cmdline()):
                found.append(process)
    return found


def end_processes_of(root: Path) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while (left := processes_of(root)) and time.monotonic() < deadline:
        for process in left:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(left, timeout=0.05)


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """An own queue with one slot on the CPU."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    monkeypatch.setenv("CNNLAB_SLOTS", "1")
    made = Lab(tmp_path)
    yield made
    made.close()
