"""Answers of the inspector, kept on disk: the same question costs Keras only once.

Anybody may delete the folder; it fills again.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import cnnlab
from cnnlab.files import is_temporary, read_json, sweep_temporary, write_atomic

MOST_FILES = 200


@dataclass(frozen=True)
class Answer:
    """A JSON value, and whether the same question will always have it."""

    value: Any
    keep: bool = True


class Answers:
    """A folder of answers, one file per question; the least recently used go first."""

    def __init__(self, folder: Path, most_files: int = MOST_FILES):
        self.folder = folder
        self.most_files = most_files

    def read(self, kind: str, arguments: Mapping[str, Any]) -> Any:
        """Return the kept answer, None where there is none."""
        path = self._path(kind, arguments)
        kept = read_json(path)
        if not isinstance(kept, dict) or "value" not in kept:
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        return kept["value"]

    def write(self, kind: str, arguments: Mapping[str, Any], value: Any) -> None:
        """Keep an answer; a disk that is full or read-only costs time later, not the answer now."""
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            # In one line: with indentation Python's own encoder took 0.1 s for a deep network.
            text = json.dumps({"kind": kind, "value": value}, ensure_ascii=False, allow_nan=False)
            write_atomic(self._path(kind, arguments), text, durable=False)
            self._drop_oldest()

    def _path(self, kind: str, arguments: Mapping[str, Any]) -> Path:
        question = json.dumps([kind, dict(arguments), _code_stamp()], sort_keys=True, default=str)
        return self.folder / f"{hashlib.sha256(question.encode()).hexdigest()}.json"

    def _drop_oldest(self) -> None:
        sweep_temporary(self.folder)
        with os.scandir(self.folder) as entries:
            files = [(entry.stat().st_mtime_ns, entry.path) for entry in entries if not is_temporary(entry.name)]
        for _, path in sorted(files)[: -self.most_files]:
            with contextlib.suppress(OSError):
                os.unlink(path)


@cache
def _code_stamp() -> str:
    """Return what changes when an answer could: our version, our files, Keras's version."""
    newest = max(path.stat().st_mtime_ns for path in Path(cnnlab.__file__).parent.rglob("*.py"))
    try:
        keras = version("keras")
    except PackageNotFoundError:
        keras = ""
    return f"{cnnlab.__version__} {newest} {keras}"
