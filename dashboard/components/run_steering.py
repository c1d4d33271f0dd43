"""The buttons that stop a run, let it go on, and train it longer."""

from collections.abc import Callable

import streamlit as st

from cnnlab.config import RunConfig
from cnnlab.errors import CNNLabError
from cnnlab.runs.status import RunStatus
from dashboard import data
from dashboard.components.confirm import confirm
from dashboard.components.text import plain
from dashboard.state import go, say

MOST_EPOCHS = 1000


def steering(run_id: str, config: RunConfig, status: RunStatus) -> None:
    """Draw the buttons that fit the state of the run."""
    match status.state:
        case "queued" | "running":
            pause_button(run_id, status)
            cancel_button(run_id, status)
        case "paused":
            resume_button(run_id)
            cancel_button(run_id, status)
        case "completed":
            _extend_popover(run_id, config)
        case _:
            _retry_buttons(run_id)


def pause_button(run_id: str, status: RunStatus) -> None:
    """Draw the button that lets a run stop for now."""
    if status.state == "running" and data.is_pausing(run_id):
        st.button(
            "Pausing …",
            icon=":material/pause:",
            key=f"pause.{run_id}",
            disabled=True,
            help="It stops after the steps at hand and keeps its state.",
        )
        return
    told = "Pauses after the steps at hand." if status.state == "running" else "Paused."
    if st.button(
        "Pause",
        icon=":material/pause:",
        key=f"pause.{run_id}",
        help="Stops the training where it can go on later, and frees its slot.",
    ):
        act(lambda: data.queue().pause(data.store().run_dir(run_id)), told)
        st.rerun()


def resume_button(run_id: str) -> None:
    """Draw the button that lets a paused run go on."""
    if st.button("Resume", type="primary", icon=":material/play_arrow:", key=f"resume.{run_id}"):
        _queue_again(lambda: data.queue().resume(data.store().run_dir(run_id)).words)


def cancel_button(run_id: str, status: RunStatus) -> None:
    """Draw the button that ends a run; a running one is asked about first."""

    def cancel() -> None:
        act(lambda: data.queue().cancel(data.store().run_dir(run_id)), "Cancelled.")

    if st.button("Cancel", icon=":material/stop_circle:", key="cancel"):
        if status.state == "running":
            confirm(
                "Cancel this run?",
                "Training stops now. What was measured so far is kept. To go on later, pause it instead.",
                "Cancel the run",
                cancel,
            )
        else:
            cancel()
            st.rerun()


def _retry_buttons(run_id: str) -> None:
    run_dir = data.store().run_dir(run_id)
    place = data.checkpoint_place(run_id)
    told = f"Goes on from its checkpoint, {place}." if place else "Trains again from the start, in this run's place."
    label = "Retry from the checkpoint" if place else "Retry"
    if st.button(label, icon=":material/replay:", key="retry", help=told):
        _queue_again(lambda: data.queue().retry(run_dir).words)
    if place and st.button(
        "Retry from the start",
        icon=":material/restart_alt:",
        key="retry_from_start",
        help="Throws the checkpoint away, and what was measured.",
    ):
        _queue_again(lambda: data.queue().retry(run_dir, from_start=True).words)


def _queue_again(action: Callable[[], str]) -> None:
    said: list[str] = []
    act(lambda: said.append(action()), "")
    if said:
        say(f"It waits in the queue again and trains {said[0]}.")
    st.rerun()


def _extend_popover(run_id: str, config: RunConfig) -> None:
    with st.popover("Train more epochs", icon=":material/add_circle:", key="extend_popover"):
        epochs = st.number_input("Epochs more", 1, MOST_EPOCHS, min(10, config.training.epochs), key="extend_epochs")
        st.caption(
            "A new run goes on from the last state of this one, with its curves; this one stays as it is. "
            "The learning rate follows the schedule over all epochs, so it may rise again."
        )
        if st.button("Train on", type="primary", icon=":material/play_arrow:", key="extend"):
            made: list[str] = []
            act(lambda: made.append(data.extend(run_id, int(epochs))), "")
            if made:
                go("run", run=made[0])
            st.rerun()


def act(action: Callable[[], object], told: str) -> None:
    """Run `action` and say what happened."""
    try:
        action()
        if told:
            say(told)
    except CNNLabError as error:
        say(plain(error), ":material/error:")
    data.refresh()
