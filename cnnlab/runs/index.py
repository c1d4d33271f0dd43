"""All runs at once: ended ones from `index/runs.parquet`, the others from their folders.

The index is a copy and may be deleted or out of date. What is true of it is checked on each
reading, so there is nothing to keep in step: a run without a row, or whose `status.json` is
another than the row was made from (a retry), is read from its folder; a row without a run is
left out. The next reader who finds ended runs without a row writes a new index, whole.
Two who do so at once may lose a row to each other; the next reader finds it again.

What people say of a run changes after it has ended. The index remembers how much of that it
holds (`noticed`), and only runs that were written about since are looked at.

Listing 10,000 names takes 4.5 ms and with a stat of each 34 ms (measured): names are listed
only when the folder changed, and only failed, cancelled and lost runs, which alone can be
retried, are looked at one by one.
"""

import contextlib
import io
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq

from cnnlab.files import read_bytes, sweep_temporary
from cnnlab.runs import facts, noticed, tables
from cnnlab.runs.annotations import read_annotations
from cnnlab.runs.noticed import Notices
from cnnlab.runs.schema import INDEX, SUMMARY, arrow_schema, polars_schema
from cnnlab.runs.status import ENDED, RunStatus, settle
from cnnlab.runs.store import Store, is_run_id

# Raised when rows of before must be made anew, because `facts` reads more or other things.
INDEX_VERSION = 6
_VERSION_KEY = b"cnnlab.index_version"
_NOTICED_KEY = b"cnnlab.noticed"
# Looking at more than these takes every new process longer than writing the index anew takes once.
_MOST_NOTICED = 300
# A folder that changed this recently may change again without a newer time of change.
_SETTLED_S = 3.0


@dataclass(frozen=True)
class _Listing:
    stamp: int
    is_settled: bool
    names: frozenset[str]


@dataclass(frozen=True)
class _Index:
    stamp: tuple[int, ...]
    frame: pl.DataFrame
    names: frozenset[str]
    retriable: dict[str, tuple[str, str]]  # run_id -> path of its status.json, stamp that the row was made from
    noticed: bytes | None  # up to where it knows what people say


@dataclass(frozen=True)
class _Base:
    """Rows of the index that still hold, newest first, with what people say by now, and what they were made of."""

    listing: _Listing
    index: _Index
    notices: Notices
    stale: frozenset[str]
    rows: pl.DataFrame
    frame: pl.DataFrame  # the same without what only the index has
    stamps: pl.DataFrame
    unindexed: tuple[str, ...]
    num_noticed: int  # rows that are not in the index as they are here


_lock = threading.Lock()
_listings: dict[Path, _Listing] = {}
_indexes: dict[Path, _Index] = {}
_bases: dict[Path, _Base] = {}


def summaries(store: Store) -> pl.DataFrame:
    """Return one row per run, newest first, with the columns of `schema.SUMMARY`."""
    base = _base(store)
    rows, ended = _read_folders(store, base.unindexed)
    if ended or base.num_noticed > _MOST_NOTICED:
        _compact(store, base, ended)
    if not rows:
        return base.frame
    fresh = _newest_first(pl.DataFrame(rows, schema=polars_schema(SUMMARY), orient="row"))
    return _before(fresh, base.frame)


def scan(store: Store) -> pl.DataFrame:
    """Return the same as `summaries` from the folders alone: slow, what the index must agree with."""
    rows, _ = _read_folders(store, store.run_ids())
    return _newest_first(pl.DataFrame(rows, schema=polars_schema(SUMMARY), orient="row"))


def stamps(store: Store) -> tuple[pl.DataFrame, list[str]]:
    """Return run_id and status_stamp of the runs in the index, and the ids of all others.

    The frame is the same object as long as nothing changed.
    """
    summaries(store)  # which takes runs that have ended since into the index
    base = _base(store)
    return base.stamps, list(base.unindexed)


def index_path(store: Store) -> Path:
    """Return the file that may be deleted at any time."""
    return store.index_dir / "runs.parquet"


