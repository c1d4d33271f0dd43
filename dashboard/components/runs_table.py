"""The table of all runs: what is kept, what is shown, and what the seeds of a group say together."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import polars as pl
import streamlit as st

from cnnlab.analysis.groups import against_best, summarise
from cnnlab.analysis.intervals import wilson
from dashboard.components.numbers import percent_interval
from dashboard.components.status import STATES
from dashboard.state import url

# A cell of a table takes text only, so the icons of `STATES` have stand-ins here.
SIGNS: Mapping[str, str] = {
    "running": "▶",
    "queued": "…",
    "paused": "Ⅱ",
    "completed": "✓",
    "failed": "✕",
    "cancelled": "■",
    "lost": "?",
}
# So many ids keep an address below what browsers and proxies pass on.
LONGEST_LINK = 50
SEARCHED = ("run_id", "name", "dataset", "architecture", "augmentation", "optimizer", "state", "failure", "origin")


def filter_runs(
    runs: pl.DataFrame,
    search: str = "",
    datasets: Sequence[str] = (),
    architectures: Sequence[str] = (),
    states: Sequence[str] = (),
) -> pl.DataFrame:
    """Return the runs that hold every word of `search` somewhere and one of each non-empty choice."""
    for column, allowed in (("dataset", datasets), ("architecture", architectures), ("state", states)):
        if allowed:
            runs = runs.filter(pl.col(column).is_in(list(allowed)))
    words = search.lower().split()
    if not words or runs.is_empty():
        return runs
    searched = [name for name in SEARCHED if name in runs.columns]
    text = pl.concat_str([pl.col(name).cast(pl.String).fill_null("") for name in searched], separator=" ")
    runs = runs.with_columns(text.str.to_lowercase().alias("_text"))
    for word in words:
        runs = runs.filter(pl.col("_text").str.contains(word, literal=True))
    return runs.drop("_text")


@lru_cache(maxsize=1 << 16)
def wilson_text(correct: int | None, n: int | None) -> str | None:
    """Return the Wilson interval in percent, or None for a run that was not tested."""
    return percent_interval(*wilson(correct, n)) if correct is not None and n else None


def shown_runs(runs: pl.DataFrame) -> pl.DataFrame:
    """Return the columns of the table, one row per run in the order of `runs`."""
    intervals = [wilson_text(correct, n) for correct, n in runs.select("test_correct", "test_n").iter_rows()]
    signed = {state: f"{SIGNS.get(state, '')} {face.label}" for state, face in STATES.items()}
    asked = pl.col("epochs").cast(pl.String).fill_null("–")  # other tools do not say
    epochs = pl.format("{} / {}", pl.col("epochs_done").fill_null(0), asked)
    return runs.select(
        pl.col("name").fill_null("").alias("Name"),
        pl.col("state").replace(signed).alias("Status"),
        _doctor_marks(runs).alias("Doctor"),
        pl.col("dataset").alias("Data set"),
        pl.col("architecture").alias("Architecture"),
        (100 * pl.col("test_accuracy")).alias("Test top-1"),
        pl.Series("95 % interval", intervals, dtype=pl.String),
        pl.col("num_params").alias("Parameters"),
        pl.col("macs").alias("MACs"),
        epochs.alias("Epochs"),
        pl.col("train_s").alias("Duration"),
        pl.col("seed").alias("Seed"),
        pl.col("created_at").alias("Created"),
        pl.col("run_id").alias("Run"),
    )


def _doctor_marks(runs: pl.DataFrame) -> pl.Series:
    """Return a mark where the doctor found something serious; a table without that column has none."""
    counts = runs["serious_findings"].to_list() if "serious_findings" in runs.columns else [None] * runs.height
    return pl.Series("Doctor", [f"⚠ {count}" if count else None for count in counts], dtype=pl.String)


def run_columns() -> dict[str, Any]:
    """Return how each column of `shown_runs` looks and what it means."""
    column = st.column_config
    return {
        # The only pinned one: on a phone there is room beside it for one or two more.
        "Name": column.TextColumn(width=170, pinned=True),
        "Status": column.TextColumn(width=105),
        "Doctor": column.TextColumn(
            width=70, help="How many serious findings the doctor had at the end; the run's page says which."
        ),
        "Test top-1": column.NumberColumn(format="%.1f %%", help="Share of test images classified right."),
        "95 % interval": column.TextColumn(
            alignment="right",
            help="Wilson interval of one run's test accuracy: what another sample of images may give.",
        ),
        "Parameters": column.NumberColumn(format="localized", help="Weights, trainable or not."),
        "MACs": column.NumberColumn(
            format="compact", help="Multiply-accumulates for one image; empty when not counted."
        ),
        "Epochs": column.TextColumn(alignment="right", help="Done / asked for."),
        "Duration": column.NumberColumn(format="%.0f s", help="Time spent in training."),
        "Seed": column.NumberColumn(format="%d"),
        "Created": column.DatetimeColumn(format="YYYY-MM-DD HH:mm"),
    }


def shown_groups(runs: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, list[str]]]:
    """Return one row per group, and the runs of each group in the order of the rows.

    A group is runs that differ in their seed only, on one version of the data: the config
    of a catalogue set does not say what its version was at the time.
    """
    # A run knows its version once it has ended well; before, it counts to the newest of its group.
    newest = pl.col("dataset_version").drop_nulls().first().over("group_id")
    version = pl.col("dataset_version").fill_null(newest).fill_null("-")
    versioned = pl.concat_str(pl.col("group_id").fill_null(pl.col("run_id")), version, separator="/")
    grouped = runs.with_columns(group_id=versioned, version=version)
    groups = summarise(grouped).with_columns(_of_first(grouped, "version"), _of_first(grouped, "main_output"))
    intervals = [
        percent_interval(low, high) if low is not None else None
        for low, high in groups.select("low", "high").iter_rows()
    ]
    seeds = dict(runs.select("run_id", "seed").iter_rows())
    members = dict(groups.select("group_id", "members").iter_rows())
    shown = groups.select(
        pl.col("name").fill_null("").alias("Name"),
        pl.col("dataset").alias("Data set"),
        pl.col("architecture").alias("Architecture"),
        (100 * pl.col("mean")).alias("Mean test top-1"),
        pl.Series("95 % interval", intervals, dtype=pl.String),
        pl.col("n"),
        against_best(groups, ("dataset", "version", "main_output")).alias("Best"),
        pl.col("members").list.len().alias("Runs"),
        pl.Series("Open", [members_link(ids) for ids in members.values()], dtype=pl.String),
        pl.col("num_params").alias("Parameters"),
        pl.col("macs").alias("MACs"),
        pl.Series("Seeds", [_seeds_text([seeds[one] for one in ids]) for ids in members.values()], dtype=pl.String),
    )
    return shown, members


def _of_first(runs: pl.DataFrame, column: str) -> pl.Series:
    """Return a column by group, in order of first appearance; a table without that column has none."""
    if column not in runs.columns:
        return pl.Series(column, [None] * runs["group_id"].n_unique(), dtype=pl.String)
    firsts = runs.group_by("group_id", maintain_order=True).agg(pl.col(column).drop_nulls().first())
    return firsts[column]


def members_link(run_ids: Sequence[str]) -> str | None:
    """Return the address of the comparison of a group's runs, None where these are too many for one."""
    return url("compare", runs=",".join(run_ids)) if len(run_ids) <= LONGEST_LINK else None


