"""The sliders of the lab, made from the description of its settings."""

from typing import Any

import streamlit as st

from cnnlab.convolution.settings import MOST_FILTERS, Settings
from cnnlab.parameters import ParameterSpec, specs

LABELS = {
    "valid": "Valid",
    "same": "Same",
    "full": "Full",
    "correlation": "Correlation",
    "convolution": "Convolution",
}


def choose_settings(operation: str, size: int, channels: int) -> dict[str, Any]:
    """Draw a widget for each setting that means something for `operation`; return all values, unchecked."""
    values: dict[str, Any] = {"operation": operation, "size": size}
    known = {spec.name: spec for spec in specs(Settings) if spec.applies({"operation": operation})}
    for name in ("stride", "padding", "dilation", "mode"):
        if name in known:
            values[name] = _widget(known[name], operation)
    if "groups" in known:
        divisors = [number for number in range(1, MOST_FILTERS + 1) if channels % number == 0]
        values["groups"] = _pick(known["groups"], divisors)
    if "filters" in known:
        groups = values.get("groups", 1)
        values["filters"] = _pick(known["filters"], list(range(groups, MOST_FILTERS + 1, groups)))
    return values


def _widget(spec: ParameterSpec, operation: str) -> Any:
    if spec.kind == "choice":
        choices = [
            choice for choice in spec.choices if choice != "full" or operation in ("standard", "depthwise", "separable")
        ]
        if st.session_state.get(spec.name, spec.default) not in choices:
            st.session_state[spec.name] = spec.default
        return st.segmented_control(
            spec.title, choices, default=spec.default, required=True, format_func=LABELS.__getitem__, key=spec.name,
            help=spec.help, bind="query-params", width="stretch",
        )  # fmt: skip
    return st.slider(
        spec.title, int(spec.low or 1), int(spec.high or 1), spec.default, key=spec.name, help=spec.help,
        bind="query-params",
    )  # fmt: skip


def _pick(spec: ParameterSpec, options: list[int]) -> int:
    """Draw a slider over what goes with the other settings; a single option needs no slider."""
    if len(options) == 1:
        st.caption(f"{spec.title}: {options[0]}. The input has one channel.")
        return options[0]
    current = st.session_state.get(spec.name, spec.default)
    if current not in options:
        st.session_state[spec.name] = min(options, key=lambda other: abs(other - current))
    picked: int = st.select_slider(spec.title, options, key=spec.name, help=spec.help, bind="query-params")
    return picked
