"""What the Compare page speaks of: the chosen runs, of which output, one by one or as groups."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from cnnlab.plots.labels import distinct
from cnnlab.runs.schema import SUMMARY, polars_schema
from dashboard.components.comparing import run_label


@dataclass(frozen=True)
class Subject:
    """The runs that every part of the page draws.

    Attributes:
        rows: Of `data.summaries`, in the order chosen, with the numbers of `output`.
        output: Of which all numbers speak; None for the main output of each run.
        is_grouped: Runs that differ in their seed only are drawn as one.
    """

    rows: Sequence[Mapping[str, Any]]
    output: str | None
    is_grouped: bool

    @property
    def run_ids(self) -> list[str]:
        """In the order chosen."""
        return [row["run_id"] for row in self.rows]

    @property
    def names(self) -> dict[str, str]:
        """What each run is called, unlike any other."""
        return {row["run_id"]: run_label(row) for row in self.rows}

    @property
    def groups(self) -> dict[str, str]:
        """The group of each run, also where they are drawn one by one."""
        return {row["run_id"]: row["group_id"] for row in self.rows}

    @property
    def group_names(self) -> dict[str, str]:
        """What each group is called: as its first run."""
        return {row["group_id"]: row["name"] or row["run_id"] for row in reversed(self.rows)}

    @property
    def members(self) -> dict[str, list[str]]:
        """The runs of each group, or each run by itself, by group or run in the order chosen."""
        found: dict[str, list[str]] = {}
        for row in self.rows:
            found.setdefault(self._key(row), []).append(row["run_id"])
        return found

    def members_of(self, key: str) -> list[Mapping[str, Any]]:
        """The rows of one of `members`."""
        return [row for row in self.rows if self._key(row) == key]

    def _key(self, row: Mapping[str, Any]) -> str:
        return str(row["group_id"] if self.is_grouped else row["run_id"])

    @property
    def labels(self) -> dict[str, str]:
        """What each of `members` is called, unlike any other."""
        called = self.group_names if self.is_grouped else self.names
        return distinct({key: called[key] for key in self.members})

    @property
    def frame(self) -> pl.DataFrame:
        """The rows as a frame with the columns of the summaries."""
        return pl.DataFrame(list(self.rows), schema=polars_schema(SUMMARY), orient="row")
