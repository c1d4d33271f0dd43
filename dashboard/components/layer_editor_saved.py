"""A network that Keras saved, to look at: what it costs, layer by layer, as the explorer shows it."""

from typing import Any

import streamlit as st

from cnnlab.inspector.uploads import MOST_UPLOAD_MIB
from dashboard import data
from dashboard.components import explorer_numbers as numbers
from dashboard.components.answers import when_answered
from dashboard.components.layer_editor_input import LARGEST_PX
from dashboard.components.layer_editor_state import PREFIX
from dashboard.components.text import plain
from dashboard.forms import put

SIDE_PX = 224
SIDE_HELP = "Used where the network takes images of any size."


def saved_box() -> None:
    """Draw the upload and what the network in it costs; nothing of it can be edited."""
    with st.expander("Look at a saved network (.keras)", icon=":material/folder_open:"):
        left, right = st.columns([3, 1], gap="medium")
        file = left.file_uploader(
            "File that Keras saved",
            type=["keras"],
            key=f"{PREFIX}saved",
            max_upload_size=MOST_UPLOAD_MIB,
            help="A whole model, as model.save() writes it. Code in it is not run: Lambda layers are refused.",
        )
        put(f"{PREFIX}saved_side", SIDE_PX)
        side_px = int(right.number_input("Side (px)", 1, LARGEST_PX, key=f"{PREFIX}saved_side", help=SIDE_HELP))
        if file is None:
            return

        def ask() -> data.Answer:
            return data.inspect_file(file.file_id, file.getvalue, file.name, side_px)

        def draw(document: dict[str, Any]) -> None:
            shape = numbers.times(document["input_shape"])
            st.markdown(f"**{plain(file.name)}** for images of {shape}. It can be looked at, not edited.")
            numbers.totals(document)
            numbers.layer_table(document, f"{PREFIX}saved_table")

        waiting = "Opening the network to count it …"
        when_answered(ask, draw, waiting, key="saved_network")
