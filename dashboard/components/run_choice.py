"""The choice of a run whose config a form begins with: of those in the store, the one of the address first."""

import polars as pl
import streamlit as st

from dashboard import data
from dashboard.components.comparing import run_label

MOST_RUNS = 500


def choose_run(key: str, asked: str) -> str | None:
    """Draw the menu under `<key>.run`; None where the store has no run.

    Args:
        asked: The run that the address names, or nothing.
    """
    ours = data.summaries().filter(~pl.col("is_foreign").fill_null(False))  # others have no config to begin with
    rows = ours.sort("created_at", descending=True).head(MOST_RUNS).to_dicts()
    labels = {row["run_id"]: run_label(row) for row in rows}
    if asked and asked not in labels:
        labels[asked] = asked
    if asked and st.session_state.get(f"{key}.from") != asked:  # once per address: then the menu decides
        st.session_state[f"{key}.from"] = asked
        st.session_state[f"{key}.run"] = asked
    if not labels:
        st.caption("There is no run yet. Take the form, or train one first.")
        return None
    chosen: str = st.selectbox("Run", list(labels), format_func=labels.__getitem__, key=f"{key}.run")
    return chosen
