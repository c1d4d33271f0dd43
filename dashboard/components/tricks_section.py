"""The bag of tricks in the training form, drawn from its parameter model: a new field appears by itself."""

from typing import Any

import streamlit as st
from pydantic import BaseModel

from cnnlab.config import TricksConfig
from cnnlab.parameters import specs
from cnnlab.settings.trick_notes import OF_TRAINING, OF_TRICKS, Note
from dashboard.components.draft import PREFIX
from dashboard.components.run_box import run_box
from dashboard.components.text import plain
from dashboard.forms import parameter_form


def tricks_section(values: dict[str, Any]) -> dict[str, Any]:
    """Draw the tricks in an expander and return what the form holds of them."""
    with st.expander("Bag of tricks", icon=":material/construction:"):
        st.caption(
            "All off at first, free to be combined. Each changes the training alone: the network stays as it is."
        )
        with st.popover("When does which help?", icon=":material/help:"):
            st.markdown("\n".join(f"- {note_text(note)}" for note in OF_TRICKS.values()))
            st.markdown("**Among the settings above**")
            st.markdown("\n".join(f"- {note_text(note)}" for note in OF_TRAINING.values()))
        return {**values, **grouped_form(TricksConfig, values, f"{PREFIX}tricks")}


def note_text(note: Note) -> str:
    """Return a trick in one paragraph of Markdown: what it does, when it helps, who says so."""
    return f"**{plain(note.title)}** — {plain(note.does)} *When:* {plain(note.helps)} :small[{plain(note.source)}]"


def grouped_form(model: type[BaseModel], values: dict[str, Any], key: str) -> dict[str, Any]:
    """Draw the fields of a model under the headings of their groups, groups in the order of their first field."""
    known = specs(model)
    held: dict[str, Any] = {}
    for group in dict.fromkeys(spec.group for spec in known):
        names = [spec.name for spec in known if spec.group == group]
        if group:
            st.markdown(f"**{group}**")
        held |= parameter_form(model, {**values, **held}, key, names=names, draws={"run": run_box})
    return held
