"""Rows to parquet and back: whole files, read by one open.

While a run lives its metrics are the lines of `metrics.jsonl`, the tail. When it has ended
they are in `metrics/metrics.parquet`, whose metadata says which tail it was made from.
Only the writer deletes the tail: a reader who did might take rows of the next attempt along.
"""

import contextlib
import io
import json
import math
import os
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from cnnlab.files import read_bytes, write_atomic
from cnnlab.runs.lines import SPECIAL, parse_lines, special_name, special_value
from cnnlab.runs.schema import METRICS, PREDICTIONS, Table, arrow_schema, polars_schema

if TYPE_CHECKING:
    import polars as pl

TAIL = "metrics.jsonl"
METRICS_FILE = Path("metrics") / "metrics.parquet"
TAIL_DIGEST = b"cnnlab.tail"
# About 5,000 rows to a group keep filters on run_id from reading everything (measured).
ROW_GROUP_ROWS = 5_000


def write_table(
    path: Path,
    table: Table,
    parts: Sequence[pa.Table],
    metadata: Mapping[bytes, bytes] | None = None,
    *,
    durable: bool = True,
) -> None:
    """Write `parts` as one parquet file, whole or not at all."""
    whole = pa.concat_tables(parts)
    whole = whole.replace_schema_metadata({**(arrow_schema(table).metadata or {}), **(metadata or {})})
    sink = io.BytesIO()
    pq.write_table(whole, sink, compression="zstd", row_group_size=ROW_GROUP_ROWS)
    write_atomic(path, sink.getvalue(), durable=durable)


def write_rows(
    path: Path, table: Table, rows: Sequence[Mapping[str, Any]], metadata: Mapping[bytes, bytes] | None = None
) -> None:
    """Write rows as one parquet file, whole or not at all."""
    write_table(path, table, [pa.Table.from_pylist(list(rows), schema=arrow_schema(table))], metadata)


def read_frame(path: Path, table: Table, columns: Sequence[str] | None = None) -> "pl.DataFrame":
    """Return the rows of `path` with the columns of `table`, none where there is no file.

    Args:
        columns: Which to read; the others cost nothing. They must be in every version of the table.
    """
    import polars as pl

    data = read_bytes(path)
    if columns is not None:
        schema = {name: dtype for name, dtype in polars_schema(table).items() if name in columns}
        return pl.DataFrame(schema=schema) if data is None else pl.read_parquet(data, columns=list(schema))
    return pl.DataFrame(schema=polars_schema(table)) if data is None else conform(pl.read_parquet(data), table)


def conform(frame: "pl.DataFrame", table: Table) -> "pl.DataFrame":
    """Return the columns of `table` in their order and types; what an older file lacks is null."""
    import polars as pl

    schema = polars_schema(table)
    if frame.schema == pl.Schema(schema):
        return frame
    have = set(frame.columns)
    return frame.select(
        pl.col(name).cast(dtype) if name in have else pl.lit(None, dtype).alias(name) for name, dtype in schema.items()
    )


def predictions_table(
    run_id: str, split: str, output: str, sample_ids: Sequence[str], labels: Sequence[int], shares: Any
) -> pa.Table:
    """Return rows of predictions; what is predicted is null where a probability is NaN."""
    import numpy as np

    count, classes = shares.shape
    unknown = np.isnan(shares).any(axis=1)
    predicted = shares.argmax(axis=1).astype(np.int32)
    offsets = pa.array(np.arange(count + 1, dtype=np.int32) * np.int32(classes))
    columns = {
        "run_id": pa.array([run_id] * count, pa.string()),
        "sample_id": pa.array([str(sample_id) for sample_id in sample_ids], pa.string()),
        "split": pa.array([split] * count, pa.string()),
        "output": pa.array([output] * count, pa.string()),
        "label": pa.array(np.asarray(labels, dtype=np.int32), pa.int32()),
        "predicted": pa.array(predicted, pa.int32(), mask=unknown),
        "probabilities": pa.ListArray.from_arrays(offsets, pa.array(shares.reshape(-1), pa.float32())),
    }
    schema = arrow_schema(PREDICTIONS)
    return pa.Table.from_arrays([columns[name] for name in schema.names], schema=schema)


