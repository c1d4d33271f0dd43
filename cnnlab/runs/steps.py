"""What single steps measured: what a line holds, and how lines become rows."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from cnnlab.runs.lines import special_name, special_value
from cnnlab.runs.schema import STEPS, arrow_schema
from cnnlab.runs.tailed import TailedTable

if TYPE_CHECKING:
    import polars as pl


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
    KEPT.append(run_dir, lines)


def read_steps(run_dir: Path) -> "pl.DataFrame":
    """Return one row per step and output so far, in the order of training."""
    return KEPT.read(run_dir)


def copy_steps(source: Path, target: Path) -> None:
    """Let a run begin with the steps of another one."""
    KEPT.copy(source, target)


def rewind_steps(run_dir: Path, before_step: int) -> None:
    """Keep only the steps before one, 1-based."""
    KEPT.rewind(run_dir, lambda line: _cut(line, before_step))


def compact_steps(run_dir: Path) -> None:
    """Turn the lines into parquet."""
    KEPT.compact(run_dir)


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


KEPT = TailedTable("steps", STEPS, _table, _lines_of)
