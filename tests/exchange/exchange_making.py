"""What the tests of imports and exports share: the real stores, runs to export, and rows to compare."""

import contextlib
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from cnnlab.config import config_from_dict
from cnnlab.exchange.converting import ImportOptions, adopted
from cnnlab.exchange.found import EmptyRunError
from cnnlab.exchange.sources import opened
from cnnlab.runs import queries
from cnnlab.runs.adopting import AdoptedRun
from cnnlab.runs.status import RunStatus, failure, write_status
from cnnlab.runs.store import Store
from cnnlab.runs.writer import RunWriter

STORES = Path(__file__).parent / "stores"
REAL_TOOLS = Path(__file__).parent / "real_tools.py"
# Columns of the list of runs in which a run that was moved differs.
ELSEWHERE = ("origin", "is_foreign", "disk_bytes")
STARTED, ENDED = "2026-03-01T10:00:00.250+00:00", "2026-03-01T10:00:09+00:00"


def found_in(path: Path, workplace: Path, tool: str | None = None, **options: Any) -> dict[str, AdoptedRun]:
    """Return the runs of a path as the store would take them, by name."""
    with opened(path, workplace, tool) as source:
        runs = [source.read(key, lambda _share: None) for key in source.run_keys()]
    found = {}
    for run in runs:
        with contextlib.suppress(EmptyRunError):
            made = adopted(run, source.tool, str(path), ImportOptions(**options))
            found[made.name] = made
    return found


def values_of(run: AdoptedRun | pl.DataFrame, by: str = "epoch") -> dict[str, list[tuple[int, float]]]:
    """Return the numbers of a run by 'split/output/metric', each with its epoch or step."""
    columns: Mapping[str, Any] = run.metrics if isinstance(run, AdoptedRun) else run.to_dict(as_series=False)
    found: dict[str, list[tuple[int, float]]] = {}
    names = ("split", "output", "metric", by, "value")
    for split, output, metric, place, value in zip(*(columns[name] for name in names), strict=True):
        found.setdefault(f"{split}/{output}/{metric}", []).append((int(place), float(value)))
    return found


def same(left: Any, right: Any) -> bool:
    """Return whether two nested values are equal, NaN being equal to NaN."""
    return repr(left) == repr(right)


def make_measured(root: Path, state: str = "completed", name: str = "", notes: str = "", **training: Any) -> str:
    """Write a run of our own with odd numbers, epochs and steps, and return its id."""
    config = config_from_dict({"name": name, "notes": notes, "training": {"epochs": 3, **training}})
    run_dir = Store(root).create_run(config)
    writer = RunWriter(run_dir)
    odd = {1: 1 / 3, 2: float("nan"), 3: float("inf")}
    rows = [
        {"epoch": epoch, "step": 7 * epoch, "split": split, "output": output, "metric": metric,
         "value": value if metric == "loss" else epoch / 7, "elapsed_s": 1.125 * epoch}
        for epoch, value in odd.items() for split in ("train", "val") for output in ("", "label")
        for metric in ("loss", "accuracy")
    ]  # fmt: skip
    writer.metrics(rows)
    if state == "completed":
        answers = np.eye(2)[[0, 1, 1, 0]]
        writer.predictions("test", "label", ["a", "b", "c", "d"], [0, 1, 0, 1], answers)
        tested = {"label": {"accuracy": 0.5, "loss": 1.5, "correct": 2, "n": 4}}
        writer.result({"main_output": "label", "outputs": {"label": ["cat", "dog"]}, "test": tested, "val": tested,
                       "epochs_done": 3, "best_epoch": 1, "train_s": 3.375, "num_params": 61_706})  # fmt: skip
        writer.environment({"python": "3.11.7"})
        (run_dir / "model.keras").write_bytes(b"weights")
    writer.finish()
    why = failure("nan_loss", "The loss became NaN.") if state == "failed" else None
    write_status(run_dir, RunStatus(state=state, started_at=STARTED, ended_at=ENDED, failure=why))
    return run_dir.name


def sorted_metrics(store: Store, run_id: str) -> pl.DataFrame:
    """Return the numbers of a run in an order that does not depend on who wrote them."""
    frame = queries.metrics(store, [run_id])
    return frame.sort("epoch", "step", "split", "output", "metric")


def real_tool(command: str, folder: Path) -> str:
    """Run the real tools in a process of their own and return what they print."""
    answer = subprocess.run([sys.executable, str(REAL_TOOLS), command, str(folder)], capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr[-3000:]
    return answer.stdout
