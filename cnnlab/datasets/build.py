"""Build a data set of the catalogue into the store, in this process or in a child.

`python -m cnnlab.datasets.build STORE NAME PARAMETERS` is that child: progress as JSON lines on
standard error, one JSON line with the version or the error on standard output.
"""

import contextlib
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cnnlab import errors
from cnnlab.datasets.catalogue import get_entry
from cnnlab.datasets.children import child_environment
from cnnlab.datasets.storage import DatasetInfo, Progress, find_dataset
from cnnlab.datasets.workplace import alone
from cnnlab.datasets.writing import Content, write_dataset
from cnnlab.errors import CNNLabError, DatasetError


def build_dataset(
    store_root: Path, name: str, parameters: Mapping[str, Any], progress: Progress | None = None
) -> DatasetInfo:
    """Build `name` into the store; the same contents again are the same version.

    Raises:
        DownloadError: the network is needed and failed.
        DatasetError: the disk is full, or the child process died.
    """
    # Keras takes seconds and hundreds of megabytes: a page's process never imports it.
    if get_entry(name).needs_network and "keras" not in sys.modules:
        return _build_in_child(store_root, name, parameters, progress)
    return build_here(store_root, name, parameters, progress)


def build_here(
    store_root: Path, name: str, parameters: Mapping[str, Any], progress: Progress | None = None
) -> DatasetInfo:
    """Build in this process, importing whatever the builder needs."""
    entry = get_entry(name)
    checked = entry.check(parameters)
    module, function = entry.builder.split(":")
    report = progress or (lambda _stage, _done, _total: None)
    values = {"title": entry.title, "source": entry.source, "parameters": checked.model_dump()}
    # Keras downloads straight to the final file: two at once would spoil it for each other.
    with alone(store_root, name) if entry.needs_network else contextlib.nullcontext():
        content: Content = getattr(importlib.import_module(module), function)(name, checked, report)
        return write_dataset(store_root, name, content, values)


def _build_in_child(
    store_root: Path, name: str, parameters: Mapping[str, Any], progress: Progress | None
) -> DatasetInfo:
    command = [sys.executable, "-m", __name__, str(store_root), name, json.dumps(dict(parameters))]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=child_environment()
    ) as child:
        try:
            tail = _follow(child, progress)
            answer = child.stdout.read() if child.stdout else b""
        except BaseException:
            child.kill()
            raise
    try:
        result = json.loads(answer)
    except ValueError:
        raise DatasetError(
            f"Data set {name!r} could not be built: its process ended with code {child.returncode}. "
            f"It said last: {tail or 'nothing'}. Try again, with more memory free."
        ) from None
    if "error" in result:
        kind = getattr(errors, result["error"], DatasetError)
        raise (kind if kind in (DatasetError, errors.DownloadError) else DatasetError)(result["message"])
    return find_dataset(store_root, name, result["version"])


def _follow(child: "subprocess.Popen[bytes]", progress: Progress | None) -> str:
    """Pass the child's progress on; return the last line of its error stream that is none."""
    tail = ""
    for line in child.stderr or ():
        text = line.decode(errors="replace").strip()
        try:
            value = json.loads(text)
            stage, done, total = value["stage"], value["done"], value["total"]
        except (ValueError, KeyError, TypeError):
            tail = text[-300:] or tail
            continue
        if progress:
            progress(stage, done, total)
    return tail


def main(store_root: str, name: str, parameters: str) -> None:
    """Be the child."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print to standard output is no answer

    def report(stage: str, done: int, total: int) -> None:
        print(json.dumps({"stage": stage, "done": done, "total": total}), file=sys.stderr, flush=True)

    try:
        info = build_here(Path(store_root), name, json.loads(parameters), report)
        answer = {"version": info.version}
    except CNNLabError as error:
        answer = {"error": type(error).__name__, "message": str(error)}
    print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:4])
