"""Ask the inspector: a Keras process without GPU that starts on demand and stays warm.

The process is this one's child and talks JSON lines through its pipes, so it ends with it,
however it ends, and after some minutes without a question. One that died or hung is replaced at
the next question. What it prints is in `<store>/cache/inspector/log.txt`. Imports no Keras.
"""

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import cnnlab
from cnnlab import errors
from cnnlab.errors import CNNLabError
from cnnlab.inspector.answers import Answers

IDLE_S = 600.0
MOST_LOG_BYTES = 1_000_000


class InspectorError(CNNLabError):
    """The inspector died, hung or met a fault of its own; the next question starts it again."""


class Inspector:
    """The inspector of one store; any thread may ask, questions are answered one after the other."""

    def __init__(self, store_root: Path | str, *, idle_s: float = IDLE_S):
        self.store_root = Path(store_root).absolute()
        self.folder = self.store_root / "cache" / "inspector"
        self.log = self.folder / "log.txt"
        self._answers = Answers(self.folder / "answers")
        self._idle_s = idle_s
        self._lock = threading.Lock()
        self._child: _Child | None = None

    @property
    def pid(self) -> int | None:
        """The process that answers, None while there is none."""
        child = self._child
        return child.process.pid if child and child.is_alive else None

    def ask(self, kind: str, timeout_s: float = 60.0, **arguments: Any) -> Any:
        """Return the answer to one question (`cnnlab.inspector.questions` has the kinds).

        Raises:
            InspectorError: no answer came in `timeout_s`, or the process died over it.
            CNNLabError: what the answering code raised, of the same class and with the same text.
        """
        arguments = _what_matters(kind, arguments)
        kept = self._answers.read(kind, arguments)
        if kept is not None:
            return kept
        deadline = time.monotonic() + timeout_s
        if not self._lock.acquire(timeout=timeout_s):
            raise InspectorError(
                f"The inspector is busy and did not get to {kind!r} within {timeout_s:g} s. Ask again in a moment."
            )
        try:
            reply = self._exchange(kind, arguments, deadline, timeout_s)
        finally:
            self._lock.release()
        if "error" in reply:
            raise _rebuilt(reply["error"])
        if reply["keep"]:
            self._answers.write(kind, arguments, reply["value"])
        return reply["value"]

    def warm(self) -> None:
        """Start the process and let it load Keras, without waiting for either."""
        if self._lock.acquire(blocking=False):  # whoever holds it is starting it already
            try:
                if self.pid is None:
                    with contextlib.suppress(OSError):
                        self._started().send("warm", {})
            finally:
                self._lock.release()

    def close(self) -> None:
        """End the process; the next question starts another."""
        with self._lock:
            self._end()

    def _exchange(self, kind: str, arguments: Mapping[str, Any], deadline: float, timeout_s: float) -> dict[str, Any]:
        for _ in range(2):
            child = self._started()
            try:
                number = child.send(kind, arguments)
                return child.receive(number, deadline)
            except TimeoutError:
                self._end()
                raise InspectorError(
                    f"The inspector gave no answer to {kind!r} within {timeout_s:g} s and was stopped. "
                    f"Ask again, or for something smaller. Its log is {self.log}."
                ) from None
            except (EOFError, OSError):
                code = _exit_code(child.process)
                self._end()
                if code != 0:  # 0: it was leaving, idle or grown too large, as the question came
                    break
        raise InspectorError(
            f"The inspector died over {kind!r} ({_cause(code)}). Ask again; if it dies again, see {self.log}."
        )

    def _started(self) -> "_Child":
        if self._child is None or not self._child.is_alive:
            self._end()
            self._child = _Child(self.store_root, self.log, self._idle_s)
            # Not a method of ours: that would keep this object alive.
            weakref.finalize(self, _end_process, self._child.process)
        return self._child

    def _end(self) -> None:
        if self._child is not None:
            _end_process(self._child.process)
            self._child = None


class _Child:
    """One process of the inspector and its pipes."""

    def __init__(self, store_root: Path, log: Path, idle_s: float):
        log.parent.mkdir(parents=True, exist_ok=True)
        mode = "wb" if log.exists() and log.stat().st_size > MOST_LOG_BYTES else "ab"
        with open(log, mode) as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cnnlab.inspector.server", str(store_root), str(idle_s)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                env=_environment(),
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


_shared: dict[Path, Inspector] = {}
_shared_lock = threading.Lock()


def shared_inspector(store_root: Path | str) -> Inspector:
    """Return this process's only inspector of a store."""
    root = Path(store_root).absolute()
    with _shared_lock:
        return _shared.setdefault(root, Inspector(root))


def _environment() -> dict[str, str]:
    package_parent = str(Path(cnnlab.__file__).resolve().parents[1])
    paths = [package_parent, os.environ.get("PYTHONPATH", "")]
    return os.environ | {
        "CUDA_VISIBLE_DEVICES": "",
        "KERAS_BACKEND": "tensorflow",
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


def _end_process(process: "subprocess.Popen[bytes]") -> None:
    process.kill()  # it holds nothing that could be lost
    process.wait()
    with contextlib.suppress(OSError):
        if process.stdin is not None:
            process.stdin.close()


def _exit_code(process: "subprocess.Popen[bytes]") -> int:
    try:
        return process.wait(timeout=5)
    except subprocess.TimeoutExpired:  # its pipe is closed and it is not: it will not recover
        process.kill()
        return process.wait()


def _what_matters(kind: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what cannot change the answer, so that a new name or seed finds the kept one."""
    if kind == "costs" and isinstance(arguments.get("config"), Mapping):
        config = {name: part for name, part in arguments["config"].items() if name in ("data", "architecture")}
        return {**arguments, "config": config}
    return dict(arguments)


def _rebuilt(error: Mapping[str, str]) -> CNNLabError:
    kind = InspectorError if error["class"] == "InspectorError" else getattr(errors, error["class"], CNNLabError)
    # Some classes make their sentence from parts; here it is made already.
    rebuilt = kind.__new__(kind)
    rebuilt.args = (error["message"],)
    return rebuilt


def _cause(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
