"""The inspector's process as its asker sees it, and the pipes to it."""

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import cnnlab

MOST_LOG_BYTES = 1_000_000


class Child:
    """One process of the inspector and its pipes."""

    def __init__(self, store_root: Path, log: Path, idle_s: float, backend: str):
        log.parent.mkdir(parents=True, exist_ok=True)
        mode = "wb" if log.exists() and log.stat().st_size > MOST_LOG_BYTES else "ab"
        with open(log, mode) as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cnnlab.inspector.server", str(store_root), str(idle_s)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                env=environment(backend),
                start_new_session=True,  # Ctrl-C is the dashboard's; the closing pipe ends the child
            )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._questions: IO[bytes] = self.process.stdin
        self._replies: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._last = 0
        reader = threading.Thread(target=_read, args=(self.process.stdout, self._replies), daemon=True)
        reader.start()

    @property
    def is_alive(self) -> bool:
        return self.process.poll() is None

    def send(self, kind: str, arguments: Mapping[str, Any]) -> int:
        self._last += 1
        line = json.dumps({"number": self._last, "kind": kind, "arguments": dict(arguments)}, default=str)
        self._questions.write(line.encode() + b"\n")
        self._questions.flush()
        return self._last

    def receive(self, number: int, deadline: float) -> dict[str, Any]:
        """Return the reply of that number, passing over what nobody waited for."""
        while True:
            try:
                reply = self._replies.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise TimeoutError from None
            if reply is None:
                raise EOFError
            if reply["number"] == number:
                return reply


def environment(backend: str) -> dict[str, str]:
    """Return the environment of a process that runs Keras on `backend` and leaves GPUs alone."""
    package_parent = str(Path(cnnlab.__file__).resolve().parents[1])
    paths = [package_parent, os.environ.get("PYTHONPATH", "")]
    return os.environ | {
        "CUDA_VISIBLE_DEVICES": "",
        "KERAS_BACKEND": backend,
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
        "PYTHONUNBUFFERED": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        # Training runs beside it need the cores more.
        "TF_NUM_INTEROP_THREADS": "1",
        "TF_NUM_INTRAOP_THREADS": "2",
    }


def _read(pipe: IO[bytes], replies: "queue.SimpleQueue[dict[str, Any] | None]") -> None:
    with pipe, contextlib.suppress(ValueError, OSError):
        for line in pipe:
            replies.put(json.loads(line))
    replies.put(None)


def end_process(process: "subprocess.Popen[bytes]") -> None:
    """End it at once."""
    process.kill()  # it holds nothing that could be lost
    process.wait()
    with contextlib.suppress(OSError):
        if process.stdin is not None:
            process.stdin.close()


def exit_code(process: "subprocess.Popen[bytes]") -> int:
    """Return the exit code of a process that closed its pipe."""
    try:
        return process.wait(timeout=5)
    except subprocess.TimeoutExpired:  # its pipe is closed and it is not: it will not recover
        process.kill()
        return process.wait()
