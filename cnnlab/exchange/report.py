"""What an import did: in a sentence for people, as plain values for programs."""

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
        newer: Of the imported ones, those of which an earlier state is in the store too, by id: the earlier ids.
    """

    tool: str
    path: str
    imported: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    empty: list[Skipped] = field(default_factory=list)
    newer: dict[str, list[str]] = field(default_factory=dict)
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
