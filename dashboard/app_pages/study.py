"""One study, live: what it has found, how its trials go, which settings matter; or all studies."""

from collections.abc import Callable

import streamlit as st

from cnnlab.analysis.trials import Trials
from cnnlab.errors import CNNLabError
from cnnlab.runs.studies import Study, deleted_studies
from dashboard import data, study_data
from dashboard.components import study_charts
from dashboard.components.study_header import back, study_best, study_buttons, study_numbers, study_title
from dashboard.components.study_list import offer_restore, state_word, study_list
from dashboard.components.study_space import space_view
from dashboard.components.study_table import trials_view
from dashboard.components.study_text import study_text
from dashboard.components.text import plain
from dashboard.state import link, query

EVERY_S = 3.0
VIEWS: dict[str, Callable[[Study, Trials], None]] = {
    "Progress": study_charts.progress_view,
    "Hyperparameters": study_charts.hyperparameters_view,
    "Importance": study_charts.importance_view,
    "Trade-off": lambda _one, now: study_charts.pareto_view(now),
    "Timeline": lambda _one, now: study_charts.timeline_view(now),
    "Trials": trials_view,
    "Space": space_view,
}


def draw_study(one: Study) -> None:
    """Draw everything of a study that exists; what moves is drawn anew while somebody works on it."""
    study_title(one)
    study_buttons(one)
    drawn = state_word(one)
    # Also before its first process has come up, and after a kill: whoever looks has it started again.
    goes_on = not one.status.has_ended

    def body() -> None:
        try:
            fresh = study_data.study(one.study_id)
            trials = study_data.trials(fresh)
        except CNNLabError:  # deleted by somebody: the whole page says so
            st.rerun(scope="app")
        if goes_on:
            data.tick()
        if state_word(fresh) != drawn:
            # Badge and buttons are not of this part. Not for less: a question that is being asked would vanish.
            st.rerun(scope="app")
        study_best(fresh, trials)
        study_numbers(fresh, trials)
        draw_views(fresh, trials)

    st.fragment(body, run_every=EVERY_S if goes_on else None)()
    with st.expander("The study as YAML and command", icon=":material/description:"):
        study_text(one.config, "study")


def draw_views(one: Study, now: Trials) -> None:
    """Draw the chosen view; only that one is computed."""
    names = [name for name in VIEWS if name != "Trade-off" or len(now.goals) > 1]
    view = st.segmented_control(
        "View", names, default=names[0], required=True, key="view", bind="query-params", label_visibility="collapsed"
    )
    VIEWS[str(view)](one, now)
    if view in ("Progress", "Hyperparameters", "Trade-off", "Timeline"):
        st.caption("A click on a trial opens its run.")


def draw_unknown(study_id: str, error: CNNLabError) -> None:
    """Say that there is no such study, and offer to bring back a deleted one."""
    st.title("Study")
    if study_id in deleted_studies(data.store()):
        st.info("This study was deleted. Its runs are still there.", icon=":material/delete:")
        offer_restore(study_id)
    else:
        st.error(plain(error), icon=":material/search_off:")
    back()


asked = query("study")
if asked:
    try:
        chosen = study_data.study(asked)
    except CNNLabError as unknown:
        draw_unknown(asked, unknown)
    else:
        draw_study(chosen)
else:
    st.title("Studies")
    link("tune", "Set up a study", icon=":material/tune:")
    study_list(has_form=False)
