"""What the Compare page speaks of: the chosen runs, of which output, one by one or as groups."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

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
    def frame(self) -> pl.DataFrame:
        """The rows as a frame with the columns of the summaries."""
        return pl.DataFrame(list(self.rows), schema=polars_schema(SUMMARY), orient="row")