def to_line(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of metrics as JSON can say it; see `lines`."""
    value = row["value"]
    name = None if value is None else special_name(value)
    line = dict(row) if name is None else {**row, "value": None, SPECIAL: name}
    if line["elapsed_s"] is not None and not math.isfinite(line["elapsed_s"]):
        line["elapsed_s"] = None
    return line


def from_line(line: Mapping[str, Any]) -> dict[str, Any]:
    """Undo `to_line`."""
    row = {name: line.get(name) for name in METRICS.names}
    if SPECIAL in line:
        row["value"] = special_value(line[SPECIAL])
    return row


def read_metrics(run_dir: Path) -> "pl.DataFrame":
    """Return what was measured in a run so far, in the order of measuring.

    A tail that exists holds everything. It is read before the parquet: the writer deletes it
    only once the parquet is there, so a reader in between still sees every row.
    """
    import polars as pl

    tail = read_bytes(run_dir / TAIL)
    data = read_bytes(run_dir / METRICS_FILE)
    if tail is None and data is None:  # a retry may have put the tail back since we looked
        tail = read_bytes(run_dir / TAIL) or b""
    if data is not None and (tail is None or _tail_of(data) == _digest(tail)):
        return conform(pl.read_parquet(data), METRICS)
    return pl.DataFrame(_tail_rows(tail or b""), schema=polars_schema(METRICS), orient="row")


def metrics_stamp(run_dir: Path) -> tuple[int, ...]:
    """Return what changes whenever more was measured."""
    stamp: list[int] = []
    for path in (run_dir / TAIL, run_dir / METRICS_FILE):
        try:
            stat = os.stat(path)
            stamp += (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        except OSError:
            stamp.append(0)
    return tuple(stamp)


def metric_rows(run_dir: Path) -> list[dict[str, Any]]:
    """Return the same as rows, without polars: the trainer's process has enough to import."""
    tail = read_bytes(run_dir / TAIL)
    if tail is not None:
        return _tail_rows(tail)
    data = read_bytes(run_dir / METRICS_FILE)
    if data is None:
        return _tail_rows(read_bytes(run_dir / TAIL) or b"")
    return pq.read_table(io.BytesIO(data)).to_pylist()


def _tail_rows(data: bytes) -> list[dict[str, Any]]:
    return [from_line(line) for line in parse_lines(data)]


def _digest(tail: bytes) -> bytes:
    return f"{len(tail)}-{zlib.crc32(tail):08x}".encode()


def _tail_of(data: bytes) -> bytes | None:
    """Return the digest of the tail that a parquet file was made from."""
    return (pq.read_metadata(io.BytesIO(data)).metadata or {}).get(TAIL_DIGEST)


def compact_metrics(run_dir: Path, *, keep_tail: bool = True) -> bool:
    """Turn the tail into parquet and return whether there was something to do.

    Any reader may do so once a run has ended; two at once write the same.

    Args:
        keep_tail: False for the run's own writer, who has no more to say.
    """
    tail = read_bytes(run_dir / TAIL)
    if tail is None:
        return False
    data = read_bytes(run_dir / METRICS_FILE)
    is_done = data is not None and _tail_of(data) == _digest(tail)
    if not is_done:
        (run_dir / METRICS_FILE).parent.mkdir(exist_ok=True)
        write_rows(run_dir / METRICS_FILE, METRICS, _tail_rows(tail), {TAIL_DIGEST: _digest(tail)})
    if not keep_tail:
        os.unlink(run_dir / TAIL)
    return not is_done


def copy_metrics(source: Path, target: Path) -> None:
    """Let a run begin with what another one measured, as its tail."""
    rows = ({**row, "run_id": target.name} for row in metric_rows(source))
    lines = (json.dumps(to_line(row), ensure_ascii=False, allow_nan=False) + "\n" for row in rows)
    write_atomic(target / TAIL, "".join(lines))


def rewind(run_dir: Path, after_epoch: int) -> None:
    """Keep only the rows up to `after_epoch`, as the tail that a new attempt goes on with."""
    if not (run_dir / TAIL).exists() and not (run_dir / METRICS_FILE).exists():
        return
    kept = (to_line(row) for row in metric_rows(run_dir) if row["epoch"] <= after_epoch)
    lines = (json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n" for line in kept)
    write_atomic(run_dir / TAIL, "".join(lines))
    with contextlib.suppress(FileNotFoundError):
        os.unlink(run_dir / METRICS_FILE)
