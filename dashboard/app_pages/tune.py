"""The form of a study: which settings are searched, where, how and for how long; and the studies that there are."""

import streamlit as st

from cnnlab.errors import CNNLabError
from cnnlab.settings.study import StudyConfig, study_from_yaml
from dashboard import data, study_data
from dashboard.components.range_editor import KEY
from dashboard.components.study_estimate import study_estimate
from dashboard.components.study_list import study_list
from dashboard.components.study_text import refuse_own_files, study_text
from dashboard.components.text import plain
from dashboard.components.tune_form import fill, not_shown, tune_form
from dashboard.forms import put
from dashboard.state import go, link, query, say

KEPT = "kept_tune_form"
ERROR = "tune_load_error"
SEEN = "tune_cloned_from"


def clone_from_address() -> None:
    """Fill the form from the study that `?study=` names; once."""
    asked = query("study")
    if not asked or st.session_state.get(SEEN) == asked:
        return
    st.session_state[SEEN] = asked
    try:
        _take(study_data.study(asked).config)
        say(f"The form holds the study {asked}.", ":material/content_copy:")
    except CNNLabError as error:
        st.session_state[ERROR] = str(error)


def _take(study: StudyConfig) -> None:
    refuse_own_files(study)
    fill(study)
    if hidden := not_shown(study):
        st.session_state[ERROR] = (
            f"The form has no place for {', '.join(hidden)}. Expected settings that the form shows. Begin this study "
            "with 'python -m cnnlab tune', or go on without."
        )


def load_box() -> None:
    """Draw the box into which the YAML of a study is pasted."""
    with st.expander("Start from YAML", icon=":material/upload:"):
        st.text_area("YAML of a study", key="tune_pasted", height=140, placeholder="What 'Copy as YAML' gave.")
        st.button("Load into the form", key="tune_load", icon=":material/input:", on_click=_load_pasted)
    error = st.session_state.pop(ERROR, "")
    if error:
        st.error(plain(error), icon=":material/error:")


def _load_pasted() -> None:
    text = st.session_state.get("tune_pasted", "")
    if not text.strip():
        st.session_state[ERROR] = "There is nothing to load. Paste the YAML of a study into the box first."
        return
    try:
        _take(study_from_yaml(text))
        say("The form holds that study.", ":material/input:")
    except CNNLabError as error:
        st.session_state[ERROR] = str(error)


def draw_side(found: StudyConfig | str) -> None:
    """Draw name, what the study comes to, the button, and the study as text."""
    put(f"{KEY}.name", "")
    name = st.text_input("Name", key=f"{KEY}.name", max_chars=80, placeholder="Made from the run when empty")
    put(f"{KEY}.notes", "")
    with st.expander("Notes", icon=":material/edit_note:"):
        notes = st.text_area("Notes", key=f"{KEY}.notes", max_chars=4000, label_visibility="collapsed")
    if isinstance(found, str):
        st.error(plain(found), icon=":material/error:")
        st.button("Start the study", type="primary", disabled=True, width="stretch", key="start")
        return
    study = found.model_copy(update={"name": name.strip(), "notes": notes})
    study_estimate(study)
    if st.button("Start the study", type="primary", icon=":material/play_arrow:", width="stretch", key="start"):
        start(study)
    study_text(study, "tune")


def start(study: StudyConfig) -> None:
    """Begin the study and open its page."""
    try:
        refuse_own_files(study)
        study_id = study_data.start(study)
    except CNNLabError as error:
        st.error(plain(error), icon=":material/error:")
        return
    data.refresh()
    go("study", study=study_id)


for key, value in st.session_state.get(KEPT, {}).items():  # a look at another page keeps the form
    put(key, value)
clone_from_address()
st.title("Tune")
st.caption("Search over settings of a training: many trials, watched live, and which settings mattered.")
with st.container(horizontal=True, gap="small"):
    link("study", "All studies", icon=":material/list:")
    link("search_lesson", "How searches differ")
load_box()
form, side = st.columns([5, 3], gap="large")
with form:
    found = tune_form()
with side:
    draw_side(found)
st.session_state[KEPT] = {
    key: st.session_state[key] for key in st.session_state if str(key).startswith(f"{KEY}.") and "#" not in str(key)
}
st.subheader("Studies", anchor=False)
study_list(has_form=True)
