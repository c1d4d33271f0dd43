"""Ask the inspector: a Keras process without GPU that starts on demand and stays warm.

The process is this one's child and talks JSON lines through its pipes, so it ends with it,
however it ends, and after some minutes without a question. One that died or hung is replaced at
the next question. Questions that calculate with images or weights have a second one. What they
print is in `<store>/cache/inspector/log.txt`. Imports no Keras.
"""

import contextlib
import hashlib
import threading
import time
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cnnlab import errors
from cnnlab.errors import CNNLabError
from cnnlab.inspector.answers import Answers
from cnnlab.inspector.process import Child, end_process, exit_code
from cnnlab.inspector.uploads import uploaded

IDLE_S = 600.0
# With NumPy Keras puts networks together in 0.6 of the time that it takes with TensorFlow, and 0.4 of the memory.
FOR_NETWORKS, FOR_TENSORS = "numpy", "tensorflow"
CALCULATED = ("preview", "filters", "inspect_file", "attribution")
UNKEYED = ("file", "title")  # of an upload: its SHA-256 says what it is


class InspectorError(CNNLabError):
    """The inspector died, hung or met a fault of its own; the next question starts it again."""


class Inspector:
    """The inspector of one store; any thread may ask, questions are answered one after the other."""

    def __init__(self, store_root: Path | str, *, idle_s: float = IDLE_S, backend: str = FOR_NETWORKS):
        self.store_root = Path(store_root).absolute()
        self.folder = self.store_root / "cache" / "inspector"
        self.log = self.folder / "log.txt"
        self._answers = Answers(self.folder / "answers")
        self._idle_s = idle_s
        self._lock = threading.Lock()
        self._child: Child | None = None
        self._backend = backend
        # Started by the first question that calculates; pages about networks alone do without.
        self._calculating = (
            Inspector(store_root, idle_s=idle_s, backend=FOR_TENSORS) if backend != FOR_TENSORS else None
        )

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
        if self._calculating is not None and kind in CALCULATED:
            return self._calculating.ask(kind, timeout_s, **arguments)
        arguments = _what_matters(kind, arguments)
        key = {name: value for name, value in arguments.items() if name not in UNKEYED}
        kept = self._answers.read(kind, key)
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
            self._answers.write(kind, key, reply["value"])
        return reply["value"]

    def ask_about_file(self, content: bytes, title: str, timeout_s: float = 60.0, **arguments: Any) -> Any:
        """Return the answer to `inspect_file` about the content of a `.keras` file; see `ask`."""
        arguments = {**arguments, "title": title, "sha256": hashlib.sha256(content).hexdigest()}
        with uploaded(self.store_root, content, ".keras") as file:
            return self.ask("inspect_file", timeout_s, file=file, **arguments)

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
        """End what runs; the next question starts another."""
        with self._lock:
            self._end()
        if self._calculating is not None:
            self._calculating.close()

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
                code = exit_code(child.process)
                self._end()
                if code != 0:  # 0: it was leaving, idle or grown too large, as the question came
                    break
        raise InspectorError(
            f"The inspector died over {kind!r} ({_cause(code)}). Ask again; if it dies again, see {self.log}."
        )

    def _started(self) -> Child:
        if self._child is None or not self._child.is_alive:
            self._end()
            self._child = Child(self.store_root, self.log, self._idle_s, self._backend)
            # Not a method of ours: that would keep this object alive.
            weakref.finalize(self, end_process, self._child.process)
        return self._child

    def _end(self) -> None:
        if self._child is not None:
            end_process(self._child.process)
            self._child = None


_shared: dict[Path, Inspector] = {}
_shared_lock = threading.Lock()


def shared_inspector(store_root: Path | str) -> Inspector:
    """Return this process's only inspector of a store."""
    root = Path(store_root).absolute()
    with _shared_lock:
        return _shared.setdefault(root, Inspector(root))


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
