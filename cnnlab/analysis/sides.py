"""What is compared with what: single runs, or groups of runs that differ in their seed only."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cnnlab.analysis.pairing import AnsweredRun
from cnnlab.plots.labels import distinct

# Returns the settings in which runs differ: (dotted field, value by run id), as `cnnlab.runs.queries` does.
Differences = Callable[[Sequence[str]], list[tuple[str, dict[str, Any]]]]
MOST_SETTINGS = 2


@dataclass(frozen=True)
class Side:
    """One run, or the runs of a group.

    Attributes:
        key: The run's id or the group's.
        name: Unlike that of any other side.
        runs: In the order chosen, also those that cannot be compared.
    """

    key: str
    name: str
    runs: tuple[AnsweredRun, ...]

    @property
    def run_ids(self) -> tuple[str, ...]:
        return tuple(run.run_id for run in self.runs)


def sides_of(runs: Sequence[AnsweredRun], keys: Mapping[str, str], names: Mapping[str, str]) -> list[Side]:
    """Return one side per key, in order of first appearance.

    Args:
        runs: All chosen ones.
        keys: By run id: the group's id, or the run's own where each stands for itself.
        names: By key; a name that comes twice gets a number.
    """
    by_key: dict[str, list[AnsweredRun]] = {}
    for run in runs:
        by_key.setdefault(keys[run.run_id], []).append(run)
    called = distinct({key: names[key] for key in by_key})
    return [Side(key, called[key], tuple(members)) for key, members in by_key.items()]


def group_names(rows: Sequence[Mapping[str, Any]], differences: Differences) -> dict[str, str]:
    """Return what groups are called, by id: as their first run, and by their settings where several are called alike.

    Args:
        rows: Of the summaries.
        differences: Asked only where two groups have the same name.
    """
    first = {row["group_id"]: row for row in reversed(rows)}
    names = {group_id: str(row["name"] or row["run_id"]) for group_id, row in first.items()}
    for name in dict.fromkeys(names.values()):
        alike = [group_id for group_id in first if names[group_id] == name]
        if len(alike) > 1:
            found = differences([first[group_id]["run_id"] for group_id in alike])
            for group_id in alike:
                names[group_id] = _with_settings(name, first[group_id]["run_id"], found)
    return names


def _with_settings(name: str, run_id: str, differences: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    """Return `net (learning_rate=0.01)`."""
    told = [
        f"{field.rpartition('.')[2]}={values.get(run_id)}" for field, values in differences if field != "training.seed"
    ]
    more = ", …" if len(told) > MOST_SETTINGS else ""
    return f"{name} ({', '.join(told[:MOST_SETTINGS])}{more})" if told else name
