"""The list of layers in the training form: what it has, and the way to change it."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from cnnlab.architectures.catalogue import get_architecture
from cnnlab.architectures.layer_list import LAYER_KINDS
from dashboard.components import layer_editor_state as state
from dashboard.components.draft import draft
from dashboard.state import go

MOST_NAMED = 8


def layer_summary(layers: Sequence[Mapping[str, Any]]) -> None:
    """Draw the kinds of the layers and a button that opens them in the editor."""
    names = [LAYER_KINDS[layer["kind"]].title.lower() for layer in layers]
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    st.caption(f"{len(names)} layer{'s' if len(names) != 1 else ''}: {', '.join(names[:MOST_NAMED])}{more}.")
    if st.button("Edit the layers", icon=":material/stacks:", key="edit_layers"):
        data = draft()["data"]
        state.open_with(layers, data["dataset"], data["image_size"] or get_architecture("layers").natural_px)
        go("editor")
