"""What the layer of the lab costs: the formulas with the numbers in, other kinds beside it, the line of Keras."""

import polars as pl
import streamlit as st

from cnnlab.convolution.formulas import beside, formulas, padding_sentence
from cnnlab.convolution.geometry import receptive_fields
from cnnlab.convolution.keras_code import keras_code, remarks
from cnnlab.convolution.settings import Settings
from cnnlab.plots.labels import plural
from dashboard.components.numbers import count
from dashboard.components.text import plain

LETTERS = (
    "W side of the input, F side of the kernel, P padding (P₁ before, P₂ after), S stride, D dilation, "
    "D1 channels in, K filters, G groups, H1×W1 the input, H2×W2 the output. MACs are multiply-accumulates of one "
    "image, without biases."
)
NETWORK_SHAPE, NETWORK_FILTERS = (32, 32, 64), 128
HERE, NETWORK = "This input", "Inside a network"


def draw_formulas(settings: Settings, shape: tuple[int, int, int]) -> None:
    """Draw each formula in letters, with the numbers in, and what comes out."""
    found = formulas(settings, shape)
    for column, formula in zip(st.columns(len(found)), found, strict=True):
        with column.container(border=True, height="stretch"):
            st.metric(formula.what, count(formula.value))
            st.markdown(f"{plain(formula.letters)}  \n**{plain(formula.numbers)}**")
    st.markdown(f"{padding_sentence(settings, shape)} {_field_sentence(settings)}")
    st.caption(plain(LETTERS))


def _field_sentence(settings: Settings) -> str:
    if settings.operation == "transposed":
        return f"One input cell reaches {settings.reach}×{settings.reach} cells of the output."
    first, *more = receptive_fields(settings, 4)
    return (
        f"One output cell sees {first}×{first} cells of the input, its receptive field; after 2, 3 and 4 such layers "
        f"{', '.join(f'{side}×{side}' for side in more)}."
    )


def draw_beside(settings: Settings, shape: tuple[int, int, int]) -> None:
    """Draw the same kernel as every kind of convolution, beside each other."""
    height, width, channels = NETWORK_SHAPE
    place = st.segmented_control(
        "Reckoned for", [HERE, NETWORK], default=HERE, required=True, key="beside", bind="query-params",
        help=f"Inside a network: {height}×{width} cells, {channels} channels in, {NETWORK_FILTERS} filters.",
    )  # fmt: skip
    if place == NETWORK:
        shape, settings = NETWORK_SHAPE, settings.model_copy(update={"filters": NETWORK_FILTERS, "groups": 1})
    st.caption(
        f"{plural(shape[2], 'channel')} in, {plural(settings.filters, 'filter')}, input {shape[0]}×{shape[1]}. "
        "'of standard' compares the MACs."
    )
    rows = beside(settings, shape)
    first = rows[0].macs.value if rows and rows[0].title == "Standard" else 0
    st.dataframe(
        pl.DataFrame(
            [
                {
                    "Kind": row.title,
                    "Output": "×".join(map(str, row.output)),
                    "Output side": row.side.numbers,
                    "Window": f"{row.reach}×{row.reach}",
                    "Parameters": count(row.parameters.value),
                    "Parameters with numbers": row.parameters.numbers,
                    "MACs": count(row.macs.value),
                    "of standard": f"{row.macs.value / first:.2f}" if first else "–",
                    "MACs with numbers": row.macs.numbers,
                }
                for row in rows
            ]
        ),
        hide_index=True,
        key="beside_table",
        column_config={"Kind": st.column_config.TextColumn(pinned=True)}
        | {name: st.column_config.TextColumn(alignment="right") for name in ("Parameters", "MACs", "of standard")},
    )
    st.caption(
        "A depthwise convolution makes as many maps as there are channels. Keras has no layer with stride and "
        "dilation both above 1, so the dilated one has stride 1."
    )


def draw_code(settings: Settings) -> None:
    """Draw the line of Keras, and what to know beside it."""
    st.code(keras_code(settings), language="python", wrap_lines=True)
    for remark in remarks(settings):
        st.caption(remark)
