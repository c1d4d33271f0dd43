"""The trials of a study: lines while it is at work, one parquet file else.

Chief and workers append to `trials.jsonl`, each line a part of one trial's row; a later line wins.
So a kill loses at most what was not yet said, and nobody rewrites what another wrote. A tail that
exists holds everything: parquet is written from it when the study has come to rest.
"""

import contextlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnlab.errors import StoreError
from cnnlab.files import read_bytes, write_atomic
from cnnlab.runs.facts import moment
from cnnlab.runs.lines import append_lines, pack, parse_lines, unpack
from cnnlab.runs.schema import TRIALS, polars_schema

if TYPE_CHECKING:
    import polars as pl

TAIL = "trials.jsonl"
FILE = "trials.parquet"
STATUSES = ("waiting", "running", "completed", "failed", "stopped", "cancelled")
ENDED = ("completed", "failed", "stopped", "cancelled")
# Kept as JSON text in the table, as values in the lines.
_MAPPINGS = ("values", "objectives")
_TIMES = ("started_at", "ended_at")


def say(study_dir: Path, trial_id: str, **columns: Any) -> None:
    """Add to what is known of a trial: columns of `schema.TRIALS`; `values` and `objectives` as mappings.

    Raises:
        StoreError: a column is unknown, or the folder cannot be written.
    """
    unknown = [name for name in columns if name not in TRIALS.names]
    if unknown or columns.get("status", "running") not in STATUSES:
        raise StoreError(
            f"A trial has no {', '.join(unknown) or 'status ' + repr(columns['status'])}. "
            f"Expected columns of the table of trials and a status of {', '.join(STATUSES)}. Correct the call."
        )
    try:
        append_lines(study_dir / TAIL, [pack({"trial_id": trial_id, **columns})])
    except OSError as error:
        raise StoreError(
            f"The trials of {study_dir.name!r} cannot be written: {error.strerror or error}. "
            "Expected a folder of yours with free space. Make room and resume the study."
        ) from error


def trials(study_dir: Path) -> dict[str, dict[str, Any]]:
    """Return what is known of each trial, by its id, in the order of their numbers; times as text."""
    tail = read_bytes(study_dir / TAIL)
    if tail is None:
        return {row["trial_id"]: row for row in _stored(study_dir)}
    known: dict[str, dict[str, Any]] = {}
    _merge(known, parse_lines(tail))
    return _in_order(known)


class Reader:
    """Reads the trials of one study again and again: only what was added since."""

    def __init__(self, study_dir: Path):
        self._study_dir = study_dir
        self._place = 0
        self._file: tuple[int, int] | None = None
        self._known: dict[str, dict[str, Any]] = {}

    def read(self) -> dict[str, dict[str, Any]]:
        """Return the same as `trials`; not to be changed."""
        try:
            with open(self._study_dir / TAIL, "rb") as file:
                stat = os.fstat(file.fileno())
                if (stat.st_dev, stat.st_ino) != self._file or stat.st_size < self._place:
                    self._file, self._place, self._known = (stat.st_dev, stat.st_ino), 0, {}
                file.seek(self._place)
                data = file.read()
        except FileNotFoundError:
            return trials(self._study_dir)
        whole = data[: data.rfind(b"\n") + 1]
        self._place += len(whole)
        _merge(self._known, parse_lines(whole))
        return _in_order(self._known)


def frame(study_dir: Path) -> "pl.DataFrame":
    """Return one row per trial with the columns of `schema.TRIALS`, in the order of their numbers."""
    import polars as pl

    rows = [_as_row(row) for row in trials(study_dir).values()]
    return pl.DataFrame(rows, schema=polars_schema(TRIALS), orient="row")


def stamp(study_dir: Path) -> tuple[int, ...]:
    """Return what changes whenever more is known of a trial."""
    found: list[int] = []
    for name in (TAIL, FILE):
        try:
            stat = os.stat(study_dir / name)
            found += (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        except OSError:
            found.append(0)
    return tuple(found)


def compact(study_dir: Path) -> None:
    """Turn the tail into parquet; for the one process that watches over the study, when no other writes."""
    from cnnlab.runs import tables

    if not (study_dir / TAIL).exists():
        return
    tables.write_rows(study_dir / FILE, TRIALS, [_as_row(row) for row in trials(study_dir).values()])
    os.unlink(study_dir / TAIL)


def reopen(study_dir: Path) -> None:
    """Let lines be added again to what was compacted."""
    if (study_dir / TAIL).exists():
        return
    lines = (json.dumps(pack(row), ensure_ascii=False, allow_nan=False) + "\n" for row in trials(study_dir).values())
    write_atomic(study_dir / TAIL, "".join(lines))
    with contextlib.suppress(FileNotFoundError):
        os.unlink(study_dir / FILE)


def _merge(known: dict[str, dict[str, Any]], lines: Iterable[dict[str, Any]]) -> None:
    for line in lines:
        if "trial_id" in line:
            known.setdefault(str(line["trial_id"]), {}).update(unpack(line))


def _in_order(known: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    begun = {key: row for key, row in known.items() if row.get("number") is not None and row.get("status")}
    return dict(sorted(begun.items(), key=lambda item: item[1]["number"]))


def _stored(study_dir: Path) -> list[dict[str, Any]]:
    from cnnlab.runs import tables

    rows = tables.read_frame(study_dir / FILE, TRIALS).to_dicts()
    for row in rows:
        for name in _MAPPINGS:
            row[name] = _unpacked(row[name])
        for name in _TIMES:
            row[name] = row[name] and row[name].isoformat()
    return rows


def _as_row(known: Mapping[str, Any]) -> dict[str, Any]:
    row = {name: known.get(name) for name in TRIALS.names}
    for name in _MAPPINGS:
        if row[name] is not None:
            row[name] = json.dumps(pack(row[name]), ensure_ascii=False, allow_nan=False)
    for name in _TIMES:
        row[name] = moment(row[name])
    return row


def _unpacked(text: str | None) -> dict[str, Any] | None:
    return None if text is None else unpack(json.loads(text))
