"""The choice of an earlier run, for settings whose value is the id of one."""

from collections.abc import Callable, Sequence

import streamlit as st

from cnnlab.parameters import ParameterSpec
from dashboard import data
from dashboard.components.comparing import run_label
from dashboard.forms import help_text


def run_box(spec: ParameterSpec, key: str, on_change: Callable[[], None] | None = None) -> str | None:
    """Draw the choice of a completed run, or none; a run that is not in the store stays choosable, to be seen."""
    rows = data.summaries().filter(state="completed").to_dicts()
    labels = {row["run_id"]: f"{row['architecture']} · {row['dataset']} · {run_label(row)}" for row in rows}
    asked = st.session_state.get(key)
    options: Sequence[str | None] = [None, *labels, *([asked] if asked and asked not in labels else [])]
    chosen: str | None = st.selectbox(
        spec.title,
        options,
        key=key,
        placeholder="None",
        format_func=lambda run_id: "None" if run_id is None else labels.get(run_id, f"{run_id} (not in this store)"),
        help=help_text(spec),
        on_change=on_change,
    )
    return chosen
