"""The queue: what each slot does, what waits and in which order."""

import os
from collections.abc import Callable
from functools import partial

import polars as pl
import streamlit as st

from cnnlab.errors import CNNLabError
from cnnlab.launch.queue import QueueEntry, SlotState
from cnnlab.launch.warm import VARIABLE
from dashboard import data
from dashboard.components.confirm import confirm
from dashboard.components.empty import empty_state
from dashboard.components.live_runs import progress_share, progress_text
from dashboard.components.numbers import ago, short
from dashboard.components.run_steering import pause_button, resume_button
from dashboard.components.text import plain
from dashboard.state import link, say

EVERY_S = 2.0
MOST_PAUSED = 20


def draw_queue() -> None:
    """Draw slots and order; drawn anew every two seconds, also when nothing runs: a terminal may submit."""
    entries = data.entries()
    running = {entry.run_id: entry for entry in entries if entry.state == "running"}
    waiting = [entry for entry in entries if entry.state == "queued"]
    _slots(running)
    st.subheader(f"Waiting ({len(waiting)})" if waiting else "Waiting", anchor=False)
    if not entries:
        empty_state(
            ":material/pending_actions:",
            "Nothing runs and nothing waits",
            "Start a training; it goes to the first free slot at once.",
            "train",
            "Set up a training",
        )
    elif not waiting:
        st.caption("Nothing waits. The next training starts as soon as a slot is free.")
    for place, entry in enumerate(waiting):
        _waiting(place, entry)
    _paused()


def _slots(running: dict[str, QueueEntry]) -> None:
    slots = data.slots()
    kind = "GPUs" if any(slot.kind == "gpu" for slot in slots) else "CPU slots"
    st.caption(f"{len(slots)} {kind if len(slots) != 1 else kind.removesuffix('s')} on this machine")
    with st.grid(min_column_width=280):
        for slot in slots:
            with st.container(border=True, gap="small"):
                with st.container(horizontal=True, vertical_alignment="center"):
                    st.markdown(f":material/memory: **{plain(slot.title)}**", width="content")
                    _slot_badge(slot)
                if slot.busy_with:
                    _running(slot.busy_with, running.get(slot.busy_with))
                elif slot.foreign:
                    st.caption(f"{plain(slot.foreign)}. This slot is left alone until it is free.")


def _slot_badge(slot: SlotState) -> None:
    if slot.busy_with:
        st.badge("Busy", icon=":material/play_arrow:", color="blue")
    elif slot.foreign:
        st.badge("Used by others", icon=":material/lock:", color="orange")
    else:
        st.badge("Free", icon=":material/check:", color="green")


def _running(run_id: str, entry: QueueEntry | None) -> None:
    if entry is None or not is_here(entry):
        st.caption(plain(f"Run {run_id}" + (f" of {entry.run_dir.parents[1]}" if entry else "")))
        return
    progress = data.store().read_progress(run_id) or {}
    link("run", plain(name_of(run_id)), run=run_id)
    st.progress(progress_share(progress), text=progress_text(progress))
    with st.container(horizontal=True, gap="small"):
        pause_button(run_id, data.status(run_id))
        is_cancelled = st.button("Cancel", icon=":material/stop_circle:", key=f"cancel.{run_id}")
    if is_cancelled:
        confirm(
            "Cancel this run?",
            f"{plain(name_of(run_id))}: training stops now. What was measured so far is kept.",
            "Cancel the run",
            lambda: _do(lambda: data.queue().cancel(entry.run_dir), "Cancelled."),
        )


def _waiting(place: int, entry: QueueEntry) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{place + 1}**", width="content")
        if is_here(entry):
            link("run", plain(name_of(entry.run_id)), run=entry.run_id)
            st.caption(plain(entry.run_id), width="content")
        else:
            st.caption(plain(f"{entry.run_id} of {entry.run_dir.parents[1]}"), width="content")
        slots = "1 slot" if entry.slots == 1 else f"{entry.slots} slots"
        st.caption(f"{slots} · submitted {ago(entry.submitted_at)}", width="content")
        st.space("stretch")
        if place and st.button("Move up", icon=":material/arrow_upward:", key=f"up.{entry.run_id}"):
            _do(lambda: data.queue().move(entry.run_dir, place), "Moved up.")
            st.rerun()
        if is_here(entry):
            pause_button(entry.run_id, data.status(entry.run_id))
        if st.button("Cancel", icon=":material/close:", key=f"drop.{entry.run_id}"):
            _do(lambda: data.queue().cancel(entry.run_dir), "Cancelled.")
            st.rerun()


def _paused() -> None:
    """Draw the paused runs of this store: they wait for nobody but a person."""
    paused = data.summaries().filter(pl.col("state") == "paused")
    if paused.is_empty():
        return
    st.subheader(f"Paused ({paused.height})", anchor=False)
    for row in paused.head(MOST_PAUSED).iter_rows(named=True):
        run_id = row["run_id"]
        with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
            link("run", plain(row["name"] or run_id), run=run_id)
            place = data.checkpoint_place(run_id)
            st.caption(f"goes on {place}" if place else "has not trained yet", width="content")
            st.space("stretch")
            resume_button(run_id)
            if st.button("Cancel", icon=":material/close:", key=f"drop.{run_id}"):
                _do(partial(data.queue().cancel, data.store().run_dir(run_id)), "Cancelled.")
                st.rerun()
    if paused.height > MOST_PAUSED:
        link("runs", f"and {paused.height - MOST_PAUSED} more among all runs")


def is_here(entry: QueueEntry) -> bool:
    """Return whether the run is of the store that this dashboard shows."""
    return entry.run_dir.parent == data.store().runs_dir.resolve()


def name_of(run_id: str) -> str:
    """Return what a run is called."""
    try:
        return str(data.store().read_run(run_id)["name"])
    except CNNLabError:  # deleted a moment ago
        return run_id


def _do(action: Callable[[], object], told: str) -> None:
    try:
        action()
        say(told)
    except CNNLabError as error:
        say(plain(error), ":material/error:")
    data.refresh()


def draw_warm() -> None:
    """Draw the switch of the trainer that waits, with what it takes."""
    state = data.queue().warm_state()
    with st.expander("Trainer that waits", icon=":material/mode_heat:"):
        is_fixed = bool(os.environ.get(VARIABLE, "").strip())
        st.session_state["warm"] = state.is_wanted
        st.toggle(
            "Keep a trainer ready",
            key="warm",
            disabled=is_fixed,
            on_change=lambda: data.queue().choose_warm(bool(st.session_state["warm"])),
            help=f"The variable {VARIABLE} decides." if is_fixed else None,
        )
        now = (
            f"One waits and takes {short(state.memory_bytes, 'B')} of memory."
            if state.pid
            else "None waits at present."
        )
        st.caption(
            "Started when the training form is opened, so that a run begins seconds sooner. It leaves after a "
            f"quarter of an hour, and when memory is short. {now}"
        )


st.title("Queue")
st.fragment(draw_queue, run_every=EVERY_S)()
draw_warm()
