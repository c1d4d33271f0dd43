"""Widgets from parameter models: one per field, with its range, unit, help and condition.

A widget's value lives in the session under its key; `put` writes it there before the
widget is drawn, which is how a loaded config enters the form.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st
from pydantic import BaseModel

from cnnlab.parameters import ParameterSpec, specs

LONGEST_SLIDER = 200  # steps of a fine one; a longer range is typed
LONGEST_INTEGER_SLIDER = 50
MOST_BUTTONS = 4  # choices side by side; more become a list
PLACEHOLDER = "Not set"
TOLD, TOLD_RUNS = "put_told", 3
CHOICE_TITLES = {
    "float32": "float32",
    "bfloat16": "bfloat16",
    "float16": "float16",
    "sgd": "SGD",
    "rmsprop": "RMSprop",
    "adam": "Adam",
    "adamw": "AdamW",
    "adagrad": "AdaGrad",
    "one_cycle": "One-cycle",
    "relu": "ReLU",
    "tanh": "tanh",
    "tensorflow": "TensorFlow",
    "jax": "JAX",
    "torch": "PyTorch",
    "tpe": "TPE",
    "asha": "ASHA",
    "nsga2": "NSGA-II",
}

# Draws the widget of a field: its spec, its key in the session, what to call on a change.
Draw = Callable[[ParameterSpec, str, Callable[[], None] | None], Any]


def put(key: str, value: Any) -> None:
    """Give the widget of `key` its first value; what a person has set since is left alone.

    A value is told to the browser in the run that sets it only. Where another run follows before the browser has drawn
    that one, it begins with the widget's own default, 0 say, and sends that back: so the value is told some runs long.
    """
    told = st.session_state.setdefault(TOLD, {})
    if key not in st.session_state:
        st.session_state[key] = value
        told[key] = TOLD_RUNS
    elif told.get(key):
        told[key] -= 1
        st.session_state[key] = st.session_state[key]


def parameter_form(
    model: type[BaseModel],
    values: Mapping[str, Any],
    key: str,
    *,
    names: Sequence[str] | None = None,
    columns: int = 2,
    on_change: Callable[[], None] | None = None,
    draws: Mapping[str, Draw] | None = None,
) -> dict[str, Any]:
    """Draw a widget per field of `model` and return what they hold.

    A field whose condition is not met is not drawn and keeps its value.

    Args:
        values: First values by field name; a missing one starts with the field's default.
        key: Prefix of the widgets' keys, `<key>.<field>`.
        names: The fields to draw, in this order; all when left out.
        draws: What draws a field, by `refers_to`; such a field without an entry is drawn by its kind.
    """
    known = {spec.name: spec for spec in specs(model)}
    held = {
        name: st.session_state.get(f"{key}.{name}", values.get(name, spec.default))
        for name, spec in known.items()
        if names is None or name in names
    }
    shown = [known[name] for name in names or known if known[name].kind != "other"]
    conditions = {**values, **held}
    shown = [spec for spec in shown if spec.applies(conditions)]
    cells = st.columns(columns) if columns > 1 and len(shown) > 1 else [st.container()]
    for index, spec in enumerate(shown):
        with cells[index % len(cells)]:
            put(f"{key}.{spec.name}", _for_widget(spec, values.get(spec.name, spec.default)))
            held[spec.name] = (draws or {}).get(spec.refers_to, draw)(spec, f"{key}.{spec.name}", on_change)
    return held


def draw(spec: ParameterSpec, key: str, on_change: Callable[[], None] | None = None) -> Any:
    """Draw the widget that fits `spec` and return its value; `put` has set the first one."""
    label = f"{spec.title} ({spec.unit})" if spec.unit else spec.title
    common: dict[str, Any] = {"label": label, "key": key, "help": help_text(spec), "on_change": on_change}
    match spec.kind:
        case "boolean":
            return st.toggle(**common)
        case "choice" if len(spec.choices) <= MOST_BUTTONS:
            return st.segmented_control(
                options=spec.choices, required=not spec.is_optional, format_func=choice_title, width="stretch", **common
            )
        case "choice":
            return st.selectbox(
                options=(None, *spec.choices) if spec.is_optional else spec.choices, format_func=choice_title, **common
            )
        case "integer":
            return _integer(spec, common)
        case "number":
            return _number(spec, common)
        case _:
            text = st.text_input(**common)
            return text or None if spec.is_optional else text


def help_text(spec: ParameterSpec) -> str:
    """Return the tooltip: what it means, its range and its default."""
    parts = [spec.help]
    if spec.kind in ("integer", "number") and spec.range_text():
        parts.append(f"Range {spec.range_text()}.".replace("[", "\\[").replace("]", "\\]"))
    if spec.kind in ("integer", "number") and spec.default is not None:
        parts.append(f"Default {spec.default:g}.")
    if spec.kind == "choice" and spec.default is not None:
        parts.append(f"Default {choice_title(spec.default)}.")
    return " ".join(part for part in parts if part)


def choice_title(value: Any) -> str:
    """Return how a choice reads on screen."""
    if value is None:
        return "None"
    return CHOICE_TITLES.get(str(value), str(value).replace("_", " ").capitalize())


def number_format(value: float) -> str:
    """Return a printf format that shows the digits of `value` and no more."""
    return "%.2e" if 0 < abs(value) < 1e-4 else "%.6g"


def _integer(spec: ParameterSpec, common: dict[str, Any]) -> Any:
    low = None if spec.low is None else int(spec.low) + spec.is_low_open
    high = None if spec.high is None else int(spec.high) - spec.is_high_open
    step = int(spec.step or 1)
    # A slider cannot be empty.
    if not spec.is_optional and low is not None and high is not None and (high - low) / step <= LONGEST_INTEGER_SLIDER:
        return st.slider(min_value=low, max_value=high, step=step, **common)
    return st.number_input(
        min_value=low,
        max_value=high,
        value=None if spec.is_optional else "min",
        placeholder=spec.placeholder or PLACEHOLDER,
        step=step,
        **common,
    )


def _number(spec: ParameterSpec, common: dict[str, Any]) -> Any:
    low = None if spec.low is None else float(spec.low)
    high = None if spec.high is None else float(spec.high)
    value = float(st.session_state.get(common["key"]) or 0.0)
    if low is not None and high is not None and not spec.is_log and not spec.is_optional:
        step = float(spec.step or _step_of(high - low))
        if (high - low) / step <= LONGEST_SLIDER:
            return _slider(spec, common, low, high, step, value)
    step = 10.0 ** _power_of(value) if spec.is_log and value > 0 else float(spec.step or (1e-4 if spec.is_log else 0.5))
    return st.number_input(
        min_value=low,
        max_value=high,
        value=None if spec.is_optional else "min",
        placeholder=spec.placeholder or PLACEHOLDER,
        step=step,
        format=number_format(value),
        **common,
    )


def _slider(spec: ParameterSpec, common: dict[str, Any], low: float, high: float, step: float, value: float) -> Any:
    # A typed line or a YAML may hold a value nearer to an open end than one step: the slider must reach it.
    bounds = (
        min(low + step, value) if spec.is_low_open else low,
        max(high - step, value) if spec.is_high_open else high,
    )
    key = common["key"]
    if st.session_state.get(f"{key}#bounds", bounds) != bounds:
        st.session_state[key] = value  # other bounds make it another widget, which would start anew
    st.session_state[f"{key}#bounds"] = bounds
    digits = max(0, -_power_of(step))
    is_on_grid = abs(round(value, digits) - value) < 1e-9
    return st.slider(
        min_value=bounds[0],
        max_value=bounds[1],
        step=step,
        format=f"%.{digits}f" if is_on_grid else "%.4g",
        **common,
    )


def _step_of(width: float) -> float:
    return 0.01 if width <= 1 else 0.1 if width <= 10 else 1.0


def _power_of(value: float) -> int:
    return math.floor(math.log10(value) + 1e-9)


def _for_widget(spec: ParameterSpec, value: Any) -> Any:
    """Return `value` in the type that the widget keeps: a slider of floats refuses an int."""
    return float(value) if spec.kind == "number" and value is not None else value
