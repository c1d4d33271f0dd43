"""What single steps measured: lines while a run lives, one parquet file once it has ended."""

import contextlib
import io
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cnnlab.files import read_bytes
from cnnlab.runs import tables
from cnnlab.runs.lines import append_lines, parse_lines, special_name, special_value
from cnnlab.runs.schema import STEPS, arrow_schema

if TYPE_CHECKING:
    import polars as pl

TAIL = "steps.jsonl"
STEPS_FILE = "steps.parquet"


def step_line(epoch: int, first_step: int, measured: Mapping[str, Any], rates: Any, elapsed_s: float) -> dict[str, Any]:
    """Return some neighbouring steps of one epoch as one line: a list of numbers per name.

    Args:
        epoch: 1-based.
        first_step: 1-based, over all epochs.
        measured: One value per step by `loss`, `label/loss`, `label/accuracy`.
        rates: The learning rate of each step.
    """
    return {
        "epoch": epoch,
        "step": first_step,
        "elapsed_s": round(elapsed_s, 4),
        "learning_rate": _said(rates),
        "measured": {name: _said(values) for name, values in measured.items()},
    }


def append_steps(run_dir: Path, lines: Sequence[Mapping[str, Any]]) -> None:
    """Append lines of `step_line`."""
    append_lines(run_dir / TAIL, lines)


def read_steps(run_dir: Path) -> "pl.DataFrame":
    """Return one row per step and output so far, in the order of training."""
    import polars as pl

    tail, data = read_bytes(run_dir / TAIL), read_bytes(run_dir / STEPS_FILE)
    if tail is not None or data is None:
        table: Any = pl.from_arrow(_table(run_dir.name, parse_lines(tail or b"")))
        return tables.conform(table, STEPS)
    return tables.conform(pl.read_parquet(data), STEPS)


def copy_steps(source: Path, target: Path) -> None:
    """Let a run begin with the steps of another one, as its tail."""
    (target / TAIL).unlink(missing_ok=True)
    append_lines(target / TAIL, _lines(source) or [])


def _lines(run_dir: Path) -> list[dict[str, Any]] | None:
    """Return the steps so far as lines, None where there are no files of them."""
    tail, data = read_bytes(run_dir / TAIL), read_bytes(run_dir / STEPS_FILE)
    if tail is not None:
        return parse_lines(tail)
    return None if data is None else list(_lines_of(pq.read_table(io.BytesIO(data))))


def rewind_steps(run_dir: Path, before_step: int) -> None:
    """Keep only the steps before one, as the tail that a new attempt goes on with."""
    lines = _lines(run_dir)
    if lines is None:
        return
    temporary = run_dir / f"{TAIL}.new"
    temporary.unlink(missing_ok=True)
    append_lines(temporary, [cut for line in lines if (cut := _cut(line, before_step))] or [])
    if temporary.exists():
        os.replace(temporary, run_dir / TAIL)
    else:
        (run_dir / TAIL).unlink(missing_ok=True)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(run_dir / STEPS_FILE)


def compact_steps(run_dir: Path) -> None:
    """Turn the tail into parquet."""
    tail = read_bytes(run_dir / TAIL)
    if tail is None:
        return
    tables.write_table(run_dir / STEPS_FILE, STEPS, [_table(run_dir.name, parse_lines(tail))])
    os.unlink(run_dir / TAIL)


def _table(run_id: str, lines: Sequence[Mapping[str, Any]]) -> pa.Table:
    parts: dict[str, list[Any]] = {name: [] for name in STEPS.names}
    for line in lines:
        count = len(line["learning_rate"])
        losses = [name for name in line["measured"] if name.rpartition("/")[2] == "loss"]
        for name in losses:
            output = name.rpartition("/")[0]
            accuracy = line["measured"].get(f"{output}/accuracy", [None] * count)
            parts["run_id"] += [run_id] * count
            parts["epoch"] += [line["epoch"]] * count
            parts["step"] += range(line["step"], line["step"] + count)
            parts["output"] += [output] * count
            parts["loss"] += map(_heard, line["measured"][name])
            parts["accuracy"] += map(_heard, accuracy)
            parts["learning_rate"] += map(_heard, line["learning_rate"])
            parts["elapsed_s"] += [line["elapsed_s"]] * count
    schema = arrow_schema(STEPS)
    table = pa.Table.from_pydict(parts, schema=schema)
    return table.sort_by([("step", "ascending"), ("output", "ascending")])


def _lines_of(table: pa.Table) -> Iterator[dict[str, Any]]:
    """Give one line per step of a compacted run."""
    by_step: dict[int, dict[str, Any]] = {}
    for row in table.to_pylist():
        line = by_step.setdefault(
            row["step"],
            step_line(row["epoch"], row["step"], {}, [row["learning_rate"]], row["elapsed_s"] or 0.0),
        )
        line["measured"][f"{row['output']}/loss".lstrip("/")] = _said([row["loss"]])
        if row["accuracy"] is not None:
            line["measured"][f"{row['output']}/accuracy"] = _said([row["accuracy"]])
    yield from by_step.values()


def _cut(line: Mapping[str, Any], before_step: int) -> dict[str, Any] | None:
    """Return the part of a line before a step, None where nothing is left."""
    keep = min(len(line["learning_rate"]), before_step - line["step"])
    if keep <= 0:
        return None
    measured = {name: values[:keep] for name, values in line["measured"].items()}
    return {**line, "learning_rate": line["learning_rate"][:keep], "measured": measured}


def _said(values: Any) -> list[Any]:
    """Return numbers as JSON can say them: 7 digits are all that 32 bits hold."""
    numbers = np.asarray(values, np.float64)
    if np.isfinite(numbers).all():
        return [float(f"{number:.7g}") for number in numbers.tolist()]
    return [float(f"{number:.7g}") if math.isfinite(number) else special_name(number) for number in numbers.tolist()]


def _heard(value: Any) -> float | None:
    return special_value(value) if isinstance(value, str) else value
