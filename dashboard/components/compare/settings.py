"""The settings of a comparison: in what the runs differ, what each change does, and all of them as lines."""

from collections.abc import Callable

import streamlit as st

from cnnlab.analysis.config_table import Setting, settings_of
from dashboard import data
from dashboard.components.compare.baseline import draw_baseline
from dashboard.components.compare.run_lines import draw_lines
from dashboard.components.compare.settings_table import draw_table
from dashboard.components.compare.subject import Subject

VIEWS: dict[str, Callable[[Subject, list[Setting]], None]] = {
    "Differences": draw_table,
    "Against a baseline": draw_baseline,
    "Parallel coordinates": draw_lines,
}


def draw_settings(subject: Subject) -> None:
    """Draw the settings in which the chosen runs differ, in the view that the address names."""
    if len(subject.rows) < 2:
        st.caption("Choose a second run to see what differs.")
        return
    settings = differing(subject)
    if not settings:
        what = "group, or compare run by run" if subject.is_grouped else "run of another config"
        st.caption(f"The configs of these runs are the same. Choose a second {what}.")
        return
    view = st.segmented_control(
        "View", list(VIEWS), default="Differences", required=True, key="settings", bind="query-params",
        label_visibility="collapsed", wrap=True,
    )  # fmt: skip
    VIEWS[str(view)](subject, settings)


def differing(subject: Subject) -> list[Setting]:
    """Return the settings that differ between the runs, or between the first runs of the groups."""
    run_ids = [members[0] for members in subject.members.values()]
    bases = {row["run_id"]: (str(row["dataset"]), str(row["architecture"])) for row in subject.rows}
    differences = data.config_differences(run_ids)
    return settings_of(differences, run_ids, bases, is_grouped=subject.is_grouped)
