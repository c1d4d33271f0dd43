"""The studies of the store, newest first, and the last deleted one."""

import polars as pl
import streamlit as st

from cnnlab.runs.studies import Study, deleted_studies, restore_study, studies
from dashboard import data, study_data
from dashboard.components.empty import empty_state
from dashboard.components.numbers import ago
from dashboard.state import go, say, url


def study_list(*, has_form: bool) -> None:
    """Draw the table; where there is no study it says how to get one."""
    found = studies(data.store())
    if not found:
        where = ("", "") if has_form else ("tune", "Set up a study")
        empty_state(
            ":material/tune:",
            "No study yet",
            "Choose which settings are searched: a study tries many trainings and shows which settings matter.",
            *where,
        )
    else:
        st.dataframe(
            studies_table(found),
            hide_index=True,
            column_config={"Study": st.column_config.LinkColumn(display_text="open", pinned=True)},
            alt="Studies of this store",
        )
    for study_id in deleted_studies(data.store())[-1:]:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"Deleted: `{study_id}`")
            offer_restore(study_id)


def studies_table(found: list[Study]) -> pl.DataFrame:
    """Return one row per study: how it stands, what it searched, the best so far."""
    rows = []
    for one in found:
        now = study_data.trials(one)
        best = now.best()
        goal = now.goals[0]
        rows.append(
            {
                "Study": url("study", study=one.study_id),
                "Name": one.name,
                "State": state_word(one),
                "Algorithm": one.config.algorithm.name,
                "Searched": ", ".join(axis.label for axis in now.axes),
                "Trials": now.n,
                "Best": "–" if best is None else f"{goal.label} {goal.text(float(now.objective(goal)[best]))}",
                "Begun": ago(one.created_at),
            }
        )
    return pl.DataFrame(rows)


def state_word(one: Study) -> str:
    """Return how a study stands in a word: one that says it runs while nobody works on it was interrupted."""
    if one.status.state == "running" and not study_data.is_live(one):
        return "interrupted" if one.status.starts else "not started"
    return one.status.state


def offer_restore(study_id: str) -> None:
    """Draw the button that brings a deleted study back."""
    if st.button("Bring it back", icon=":material/undo:", key=f"restore_{study_id}"):
        restore_study(data.store(), study_id)
        say("The study is back.")
        go("study", study=study_id)
