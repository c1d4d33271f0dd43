"""Which layers learn in which stage, beside the form and on a run's page."""

from collections.abc import Mapping
from typing import Any

import polars as pl
import streamlit as st

from cnnlab.plots.freeze_map import freeze_map, freeze_map_info, freeze_map_summary
from dashboard.components.text import plain

ORIGINS = {"taken": "Taken", "adapted": "Taken, adapted", "new": "New"}


def draw_freeze_map(document: Mapping[str, Any], key: str) -> None:
    """Draw the map, a sentence about it, and each layer as a row.

    Args:
        document: The inspector's answer to `freeze_map`, or a run's `transfer.json`.
    """
    info = freeze_map_info(document)
    summary = freeze_map_summary(info)
    st.plotly_chart(freeze_map(info), key=f"{key}.map", config={"displayModeBar": False}, alt=summary)
    st.caption(plain(summary))
    with st.expander("Layer by layer", icon=":material/table_rows:"):
        rows = [
            {
                "Layer": layer["name"],
                "Block": layer["block"],
                "Parameters": layer["num_params"],
                "Weights": ORIGINS[layer["origin"]],
                "Why": layer.get("reason", ""),
                **{
                    f"{stage['title']}: rate factor": factor
                    for stage, factor in zip(document["stages"], layer["factors"], strict=True)
                },
            }
            for layer in document["layers"]
        ]
        st.dataframe(
            pl.DataFrame(rows),
            hide_index=True,
            height=min(420, 38 + 35 * max(1, len(rows))),
            column_config={"Layer": st.column_config.TextColumn(pinned=True)},
            alt="Each layer, where its weights come from and how fast it learns in each stage",
        )
