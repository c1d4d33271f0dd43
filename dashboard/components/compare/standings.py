"""The tables of a comparison: where each run or group stands, and its members."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import streamlit as st

from cnnlab.analysis.comparison import Comparison, missing_value
from cnnlab.analysis.groups import is_known
from cnnlab.analysis.intervals import student_share, wilson
from cnnlab.analysis.sides import Side
from cnnlab.analysis.verdict import p_number, rank_text
from dashboard.components.compare.comparison_tables import pairs_table, ties_in_words
from dashboard.components.compare.subject import Subject
from dashboard.components.comparing import run_label
from dashboard.components.groups_table import members_link
from dashboard.components.numbers import count, duration, percent_interval, short
from dashboard.components.status import look
from dashboard.components.text import plain
from dashboard.state import url

MOST_LETTERS = 8
ORDER = (
    "Run", "Group", "Test top-1", "95 % interval", "n", "Rank", "Ties", "Against baseline", "Its 95 % interval",
    "p (Holm)", "Only it right", "Only baseline right", "Test images", "Status", "Best validation", "Parameters",
    "MACs", "Epochs", "Training time", "Open",
)  # fmt: skip
POINTS = "%+.2f"
PERCENT = "%.2f %%"


def draw_standings(subject: Subject, comparison: Comparison, sides: Sequence[Side], base: int | None) -> None:
    """Draw one row per side; under it the members of groups, and all pairs."""
    table = standings_table(subject, comparison, sides, base)
    columns = _columns(table, comparison, base)
    st.dataframe(table, hide_index=True, key="summary", placeholder="–", column_config=columns)
    if len(comparison.standings) > 2:
        st.caption(plain(ties_in_words(comparison)))
    if subject.is_grouped:
        with st.expander("Runs of each group", icon=":material/account_tree:"):
            st.dataframe(
                members_table(subject, sides), hide_index=True, key="members", placeholder="–",
                column_config={
                    "Group": st.column_config.TextColumn(pinned=True),
                    "Test top-1": st.column_config.NumberColumn(format=PERCENT),
                    "95 % interval": st.column_config.TextColumn(alignment="right", help="Wilson, over test images."),
                    "Open": st.column_config.LinkColumn(display_text="run"),
                },
            )  # fmt: skip
    if len(comparison.standings) > 2:
        with st.expander(f"All {comparison.num_pairs} pairs", icon=":material/compare_arrows:"):
            st.dataframe(
                pairs_table(comparison), hide_index=True, key="pairs", placeholder="–",
                column_config={
                    "Difference": st.column_config.NumberColumn(format=POINTS, help="In points of accuracy."),
                    "p (Holm)": st.column_config.TextColumn(alignment="right"),
                    "Only the better right": st.column_config.NumberColumn(format=_counts(comparison)),
                    "Only the worse right": st.column_config.NumberColumn(format=_counts(comparison)),
                },
            )  # fmt: skip


def standings_table(subject: Subject, comparison: Comparison, sides: Sequence[Side], base: int | None) -> pl.DataFrame:
    """Return one row per side, in the order chosen; what is not compared has its own numbers and no rank."""
    by_id = {row["run_id"]: row for row in subject.rows}
    noun = "Group" if subject.is_grouped else "Run"
    rows = []
    for side in sides:
        members = [by_id[run_id] for run_id in side.run_ids]
        place = comparison.place(side.key)
        row = {noun: side.name}
        row |= _own(members) if place is None else _compared(comparison, place, base)
        if subject.is_grouped:
            row |= {"n": _n_of(members)}
        else:
            row |= {"Status": look(members[0]["state"]).label}
        rows.append(row | _costs(members) | {"Open": _link(side.run_ids)})
    table = pl.DataFrame(rows, infer_schema_length=None)
    return table.select(name for name in ORDER if name in table.columns)


def members_table(subject: Subject, sides: Sequence[Side]) -> pl.DataFrame:
    """Return one row per run, group after group, by rising seeds; imported runs may have none."""
    by_id = {row["run_id"]: row for row in subject.rows}
    rows = [
        {"Group": side.name, "Seed": by_id[run_id]["seed"], "Status": look(by_id[run_id]["state"]).label}
        | {name: _own([by_id[run_id]])[name] for name in ("Test top-1", "95 % interval", "Test images")}
        | {"Run": run_label(by_id[run_id]), "Open": url("run", run=run_id)}
        for side in sides
        for run_id in sorted(
            side.run_ids, key=lambda run_id: (by_id[run_id]["seed"] is None, by_id[run_id]["seed"] or 0)
        )
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def _compared(comparison: Comparison, place: int, base: int | None) -> dict[str, Any]:
    one = comparison.standings[place]
    row = {
        "Test top-1": 100 * one.mean,
        "95 % interval": _interval(one.low, one.high),
        "Rank": rank_text(one),
        "Ties": one.letters if len(one.letters) <= MOST_LETTERS else f"{one.letters[:MOST_LETTERS]}…",
        "Test images": comparison.shared.num_images,
    }
    if base is None or place == base:
        return row
    found = comparison.against(place, base)
    value = found.difference
    interval = None if missing_value(value.low) is None else f"{100 * value.low:+.2f} to {100 * value.high:+.2f}"
    return row | {
        "Against baseline": 100 * value.value,
        "Its 95 % interval": interval,
        "p (Holm)": p_number(found.p),
        "Only it right": found.fixed,
        "Only baseline right": found.broken,
    }


def _own(members: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the accuracy of runs on all images that each was tested on."""
    known = [row for row in members if is_known(row["test_accuracy"])]
    mean, low, high = student_share([row["test_accuracy"] for row in known])
    if len(known) == 1 and known[0]["test_correct"] is not None and known[0]["test_n"]:
        low, high = wilson(known[0]["test_correct"], known[0]["test_n"])
    images = {row["test_n"] for row in known}
    return {
        "Test top-1": 100 * mean if known else None,
        "95 % interval": _interval(low, high),
        "Test images": images.pop() if len(images) == 1 else None,
    }


