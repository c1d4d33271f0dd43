"""The first page: what this is, what to do next, what runs now and what came out last."""

import polars as pl
import streamlit as st

from cnnlab.config import config_from_dict
from dashboard import data
from dashboard.components import draft
from dashboard.components.live_runs import live_runs
from dashboard.components.numbers import ago, count, percent
from dashboard.components.runs_columns import wilson_text
from dashboard.components.status import status_badge
from dashboard.components.text import plain
from dashboard.state import go, link

NEWEST = 5

runs = data.summaries()
is_shown = ~pl.col("state").is_in(data.RUNNING_STATES) & ~pl.col("is_archived")
ended = runs.filter(is_shown).sort("ended_at", "created_at", descending=True)
completed = runs.filter(pl.col("state") == "completed")


def draw_steps() -> None:
    """Draw what a newcomer can do next, in the order in which it makes sense."""
    steps = (
        (":material/photo_library:", "Look at the data", "Sample images and class balance.", "datasets", "Data sets"),
        (":material/tune:", "Choose a network", "See its size before it trains.", "train", "Set up a training"),
        (":material/compare_arrows:", "Compare", "Curves, mistakes, accuracy against cost.", "runs", "Choose runs"),
    )
    for column, (icon, title, text, page, label) in zip(st.columns(3), steps, strict=True):
        with column.container(border=True, height="stretch"):
            st.markdown(f"{icon} **{title}**")
            st.caption(text)
            link(page, label)


def draw_newest() -> None:
    """Draw the newest ended runs, good or bad."""
    for row in ended.head(NEWEST).iter_rows(named=True):
        with st.container(border=True, gap="small"):
            with st.container(horizontal=True, vertical_alignment="center"):
                link("run", plain(row["name"] or row["run_id"]), run=row["run_id"])
                status_badge(row["state"])
            interval = wilson_text(row["test_correct"], row["test_n"])
            tested = f"Test top-1 **{percent(row['test_accuracy'])}** ({interval}, n = {count(row['test_n'])})"
            st.caption(
                f"{tested if interval else 'Not tested'} · {row['architecture']} on {row['dataset']} · "
                f"{ago(row['ended_at'] and row['ended_at'].isoformat())}"
            )


st.title("CNN Lab")
st.write("Train convolutional networks on images, watch them learn, and compare them honestly.")
with st.container(horizontal=True, vertical_alignment="center"):
    if st.button(
        "Train LeNet-5 on handwritten digits", type="primary", icon=":material/play_circle:", key="start_first_run"
    ):
        draft.load(config_from_dict({}))
        go("train")
    if runs.is_empty():
        st.caption("Everything is set: press the button, then start. It takes seconds, also without a GPU.")

if not runs.is_empty():
    with st.container(horizontal=True, key="totals"):
        st.metric("Runs", count(runs.height), border=True, width=160)
        st.metric("Completed", count(completed.height), border=True, width=160)
        st.metric("Data sets in the store", count(len(data.datasets())), border=True, width=200)

draw_steps()
if not runs.is_empty():
    active, newest = st.columns(2, gap="large")
    with active:
        st.subheader("Running and waiting")
        live_runs("home_active", runs)
        if not runs["state"].is_in(data.RUNNING_STATES).any():
            st.caption("Nothing runs now.")
    with newest:
        st.subheader("Newest results")
        draw_newest()
        if ended.is_empty():
            st.caption("No run has ended yet.")
        link("runs", "All runs")
