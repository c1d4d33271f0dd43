"""The convolution lab: lay a kernel on an image and see what comes out, and why."""

import numpy as np
import streamlit as st

from cnnlab.convolution.geometry import output_shape
from cnnlab.convolution.layer import Layer, apply, make_layer
from cnnlab.convolution.settings import OPERATIONS, POOLINGS, SUMMARIES, check_settings
from cnnlab.errors import ConfigError
from cnnlab.plots.convolution_maps import (
    ConvolutionMapInfo,
    View,
    convolution_map,
    convolution_map_info,
    convolution_map_numbers,
    convolution_map_summary,
)
from dashboard.components import galleries, how_to_read
from dashboard.components.chart import chart
from dashboard.components.convolution_costs import draw_beside, draw_code, draw_formulas
from dashboard.components.convolution_grid import STYLE, grid
from dashboard.components.convolution_input import Chosen, choose_input
from dashboard.components.convolution_kernel import Bank, choose_kernel, choose_size
from dashboard.components.convolution_settings import choose_settings
from dashboard.components.convolution_steps import draw_steps
from dashboard.components.convolution_words import draw_words
from dashboard.components.text import plain

MAP_PX = 82
VIEWS: dict[View, str] = {"signed": "As it is", "absolute": "Absolute", "relu": "After ReLU"}


def draw_controls() -> tuple[Chosen, Layer, Bank | None] | None:
    """Draw the three boxes; return what they make, or nothing with the reason on the page."""
    operation = st.segmented_control(
        "Operation", list(OPERATIONS), default="standard", required=True, format_func=OPERATIONS.__getitem__,
        key="operation", bind="query-params",
    )  # fmt: skip
    st.caption(SUMMARIES[operation])
    left, middle, right = st.columns(3, gap="small")
    with left.container(border=True, height="stretch"):
        st.subheader("Input", anchor=False)
        chosen = choose_input()
    channels = chosen.shape[2] if chosen else 1
    bank = None
    with middle.container(border=True, height="stretch"):
        if operation in POOLINGS:
            st.subheader("Window", anchor=False)
            size = choose_size(range(1, 12), "Window size F")
            st.caption("It has no weights: nothing is multiplied, and nothing is learnt.")
        else:
            st.subheader("Kernel", anchor=False)
            bank = choose_kernel(channels)
            size = bank.size if bank else 1
            if bank is not None and not bank.is_typed:  # typed ones stand in their cells already
                shown = bank.kernels[0] if bank.kernels[0].ndim == 2 else bank.kernels[0].mean(axis=2)
                caption = bank.titles[0] + (
                    ", mean of its channels" if bank.kernels[0].ndim == 3 and channels > 1 else ""
                )
                st.html(STYLE + f'<div class="cl">{grid(shown, caption)}</div>')
    with right.container(border=True, height="stretch"):
        st.subheader("Sliding", anchor=False)
        values = choose_settings(operation, size, channels)
    if chosen is None or (bank is None and operation not in POOLINGS):
        return None
    try:
        settings = check_settings(values)
        layer = make_layer(settings, channels, bank.kernels if bank else ())
        output_shape(settings, chosen.shape)
    except ConfigError as error:
        st.error(plain(error), icon=":material/straighten:")
        return None
    return chosen, layer, bank


def draw_pictures(chosen: Chosen, layer: Layer, bank: Bank | None) -> int:
    """Draw input and output as pictures, and all feature maps; return which map is looked at."""
    output = apply(layer, chosen.image)
    maps = output.shape[2]
    names = [map_name(chosen, layer, bank, number) for number in range(maps)]
    before, after, beside = st.columns([3, 3, 2], gap="medium")
    with beside:
        view: View = st.segmented_control(
            "Output shown", list(VIEWS), default="signed", required=True, format_func=VIEWS.__getitem__, key="view",
            bind="query-params",
        )  # fmt: skip
        feature_map = draw_maps(output, names, view) if maps > 1 else 0
    with before:
        st.markdown(f"**Input** {size_text(chosen.shape)}")
        info = convolution_map_info(chosen.image if chosen.is_picture else chosen.image[..., :1])
        draw_map(info, "input_map", chosen.title)
    with after:
        st.markdown(f"**Output** {size_text(output.shape)}")
        info = convolution_map_info(output[..., feature_map], view)
        draw_map(info, "output_map", names[feature_map])
    return feature_map


def draw_map(info: ConvolutionMapInfo, key: str, title: str) -> None:
    """Draw one picture with what it is of."""
    chart(
        convolution_map(info),
        key,
        summary=f"{title}. {convolution_map_summary(info)}",
        numbers=lambda: convolution_map_numbers(info),
        how_to_read=how_to_read.CONVOLUTION_MAP,
    )


def draw_maps(output: np.ndarray, names: list[str], view: View) -> int:
    """Draw all feature maps, each with black and white of its own; return which one is to be looked at."""
    chosen = st.selectbox("Feature map", range(len(names)), format_func=names.__getitem__, key="map")
    with st.container(horizontal=True, gap="small"):
        for number, name in enumerate(names):
            info = convolution_map_info(output[..., number], view)
            pixels = np.clip((info.values - info.low) / (info.high - info.low) * 255, 0, 255).astype(np.uint8)
            with st.container(width=MAP_PX, gap=None):
                st.image(galleries.png(pixels[..., None]), width=MAP_PX, alt=f"Feature map {name}")
                st.caption(plain(name))
    return int(chosen)


def map_name(chosen: Chosen, layer: Layer, bank: Bank | None, number: int) -> str:
    """Return how a feature map is called: by its filter, its channel, or its mixture."""
    operation = layer.settings.operation
    if chosen.shape[2] == 1 and operation in (*POOLINGS, "depthwise"):
        return OPERATIONS[operation]
    if operation in ("standard", "transposed"):
        return bank.titles[number % len(bank.titles)] if bank else f"map {number + 1}"
    if operation == "separable":
        return chosen.channel_name((number - 1) % chosen.shape[2]).capitalize() if number else "Mean of the channels"
    return chosen.channel_name(number).capitalize()


def size_text(shape: tuple[int, ...]) -> str:
    """Return a size as a badge: height × width × channels."""
    return f":blue-badge[{' × '.join(map(str, shape))}]"


st.title("Convolution lab")
st.caption("Lay a kernel on an image, move the sliders, and watch each number come about. The address keeps it all.")
made = draw_controls()
if made is None:
    draw_words()
    st.stop()
chosen, layer, bank = made
feature_map = draw_pictures(chosen, layer, bank)
st.subheader("Step by step")
draw_steps(layer, chosen, feature_map)
st.subheader("With the numbers in")
draw_formulas(layer.settings, chosen.shape)
st.subheader("In Keras")
draw_code(layer.settings)
st.subheader("The same kernel, other kinds of layers")
draw_beside(layer.settings, chosen.shape)
draw_words()
