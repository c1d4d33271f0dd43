"""The settings of a comparison: only those in which the runs differ."""

import streamlit as st

from dashboard import data
from dashboard.components import comparing
from dashboard.components.compare.subject import Subject


def draw_settings(subject: Subject) -> None:
    """Draw the settings in which the chosen runs differ, and only those."""
    if len(subject.rows) < 2:
        st.caption("Choose a second run to see what differs.")
        return
    differences = data.config_differences(subject.run_ids)
    if not differences:
        st.caption("The configs of these runs are the same.")
        return
    st.dataframe(
        comparing.differences_table(differences, subject.names),
        hide_index=True,
        key="differences",
        column_config={"Setting": st.column_config.TextColumn(pinned=True)},
    )
