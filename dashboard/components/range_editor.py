"""The range of one searched setting on screen: its values or its two ends, and under which conditions it is searched.

Widgets hold what a person typed, right or wrong; the study says what is wrong with it.
"""

import functools
import json
from collections.abc import Mapping
from typing import Any

import streamlit as st
import yaml

from cnnlab.architectures.catalogue import ARCHITECTURES
from cnnlab.config import RunConfig
from cnnlab.errors import ConfigError
from cnnlab.parameters import ParameterSpec
from cnnlab.settings.layer_places import layer_title, place_of, short_name, value_text
from cnnlab.settings.ranges import ChoiceRange, FloatRange, IntRange, value_key
from cnnlab.settings.searched import ARCHITECTURE, Space, base_value, conditions
from dashboard.components.text import plain
from dashboard.forms import choice_title, number_format, put

KEY = "tune"
RANGE, CHOICE = "Range", "Choice"
# What a first range spans: a factor on a logarithmic scale, and on a straight one.
WIDE, NARROW = 10.0, 2.0
# So many choices are all searched at first; of more the run's own begins.
FEW = 6


def range_editor(run: RunConfig, path: str, spec: ParameterSpec) -> dict[str, Any]:
    """Draw what a setting may be; return the values of its range, without conditions.

    Raises:
        ConfigError: what was typed cannot be read.
    """
    if spec.kind not in ("integer", "number"):
        return {"kind": "choice", "values": _choices(run, path, spec)}
    put(f"{KEY}.kind.{path}", RANGE)
    kind = st.segmented_control(
        "Searched as", [RANGE, CHOICE], required=True, key=f"{KEY}.kind.{path}", label_visibility="collapsed"
    )
    if kind == CHOICE:
        return {"kind": "choice", "values": _typed(run, path, spec)}
    return _ends(run, path, spec)


def _choices(run: RunConfig, path: str, spec: ParameterSpec) -> list[Any]:
    options = known_values(path, spec)
    if not options:
        return _typed(run, path, spec)
    put(f"{KEY}.values.{path}", first_values(run, path, options))
    # A choice between more layers than the run has comes with a loaded study.
    extra = [option for option in st.session_state[f"{KEY}.values.{path}"] if option not in options]
    chosen = st.multiselect(
        "Values", [*options, *extra], key=f"{KEY}.values.{path}", format_func=lambda value: _value_title(path, value),
        label_visibility="collapsed", placeholder="Choose two values or more",
    )  # fmt: skip
    return [value_of(path, option) for option in chosen]


def known_values(path: str, spec: ParameterSpec) -> list[Any]:
    """Return all values of a setting that has few; none of one that is typed. A layer stands for itself as text."""
    if path == ARCHITECTURE:
        return list(ARCHITECTURES)  # and none that is a file: no page runs one
    if spec.kind == "boolean":
        return [False, True]
    return [*([None] if spec.is_optional else []), *(option_of(choice) for choice in spec.choices)]


def option_of(value: Any) -> Any:
    """Return a value as a widget takes it: a layer, which is a mapping, as text."""
    return value_key(value) if isinstance(value, Mapping) else value


def value_of(path: str, option: Any) -> Any:
    """Return the value behind the option of a widget."""
    place = place_of(path)
    is_layer = place is not None and not place.setting and option is not None
    return json.loads(option) if is_layer else option


def first_values(run: RunConfig, path: str, options: list[Any]) -> list[Any]:
    """Return what a choice begins with: all of few, else the run's own."""
    base = base_value(run, path)
    if len(options) <= FEW:
        return options
    return [option for option in options if value_key(option) == value_key(base)]


def _value_title(path: str, value: Any) -> str:
    if isinstance(value_of(path, value), Mapping):
        return layer_title(value_of(path, value))
    return ARCHITECTURES[value].label if path == ARCHITECTURE and value in ARCHITECTURES else choice_title(value)


def _typed(run: RunConfig, path: str, spec: ParameterSpec) -> list[Any]:
    """Draw a box with one value per line, or of numbers with commas between."""
    is_number = spec.kind in ("integer", "number")
    base = base_value(run, path)
    first = "none" if base in (None, "") else str(base)
    put(f"{KEY}.typed.{path}", first)
    if is_number:
        text = st.text_input("Values, with commas between", key=f"{KEY}.typed.{path}", placeholder="32, 64, 128")
        parts = text.split(",")
    else:
        text = st.text_area(
            "Values, one per line", key=f"{KEY}.typed.{path}", height=110, help="'none' is the empty value."
        )
        parts = text.splitlines()
    return [_read(part, spec) for part in parts if part.strip()]


def _read(text: str, spec: ParameterSpec) -> Any:
    text = text.strip()
    if text.lower() == "none":
        return None if spec.is_optional or spec.kind != "text" else ""
    if spec.kind == "text":
        return text
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        raise ConfigError(
            f"The value {text!r} of {spec.title} cannot be read. Expected a number, a word, or YAML such as [1, 2]. "
            "Correct it."
        ) from None


