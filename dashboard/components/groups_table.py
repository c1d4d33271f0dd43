"""The table of groups: what the seeds of a config say together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from cnnlab.analysis.groups import GROUP_SCHEMA, against_best, summarise
from dashboard.components import numbers
from dashboard.components.picking_table import Column, Row
from dashboard.state import url

COLUMNS = (
    Column("name", "Name", "A group is runs whose configs differ in their seed only, on one version of the data.",
           kind="link"),
    Column("dataset", "Data set"),
    Column("architecture", "Architecture"),
    Column("mean", "Mean test top-1", "Mean over the runs that were tested.", True),
    Column("interval", "95 % interval", "Student's t interval of the mean over seeds; needs two runs or more.", True),
    Column("n", "n", "Runs with a test accuracy.", True),
    Column(
        "against_best",
        "Best",
        "Of the groups shown here that were tested on the same version of a data set: the highest mean, what cannot be "
        "told apart from it (Welch's t over seeds, Holm's correction), and what is behind. Compare groups for a test "
        "over seeds and images. Empty below two seeds, which have no interval.",
    ),
    Column("runs", "Runs", "All runs of the group, unfinished ones too.", True),
    Column("num_params", "Parameters", "Weights, trainable or not.", True),
    Column("macs", "MACs", "Multiply-accumulates for one image.", True),
    Column("seeds", "Seeds", "In rising order.", is_sortable=False),
)  # fmt: skip
# So many ids keep an address below what browsers and proxies pass on.
LONGEST_LINK = 50
_SORTED_BY = {"interval": "low", "runs": "num_runs"}


@dataclass(frozen=True)
class Groups:
    """The groups of some runs, in order of first appearance.

    Attributes:
        frame: Columns of `GROUP_SCHEMA`, `num_runs`, `group`, the fingerprint without the version, and
            `against_best`.
        seeds: Of each run.
    """

    frame: pl.DataFrame
    seeds: dict[str, int | None]

    def ordered(self, sort: str) -> pl.DataFrame:
        """Return the groups in the order of a column, `-mean` from high to low, what lacks it last."""
        column = sort.removeprefix("-")
        column = _SORTED_BY.get(column, column)
        if column not in self.frame.columns or isinstance(self.frame.schema[column], pl.List):
            return self.frame
        return self.frame.sort(column, descending=sort.startswith("-"), nulls_last=True, maintain_order=True)


def groups_of(runs: pl.DataFrame) -> Groups:
    """Return the groups of some runs.

    A group is runs that differ in their seed only, on one version of the data: the config of a
    catalogue set does not say what its version was at the time.
    """
    # A run knows its version once it has ended well; before, it counts to the newest of its group.
    newest = pl.col("dataset_version").drop_nulls().first().over("group_id")
    version = pl.col("dataset_version").fill_null(newest).fill_null("-")
    own = pl.col("group_id").fill_null(pl.col("run_id"))
    known = runs.with_columns(group_id=pl.concat_str(own, version, separator="/"), version=version, group="group_id")
    needed = {"run_id", "test_accuracy", *GROUP_SCHEMA} & set(known.columns)
    of_first = [pl.col(name).drop_nulls().first() for name in ("version", "main_output", "group")]
    firsts = known.group_by("group_id", maintain_order=True).agg(of_first)
    frame = summarise(known.select(sorted(needed))).join(firsts, on="group_id", how="left", maintain_order="left")
    frame = frame.with_columns(
        pl.col("members").list.len().alias("num_runs"), against_best(frame, ("dataset", "version", "main_output"))
    )
    return Groups(frame, dict(runs.select("run_id", "seed").iter_rows()))


def group_row(groups: Groups, row: dict[str, Any], chosen: set[str]) -> Row:
    """Return the row of one group; its tick is that of all its runs."""
    members = row["members"]
    num_chosen = sum(run_id in chosen for run_id in members)
    interval = numbers.percent_interval(row["low"], row["high"]) if row["low"] is not None else None
    cells = [
        row["name"] or "",
        row["dataset"],
        row["architecture"],
        None if row["mean"] is None else numbers.percent(row["mean"]),
        interval,
        str(row["n"]),
        row["against_best"],
        str(row["num_runs"]),
        None if row["num_params"] is None else numbers.count(row["num_params"]),
        None if row["macs"] is None else numbers.short(row["macs"]),
        seeds_text([groups.seeds[run_id] for run_id in members]),
    ]
    return Row(
        members,
        f"the group {row['name'] or members[0]}",
        cells,
        0 if not num_chosen else 1 if num_chosen == len(members) else 2,
        row["group"] or members[0],
        url("runs", q=f"group={row['group']}" if row["group"] else f"id={members[0]}"),
    )


def members_link(run_ids: Sequence[str]) -> str | None:
    """Return the address of the comparison of a group's runs, None where these are too many for one."""
    return url("compare", runs=",".join(run_ids)) if len(run_ids) <= LONGEST_LINK else None


def seeds_text(seeds: list[int | None]) -> str:
    """Return `'0, 1, 2'`, and how many more there are of many."""
    known = sorted(seed for seed in seeds if seed is not None)
    more = f" and {len(known) - 20} more" if len(known) > 20 else ""
    return ", ".join(map(str, known[:20])) + more
