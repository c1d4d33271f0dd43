"""The totals of a network, its layer table and the formulas of its convolutions."""

from collections.abc import Mapping
from typing import Any

import polars as pl
import streamlit as st

from cnnlab.analysis.training_memory import from_document
from dashboard.components.numbers import MISSING, count, short
from dashboard.components.text import plain

BATCH, OPTIMIZER = 32, "adam"
MEMORY_NOTE = (
    f"Estimated peak while training with {BATCH} images per batch and Adam: weights, gradients, optimizer and what the "
    "backward pass keeps. The framework itself takes several hundred MB more."
)
TABLE_PX = 420
LIKE_NUMBERS = ("Parameters", "MACs", "Activations (KiB)", "Sees (px)")


def totals(document: Mapping[str, Any]) -> None:
    """Draw the totals in a row, and below them what they count."""
    memory = from_document(document["training_memory"]).peak_bytes(BATCH, OPTIMIZER)
    conventions = document["conventions"]
    with st.container(horizontal=True, gap="medium"):
        st.metric(
            "Parameters", count(document["num_params"]), help=f"{count(document['trainable_params'])} are trained."
        )
        st.metric("MACs", short(document["macs"]), help=conventions["macs"])
        st.metric("Activations", short(document["activation_bytes"], "B"), help="Outputs of all layers for one image.")
        st.metric("Training memory", short(memory, "B"), help=MEMORY_NOTE)
        st.metric("Receptive field", _sight(document), help=conventions["receptive_field"])
    st.caption(conventions["macs"])
    if document["not_counted"]:
        st.caption(f"Not counted: {plain(', '.join(document['not_counted']))}.")


def totals_beside(titles: tuple[str, str], documents: tuple[Mapping[str, Any], Mapping[str, Any]]) -> None:
    """Draw the totals of two networks as one table with their ratio."""
    names = {"num_params": "Parameters", "macs": "MACs", "activation_bytes": "Activations (bytes)"}
    rows = []
    for key, name in names.items():
        first, second = (document[key] for document in documents)
        ratio = f"{second / first:.2f} ×" if first and second is not None else MISSING
        rows.append({"": name, titles[0]: count(first), titles[1]: count(second), "Ratio": ratio})
    memory = [from_document(document["training_memory"]).peak_bytes(BATCH, OPTIMIZER) for document in documents]
    rows.append(
        {
            "": f"Training memory (bytes, batch {BATCH}, Adam)",
            titles[0]: count(memory[0]),
            titles[1]: count(memory[1]),
            "Ratio": f"{memory[1] / memory[0]:.2f} ×",
        }
    )
    rows.append({"": "Receptive field", **dict(zip(titles, map(_sight, documents), strict=True)), "Ratio": MISSING})
    right = {name: st.column_config.TextColumn(alignment="right") for name in (*titles, "Ratio")}
    st.dataframe(pl.DataFrame(rows), hide_index=True, column_config=right, key="beside")


def _sight(document: Mapping[str, Any]) -> str:
    if document["receptive_field_px"] is None:
        return "whole image" if document["sees_whole_image"] else MISSING
    return f"{document['receptive_field_px']:,} px"


def layer_table(document: Mapping[str, Any], key: str) -> None:
    """Draw one row per layer, quiet ones included."""
    table = layer_rows(document)
    column = st.column_config
    st.dataframe(
        table,
        hide_index=True,
        key=key,
        placeholder=MISSING,
        height=TABLE_PX if table.height > 12 else "auto",
        column_config={
            "Layer": column.TextColumn(pinned=True),
            **{name: column.NumberColumn(format="localized") for name in LIKE_NUMBERS},
        },
        alt="Layers with their outputs and costs",
    )
    st.caption("Sees: receptive field of the layer's outputs, the larger of height and width, over the longest path.")


def layer_rows(document: Mapping[str, Any]) -> pl.DataFrame:
    """Return the table of layers: what cannot be counted or followed is null."""
    rows = []
    for layer in document["layers"]:
        settings = layer.get("settings", {})
        size = layer["activation_bytes"]
        rows.append(
            {
                "Layer": layer["name"],
                "Kind": layer["kind"],
                "Output": times(layer["output_shape"]),
                "Kernel": times(settings.get("kernel", [])),
                "Stride": times(settings.get("strides", [])),
                "Padding": padding_text(layer["padding"]),
                "Parameters": layer["num_params"],
                "MACs": layer["macs"] if layer["counted"] else None,
                "Activations (KiB)": None if size is None else round(size / 1024, 1),
                "Sees (px)": layer["receptive_field_px"],
            }
        )
    integers = dict.fromkeys(("Parameters", "MACs", "Sees (px)"), pl.Int64)
    return pl.DataFrame(rows, schema_overrides=integers | {"Activations (KiB)": pl.Float64}, infer_schema_length=None)


def times(sides: Any) -> str:
    """Return `'5×5'`; unknown sides are question marks."""
    return "×".join("?" if side is None else str(side) for side in sides)


def padding_text(padding: Mapping[str, list[int]] | None) -> str:
    """Return the padding before and after of each side: `'1'` where it is the same all around, else `'0+1'`.

    >>> padding_text({"height": [1, 1], "width": [1, 1]}), padding_text({"height": [0, 1], "width": [0, 1]})
    ('1', '0+1')
    """
    if padding is None:
        return ""
    texts = [str(before) if before == after else f"{before}+{after}" for before, after in padding.values()]
    return texts[0] if len(set(texts)) == 1 else " × ".join(texts)


def formulas(document: Mapping[str, Any], key: str) -> None:
    """Draw the formulas of one convolution with its numbers, and a table of all."""
    layers = {layer["name"]: layer for layer in document["layers"] if layer["formulas"]}
    if not layers:
        st.caption("This network has no convolution.")
        return
    name = st.selectbox("Convolution", list(layers), key=f"{key}_layer")
    layer = layers[name]
    for formula in layer["formulas"]:
        what, value = formula["what"], f"**{formula['value']:,}**"
        st.markdown(f"{what[0].upper()}{what[1:]}: `{formula['letters']}` = `{formula['numbers']}` = {value}")
    st.caption(padding_sentence(layer["padding"]))
    st.caption(
        "W side of the input, F of the filter, P padding, S stride, D1 channels in, K filters, H2 × W2 the output."
    )
    with st.expander(f"All {len(layers)} convolutions", icon=":material/table:"):
        st.dataframe(_all_formulas(layers.values()), hide_index=True, key=f"{key}_all")


def padding_sentence(padding: Mapping[str, list[int]] | None) -> str:
    """Return the real padding in words; TensorFlow's `same` with a stride pads more at the end."""
    if padding is None:
        return "Its padding depends on a side that is not known."
    if not any(before or after for before, after in padding.values()):
        return "No padding."
    parts = [
        f"{name}: {before} before and {after} after" if before != after else f"{name}: {before} on both sides"
        for name, (before, after) in padding.items()
    ]
    is_uneven = any(before != after for before, after in padding.values())
    why = " It is uneven: with a stride, padding 'same' puts the odd pixel at the end." if is_uneven else ""
    return f"Padding, {'; '.join(parts)}.{why}"


def _all_formulas(layers: Any) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {"Layer": layer["name"], "Padding": padding_text(layer["padding"])}
            | {
                one["what"][0].upper() + one["what"][1:]: f"{one['numbers']} = {one['value']:,}"
                for one in layer["formulas"]
            }
            for layer in layers
        ],
        infer_schema_length=None,
    )
