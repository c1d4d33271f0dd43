"""Fills the form from a run, from YAML or from a checked-in recipe."""

import streamlit as st

from cnnlab.architectures.catalogue import ARCHITECTURES
from cnnlab.architectures.own_files import refuse_own_file
from cnnlab.config import TransferConfig, config_from_yaml
from cnnlab.errors import CNNLabError, UnknownNameError
from cnnlab.settings.transfer import RUN
from dashboard import data
from dashboard.components.draft import load
from dashboard.components.recipes import promise, recipe_files
from dashboard.components.text import plain
from dashboard.state import query, say

_ERROR = "load_error"
_SEEN = "loaded_from"


def load_from_address() -> None:
    """Clone the run that `?from=` names, take the data set of `?dataset=` and the source of `?source=`; once each."""
    wanted = (query("from"), query("dataset"), query("architecture"), query("source"))
    if not any(wanted) or st.session_state.get(_SEEN) == wanted:
        return
    st.session_state[_SEEN] = wanted
    run_id, dataset, architecture, source = wanted
    if run_id:
        try:
            load(data.config(run_id))
            say(f"The form holds the config of {run_id}.", ":material/content_copy:")
        except CNNLabError as error:
            st.session_state[_ERROR] = str(error)
    if source:
        _take_as_source(source)
    if dataset or architecture:
        from dashboard.components.draft import draft, keep

        values = draft()
        if dataset:
            values["data"] = {
                "dataset": dataset,
                "version": None,
                "image_size": None,
                "outputs": None,
                "parameters": {},
            }
            st.session_state.pop("train.dataset", None)
        if architecture and architecture not in ARCHITECTURES:
            st.session_state[_ERROR] = str(UnknownNameError("architecture", architecture, ARCHITECTURES))
        elif architecture:
            values["architecture"] = {"name": architecture, "parameters": {}}
            st.session_state.pop("train.architecture", None)
        keep(values)


def _take_as_source(run_id: str) -> None:
    """Put a run's network into the form, with that run as the source of its weights; the data stay as they are."""
    from dashboard.components.draft import draft, fill

    try:
        config = data.config(run_id)
        refuse_own_file(config)
    except CNNLabError as error:
        st.session_state[_ERROR] = str(error)
        return
    values = draft()
    values["architecture"] = config.to_dict()["architecture"]
    values["transfer"] = {**TransferConfig().model_dump(), "source": f"{RUN}{run_id}"}
    fill(values)
    say(f"The form begins with the weights of {run_id}. Choose the data to learn.", ":material/move_down:")


def load_box() -> None:
    """Draw the box into which YAML is pasted and recipes are chosen."""
    with st.expander("Start from YAML or a recipe", icon=":material/upload:"):
        recipes = recipe_files()
        if recipes:
            chosen = st.selectbox(
                "Recipe",
                list(recipes),
                index=None,
                placeholder="Choose a checked-in recipe",
                key="recipe",
                on_change=_load_recipe,
            )
            for paragraph in promise(recipes[chosen]) if chosen else []:
                st.caption(plain(paragraph))
        st.text_area(
            "YAML",
            key="pasted_yaml",
            height=140,
            placeholder="Paste what 'Copy as YAML' gave, here or on a run's page.",
        )
        st.button("Load into the form", key="load_yaml", icon=":material/input:", on_click=_load_pasted)
    error = st.session_state.pop(_ERROR, "")
    if error:
        st.error(plain(error), icon=":material/error:")


def _load_pasted() -> None:
    text = st.session_state.get("pasted_yaml", "")
    if not text.strip():
        st.session_state[_ERROR] = "There is nothing to load. Paste the YAML of a config into the box first."
        return
    _load(text)


def _load_recipe() -> None:
    path = recipe_files().get(st.session_state.get("recipe") or "")
    if path is not None:
        _load(path.read_text(encoding="utf-8"))


def _load(text: str) -> None:
    try:
        load(config_from_yaml(text))
        say("The form holds that config.", ":material/input:")
    except CNNLabError as error:
        st.session_state[_ERROR] = str(error)
