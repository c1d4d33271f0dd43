"""Ticks and sliders that write the augmentation line, and a line that sets ticks and sliders."""

from functools import partial
from typing import Any

import streamlit as st

from cnnlab.augmentation.catalogue import OPS
from cnnlab.augmentation.language import Pipe, Step, build_line, make_step, parse
from cnnlab.errors import ConfigError
from cnnlab.parameters import specs
from dashboard.forms import parameter_form, put


def augmentation_form(line: str, key: str) -> tuple[str, str]:
    """Draw the form and return the line as typed and the sentence that is wrong with it, or an empty one.

    Args:
        line: What the form starts with.
        key: Prefix of the widgets' keys; `<key>.line` is the line's.
    """
    put(f"{key}.line", line)
    pipe, error = _parsed(st.session_state[f"{key}.line"])
    if f"{key}.{next(iter(OPS))}" not in st.session_state:  # first sight, or back from another page
        _tick(pipe, key)
    with st.grid(min_column_width=150, gap="small"):
        for op in OPS.values():
            put(f"{key}.{op.name}", False)
            st.checkbox(op.title, key=f"{key}.{op.name}", help=_help(op.name), on_change=_from_ticks, args=(key,))
    st.text_input(
        "Line",
        key=f"{key}.line",
        placeholder="No augmentation. Tick above, or type: flip_lr|crop(pad=4)|cutout(8)",
        on_change=_from_line,
        args=(key,),
        help="What the ticks write. Steps run from left to right; type to reorder or repeat them.",
    )
    if error:
        st.error(error, icon=":material/error:")
    _sliders(key)
    return st.session_state[f"{key}.line"], error


def _sliders(key: str) -> None:
    ticked = [op for op in OPS.values() if st.session_state.get(f"{key}.{op.name}") and specs(op.parameters)]
    if not ticked:
        return
    with st.grid(min_column_width=240, border=True):
        for op in ticked:
            with st.container(gap="small"):
                st.markdown(f"**{op.title}**")
                parameter_form(
                    op.parameters, {}, f"{key}.{op.name}", columns=1, on_change=partial(_from_slider, key, op.name)
                )


def _help(name: str) -> str:
    op = OPS[name]
    mixes = " Labels become shares of two classes." if op.mixes_labels else ""
    return f"{op.summary}{mixes}{f' {op.source}.' if op.source else ''}"


def _parsed(line: str) -> tuple[Pipe, str]:
    try:
        return parse(line), ""
    except ConfigError as error:
        return Pipe(), str(error)


def _tick(pipe: Pipe, key: str) -> None:
    """Set ticks and sliders from `pipe`; of a repeated step the first one counts."""
    st.session_state[f"{key}.good"] = pipe.line()
    for name, op in OPS.items():
        step = next((step for step in pipe.steps if step.op == name), None)
        st.session_state[f"{key}.{name}"] = step is not None
        values: dict[str, Any] = step.parameters.model_dump() if step else {}
        for spec in specs(op.parameters):
            value = values.get(spec.name, spec.default)
            st.session_state[f"{key}.{name}.{spec.name}"] = float(value) if spec.kind == "number" else value


def _from_line(key: str) -> None:
    pipe, error = _parsed(st.session_state[f"{key}.line"])
    if not error:
        st.session_state[f"{key}.line"] = pipe.line()
        _tick(pipe, key)


def _from_ticks(key: str) -> None:
    kept = [step for step in _good(key) if st.session_state.get(f"{key}.{step.op}")]
    present = {step.op for step in kept}
    added = [make_step(name) for name in OPS if st.session_state.get(f"{key}.{name}") and name not in present]
    _write([*kept, *added], key)
    _tick(parse(st.session_state[f"{key}.line"]), key)


def _from_slider(key: str, name: str) -> None:
    values = {spec.name: st.session_state[f"{key}.{name}.{spec.name}"] for spec in specs(OPS[name].parameters)}
    steps = _good(key)
    place = next((index for index, step in enumerate(steps) if step.op == name), None)
    if place is not None:
        steps[place] = make_step(name, values)
        _write(steps, key)


def _good(key: str) -> list[Step]:
    """Return the steps of the last line that could be read."""
    return list(parse(st.session_state.get(f"{key}.good", "")).steps)


def _write(steps: list[Step], key: str) -> None:
    st.session_state[f"{key}.line"] = st.session_state[f"{key}.good"] = build_line(steps)
