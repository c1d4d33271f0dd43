"""Says in the form that a config goes on from another run, which a clone of such a run does."""

import streamlit as st

from dashboard.components.draft import draft, keep
from dashboard.components.text import plain


def continuing_note() -> None:
    """Draw from which run the training would go on, and the way to train from the start instead."""
    run_id = draft()["training"].get("continue_from")
    if not run_id:
        return
    with st.container(key="continuing"):
        st.info(
            f"Goes on from the last state of run {plain(run_id)}; the epochs count from its first one. "
            "Data, network and optimizer have to stay as they are there.",
            icon=":material/add_circle:",
        )
        st.button("Train from the start instead", icon=":material/restart_alt:", key="from_start", on_click=_forget)


def _forget() -> None:
    values = draft()
    keep({**values, "training": {**values["training"], "continue_from": None}})
