"""JSON lines that outlive their writer: appended whole, read although a line is torn.

JSON has no NaN. Measured: polars refuses the bare token, pandas, polars and DuckDB all read
null as a missing number. So a number that is not finite is null, and `special` beside it
says which: `nan`, `inf` or `-inf`. Standard library only.
"""

import json
import math
import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cnnlab.files import read_bytes

SPECIAL = "special"
_BY_NAME = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def now() -> str:
    """Return the time as ISO 8601 in UTC, with microseconds."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def append_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Append one line per row in one write, so that a kill tears the last line at most."""
    text = "".join(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows)
    if not text:
        return
    with open(path, "ab+", buffering=0) as file:
        end = file.seek(0, os.SEEK_END)
        if end:
            file.seek(end - 1)
            if file.read(1) != b"\n":  # an earlier writer was killed within a line: leave its rest alone
                text = "\n" + text
        data = memoryview(text.encode())
        while data:
            data = data[file.write(data) :]


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the rows of `path`, without lines that are torn; none where there is no file."""
    return parse_lines(read_bytes(path) or b"")


def parse_lines(data: bytes) -> list[dict[str, Any]]:
    """Return one mapping per whole line; a torn line is left out, never mended."""
    lines = [line for line in data.split(b"\n") if line]
    try:  # one call for all lines is three times as fast, and torn lines are rare
        rows = json.loads(b"[" + b",".join(lines) + b"]")
        if len(rows) == len(lines) and all(isinstance(row, dict) for row in rows):
            return rows
    except ValueError:
        pass
    return [row for row in map(_row, lines) if row is not None]


def _row(line: bytes) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) else None


def special_name(value: float) -> str | None:
    """Return `nan`, `inf` or `-inf`, None for a finite number."""
    if math.isfinite(value):
        return None
    return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"


def special_value(name: str) -> float:
    """Return the number that `special_name` named."""
    return _BY_NAME[name]


def pack(value: Any) -> dict[str, Any]:
    """Return the mapping `value` with null for each number that is not finite, and where those are under `special`."""
    found: list[dict[str, Any]] = []
    packed = _pack(value, (), found)
    return packed | {SPECIAL: found} if found else packed


def unpack(value: dict[str, Any]) -> dict[str, Any]:
    """Undo `pack`."""
    unpacked = {key: part for key, part in value.items() if key != SPECIAL}
    for place in value.get(SPECIAL, ()):
        target: Any = unpacked
        for key in place["path"][:-1]:
            target = target[key]
        target[place["path"][-1]] = special_value(place["value"])
    return unpacked


def _pack(value: Any, path: tuple[Any, ...], found: list[dict[str, Any]]) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _pack(part, (*path, str(key)), found) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_pack(part, (*path, index), found) for index, part in enumerate(value)]
    if hasattr(value, "item") and not isinstance(value, float):  # a NumPy scalar
        value = value.item()
    if isinstance(value, float) and (name := special_name(value)):
        found.append({"path": list(path), "value": name})
        return None
    return value
