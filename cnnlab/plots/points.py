"""What the charts of accuracy against cost stand on: one point per run, per group of seeds, or per published model."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from cnnlab.analysis.groups import summarise
from cnnlab.plots.bubble_rows import SCHEMA, group_row, missing_accuracy, run_row
from cnnlab.plots.labels import distinct


@dataclass(frozen=True)
class Points:
    """One row per point, in the columns of `bubble_rows.SCHEMA`.

    A point's customdata is its `index`: `members[index]` are the runs behind it, and `keys[index]` tells it
    from the others. `not_shown` (the reason) and `names` are by run id. `noun` is what a point is of, and
    `tested_on` whose images its accuracy speaks of.
    """

    table: pl.DataFrame
    members: tuple[tuple[str, ...], ...]
    keys: tuple[str, ...]
    not_shown: Mapping[str, str]
    names: Mapping[str, str]
    is_grouped: bool
    noun: str = "run"
    tested_on: str = "test"

    @property
    def is_empty(self) -> bool:
        return self.table.is_empty()


def run_points(summaries: pl.DataFrame, *, is_grouped: bool = False, names: Mapping[str, str] | None = None) -> Points:
    """Return a point for each run with a test accuracy, and of each other run the reason.

    Args:
        summaries: One row per run, in the order of the colours: run_id, name, state, architecture, group_id,
            num_params, macs, test_accuracy, test_correct, test_n and, for choosing by it, val_accuracy.
        is_grouped: One point per group: the mean with Student's 95 % interval, or Wilson's of a single run.
        names: What a run (or a group) is called, where not by the column `name`.
    """
    by_run = {row["run_id"]: row for row in summaries.iter_rows(named=True)}
    called = distinct({run_id: (names or {}).get(run_id) or row["name"] or run_id for run_id, row in by_run.items()})
    if is_grouped:
        groups = summarise(summaries).rows(named=True)
        titles = distinct({group["group_id"]: _group_title(group, names or {}) for group in groups})
        candidates = [(group_row(group, by_run, titles), tuple(group["members"])) for group in groups]
    else:
        candidates = [(run_row(row, called), (run_id,)) for run_id, row in by_run.items()]
    rows = [{"index": place, **row} for place, (row, _) in enumerate(candidates) if row["accuracy"] is not None]
    return Points(
        table=pl.DataFrame(rows, schema=SCHEMA, orient="row"),
        members=tuple(members for _, members in candidates),
        keys=tuple(row["key"] for row, _ in candidates),
        not_shown={run_id: reason for run_id, row in by_run.items() if (reason := missing_accuracy(row))},
        names=called,
        is_grouped=is_grouped,
    )


def without(points: Points, reasons: Mapping[int, str]) -> Points:
    """Return the points but those of `reasons`, by index, which are told with their reason."""
    left_out = {run_id: reason for index, reason in reasons.items() for run_id in points.members[index]}
    told = {name: points.not_shown.get(name) or left_out.get(name, "") for name in points.names}
    return replace(
        points,
        table=points.table.filter(~pl.col("index").is_in(list(reasons))),
        not_shown={name: reason for name, reason in told.items() if reason},
    )


def _group_title(group: Mapping[str, Any], names: Mapping[str, str]) -> str:
    first = group["members"][0]
    return names.get(group["group_id"]) or group["name"] or names.get(first) or first
