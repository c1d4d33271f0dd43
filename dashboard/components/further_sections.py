"""The sections of the training form that are drawn from their parameter models alone: a new field appears by itself."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st
from pydantic import BaseModel

from cnnlab.commands.options import pairs
from cnnlab.commands.text import value_text
from cnnlab.config import TricksConfig
from cnnlab.errors import ConfigError
from cnnlab.parameters import ParameterSpec, specs
from dashboard import data
from dashboard.components.comparing import run_label
from dashboard.components.draft import PREFIX
from dashboard.components.text import plain
from dashboard.forms import Draw, help_text, parameter_form, put

# By its place in the config: the model, the title of its expander, the icon.
SECTIONS: dict[str, tuple[type[BaseModel], str, str]] = {
    "tricks": (TricksConfig, "Bag of tricks", ":material/construction:"),
}


def further_sections(values: dict[str, Any]) -> dict[str, Any]:
    """Draw an expander per section that has fields and return the parts of the config by place.

    Args:
        values: Of the whole form, nested.
    """
    found = {}
    for place, (model, title, icon) in SECTIONS.items():
        found[place] = values[place]
        if specs(model):
            with st.expander(title, icon=icon):
                found[place] = {**values[place], **grouped_form(model, values[place], f"{PREFIX}{place}")}
    return found


def grouped_form(model: type[BaseModel], values: dict[str, Any], key: str) -> dict[str, Any]:
    """Draw the fields of a model under the headings of their groups, groups in the order of their first field."""
    known = specs(model)
    held: dict[str, Any] = {}
    for group in dict.fromkeys(spec.group for spec in known):
        names = [spec.name for spec in known if spec.group == group]
        if group:
            st.markdown(f"**{group}**")
        held |= parameter_form(model, {**values, **held}, key, names=names, draws=DRAWS)
        held |= {
            spec.name: mapping_box(spec, values.get(spec.name) or {}, key)
            for spec in known
            if spec.group == group and spec.holds == "mapping"
        }
    return held


def mapping_box(spec: ParameterSpec, values: dict[str, Any], key: str) -> dict[str, Any]:
    """Draw a mapping as text, `colour=0.5 shape=2`; a text that cannot be read is said, and `values` stay."""
    put(f"{key}.{spec.name}", " ".join(f"{name}={value_text(value)}" for name, value in values.items()))
    text = st.text_input(spec.title, key=f"{key}.{spec.name}", placeholder="name=value name=value", help=spec.help)
    try:
        return pairs(text.split(), spec.title)
    except ConfigError as error:
        st.error(plain(error), icon=":material/error:")
        return values


def run_box(spec: ParameterSpec, key: str, on_change: Callable[[], None] | None = None) -> str | None:
    """Draw the choice of a completed run, or none; a run that is not in the store stays choosable, to be seen."""
    rows = data.summaries().filter(state="completed").to_dicts()
    labels = {row["run_id"]: f"{row['architecture']} · {row['dataset']} · {run_label(row)}" for row in rows}
    asked = st.session_state.get(key)
    options: Sequence[str | None] = [None, *labels, *([asked] if asked and asked not in labels else [])]
    chosen: str | None = st.selectbox(
        spec.title,
        options,
        key=key,
        format_func=lambda run_id: "None" if run_id is None else labels.get(run_id, f"{run_id} (not in this store)"),
        help=help_text(spec),
        on_change=on_change,
    )
    return chosen


DRAWS: dict[str, Draw] = {"run": run_box}
