"""What an import did: in a sentence for people, as plain values for programs."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cnnlab.exchange.found import counted
from cnnlab.runs.origin import TOOLS


@dataclass(frozen=True)
class Skipped:
    """A run that was left out, and why."""

    key: str
    reason: str


@dataclass
class Report:
    """What an import did.

    Attributes:
        known: Runs that are in the store as they are now.
        empty: Runs without numbers and parameters, such as the folder with TensorBoard's table of hyperparameters.
        names: Of the numbers that were seen, in whichever run.
        troubles: What could not be read of imported runs, in words, by id.
        remarks: What was done to their numbers, in sentences, by id.
        newer: Of the imported ones, those of which an earlier state is in the store too, by id: the earlier ids.
    """

    tool: str
    path: str
    imported: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    empty: list[Skipped] = field(default_factory=list)
    newer: dict[str, list[str]] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    troubles: dict[str, list[str]] = field(default_factory=dict)
    remarks: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        skipped = [{"run": one.key, "reason": one.reason} for one in self.skipped]
        return {
            "tool": self.tool,
            "path": self.path,
            "imported": self.imported,
            "already_there": self.known,
            "skipped": skipped,
            "empty": [one.key for one in self.empty],
            "newer_than": self.newer,
            "troubles": self.troubles,
            "remarks": self.remarks,
            "notes": self.notes,
        }

    def sentence(self) -> str:
        """Return what happened, in one sentence."""
        parts = [f"{counted(len(self.imported), 'run')} imported from {TOOLS[self.tool]}"]
        parts += (
            [f"{counted(len(self.known), 'run')} already there, so nothing was added for them"] if self.known else []
        )
        parts += [f"{counted(len(self.skipped), 'run')} left out"] if self.skipped else []
        return "; ".join(parts) + "."


def told_troubles(troubles: Mapping[str, Sequence[str]], most: int) -> list[str]:
    """Return of how many runs something could not be read, then what of the first, a line each."""
    if not troubles:
        return []
    lines = [f"{run_id}: {'; '.join(one)}" for run_id, one in list(troubles.items())[:most]]
    rest = len(troubles) - most
    more = [f"and {counted(rest, 'more run')}"] if rest > 0 else []
    return [f"Something of {counted(len(troubles), 'run')} could not be read.", *lines, *more]


def told_remarks(remarks: Mapping[str, Sequence[str]], most: int) -> list[str]:
    """Return what was done to the numbers of how many runs, a line each, what is of most runs first."""
    often = Counter(one for said in remarks.values() for one in said).most_common()
    rest = len(often) - most
    return [f"{counted(number, 'run')}: {one}" for one, number in often[:most]] + (
        [f"and {counted(rest, 'more note')}"] if rest > 0 else []
    )
