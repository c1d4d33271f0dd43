"""Keras on another backend: one process for all tests that compare with it, since to import both takes three seconds.

`python backend_process.py` answers lines of JSON with lines of JSON.
"""

import importlib
import json
import os
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any, TextIO

ROOT = Path(__file__).resolve().parents[1]
# The networks are tiny: compiling them well would take longer than computing.
QUICK_COMPILATION = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"


class BackendProcess:
    """Calls functions of the tests' modules in a process whose Keras has another backend."""

    def __init__(self, backend: str) -> None:
        path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        environment = {"KERAS_BACKEND": backend, "JAX_PLATFORMS": "cpu", "XLA_FLAGS": QUICK_COMPILATION}
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115 # it lives as long as the process
        self._process = subprocess.Popen(
            [sys.executable, __file__], env=os.environ | environment | {"PYTHONPATH": path},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True,
        )  # fmt: skip

    def ask(self, file: str | Path, function: str, *arguments: Any) -> Any:
        """Return what a function of a module, named by its file, returns there; both ways as JSON."""
        assert self._process.stdin
        assert self._process.stdout
        question = {"file": str(file), "function": function, "arguments": arguments}
        self._process.stdin.write(json.dumps(question, default=str) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline() or "{}")
        assert "answer" in answer, answer.get("error") or self._said()
        return answer["answer"]

    def close(self) -> None:
        """End the process."""
        self._process.communicate()
        self._log.close()

    def _said(self) -> str:
        self._process.wait(60)
        self._log.seek(0)
        return f"The process ended with {self._process.returncode}: {self._log.read()[-3000:]}"


def answer_questions(questions: TextIO, answers: TextIO) -> None:
    """Answer each line until there are no more."""
    for line in questions:
        asked = json.loads(line)
        file = Path(asked["file"])
        if str(file.parent) not in sys.path:
            sys.path.insert(0, str(file.parent))
        try:
            answer = {"answer": getattr(importlib.import_module(file.stem), asked["function"])(*asked["arguments"])}
        except Exception:
            answer = {"error": traceback.format_exc()}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    answer_questions(sys.stdin, os.fdopen(os.dup(1), "w"))
