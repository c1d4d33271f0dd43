"""The layer editor: write a network layer by layer, see what it amounts to, train it."""

from typing import Any

import streamlit as st

from cnnlab.architectures.layer_list_table import LayerTable, layer_table
from dashboard.components import layer_editor as editor
from dashboard.components import layer_editor_state as state
from dashboard.components.draft import draft, fill
from dashboard.components.layer_editor_input import Images, choose_images
from dashboard.components.layer_editor_saved import saved_box
from dashboard.components.text import plain
from dashboard.state import go, query, set_query

# Browsers and mail programs cut longer addresses.
LONGEST_ADDRESS = 1500
MOST_BESIDE, LIST_PX = 10, 520
WRITTEN = f"{state.PREFIX}written"


def load_from_address() -> str:
    """Take the list of `?layers=`, once per address; return what is wrong with it, or nothing."""
    wanted = query("layers")
    if not wanted or st.session_state.get(WRITTEN) == wanted:
        return ""
    st.session_state[WRITTEN] = wanted
    return state.try_to(lambda: state.replace_all(state.list_in(wanted)))


def write_address() -> None:
    """Write the list into the address where it is short enough."""
    text = state.text()
    st.session_state[WRITTEN] = text
    is_short = len(text) <= LONGEST_ADDRESS
    set_query(layers=text if is_short else None)
    if not is_short:
        st.caption("The list is too long for the address: share it as YAML.")


def train(images: Images) -> None:
    """Carry the list into the training form and open it."""
    values = draft()
    values["architecture"] = {"name": "layers", "parameters": {"layers": state.layers()}}
    is_same = images.dataset in ("", values["data"]["dataset"])
    usual: dict[str, Any] = {"dataset": images.dataset, "version": None, "outputs": None, "parameters": {}}
    values["data"] = {**(values["data"] if is_same else usual), "image_size": images.size_px}
    fill(values)
    go("train")


def draw_result(table: LayerTable, images: Images) -> None:
    """Draw totals, the way to train, what does not fit, and the table."""
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        with st.container(width="content"):
            editor.totals(table)
        if st.button(
            "Train this",
            type="primary",
            icon=":material/play_arrow:",
            disabled=table.error is not None,
            key="train_this",
            help="Opens the training form with this list.",
        ):
            train(images)
    if table.error:
        st.error(plain(table.error), icon=":material/straighten:")
    editor.layer_rows(table)


wrong = load_from_address()
st.title("Layer editor")
st.caption("A network of your own, layer by layer. Each change is counted at once; the output layer follows by itself.")
if wrong:
    st.error(plain(wrong), icon=":material/error:")
left, right = st.columns([2, 3], gap="large")
with left:
    editor.toolbar()
    with st.container(border=True):
        images = choose_images()
    table = layer_table(state.layers(), images.shape, images.num_classes)
    # A long list scrolls beside the settings of the chosen layer.
    is_long = len(state.layers()) > MOST_BESIDE
    with st.container(border=True, key="layer_list", height=LIST_PX if is_long else "content"):
        editor.layer_picker(table)
with right:
    with st.container(border=True, key="layer_form"):
        editor.layer_form()
    draw_result(table, images)
editor.yaml_box()
saved_box()
write_address()
