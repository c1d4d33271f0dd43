"""The list of layers, the settings of the chosen one, and the table of what they amount to."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import polars as pl
import streamlit as st
import yaml

from cnnlab.architectures.layer_list import LAYER_KINDS, brief, settings_of
from cnnlab.architectures.layer_list_presets import PRESETS
from cnnlab.architectures.layer_list_shapes import Shape
from cnnlab.architectures.layer_list_table import LayerTable, projection_words
from cnnlab.parameters import specs
from dashboard.components import layer_editor_state as state
from dashboard.components.network_cost import CONVENTION
from dashboard.components.numbers import count, short
from dashboard.components.text import plain
from dashboard.forms import parameter_form, put

ADD, PRESET = f"{state.PREFIX}add", f"{state.PREFIX}preset"
PASTED, PASTE_ERROR = f"{state.PREFIX}pasted", f"{state.PREFIX}paste_error"
FIELD_HELP = (
    "Height or width of the part of the image that one value of the last map sees, the largest over all paths. "
    "Behind a flatten or global pooling everything is seen."
)


def toolbar() -> None:
    """Draw what changes the whole list: presets, undo and redo."""
    with st.container(horizontal=True, gap="small"):
        st.menu_button(
            "Start from",
            list(PRESETS),
            format_func=lambda name: PRESETS[name].title,
            key=PRESET,
            on_click=state.take_preset,
            args=(PRESET,),
            icon=":material/auto_awesome:",
        )
        st.button("Undo", icon=":material/undo:", key="undo", on_click=state.undo, disabled=not state.can_undo())
        st.button("Redo", icon=":material/redo:", key="redo", on_click=state.redo, disabled=not state.can_redo())


def layer_picker(table: LayerTable) -> None:
    """Draw the list, from which one layer is chosen."""
    items = state.items()
    chosen = state.selected()
    if chosen is not None:
        put(state.SELECTED, chosen)
        captions = [_caption(table, place) for place in range(len(items))]
        labels = {number: _label(place + 1, layer, table) for place, (number, layer) in enumerate(items)}
        st.radio(
            "Layers", list(labels), format_func=lambda number: labels[number], captions=captions, key=state.SELECTED
        )
        state.remember(st.session_state[state.SELECTED])
    else:
        st.caption("No layers yet.")


def _label(number: int, layer: Mapping[str, Any], table: LayerTable) -> str:
    words = settings_of(layer).words()
    text = f"**{number} {LAYER_KINDS[layer['kind']].title}** {plain(words)}".strip()
    return f":red[{text}]" if table.error and table.error.number == number else text


def _caption(table: LayerTable, place: int) -> str:
    if place < len(table.rows):
        shape = table.rows[place].shape
        return f"to {shape_words(shape.output)} {projection_words(shape)}".strip()
    return "does not fit" if table.error and table.error.number == place + 1 else "waits for the layer above"


def shape_words(shape: Shape) -> str:
    """Return `'8×8×32'`, or `'128'` for features."""
    return "×".join(map(str, shape))


def _actions(place: int, length: int) -> None:
    """Draw what can be done with the layer at a place, from 1; 0 in an empty list."""
    with st.container(horizontal=True, gap="small"):
        _add_button(place)
        for label, icon, change, is_idle in (
            ("Up", "arrow_upward", partial(state.move, -1), place <= 1),
            ("Down", "arrow_downward", partial(state.move, 1), place == length),
            ("Duplicate", "content_copy", state.duplicate, not length),
            ("Delete", "delete", state.delete, not length),
        ):
            st.button(label, icon=f":material/{icon}:", key=label.lower(), on_click=change, disabled=is_idle)


def _add_button(place: int) -> None:
    st.menu_button(
        f"Add after layer {place}" if place else "Add a layer",
        list(LAYER_KINDS),
        format_func=lambda name: LAYER_KINDS[name].title,
        key=ADD,
        on_click=state.add,
        args=(ADD,),
        icon=":material/add:",
    )


def layer_form() -> None:
    """Draw the settings of the chosen layer and what can be done with it."""
    items, number = state.items(), state.selected()
    if number is None:
        st.caption("Add a layer, or start from a list that is there.")
        _actions(0, 0)
        return
    place, layer = next((place, layer) for place, (key, layer) in enumerate(items, 1) if key == number)
    kind = LAYER_KINDS[layer["kind"]]
    st.subheader(f"Layer {place}: {kind.title}", anchor=False)
    st.caption(kind.summary)
    if specs(kind.settings):
        change = partial(state.take_settings, number)
        parameter_form(kind.settings, layer, f"{state.SETTING}{number}", on_change=change)
    else:
        st.caption("It has nothing to set.")
    _actions(place, len(items))


def totals(table: LayerTable) -> None:
    """Draw what the network costs as a whole, of the layers that fit."""
    with st.container(horizontal=True, gap="medium"):
        trained = f"{count(table.trainable_params)} are trained."
        st.metric("Parameters", count(table.num_params), help=trained, width="content")
        st.metric("MACs of one image", short(table.macs), help=CONVENTION, width="content")
        st.metric("Receptive field", f"{count(table.receptive_field_px)} px", help=FIELD_HELP, width="content")


def layer_rows(table: LayerTable) -> None:
    """Draw one row per layer that fits, the output's last."""
    rows = [
        {
            "Nr.": f"{row.number}",
            "Layer": f"{row.title} {row.words}".strip(),
            "Output": shape_words(row.shape.output),
            "Parameters": row.shape.num_params,
            "MACs": row.shape.macs,
            "Field": "all" if row.receptive_field_px is None else f"{row.receptive_field_px} px",
        }
        for row in table.rows
    ]
    if not rows:
        return
    right = {name: st.column_config.TextColumn(alignment="right") for name in ("Nr.", "Output")}
    right["Field"] = st.column_config.TextColumn(alignment="right", help=FIELD_HELP)
    numbers = {name: st.column_config.NumberColumn(format="localized") for name in ("Parameters", "MACs")}
    st.dataframe(
        pl.DataFrame(rows),
        hide_index=True,
        height="content",
        column_config=right | numbers,
        key="layer_rows",
        alt="The layers in order with output shape, parameters, multiply-accumulates and receptive field",
    )


def yaml_box() -> None:
    """Draw the list as YAML with its copy button, and the box into which one is pasted."""
    with st.expander("Copy as YAML, or paste", icon=":material/data_object:"):
        left, right = st.columns(2, gap="medium")
        values = {"architecture": {"name": "layers", "parameters": {"layers": brief(state.layers())}}}
        left.code(yaml.safe_dump(values, sort_keys=False, allow_unicode=True), language="yaml", height=300)
        left.caption("In a file, `python -m cnnlab train --config FILE` trains it.")
        with right:
            st.text_area("YAML", key=PASTED, height=210, placeholder="A list of layers, or a whole config with one.")
            st.button("Load into the editor", icon=":material/input:", key="load_layers", on_click=_load_pasted)
    error = st.session_state.pop(PASTE_ERROR, "")
    if error:
        st.error(plain(error), icon=":material/error:")


def _load_pasted() -> None:
    written = st.session_state.get(PASTED, "")
    st.session_state[PASTE_ERROR] = state.try_to(lambda: state.replace_all(state.list_in(written)))
