"""The convolution step by step: the window on the input, the products, their sum, the output cell; it plays."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnnlab.convolution.geometry import padding_amounts
from cnnlab.convolution.layer import Layer, apply
from cnnlab.convolution.steps import Step, num_steps, output_so_far, position_of, step_at
from dashboard.components.convolution_grid import CELL_PX, STYLE, Marks, cell_text, grid
from dashboard.components.convolution_input import Chosen

STEP, PLAYING, SPEED = "lab.step", "lab.is_playing", "lab.speed"
SPEEDS = {"Slow": 1.4, "Normal": 0.7, "Fast": 0.35}
# Of a larger grid only the cells near the window are shown.
MOST_CELLS, NEAR_CELLS = 16, 12
# Playing takes about so many frames, however large the output is.
FRAMES = 150
SHOWN_CHANNELS = 4
TERMS = 25
SMALL_PX = 30
# Input and output are about so wide, so that both stand beside the reckoning.
AREA_PX = 330


def draw_steps(layer: Layer, chosen: Chosen, feature_map: int) -> None:
    """Draw the controls and the step; a fragment, so that playing redraws nothing else."""
    is_playing = st.session_state.get(PLAYING, False)
    pace = SPEEDS[st.session_state.get(SPEED) or "Normal"] if is_playing else None
    st.fragment(_draw, run_every=pace)(layer, chosen, feature_map)


def _draw(layer: Layer, chosen: Chosen, feature_map: int) -> None:
    last = num_steps(layer, chosen.shape) - 1
    here = min(st.session_state.get(STEP, 0), last)
    if st.session_state.get(PLAYING, False):
        here = min(here + max(1, last // FRAMES), last)
        if here == last:
            st.session_state[PLAYING] = False
            st.session_state[STEP] = here
            st.rerun()  # the whole page, so that the ticking ends
    st.session_state[STEP] = here
    _controls(last)
    step = step_at(layer, chosen.image, position_of(layer, chosen.shape, here), feature_map)
    st.html(STYLE + step_html(layer, chosen, step, here, feature_map))


def _controls(last: int) -> None:
    is_playing = st.session_state.get(PLAYING, False)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        label, icon = ("Pause", ":material/pause:") if is_playing else ("Play", ":material/play_arrow:")
        if st.button(
            label, icon=icon, type="primary", key="lab.play", on_click=_toggle, args=(last,), disabled=last == 0
        ):
            st.rerun()  # the whole page: how often a fragment runs is decided there
        st.button("Back", icon=":material/skip_previous:", key="lab.back", on_click=_move, args=(-1, last),
                  disabled=st.session_state[STEP] == 0)  # fmt: skip
        st.button("Next", icon=":material/skip_next:", key="lab.next", on_click=_move, args=(1, last),
                  disabled=st.session_state[STEP] == last)  # fmt: skip
        st.segmented_control(
            "Speed", list(SPEEDS), default="Normal", required=True, key=SPEED, label_visibility="collapsed"
        )
    if last:
        st.slider(f"Step, 0 to {last}", 0, last, key=STEP, label_visibility="collapsed")


def _toggle(last: int) -> None:
    is_playing = not st.session_state.get(PLAYING, False)
    if is_playing and st.session_state[STEP] == last:
        st.session_state[STEP] = 0
    st.session_state[PLAYING] = is_playing


def _move(by: int, last: int) -> None:
    st.session_state[STEP] = min(max(st.session_state[STEP] + by, 0), last)


# ---- what a step looks like ----


def step_html(layer: Layer, chosen: Chosen, step: Step, number: int, feature_map: int) -> str:
    """Return the three parts of a step beside each other: input, reckoning, output."""
    shown = output_so_far(layer, chosen.image, number, feature_map)
    full = apply(layer, chosen.image)[..., feature_map]
    largest = float(np.abs(full).max()) or 1.0
    is_stamp = layer.settings.operation == "transposed"
    channel = step.channels[0]
    before = _input_grid(layer, chosen, step, channel)
    if is_stamp:
        after = _area(shown, step.rows, step.columns, "Output so far", largest, is_window=True)
    else:
        row, column = step.position
        after = _area(shown, (row,), (column,), "Output so far", largest, is_window=False)
    return f'<div class="cl">{before}<div class="mid">{_reckoning(layer, chosen, step)}</div>{after}</div>'


def _input_grid(layer: Layer, chosen: Chosen, step: Step, channel: int) -> str:
    settings = layer.settings
    values = chosen.image[..., channel]
    caption = f"Input, {chosen.channel_name(channel)}" if chosen.shape[2] > 1 else "Input"
    if settings.operation == "transposed":
        row, column = step.position
        return _area(values, (row,), (column,), caption, None, is_window=False)
    (top, bottom), (left, right) = (
        padding_amounts(side, settings.reach, settings.stride, settings.padding) for side in values.shape
    )
    padded = np.pad(values, ((top, bottom), (left, right)))
    if top + bottom + left + right:
        caption += " with padding"
    rows, columns = [row + top for row in step.rows], [column + left for column in step.columns]
    is_padding = np.pad(np.zeros(values.shape, bool), ((top, bottom), (left, right)), constant_values=True)
    return _area(padded, tuple(rows), tuple(columns), caption, None, is_window=True, is_padding=is_padding)


def _area(
    values: NDArray[np.float64],
    rows: tuple[int, ...],
    columns: tuple[int, ...],
    caption: str,
    largest: float | None,
    *,
    is_window: bool,
    is_padding: NDArray[np.bool_] | None = None,
) -> str:
    """Return a grid, or the part of a large one around the marked cells."""
    (top, bottom), (left, right) = (
        _visible(places, side) for places, side in zip((rows, columns), values.shape, strict=True)
    )
    if bottom - top < values.shape[0] or right - left < values.shape[1]:
        caption += f": rows {top} to {bottom - 1}, columns {left} to {right - 1} of {values.shape[0]}×{values.shape[1]}"
    marked = {(row - top, column - left) for row in rows for column in columns}
    padding = set()
    if is_padding is not None:
        padding = {(int(row), int(column)) for row, column in np.argwhere(is_padding[top:bottom, left:right])}
    marks = Marks(window=marked, padding=padding) if is_window else Marks(now=marked)
    cell_px = min(CELL_PX, max(24, AREA_PX // max(bottom - top, right - left)))
    return grid(values[top:bottom, left:right], caption, marks, largest=largest, cell_px=cell_px)


def _visible(places: tuple[int, ...], side: int) -> tuple[int, int]:
    if side <= MOST_CELLS:
        return 0, side
    most = min(side, max(NEAR_CELLS, places[-1] - places[0] + 1))
    start = min(max((places[0] + places[-1] + 1 - most) // 2, 0), side - most)
    return start, start + most


def _reckoning(layer: Layer, chosen: Chosen, step: Step) -> str:
    if layer.settings.is_pooling:
        return _pooling(layer, step)
    if layer.settings.operation == "transposed":
        return _stamping(layer, chosen, step)
    parts = []
    size = layer.settings.size
    cell_px = SMALL_PX if size <= 5 else max(16, 150 // size)
    for place, channel in enumerate(step.channels[:SHOWN_CHANNELS]):
        parts.append(_channel_line(chosen, step, channel))
        padding = {(int(row), int(column)) for row, column in np.argwhere(~step.is_inside)}
        parts.append(
            '<div class="row">'
            + grid(step.window[..., place], "Window", Marks(padding=padding), cell_px=cell_px)
            + _pair("×", grid(step.weights[..., place], _kernel_name(layer), cell_px=cell_px))
            + _pair("=", grid(step.products[..., place], "Products", cell_px=cell_px))
            + "</div>"
        )
    if len(step.channels) > SHOWN_CHANNELS:
        parts.append(f"<p>and {len(step.channels) - SHOWN_CHANNELS} more channels</p>")
    return "".join(parts) + f'<p class="sum">{_sum_text(step)}</p>'


def _sum_text(step: Step) -> str:
    row, column = step.position
    target = f"<strong>output[{row}, {column}] = {cell_text(step.total)}</strong>"
    if step.mix.size:
        terms = " + ".join(
            f"{cell_text(weight)}·{_signed(value)}" for weight, value in zip(step.mix, step.sums, strict=True)
        )
        sums = ", ".join(cell_text(value) for value in step.sums)
        return f"Depthwise, one sum per channel: {sums}.<br>Pointwise, mixed by 1×1 weights: {terms}<br>{target}"
    if len(step.channels) > 1:
        return f"One sum per channel, added: {' + '.join(map(_signed, step.sums))}<br>{target}"
    window, weights = step.window[..., 0].ravel(), step.weights[..., 0].ravel()
    if window.size > TERMS:
        return f"The sum of the {window.size} products:<br>{target}"
    terms = " + ".join(f"{cell_text(value)}·{_signed(weight)}" for value, weight in zip(window, weights, strict=True))
    return f"{terms}<br>{target}"


def _pooling(layer: Layer, step: Step) -> str:
    values = step.products[..., 0]
    padding = {(int(row), int(column)) for row, column in np.argwhere(~step.is_inside)}
    row, column = step.position
    counted = int(step.is_inside.sum())
    if layer.settings.operation == "max_pooling":
        best = np.unravel_index(int(np.nanargmax(values)), values.shape)
        marks = Marks(padding=padding, now={(int(best[0]), int(best[1]))})
        text = f"The largest of {counted} values"
    else:
        marks = Marks(padding=padding)
        text = f"The sum {cell_text(float(np.nansum(values)))} divided by {counted} cells"
    text += " (padding does not count)." if counted < values.size else "."
    return (
        f'<div class="row">{grid(values, "Window", marks)}</div><p class="sum">{text}<br>'
        f"<strong>output[{row}, {column}] = {cell_text(step.total)}</strong></p>"
    )


def _stamping(layer: Layer, chosen: Chosen, step: Step) -> str:
    parts = []
    for place, channel in enumerate(step.channels[:SHOWN_CHANNELS]):
        parts.append(_channel_line(chosen, step, channel))
        outside = {(int(row), int(column)) for row, column in np.argwhere(~step.is_inside)}
        parts.append(
            '<div class="row">'
            + grid(step.window[..., place], "Cell", Marks(now={(0, 0)}), cell_px=max(SMALL_PX, 40))
            + _pair("×", grid(step.weights[..., place], _kernel_name(layer), cell_px=SMALL_PX))
            + _pair("=", grid(step.products[..., place], "Stamp", Marks(padding=outside), cell_px=SMALL_PX))
            + "</div>"
        )
    row, column = step.position
    cut = "" if step.is_inside.all() else " What lies outside is cut off."
    return (
        "".join(parts)
        + f'<p class="sum"><strong>input[{row}, {column}]</strong> adds its stamp to the marked cells of '
        f"the output. Where stamps overlap they add up.{cut}</p>"
    )


def _channel_line(chosen: Chosen, step: Step, channel: int) -> str:
    if len(step.channels) == 1:
        return ""
    name = chosen.channel_name(channel)
    return f'<p class="of">{name[:1].upper()}{name[1:]}</p>'


def _pair(sign: str, shown: str) -> str:
    """Return a sign and what follows it, kept together where the row is too narrow for all."""
    return f'<div class="pair"><b>{sign}</b>{shown}</div>'


def _kernel_name(layer: Layer) -> str:
    return "Kernel, turned" if layer.settings.mode == "convolution" else "Kernel"


def _signed(value: float) -> str:
    """Return a number as a factor or summand: a negative one in brackets."""
    text = cell_text(float(value))
    return f"({text})" if text.startswith("−") else text
