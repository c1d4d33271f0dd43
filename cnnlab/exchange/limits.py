"""Reads files of strangers: never more than they may hold, never through a link that leads elsewhere."""

import json
from pathlib import Path
from typing import Any

import yaml

from cnnlab.exchange.found import ImportRunsError

MOST_BYTES = 64 << 20
_SMALL_BYTES = 1 << 20


def read_text(path: Path, root: Path, most: int = _SMALL_BYTES) -> str:
    """Return the text of a file within `root`; what is no UTF-8 is marked.

    Raises:
        ImportRunsError: it lies elsewhere, is too large or cannot be read.
    """
    return read_within(path, root, most).decode("utf-8", errors="replace")


def read_within(path: Path, root: Path, most: int) -> bytes:
    """Return the content of a file within `root`; raises `ImportRunsError` as `read_text`."""
    if not is_within(path, root):
        raise ImportRunsError(
            f"{path.name!r} is a link that leads out of {root.name!r}. Expected files within the folder. "
            "Put the file itself in its place."
        )
    try:
        with open(path, "rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise ImportRunsError(
            f"{path.name!r} cannot be read: {error.strerror or error}. Expected a file of yours. Check who owns it."
        ) from None
    if len(data) > most:
        raise ImportRunsError(
            f"{path.name!r} is larger than {most >> 20} MiB. Expected a small text file. Check what wrote it."
        )
    return data


def is_within(path: Path, root: Path) -> bool:
    """Return whether a path lies within a folder once its links are followed."""
    try:
        return path.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError):  # links that go round in a circle
        return False


def json_mapping(text: str, name: str) -> dict[str, Any]:
    """Return the mapping that a JSON text holds; raises `ImportRunsError` where it holds none."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    return _mapping(value, name, "JSON")


def yaml_mapping(text: str, name: str) -> dict[str, Any]:
    """Return the mapping that a YAML text holds; raises `ImportRunsError` where it holds none."""
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        value = None
    return _mapping(value, name, "YAML")


def _mapping(value: Any, name: str, language: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ImportRunsError(
            f"{name!r} is damaged: it holds no {language} mapping. Expected what the tool wrote. Copy it again."
        )
    return value
