"""The trials of a study as charts and importance take them: where in the space each was, and what came out."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cnnlab.analysis.fanova import Measure
from cnnlab.analysis.pareto import pareto_front
from cnnlab.settings.objectives import metric
from cnnlab.settings.ranges import ChoiceRange, FloatRange, IntRange, value_key

Numbers = NDArray[np.float64]
# Where a hyperparameter stands that a trial does not have, such as the momentum of Adam.
NOT_THERE = -1.0
# A continuous range is taken at so many places, where a chart or a mean needs some.
PLACES = 32


@dataclass(frozen=True)
class Axis:
    """One searched field: its choices, or the numbers between `low` and `high`.

    Attributes:
        path: Dotted, as `training.learning_rate`.
        label: What charts call it.
        step: Of numbers that are not all possible; integers have 1 at least.
    """

    path: str
    label: str
    choices: tuple[Any, ...] = ()
    low: float = 0.0
    high: float = 1.0
    step: float | None = None
    is_log: bool = False

    def code(self, value: Any) -> float:
        """Return the place of a choice, or where in [0, 1] a number is; `NOT_THERE` for None and for strange ones."""
        if self.choices:
            keys = [value_key(choice) for choice in self.choices]  # not by ==, for which True is 1
            return float(keys.index(value_key(value))) if value_key(value) in keys else NOT_THERE
        if value is None or isinstance(value, (str, list, tuple)) or (self.is_log and value <= 0):
            return NOT_THERE
        if self.high == self.low:
            return 0.5
        place = (self._scaled(float(value)) - self._scaled(self.low)) / (
            self._scaled(self.high) - self._scaled(self.low)
        )
        return min(1.0, max(0.0, place))

    def value(self, code: float) -> Any:
        """Return the choice or the number at a code; None where it is not there."""
        if code == NOT_THERE:
            return None
        if self.choices:
            return self.choices[round(code)]
        low, high = self._scaled(self.low), self._scaled(self.high)
        place = low + code * (high - low)
        return math.exp(place) if self.is_log else place

    def codes(self) -> Numbers:
        """Return all codes of choices and of few numbers, and the middles of equal cells of many."""
        if self.choices:
            return np.arange(len(self.choices), dtype=np.float64)
        if self.step and (self.high - self.low) / self.step < PLACES:
            numbers = np.arange(self.low, self.high + self.step / 2, self.step)
            return np.array([self.code(number) for number in numbers.tolist()])
        return (np.arange(PLACES) + 0.5) / PLACES

    def measure(self, absent: float = 0.0) -> Measure:
        """Return the space of this axis, each choice and each part of a range alike.

        Args:
            absent: In how large a share of the space the field is not there.
        """
        codes = self.codes()
        if absent <= 0:
            return Measure(codes, np.full(codes.size, 1 / codes.size))
        return Measure(
            np.concatenate([[NOT_THERE], codes]),
            np.concatenate([[absent], np.full(codes.size, (1 - absent) / codes.size)]),
        )

    def text(self, value: Any) -> str:
        """Return a value as people read it."""
        if value is None:
            return "–"
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return str(value) or "none"
        return f"{value:.4g}"

    def _scaled(self, number: float) -> float:
        return math.log(number) if self.is_log else number


@dataclass(frozen=True)
class Goal:
    """One objective: a metric and whether more of it is better."""

    metric: str
    is_max: bool

    @property
    def label(self) -> str:
        """Return what charts call it, within a sentence: `validation accuracy`, `MACs of one image`."""
        known, output = metric(self.metric), self.metric.partition("/")[2]
        if known is None:
            return self.metric.replace("_", " ")
        title = f"{known.title} of {output}" if output else known.title
        return title if title[:2].isupper() else title[:1].lower() + title[1:]

    def text(self, value: float) -> str:
        """Return a value as people read it."""
        if not math.isfinite(value):
            return "–"
        if "accuracy" in self.metric:
            return f"{100 * value:.2f} %"
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


@dataclass(frozen=True)
class Trials:
    """The trials of a study, in the order they were asked for.

    Attributes:
        rows: One per trial: trial_id, number, status, reason, worker, run_ids, epochs_done, started_at, ended_at.
        values: `{path: value}` per trial; a field that a trial does not have is missing.
        results: `{metric: value}` per trial; empty while nothing is known.
    """

    rows: pl.DataFrame
    values: tuple[Mapping[str, Any], ...]
    results: tuple[Mapping[str, Any], ...]
    axes: tuple[Axis, ...]
    goals: tuple[Goal, ...]

    @property
    def n(self) -> int:
        return self.rows.height

    @cached_property
    def run_ids(self) -> list[list[str]]:
        """Return the runs of each trial."""
        return [found or [] for found in self.rows["run_ids"].to_list()]

    def objective(self, goal: Goal) -> Numbers:
        """Return a metric per trial; NaN where it is not known or no number."""
        return np.array([_number(found.get(goal.metric)) for found in self.results], dtype=np.float64)

    def is_completed(self) -> NDArray[np.bool_]:
        """Return which trials were trained as far as was planned; others have a result of part of it."""
        return (self.rows["status"] == "completed").to_numpy()

    def codes(self, axes: Sequence[Axis] | None = None) -> Numbers:
        """Return `(trials, axes)`: where each trial is on each axis."""
        chosen = self.axes if axes is None else axes
        return np.array(
            [[axis.code(values.get(axis.path)) for axis in chosen] for values in self.values], dtype=np.float64
        ).reshape(self.n, len(chosen))

    def measures(self, which: NDArray[np.bool_] | None = None) -> list[Measure]:
        """Return the space: a field that only some trials have is absent in so large a share as among these."""
        codes = self.codes() if which is None else self.codes()[which]
        absent = (codes == NOT_THERE).mean(axis=0) if len(codes) else np.zeros(len(self.axes))
        return [axis.measure(float(share)) for axis, share in zip(self.axes, absent, strict=True)]

    def best(self) -> int | None:
        """Return the place of the best completed trial in the first objective, None while there is none."""
        if not self.goals:
            return None
        values = np.where(self.is_completed(), self.objective(self.goals[0]), np.nan)
        if not np.isfinite(values).any():
            return None
        return int(np.nanargmax(values) if self.goals[0].is_max else np.nanargmin(values))

    def ranking(self) -> list[int]:
        """Return the places of completed trials with a result, best first by the first objective."""
        goal = self.goals[0]
        values = np.where(self.is_completed(), self.objective(goal), np.nan)
        order = np.argsort(-values if goal.is_max else values, kind="stable")
        return [int(place) for place in order if np.isfinite(values[place])]

    def front(self) -> list[int]:
        """Return the places of the completed trials that no other beats in both of the first two objectives."""
        first, second = self.goals[:2]
        kept = self.is_completed()
        # The front is of low cost and high value: what should be large is turned for the one, small for the other.
        costs = np.where(kept, self.objective(first) * (-1 if first.is_max else 1), np.nan)
        gains = np.where(kept, self.objective(second) * (1 if second.is_max else -1), np.nan)
        return np.flatnonzero(pareto_front(costs, gains)).tolist()

    def label(self, place: int) -> str:
        """Return what a trial is called."""
        return f"trial {self.rows['number'][place]}"

    def described(self, place: int) -> str:
        """Return the hyperparameters of a trial in one line, those that it has."""
        values = self.values[place]
        return ", ".join(f"{axis.label} {axis.text(values[axis.path])}" for axis in self.axes if axis.path in values)


def axis_labels(paths: Iterable[str]) -> dict[str, str]:
    """Return what each dotted path is called: its last part, where that is enough."""
    short = {path: path.removesuffix(".name").rpartition(".")[2].replace("_", " ") for path in paths}
    taken = list(short.values())
    return {path: label if taken.count(label) == 1 else path for path, label in short.items()}


def axes_of(space: Mapping[str, ChoiceRange | IntRange | FloatRange]) -> tuple[Axis, ...]:
    """Return an axis per searched field."""
    labels = axis_labels(space)
    return tuple(
        Axis(path, labels[path], choices=searched.values)
        if isinstance(searched, ChoiceRange)
        else Axis(path, labels[path], (), searched.low, searched.high, searched.step, searched.log)
        for path, searched in space.items()
    )


def goals_of(objectives: Sequence[Any]) -> tuple[Goal, ...]:
    """Return the goals of the objectives of a study."""
    return tuple(Goal(one.metric, one.direction == "max") for one in objectives)


def trials_of(rows: pl.DataFrame, axes: Sequence[Axis], goals: Sequence[Goal]) -> Trials:
    """Return the trials of the table of a study.

    Args:
        rows: As `cnnlab.runs.studies.read_trials` gives them; `values` and `objectives` are JSON text.
    """
    rows = rows.sort("number")
    values, results = ([_mapping(text) for text in rows[name]] for name in ("values", "objectives"))
    return Trials(rows, tuple(values), tuple(results), tuple(axes), tuple(goals))


def _mapping(text: str | None) -> dict[str, Any]:
    found = json.loads(text) if text else {}
    return found if isinstance(found, dict) else {}


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else math.nan
