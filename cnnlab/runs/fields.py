"""Every setting and every number of all runs, one column each: what queries and chosen columns ask for.

A column of the config is called as in the YAML, `training.batch_size`, one of the results
`result.test.label.accuracy`. What is a number in every run that has it is a number here, what is
yes or no is that; all else is text, lists as JSON. What a run lacks is null.

`index/fields.parquet` holds the rows of ended runs, a copy as the index is: a row counts while it
was made from the same `status.json` as the index's. The others are read from their folders.
"""

import contextlib
import io
import json
import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq

from cnnlab.config import NOT_IN_FINGERPRINT, flatten
from cnnlab.files import read_bytes, read_json, write_atomic
from cnnlab.runs import facts, index
from cnnlab.runs.lines import unpack
from cnnlab.runs.store import Store

FILE = "fields.parquet"
RESULT = "result."
# Raised when rows of before must be made anew.
VERSION = 1
_VERSION_KEY = b"cnnlab.fields_version"
_STAMP = "status_stamp"
_KEYS = ("run_id", _STAMP)
_KEY_SCHEMA = {"run_id": pl.String(), _STAMP: pl.String()}
# So many runs are read from their folders in less time than the file takes to be written anew.
_MOST_UNWRITTEN = 100


@dataclass(frozen=True)
class _Known:
    """The rows of ended runs so far.

    Attributes:
        stamp: Of the file.
        num_written: How many of the rows are in it.
    """

    stamp: tuple[int, ...]
    frame: pl.DataFrame
    num_written: int


_lock = threading.Lock()
_known: dict[Path, _Known] = {}
_last: dict[Path, tuple[pl.DataFrame, pl.DataFrame]] = {}


def fields(store: Store) -> pl.DataFrame:
    """Return one row per run: `run_id`, then a column per setting and number; never change it in place."""
    ended, living = index.stamps(store)
    known = _read(store)
    last = _last.get(store.root)
    if last and last[0] is ended and not living:
        return last[1]
    held = known.frame.join(ended, on=list(_KEYS), how="semi")
    lacking = ended.join(known.frame.select(_KEYS), on=list(_KEYS), how="anti")
    if lacking.height:
        fresh = _table(_rows(store, lacking["run_id"].to_list()), lacking[_STAMP].to_list())
        held = _together([held, fresh])
        _keep(store, _Known(known.stamp, held, known.num_written))
    whole = held.drop(_STAMP)
    if living:
        return _together([held, _table(_rows(store, living), [None] * len(living))]).drop(_STAMP)
    with _lock:
        _last[store.root] = (ended, whole)
    return whole


def field_values(run_dir: Path) -> dict[str, Any]:
    """Return the settings and numbers of one run by their names."""
    settings = flatten(facts.read_config_values(run_dir / "config.yaml"))
    values = {name: value for name, value in settings.items() if name not in NOT_IN_FINGERPRINT}
    result = read_json(run_dir / "result.json")
    if isinstance(result, dict):
        numbers = flatten(unpack(result), RESULT)
        values |= {name: value for name, value in numbers.items() if isinstance(value, bool | int | float | str)}
    return values


def _rows(store: Store, run_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    return {run_id: field_values(store.runs_dir / run_id) for run_id in run_ids}


def _table(rows: Mapping[str, Mapping[str, Any]], stamps: Sequence[str | None]) -> pl.DataFrame:
    names = dict.fromkeys(name for row in rows.values() for name in row)
    columns = [pl.Series("run_id", list(rows), pl.String), pl.Series(_STAMP, stamps, pl.String)]
    for name in names:
        values = [row.get(name) for row in rows.values()]
        kind = _kind(values)
        if kind is not None:
            columns.append(pl.Series(name, [_as(value, kind) for value in values], kind))
    return pl.DataFrame(columns)


def _kind(values: Iterable[Any]) -> Any:
    kinds = {type(value) for value in values} - {type(None)}
    if not kinds:
        return None
    if kinds == {bool}:
        return pl.Boolean
    if kinds <= {int, float}:
        return pl.Int64 if kinds == {int} else pl.Float64
    return pl.String


def _as(value: Any, kind: Any) -> Any:
    if value is None or kind == pl.Boolean:
        return value
    if kind != pl.String:
        return float(value) if kind == pl.Float64 else value
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _together(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return the rows of both; a column that is of two kinds becomes of the one that holds both."""
    kinds: dict[str, Any] = {}
    for frame in frames:
        for name, kind in frame.schema.items():
            kinds[name] = kind if kinds.get(name) in (None, kind) else _wider(kinds[name], kind)
    return pl.concat(
        [
            frame.select(
                _cast(name, frame.schema[name], kind) if name in frame.schema else pl.lit(None, kind).alias(name)
                for name, kind in kinds.items()
            )
            for frame in frames
        ]
    )


def _wider(one: Any, other: Any) -> Any:
    return pl.Float64 if {one, other} == {pl.Int64, pl.Float64} else pl.String


def _cast(name: str, kind: Any, wanted: Any) -> pl.Expr:
    return pl.col(name) if kind == wanted else pl.col(name).cast(wanted)


def _read(store: Store) -> _Known:
    path = store.index_dir / FILE
    stamp: tuple[int, ...] = ()
    with contextlib.suppress(OSError):
        stat = os.stat(path)
        stamp = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
    known = _known.get(store.root)
    if known and known.stamp == stamp:
        return known
    frame = _frame(read_bytes(path) if stamp else None)
    known = _Known(stamp, frame, frame.height)
    with _lock:
        _known[store.root] = known
    return known


def _frame(data: bytes | None) -> pl.DataFrame:
    with contextlib.suppress(Exception):  # whatever a damaged file makes the readers raise, the folders have the truth
        if data and (pq.read_metadata(io.BytesIO(data)).metadata or {}).get(_VERSION_KEY) == str(VERSION).encode():
            frame = pl.read_parquet(data)
            if set(_KEYS) <= set(frame.columns):
                return frame
    return pl.DataFrame(schema=_KEY_SCHEMA)


def _keep(store: Store, known: _Known) -> None:
    """Remember rows and, where there are many new ones, write the file anew."""
    if known.frame.height - known.num_written > _MOST_UNWRITTEN and os.access(store.index_dir, os.W_OK):
        whole = known.frame.sort("run_id").to_arrow()
        whole = whole.replace_schema_metadata({_VERSION_KEY: str(VERSION).encode()})
        sink = io.BytesIO()
        pq.write_table(whole, sink, compression="zstd")
        with contextlib.suppress(OSError):
            write_atomic(store.index_dir / FILE, sink.getvalue(), durable=False)
            known = _Known(known.stamp, known.frame, known.frame.height)
    with _lock:
        _known[store.root] = known
