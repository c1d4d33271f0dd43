"""The inspector's process: reads questions as JSON lines, answers as JSON lines.

    python -m cnnlab.inspector.server STORE IDLE_SECONDS

Ends when its input closes (whoever asked is gone, however), when idle, and when its memory has
grown; the next question starts another. Started by `cnnlab.inspector.client`.
"""

import contextlib
import gc
import json
import os
import queue
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

import psutil

from cnnlab.errors import CNNLabError
from cnnlab.frameworks import import_keras
from cnnlab.inspector.answers import Answer
from cnnlab.inspector.questions import get_kind

GIB = 2**30
# Keras with TensorFlow takes 0.8 GiB; what a preview of large images leaves behind comes on top.
LEAVE_ABOVE_BYTES = 2 * GIB
DIE_ABOVE_BYTES = max(LEAVE_ABOVE_BYTES, min(6 * GIB, psutil.virtual_memory().total // 2))
LOOK_EVERY_S = 0.25
# Answers in a row after which garbage is collected though questions wait: a deep network leaves some 30 MB.
MOST_UNCOLLECTED = 10
EXIT_MEMORY = 3


def main(store_root: Path, idle_s: float) -> None:
    """Answer until there is nobody left to ask, or nothing to do."""
    questions, replies = _take_pipes()
    _limit_memory()
    incoming: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(questions, incoming), daemon=True).start()
    threading.Thread(target=_watch_memory, daemon=True).start()
    gc.disable()  # it would run several times over the making of a network; here it runs when nobody waits
    since_collected = 0
    is_frozen = False
    while True:
        try:
            question = json.loads(incoming.get(timeout=idle_s))
        except queue.Empty:
            return
        reply = {"number": question["number"]} | _reply(store_root, question["kind"], question["arguments"])
        replies.write(json.dumps(reply) + "\n")
        replies.flush()
        since_collected += 1
        if not incoming.empty() and since_collected < MOST_UNCOLLECTED:
            continue
        gc.collect()
        since_collected = 0
        if not is_frozen and "keras" in sys.modules:
            # What the libraries made stays: looking through it took 0.17 s after each answer and as much in each.
            gc.freeze()
            is_frozen = True
        if psutil.Process().memory_info().rss > LEAVE_ABOVE_BYTES:
            return


def _reply(store_root: Path, kind: str, arguments: dict[str, Any]) -> dict[str, Any]:
    try:
        answer_to = get_kind(kind)
        if kind != "ping":
            import_keras(os.environ.get("KERAS_BACKEND", "tensorflow"))
        answer: Answer = answer_to(store_root, **arguments)
    except CNNLabError as error:
        return {"error": {"class": _public_class(error), "message": str(error)}}
    except Exception as error:
        traceback.print_exc()
        if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
            return _fault(f"There is not enough memory for {kind!r}. Ask for smaller or fewer images.")
        first_line = (str(error).splitlines() or [""])[0]
        return _fault(
            f"The inspector failed at {kind!r}: {type(error).__name__}: {first_line} Its log has the whole story."
        )
    return {"value": answer.value, "keep": answer.keep}


def _fault(message: str) -> dict[str, Any]:
    return {"error": {"class": "InspectorError", "message": message}}


def _public_class(error: CNNLabError) -> str:
    """Return the name of the nearest class that the asking side knows."""
    return next(kind.__name__ for kind in type(error).__mro__ if kind.__module__ == "cnnlab.errors")


def _take_pipes() -> tuple[Any, Any]:
    """Keep the pipes for questions and replies; whatever libraries print goes to the log."""
    questions = os.fdopen(os.dup(0), encoding="utf-8")
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    return questions, replies


def _listen(questions: Any, incoming: "queue.SimpleQueue[str]") -> None:
    for line in questions:
        incoming.put(line)
    os._exit(0)  # nobody waits for what is under way


def _watch_memory() -> None:
    process = psutil.Process()
    while True:
        if process.memory_info().rss > DIE_ABOVE_BYTES:
            print(f"Memory above {DIE_ABOVE_BYTES / GIB:.1f} GiB, leaving.", file=sys.stderr, flush=True)
            os._exit(EXIT_MEMORY)
        time.sleep(LOOK_EVERY_S)


def _limit_memory() -> None:
    """Let one huge allocation fail at once instead of taking the machine with it (Linux)."""
    if sys.platform == "linux":
        import resource

        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_DATA, (DIE_ABOVE_BYTES, DIE_ABOVE_BYTES))


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
