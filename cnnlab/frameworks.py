"""Keras and its backend come into a process: without what no training uses, and without their greetings.

Measured: `import keras` with TensorFlow takes 6.0 s of processor time and 800 MB. It brings scikit-learn,
SciPy, pandas and, where installed, JAX along, only to see whether they are there; without them it is
4.2 s and 554 MB. Whoever needs one of them later imports it as ever.
"""

import contextlib
import gc
import importlib
import importlib.abc
import os
import re
import stat
import sys
import threading
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any

from cnnlab.stand_ins import standing_in

# Looked for by Keras or the backend, and done without where they are not installed.
NOT_NEEDED = {
    "tensorflow": ("jax", "pandas", "scipy", "sklearn"),
    "jax": ("pandas", "sklearn"),
    "torch": ("pandas", "sklearn"),
}
# Imported by Keras itself and not used here: its NumPy backend borrows JAX's convolutions, and it only counts networks.
STANDING_IN = {"numpy": ("jax",)}
# What TensorFlow says at each start, whatever its log level, where nothing is wrong. Written before its log begins.
_GREETINGS = (
    rb"WARNING: All log messages before absl::InitializeLog\(\) is called are written to STDERR",
    rb"[IW]\d{4} [^\]]*port\.cc:\d+\] oneDNN custom operations are on\.",
    rb"[IW]\d{4} [^\]]*cudart_stub\.cc:\d+\] Could not find cuda drivers on your machine",
    rb"[IW]\d{4} [^\]]*cpu_feature_guard\.cc:\d+\] This TensorFlow binary is optimized to use",
    rb"To enable the following instructions: ",
)
_NO_GPU_WANTED = rb"[EW]\d{4} [^\]]*cuda_(?:platform|executor|driver)\.cc:\d+\] failed call to cuInit"
_STDERR = 2


def import_keras(backend: str) -> None:
    """Import Keras with a backend, which it reads once per process; nothing happens where it is imported already."""
    if "keras" in sys.modules:
        return
    os.environ["KERAS_BACKEND"] = backend
    # 3 leaves errors away too, but those of the kind "there is no GPU" alone: the others are raised.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with contextlib.ExitStack() as around:
        around.enter_context(without_greetings())
        around.enter_context(without(*NOT_NEEDED.get(backend, ())))
        for name in STANDING_IN.get(backend, ()):
            around.enter_context(standing_in(name))
        around.enter_context(_uncollected())
        importlib.import_module("keras")


@contextlib.contextmanager
def without_greetings() -> Iterator[None]:
    """Take the lines that say nothing out of standard error, where that is a file.

    They are written and then taken out again: of a process that crashes meanwhile every word stays.
    """
    begin = _log_size()
    yield
    if begin is None:
        return
    with contextlib.suppress(OSError), open(f"/proc/self/fd/{_STDERR}", "rb") as log:  # it is open for writing only
        log.seek(begin)
        said = log.read()
        kept = b"".join(line for line in said.splitlines(keepends=True) if not is_greeting(line))
        if kept != said:
            os.ftruncate(_STDERR, begin)
            os.lseek(_STDERR, begin, os.SEEK_SET)
            os.write(_STDERR, kept)


def is_greeting(line: bytes) -> bool:
    """Return whether a line is one of those that TensorFlow says at each start where nothing is wrong."""
    if any(re.match(pattern, line) for pattern in _GREETINGS):
        return True
    # Where a GPU is wanted, this is the reason why there is none.
    return os.environ.get("CUDA_VISIBLE_DEVICES") == "-1" and re.match(_NO_GPU_WANTED, line) is not None


def _log_size() -> int | None:
    try:
        status = os.fstat(_STDERR)
    except OSError:
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


@contextlib.contextmanager
def without(*names: str) -> Iterator[None]:
    """Let these packages be not installed for what this thread imports meanwhile."""
    finder = _Refusing(names)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _Refusing(importlib.abc.MetaPathFinder):
    def __init__(self, names: Sequence[str]) -> None:
        self._names = frozenset(names)
        self._thread = threading.get_ident()

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> Any:
        if fullname.partition(".")[0] in self._names and threading.get_ident() == self._thread:
            raise ModuleNotFoundError(f"{fullname!r} is not needed here", name=fullname)
        return None


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Look for no garbage meanwhile, and never again through what is there afterwards: modules stay."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()
