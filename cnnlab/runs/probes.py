"""What looks at the layers found: a line per look while a run lives, one parquet file once it has ended."""

import io
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from cnnlab.files import read_bytes
from cnnlab.runs import tables
from cnnlab.runs.checkpoint import FOLDER, PROBE_STATE
from cnnlab.runs.lines import append_lines, pack, parse_lines, unpack
from cnnlab.runs.schema import PROBES, arrow_schema

if TYPE_CHECKING:
    import polars as pl

TAIL = "probes.jsonl"
PROBES_FILE = "probes.parquet"


def append_probe(run_dir: Path, epoch: int, step: int, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append one look; `epoch` is 1-based, `rows` have the columns of `schema.PROBES` but run, epoch and step."""
    append_lines(run_dir / TAIL, [pack({"epoch": epoch, "step": step, "layers": list(rows)})])


def read_probes(run_dir: Path) -> "pl.DataFrame":
    """Return one row per look and layer so far, in the order of looking."""
    import polars as pl

    tail, data = read_bytes(run_dir / TAIL), read_bytes(run_dir / PROBES_FILE)
    if tail is not None or data is None:
        table: Any = pl.from_arrow(_table(run_dir.name, parse_lines(tail or b"")))
        return tables.conform(table, PROBES)
    return tables.conform(pl.read_parquet(data), PROBES)


def rewind_probes(run_dir: Path, before_epoch: int) -> None:
    """Keep only the looks before an epoch, as the tail that a new attempt goes on with."""
    lines = _lines(run_dir)
    if lines is None:
        return
    temporary = run_dir / f"{TAIL}.new"
    temporary.unlink(missing_ok=True)
    append_lines(temporary, [line for line in lines if line["epoch"] < before_epoch])
    if temporary.exists():
        os.replace(temporary, run_dir / TAIL)
    else:
        (run_dir / TAIL).unlink(missing_ok=True)
    (run_dir / PROBES_FILE).unlink(missing_ok=True)


def copy_probes(source: Path, target: Path) -> None:
    """Let a run begin with the looks of another one, and with what its next look compares with."""
    (target / TAIL).unlink(missing_ok=True)
    append_lines(target / TAIL, _lines(source) or [])
    state = source / FOLDER / PROBE_STATE
    if state.exists():
        (target / FOLDER).mkdir(exist_ok=True)
        shutil.copyfile(state, target / FOLDER / PROBE_STATE)


def compact_probes(run_dir: Path) -> None:
    """Turn the tail into parquet."""
    tail = read_bytes(run_dir / TAIL)
    if tail is None:
        return
    tables.write_table(run_dir / PROBES_FILE, PROBES, [_table(run_dir.name, parse_lines(tail))])
    os.unlink(run_dir / TAIL)


def _table(run_id: str, lines: Sequence[dict[str, Any]]) -> pa.Table:
    rows = [
        {"run_id": run_id, "epoch": line["epoch"], "step": line["step"], **layer}
        for line in map(unpack, lines)
        for layer in line["layers"]
    ]
    return pa.Table.from_pylist(rows, schema=arrow_schema(PROBES))


def _lines(run_dir: Path) -> list[dict[str, Any]] | None:
    """Return the looks so far as lines, None where there are no files of them."""
    tail, data = read_bytes(run_dir / TAIL), read_bytes(run_dir / PROBES_FILE)
    if tail is not None:
        return parse_lines(tail)
    return None if data is None else _lines_of(pq.read_table(io.BytesIO(data)))


def _lines_of(table: pa.Table) -> list[dict[str, Any]]:
    """Return one line per look of a compacted run."""
    looks: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for row in table.to_pylist():
        layer = {name: value for name, value in row.items() if name not in ("run_id", "epoch", "step")}
        looks.setdefault((row["epoch"], row["step"]), []).append(layer)
    return [pack({"epoch": epoch, "step": step, "layers": layers}) for (epoch, step), layers in looks.items()]