def _ends(run: RunConfig, path: str, spec: ParameterSpec) -> dict[str, Any]:
    low, high = first_ends(spec, base_value(run, path))
    put(f"{KEY}.low.{path}", low)
    put(f"{KEY}.high.{path}", high)
    put(f"{KEY}.log.{path}", spec.is_log)
    is_integer = spec.kind == "integer"
    cells = st.columns([3, 3, 3, 2], vertical_alignment="bottom")
    values: dict[str, Any] = {"kind": "int" if is_integer else "float"}
    for cell, name, title in ((cells[0], "low", "Lowest"), (cells[1], "high", "Highest")):
        key = f"{KEY}.{name}.{path}"
        shape = {"step": 1} if is_integer else {"format": _format(st.session_state[key]), "step": _step(spec)}
        values[name] = cell.number_input(title, key=key, help=spec.range_text() and f"Within {spec.range_text()}.",
                                         **shape)  # fmt: skip
    is_log = cells[3].toggle("Log", key=f"{KEY}.log.{path}", help="Each doubling is drawn equally often.")
    put(f"{KEY}.step.{path}", int(spec.step or 1) if is_integer and not spec.is_log else None)
    step = cells[2].number_input(
        "Step", key=f"{KEY}.step.{path}", min_value=0 if is_integer else 0.0, placeholder="Every number",
        disabled=is_log, value=None, **({"step": 1} if is_integer else {"format": "%g"}),
    )  # fmt: skip
    if is_log:
        values["log"] = True
    elif step:
        values["step"] = step
    return values


def first_ends(spec: ParameterSpec, base: Any) -> tuple[Any, Any]:
    """Return the range that a setting begins with: around the run's value, within what the setting takes."""
    is_integer = spec.kind == "integer"
    fallback = 1 if is_integer else 1e-3 if spec.is_log else 0.1
    given = base if isinstance(base, (int, float)) and base > 0 else spec.default or fallback
    factor = WIDE if spec.is_log else NARROW
    low, high = given / factor, given * factor
    if spec.low is not None:
        low = max(low, spec.low if not spec.is_low_open else min(low, spec.low + abs(given) / 100) or given / WIDE)
    if spec.high is not None:
        high = min(high, spec.high if not spec.is_high_open else spec.high - (spec.high - given) / 10)
    if is_integer:
        low, high = max(round(low), round(spec.low) + spec.is_low_open if spec.low is not None else 1), round(high)
        return low, max(high, low + 1)
    if spec.low == 0 and not spec.is_low_open and not spec.is_log:
        low = 0.0
    return float(f"{low:.3g}"), float(f"{high:.3g}")


def _format(value: float) -> str:
    return number_format(float(value or 0))


def _step(spec: ParameterSpec) -> float:
    return 1e-4 if spec.is_log else 0.05


def condition_editor(path: str, space: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Draw of which choices of other searched settings this one depends; return those that leave some out."""
    parents = {
        other: found["values"]
        for other, found in space.items()
        if other != path and found["kind"] == "choice" and len(found["values"]) > 1
    }
    chosen = {}
    if not parents:
        return {}
    with st.popover("Only if", icon=":material/rule:", type="tertiary"):
        st.caption("Searched only where all of these hold; nothing chosen means always.")
        for parent, values in parents.items():
            key, options = f"{KEY}.if.{path}.{parent}", [option_of(value) for value in values]
            st.session_state[key] = [option for option in st.session_state.get(key, []) if option in options]
            picked = st.multiselect(
                plain(parent), options, key=key, format_func=functools.partial(_value_title, parent)
            )
            if picked:
                chosen[parent] = [value_of(parent, option) for option in picked]
    return chosen


def condition_text(run: RunConfig, space: Space, path: str) -> str:
    """Return in words when a setting is searched; empty for always."""
    try:
        found = conditions(run, space, path)
    except ConfigError:
        return ""  # the study says so
    return " and ".join(
        f"{short_name(parent)} is " + " or ".join(value_text(value) for value in values)
        for parent, values in found.items()
    )


def fill_range(path: str, searched: ChoiceRange | IntRange | FloatRange, spec: ParameterSpec) -> None:
    """Put a range into the widgets; call it before they are drawn, or in a callback."""
    state = st.session_state
    for parent, values in searched.only_if.items():
        state[f"{KEY}.if.{path}.{parent}"] = [option_of(value) for value in values]
    if isinstance(searched, ChoiceRange):
        state[f"{KEY}.kind.{path}"] = CHOICE
        texts = ["none" if value in (None, "") else str(value) for value in searched.values]
        if known_values(path, spec):
            state[f"{KEY}.values.{path}"] = [option_of(value) for value in searched.values]
        else:
            state[f"{KEY}.typed.{path}"] = (", " if spec.kind in ("integer", "number") else "\n").join(texts)
        return
    state[f"{KEY}.kind.{path}"] = RANGE
    state[f"{KEY}.log.{path}"] = searched.log
    number = int if spec.kind == "integer" else float  # the type that the widgets keep
    state[f"{KEY}.low.{path}"], state[f"{KEY}.high.{path}"] = number(searched.low), number(searched.high)
    state[f"{KEY}.step.{path}"] = None if searched.log or searched.step is None else number(searched.step)
