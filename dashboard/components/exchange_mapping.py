"""The tables of an import's preview in which a person corrects what names and columns were taken for."""

from collections.abc import Mapping, Sequence
from typing import Literal

import polars as pl
import streamlit as st

from cnnlab.exchange.csv_columns import ROLES
from cnnlab.exchange.importing import Look, NameSeen
from cnnlab.exchange.names import Target
from dashboard.components.numbers import count, number

LEFT_OUT = "left out"
SPLITS = ("train", "val", "test", LEFT_OUT)
# A table of more is scrolled.
MOST_ROWS, HEIGHT_PX = 9, 352


def column_roles(guessed: Mapping[str, str]) -> dict[str, str]:
    """Draw what each column of a CSV file was taken for; return where the person says otherwise."""
    if not guessed:
        return {}
    with st.expander("What each column is", icon=":material/view_column:", key="import_runs_columns_box"):
        st.caption(" ".join(f"**{role}**: {meaning}" for role, meaning in ROLES.items()))
        frame = pl.DataFrame({"Column": list(guessed), "Is": list(guessed.values())})
        edited = st.data_editor(
            frame,
            hide_index=True,
            disabled=["Column"],
            column_config={"Is": st.column_config.SelectboxColumn(options=list(ROLES), required=True)},
            height=_height(frame.height),
            key="import_runs_columns",
        )
    return {name: role for name, role in edited.iter_rows() if role != guessed[name]}


def name_places(found: Look) -> dict[str, str]:
    """Draw what each name of numbers becomes; return where the person says otherwise, as `--map` takes it."""
    if not found.names:
        st.info("There are no numbers in it, only settings.", icon=":material/info:")
        return {}
    frame = shown_names(found.names)
    st.markdown("**What its numbers become**")
    edited = st.data_editor(
        frame,
        hide_index=True,
        disabled=["Name", "Numbers", "Range"],
        column_config={
            "Split": st.column_config.SelectboxColumn(options=list(SPLITS), required=True, width="small"),
            "Metric": st.column_config.TextColumn(
                required=True, help="'loss', 'accuracy' and 'learning_rate' are drawn and compared as such."
            ),
            "Percent": st.column_config.CheckboxColumn(
                width="small", help="Divide by 100. Accuracies above 1 are taken for percent by themselves."
            ),
            "Numbers": st.column_config.TextColumn(alignment="right", width="small"),
            "Range": st.column_config.TextColumn(alignment="right"),
        },
        height=_height(frame.height),
        key="import_runs_names",
    )
    if found.looked_at < found.runs:
        st.caption(f"From the first {count(found.looked_at)} of {count(found.runs)} runs; others may have more names.")
    before, after = frame.iter_rows(named=True), edited.iter_rows(named=True)
    return {old["Name"]: _place(new) for old, new in zip(before, after, strict=True) if old != new}


def shown_names(names: Sequence[NameSeen]) -> pl.DataFrame:
    """Return the rows of the table of names."""
    rows = [
        {
            "Name": one.name,
            "Split": one.target.split if one.target else LEFT_OUT,
            "Output": one.target.output if one.target else "",
            "Metric": one.target.metric if one.target else one.name,
            "Percent": bool(one.target and one.target.is_percent),
            "Numbers": count(one.points),
            "Range": f"{number(one.low)} to {number(one.high)}",
        }
        for one in names
    ]
    return pl.DataFrame(rows)


def _place(row: Mapping[str, object]) -> str:
    if row["Split"] == LEFT_OUT:
        return "-"
    metric, output = str(row["Metric"]).strip(), str(row["Output"] or "").strip()
    return Target(str(row["Split"]), metric, output, bool(row["Percent"])).text()


def _height(rows: int) -> int | Literal["content"]:
    return "content" if rows <= MOST_ROWS else HEIGHT_PX
