"""All runs in one table: find, sort, choose, then compare, open, tag, put aside or delete."""

import polars as pl
import streamlit as st

from dashboard import data
from dashboard.components import runs_address, runs_chosen, runs_table
from dashboard.components.empty import empty_state
from dashboard.components.exchange_import import import_action
from dashboard.components.exchange_jobs import exchange_jobs
from dashboard.components.live_runs import live_runs
from dashboard.components.numbers import count
from dashboard.components.runs_actions import draw_actions
from dashboard.components.runs_query import draw_query
from dashboard.components.runs_sql import draw_sql
from dashboard.components.runs_undo import draw_undo
from dashboard.components.trash_box import draw_trash
from dashboard.state import go

VIEWS = ["Runs", "Groups", "SQL"]


def draw_tools() -> str:
    """Draw the choice of the view, its columns and whether archived runs are in it; return the view."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="run_tools"):
        view = st.segmented_control(
            "View", VIEWS, default="Runs", required=True, key="view", bind="query-params", label_visibility="collapsed"
        )
        if view == "Runs":
            runs_address.draw_columns(*runs_table.offered_columns())
            runs_address.draw_views()
        st.toggle("Show archived", key="archived", bind="query-params", on_change=runs_address.first_page,
                  help="Show runs that were put aside, too.")  # fmt: skip
        draw_undo()
    return str(view)


def told(runs: pl.DataFrame, found: pl.DataFrame, chosen: list[str]) -> str:
    """Return how many runs there are, are shown and chosen, and how many of these are out of sight."""
    words = [f"{count(found.height)} of {count(runs.height)} runs"]
    words += [f"{count(len(chosen))} chosen"] if chosen else []
    hidden = len(set(chosen) - set(found["run_id"])) if chosen else 0
    words += [f"{count(hidden)} of them hidden by the filters"] if hidden else []
    return ", ".join(words)


def draw_count(runs: pl.DataFrame, found: pl.DataFrame, chosen: list[str]) -> None:
    """Say how many runs there are, and offer to choose all that were found."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(told(runs, found, chosen), width="content")
        left = found.height - len(set(chosen) & set(found["run_id"]))
        if left > 0 and found.height > 1:
            label, ids = f"Choose all {count(found.height)}", found["run_id"].to_list()
            st.button(label, type="tertiary", icon=":material/checklist:", key="choose_all",
                      on_click=runs_chosen.tick, args=(ids, True))  # fmt: skip
        draw_trash()


runs_address.begin()
if opened := st.session_state.pop(runs_table.OPENED, ""):
    go("run", run=opened)
with st.container(horizontal=True, vertical_alignment="center", key="runs_title"):
    st.title("Runs")
    import_action()
exchange_jobs()
runs = data.summaries()
if runs.is_empty():
    draw_undo()
    empty_state(
        ":material/table_rows:",
        "No runs yet",
        "Train a first network; it appears here at once.",
        "train",
        "Set up a training",
    )
    draw_trash()
    st.stop()
live_runs("runs_active", runs)
query_area, tools = st.container(), st.container()
with tools:
    view = draw_tools()
with query_area:
    found = draw_query(runs)
known = set(runs["run_id"])
chosen = [run_id for run_id in runs_chosen.chosen() if run_id in known]
if view == "SQL":
    draw_sql(found["run_id"].to_list(), is_all=found.height == runs.height)
else:
    draw_actions(runs.filter(pl.col("run_id").is_in(chosen)))
    area = st.container()
    if not found.is_empty():
        draw = runs_table.draw_runs if view == "Runs" else runs_table.draw_groups
        draw(found, chosen, area)
draw_count(runs, found, chosen)