def _newest_first(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.sort("created_at", "run_id", descending=True, nulls_last=True)


def _before(fresh: pl.DataFrame, old: pl.DataFrame) -> pl.DataFrame:
    """Return both newest first; what trains is newer than what ended as a rule, and then nothing need be sorted."""
    both = pl.concat([fresh, old])
    if not fresh.height or not old.height:
        return both
    oldest, newest = fresh["created_at"][-1], old["created_at"][0]
    return both if oldest is not None and newest is not None and oldest > newest else _newest_first(both)


def _base(store: Store) -> _Base:
    notices = noticed.read(store.index_dir)  # before what it speaks of: what is written later is noticed later
    listing, index = _list(store), _read_index(store)
    stale = frozenset(
        name
        for name, (path, stamp) in index.retriable.items()
        if name in listing.names and _status_stamp(path) != stamp
    )
    known = _bases.get(store.root)
    was = (known.listing, known.index, known.notices) if known else ()
    if known and all(a is b for a, b in zip(was, (listing, index, notices), strict=True)) and known.stale == stale:
        return known
    holds = (index.names & listing.names) - stale
    rows = index.frame
    if len(holds) < rows.height:
        rows = rows.filter(pl.col("run_id").is_in(list(holds)))
    changed = notices.since(index.noticed)
    changed = holds if changed is None else changed & holds
    rows = _newest_first(_as_said(store, rows, changed))
    unindexed = sorted(filter(is_run_id, listing.names - holds))
    frame = rows.select(SUMMARY.names)
    stamps = rows.select("run_id", "status_stamp")
    base = _Base(listing, index, notices, stale, rows, frame, stamps, tuple(unindexed), len(changed))
    with _lock:
        _bases[store.root] = base
    return base


def _as_said(store: Store, rows: pl.DataFrame, run_ids: frozenset[str]) -> pl.DataFrame:
    """Return the rows with what people say now of some of them."""
    if not run_ids:
        return rows
    is_changed = pl.col("run_id").is_in(list(run_ids))
    changed = [
        row | facts.said_of(read_annotations(store.runs_dir / row["run_id"]), row["made_name"], row["made_notes"])
        for row in rows.filter(is_changed).iter_rows(named=True)
    ]
    return pl.concat([rows.filter(~is_changed), pl.DataFrame(changed, schema=rows.schema, orient="row")])


def _list(store: Store) -> _Listing:
    try:
        stamp = os.stat(store.runs_dir).st_mtime_ns
    except OSError:
        return _Listing(0, True, frozenset())
    known = _listings.get(store.root)
    if known and known.stamp == stamp and known.is_settled:
        return known
    try:
        names = frozenset(os.listdir(store.runs_dir))
    except OSError:
        return _Listing(0, True, frozenset())
    listing = _Listing(stamp, time.time() - stamp / 1e9 > _SETTLED_S, names)
    if known and known.names == names:
        if not listing.is_settled:
            return known  # what was made of it still holds
        listing = _Listing(stamp, True, known.names)
    with _lock:
        _listings[store.root] = listing
    return listing


def _read_index(store: Store) -> _Index:
    path = index_path(store)
    try:
        stat = os.stat(path)
        stamp: tuple[int, ...] = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
    except OSError:
        stamp = ()
    known = _indexes.get(store.root)
    if known and known.stamp == stamp:
        return known
    frame, mark = _index_frame(read_bytes(path) if stamp else None)
    stamps = frame.filter(pl.col("state") != "completed").select("run_id", "status_stamp")
    # Joined as text: a thousand paths cost 2 ms to look at and as pathlib's objects another 8 (measured).
    retriable = {name: (f"{store.runs_dir}{os.sep}{name}{os.sep}status.json", was) for name, was in stamps.iter_rows()}
    index = _Index(stamp, frame, frozenset(frame["run_id"].to_list()), retriable, mark)
    with _lock:
        _indexes[store.root] = index
    return index


def _index_frame(data: bytes | None) -> tuple[pl.DataFrame, bytes | None]:
    """Return the rows of the index and its mark; none where it is missing, damaged or of another version."""
    schema = polars_schema(INDEX)
    nothing = pl.DataFrame(schema=schema), None
    if data is None:
        return nothing
    try:
        metadata = pq.read_metadata(io.BytesIO(data)).metadata or {}
        if metadata.get(_VERSION_KEY) != str(INDEX_VERSION).encode():
            return nothing
        frame = pl.read_parquet(data)
    except Exception:  # whatever a damaged file makes the readers raise, the folders have the truth
        return nothing
    return (frame, metadata.get(_NOTICED_KEY)) if frame.schema == pl.Schema(schema) else nothing


def _status_stamp(path: Path | str) -> str | None:
    try:
        stat = os.stat(path)
    except OSError:
        return None
    return f"{stat.st_mtime_ns}:{stat.st_size}:{stat.st_ino}"


def _read_folders(store: Store, names: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the rows of runs read from their folders, and of these the ended ones with their stamps."""
    rows, ended = [], []
    for name in names:
        run_dir = store.runs_dir / name
        status: RunStatus = settle(run_dir)
        stamp = _status_stamp(run_dir / "status.json")
        if status.state in ENDED:
            with contextlib.suppress(OSError):
                tables.compact_metrics(run_dir)
        row = facts.index_row(run_dir, status)
        if not run_dir.is_dir():  # deleted since it was listed
            continue
        rows.append(row)
        # A run that is retried meanwhile has another stamp by now and stays out of the index.
        if status.state in ENDED and row["failure"] != facts.UNREADABLE:
            ended.append(row | {"status_stamp": stamp})
    return rows, ended


def _compact(store: Store, base: _Base, ended: list[dict[str, Any]]) -> None:
    """Write the index anew with the rows of `ended`; a store that may only be read stays as it is."""
    with contextlib.suppress(OSError):
        store.index_dir.mkdir(exist_ok=True)
        if not os.access(store.index_dir, os.W_OK):
            return
        sweep_temporary(store.index_dir)
        fresh = pl.DataFrame(ended, schema=polars_schema(INDEX), orient="row")
        whole = pl.concat([base.rows, fresh]).sort("run_id").to_arrow().cast(arrow_schema(INDEX))
        metadata = {_VERSION_KEY: str(INDEX_VERSION).encode(), _NOTICED_KEY: base.notices.mark}
        tables.write_table(index_path(store), INDEX, [whole], metadata, durable=False)