def _n_of(members: Sequence[Mapping[str, Any]]) -> str:
    known = sum(is_known(row["test_accuracy"]) for row in members)
    return str(known) if known == len(members) else f"{known} of {len(members)}"


def _costs(members: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the costs of the first run that knows them, and the best validation of a single run."""
    first = {name: next((row[name] for row in members if row[name] is not None), None) for name in
             ("val_accuracy", "num_params", "macs", "epochs_done", "epochs", "train_s")}  # fmt: skip
    single: dict[str, Any] = {}
    if len(members) == 1:
        accuracy = first["val_accuracy"]
        single = {
            "Best validation": None if accuracy is None else 100 * accuracy,
            "Epochs": f"{count(first['epochs_done'])} / {count(first['epochs'])}",
            "Training time": duration(first["train_s"]),
        }
    return {"Parameters": count(first["num_params"]), "MACs": short(first["macs"])} | single


def _link(run_ids: Sequence[str]) -> str | None:
    return url("run", run=run_ids[0]) if len(run_ids) == 1 else members_link(run_ids)


def _interval(low: float, high: float) -> str | None:
    return None if missing_value(low) is None else percent_interval(low, high)


def _counts(comparison: Comparison) -> str:
    """Return how counts of images are shown: means over seeds with one digit, as in the verdict."""
    return "%.1f" if any(one.n > 1 for one in comparison.standings) else "%.0f"


def _columns(table: pl.DataFrame, comparison: Comparison, base: int | None) -> dict[str, Any]:
    """Return how each column looks and what it means."""
    column = st.column_config
    baseline = "" if base is None else comparison.standings[base].name
    counts = _counts(comparison)
    looks: dict[str, Any] = {
        "Run": column.TextColumn(pinned=True, width="medium"),
        "Group": column.TextColumn(pinned=True, width="medium"),
        "Test top-1": column.NumberColumn(
            format=PERCENT, help="Share of the compared test images that are right; of a group the mean over seeds."
        ),
        "95 % interval": column.TextColumn(
            alignment="right", help="Of a group Student's t over seeds, of one run Wilson's over test images."
        ),
        "n": column.TextColumn(alignment="right", help="Tested runs, of all that were chosen."),
        "Rank": column.TextColumn(alignment="right", help="From the best to the worst rank that cannot be excluded."),
        "Ties": column.TextColumn(help="Who shares a letter cannot be told apart."),
        "Test images": column.NumberColumn(format="localized"),
        "Against baseline": column.NumberColumn(format=POINTS, help=f"Points of accuracy above {baseline}."),
        "Its 95 % interval": column.TextColumn(alignment="right", help="Of the difference, by itself."),
        "p (Holm)": column.TextColumn(
            alignment="right", help="How likely chance alone makes a difference as large, corrected for all pairs."
        ),
        "Only it right": column.NumberColumn(
            format=counts, help="Images that it gets right and the baseline wrong; of groups the mean over all pairs."
        ),
        "Only baseline right": column.NumberColumn(format=counts, help="Images that only the baseline gets right."),
        "Best validation": column.NumberColumn(format=PERCENT),
        "Open": column.LinkColumn(display_text="open", help="The run, or the runs of the group one by one."),
    }
    for name in ("Parameters", "MACs", "Epochs", "Training time"):
        looks[name] = column.TextColumn(alignment="right")
    return {name: look for name, look in looks.items() if name in table.columns}