def _seeds_text(seeds: list[int | None]) -> str:
    return ", ".join(str(seed) for seed in sorted(seed for seed in seeds if seed is not None))


def group_columns() -> dict[str, Any]:
    """Return how each column of `shown_groups` looks and what it means."""
    column = st.column_config
    return {
        "Name": column.TextColumn(width=170, pinned=True),
        "Mean test top-1": column.NumberColumn(format="%.1f %%", help="Mean over the runs that were tested."),
        "95 % interval": column.TextColumn(
            alignment="right", help="Student's t interval of the mean over seeds; needs two runs or more."
        ),
        "n": column.NumberColumn(format="%d", help="Runs with a test accuracy."),
        "Best": column.TextColumn(
            help="Of the groups shown here that were tested on the same version of a data set: the highest mean, what "
            "cannot be told apart from it (Welch's t over seeds, Holm's correction), and what is behind. Compare "
            "groups for a test over seeds and images. Empty below two seeds."
        ),
        "Open": column.LinkColumn(display_text="compare its runs", help="The runs of the group, one by one."),
        "Runs": column.NumberColumn(format="%d", help="All runs of the group, unfinished ones too."),
        "Parameters": column.NumberColumn(format="localized"),
        "MACs": column.NumberColumn(format="compact", help="Multiply-accumulates for one image."),
    }


def positions(shown_ids: Sequence[str], chosen: Iterable[str]) -> list[int]:
    """Return the rows at which the chosen runs stand now; those out of sight are left out."""
    place = {run_id: row for row, run_id in enumerate(shown_ids)}
    return [place[run_id] for run_id in chosen if run_id in place]
