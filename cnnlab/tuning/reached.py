"""What a trial reached: curves of its runs by the names of objectives, and the mean over its executions."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cnnlab.files import read_json
from cnnlab.runs import tables
from cnnlab.runs.lines import unpack
from cnnlab.settings.objectives import Objective

# By epoch, counted from 1: the numbers of that epoch by name, such as `val_accuracy` and `val_accuracy/label`.
Curves = dict[int, dict[str, float]]


def curves_of(run_dir: Path, main_output: str | None) -> Curves:
    """Return what a run measured so far, epoch by epoch.

    Args:
        main_output: The output that a name without one speaks of; the first of the run's where it is None.
    """
    return RunCurves(run_dir, main_output).read()


class RunCurves:
    """The curves of one run, read again and again: while it trains only what was added is read.

    Args:
        main_output: As in `curves_of`.
    """

    def __init__(self, run_dir: Path, main_output: str | None):
        self._reader = tables.MetricsReader(run_dir)
        self._asked = self._main_output = main_output
        self._stamp: tuple[int, ...] = ()
        self._run_dir = run_dir
        self._known: Curves = {}

    def read(self) -> Curves:
        """Return what the run measured so far; not to be changed."""
        stamp = tables.metrics_stamp(self._run_dir)
        if stamp != self._stamp:
            rows, is_all = self._reader.read()
            if is_all:
                self._known, self._main_output = {}, self._asked
            for row in rows:
                self._add(row)
            self._known = dict(sorted(self._known.items()))
            self._stamp = stamp
        return self._known

    def _add(self, row: Mapping[str, Any]) -> None:
        if row["value"] is None:
            return
        name, output = f"{row['split']}_{row['metric']}", row["output"]
        epoch = self._known.setdefault(row["epoch"], {})
        if output:
            self._main_output = self._main_output or output
            epoch[f"{name}/{output}"] = row["value"]
        if not output and name.endswith("_loss"):
            epoch[name] = row["value"]  # of all outputs together: what training makes smaller
        elif not output or output == self._main_output:
            of_one = bool(output) and not name.endswith("_loss")
            epoch[name] = row["value"] if of_one else epoch.get(name, row["value"])


def result_of(run_dir: Path) -> dict[str, float]:
    """Return the numbers of a run that are known at its end only, such as `macs`; none before."""
    value = read_json(run_dir / "result.json")
    numbers = unpack(value) if isinstance(value, dict) else {}
    return {
        name: float(number)
        for name, number in numbers.items()
        if isinstance(number, int | float) and not isinstance(number, bool)
    }


def mean_curves(executions: Sequence[Curves]) -> Curves:
    """Return the mean over the executions that came to each epoch."""
    found: Curves = {}
    for epoch in sorted({epoch for curves in executions for epoch in curves}):
        there = [curves[epoch] for curves in executions if epoch in curves]
        names = {name: None for one in there for name in one}
        found[epoch] = {name: _mean([one[name] for one in there if name in one]) for name in names}
    return found


def reached(
    objectives: Sequence[Objective], executions: Sequence[Curves], results: Sequence[Mapping[str, float]] = ()
) -> dict[str, float]:
    """Return each objective's value that is known: the mean over executions, at the best epoch.

    The best epoch is that of the first objective with one value per epoch: all curves are read at it, so that
    the numbers of a trial belong together.
    """
    mean = mean_curves(executions)
    leading = next((one for one in objectives if any(one.metric in values for values in mean.values())), None)
    found: dict[str, float] = {}
    if leading is not None:
        sign = -1.0 if leading.direction == "max" else 1.0
        scores = {epoch: sign * values[leading.metric] for epoch, values in mean.items() if leading.metric in values}
        finite = {epoch: score for epoch, score in scores.items() if not math.isnan(score)}
        best = min(finite or scores, key=lambda epoch: ((finite or scores)[epoch], epoch))
        found = {one.metric: mean[best][one.metric] for one in objectives if one.metric in mean[best]}
    for one in objectives:
        there = [result[one.metric] for result in results if one.metric in result]
        if one.metric not in found and there:
            found[one.metric] = _mean(there)
    return found


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if all(map(math.isfinite, values)) else sum(values) / len(values)
