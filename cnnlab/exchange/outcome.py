"""What came out of a run, as `result.json` says it, from its numbers alone."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from cnnlab.runs.facts import best_epoch


def outcome(columns: Mapping[str, Any], *, has_epochs: bool) -> dict[str, Any]:
    """Return what `result.json` holds of a run that another tool trained.

    How many images were tested is not known: `correct` and `n` are null. A test counts as it was last measured.

    Args:
        columns: Of our table of metrics, in the order of measuring.
        has_epochs: Else nothing is said of epochs.
    """
    output = _main_output(columns)
    losses, accuracies = (_by_epoch(columns, "val", name, output) for name in ("loss", "accuracy"))
    best = best_epoch(losses, accuracies)
    elapsed = np.asarray(columns["elapsed_s"], np.float64)
    elapsed = elapsed[np.isfinite(elapsed)]
    outputs = sorted({name for name in columns["output"] if name})
    return {
        "main_output": output,
        "outputs": {},
        "epochs_done": int(np.max(columns["epoch"])) if has_epochs else None,
        "best_epoch": best if has_epochs else None,
        "train_s": float(elapsed.max()) if elapsed.size else None,
        "val": {name: _val(columns, name, best) for name in dict.fromkeys([output, *outputs])},
        "test": {name: _last(columns, name) for name in dict.fromkeys([output, *outputs])},
    }


def _main_output(columns: Mapping[str, Any]) -> str:
    """Return the output that has an accuracy, best one that was not measured on what it learns from.

    All together ('') where that has one, else the first.
    """
    rows = zip(columns["split"], columns["output"], columns["metric"], strict=True)
    having = [(split, output) for split, output, metric in rows if metric == "accuracy"]
    outputs = [output for split, output in having if split != "train"] or [output for _, output in having]
    return "" if "" in outputs or not outputs else outputs[0]


def _by_epoch(columns: Mapping[str, Any], split: str, metric: str, output: str) -> dict[int, float]:
    wanted = (columns["split"] == split) & (columns["metric"] == metric) & (columns["output"] == output)
    if not isinstance(wanted, np.ndarray):
        return {}
    return dict(zip(columns["epoch"][wanted].tolist(), columns["value"][wanted].tolist(), strict=True))


def _val(columns: Mapping[str, Any], output: str, best: int | None) -> dict[str, float | None]:
    return {name: _by_epoch(columns, "val", name, output).get(best or 0) for name in ("accuracy", "loss")}


def _last(columns: Mapping[str, Any], output: str) -> dict[str, Any]:
    found: dict[str, Any] = {"correct": None, "n": None}
    for name in ("accuracy", "loss"):
        values = list(_by_epoch(columns, "test", name, output).values())
        found[name] = values[-1] if values else None
    return found
