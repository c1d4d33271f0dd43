"""Questions to the inspector that no page waits for: asked on threads, answered at a later look."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnlab.inspector.client import shared_inspector

MOST_ANSWERS = 200
ERROR_KEPT_S = 3.0  # a page that saw an error draws itself once more and must see it again; then it is asked anew
PATIENCE_S = 0.15  # a warm inspector answers within it, and the page need not be drawn twice


@dataclass(frozen=True)
class Answer:
    """What came of a question: a value, or a sentence about what went wrong, or neither yet."""

    value: Any = None
    error: str = ""

    @property
    def is_pending(self) -> bool:
        """Whether the inspector still works on it."""
        return self.value is None and not self.error


class Questions:
    """Questions under way and answered, the newest last."""

    def __init__(self) -> None:
        self._asked: dict[str, Future[Any]] = {}
        self._failed_at: dict[str, float] = {}
        self._lock = threading.Lock()

    def ask(self, root: Path, kind: str, arguments: Mapping[str, Any]) -> Answer:
        """Return the answer if it is there or comes at once; the same question is put once."""
        return self._put([kind, arguments], root, lambda: shared_inspector(root).ask(kind, **arguments))

    def ask_about_file(
        self, root: Path, upload: str, content: Callable[[], bytes], title: str, arguments: Mapping[str, Any]
    ) -> Answer:
        """Return what is known of a `.keras` file, likewise.

        Args:
            upload: What tells this upload from others; its content is looked at once.
        """

        def ask() -> Any:
            return shared_inspector(root).ask_about_file(content(), title, **arguments)

        return self._put(["inspect_file", upload, arguments], root, ask)

    def _put(self, question: Any, root: Path, ask: Callable[[], Any]) -> Answer:
        key = json.dumps([str(root), question], sort_keys=True, default=str)
        with self._lock:
            if time.monotonic() - self._failed_at.get(key, float("inf")) > ERROR_KEPT_S:
                del self._asked[key], self._failed_at[key]
            if key not in self._asked:
                for old in [old for old, asked in self._asked.items() if asked.done()][:-MOST_ANSWERS]:
                    del self._asked[old]
                    self._failed_at.pop(old, None)
                self._asked[key] = _started(ask)
            asked = self._asked[key]
        try:
            error = asked.exception(timeout=PATIENCE_S)
        except TimeoutError:
            return Answer()
        if error is None:
            return Answer(asked.result())
        with self._lock:
            self._failed_at.setdefault(key, time.monotonic())
        return Answer(error=str(error) or type(error).__name__)


def _started(ask: Callable[[], Any]) -> Future[Any]:
    future: Future[Any] = Future()

    def work() -> None:
        try:
            future.set_result(ask())
        except Exception as error:  # whatever it is, the page says it
            future.set_exception(error)

    # Daemons: the server's exit does not wait for an answer that nobody will see.
    threading.Thread(target=work, name="inspector-question", daemon=True).start()
    return future
