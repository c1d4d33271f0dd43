"""What looks at the layers found: what a line holds, and how lines become rows."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from cnnlab.runs.checkpoint import FOLDER, PROBE_STATE
from cnnlab.runs.lines import pack, unpack
from cnnlab.runs.schema import PROBES, arrow_schema
from cnnlab.runs.tailed import TailedTable

if TYPE_CHECKING:
    import polars as pl


def append_probe(run_dir: Path, epoch: int, step: int, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append one look; `epoch` is 1-based, `rows` have the columns of `schema.PROBES` but run, epoch and step."""
    KEPT.append(run_dir, [pack({"epoch": epoch, "step": step, "layers": list(rows)})])


def read_probes(run_dir: Path) -> "pl.DataFrame":
    """Return one row per look and layer so far, in the order of looking."""
    return KEPT.read(run_dir)


def rewind_probes(run_dir: Path, before_epoch: int) -> None:
    """Keep only the looks before an epoch, 1-based."""
    KEPT.rewind(run_dir, lambda line: line if line["epoch"] < before_epoch else None)


def copy_probes(source: Path, target: Path) -> None:
    """Let a run begin with the looks of another one, and with what its next look compares with."""
    KEPT.copy(source, target)
    state = source / FOLDER / PROBE_STATE
    if state.exists():
        (target / FOLDER).mkdir(exist_ok=True)
        shutil.copyfile(state, target / FOLDER / PROBE_STATE)


def compact_probes(run_dir: Path) -> None:
    """Turn the lines into parquet."""
    KEPT.compact(run_dir)


def _table(run_id: str, lines: Sequence[dict[str, Any]]) -> pa.Table:
    rows = [
        {"run_id": run_id, "epoch": line["epoch"], "step": line["step"], **layer}
        for line in map(unpack, lines)
        for layer in line["layers"]
    ]
    return pa.Table.from_pylist(rows, schema=arrow_schema(PROBES))


def _lines_of(table: pa.Table) -> list[dict[str, Any]]:
    """Return one line per look of a compacted run."""
    looks: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for row in table.to_pylist():
        layer = {name: value for name, value in row.items() if name not in ("run_id", "epoch", "step")}
        looks.setdefault((row["epoch"], row["step"]), []).append(layer)
    return [pack({"epoch": epoch, "step": step, "layers": layers}) for (epoch, step), layers in looks.items()]


KEPT = TailedTable("probes", PROBES, _table, _lines_of)
