"""Which layers learn in which stage, beside the form and on a run's page."""

from collections.abc import Mapping
from typing import Any

import polars as pl
import streamlit as st

from cnnlab.plots.freeze_map import freeze_map, freeze_map_info, freeze_map_summary
from cnnlab.plots.labels import plural
from cnnlab.settings.transfer import RUN
from dashboard.components.text import plain
from dashboard.state import link

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


def run_transfer(report: Mapping[str, Any]) -> None:
    """Draw which weights a run began with, and which layers learnt when.

    Args:
        report: Its `transfer.json`.
    """
    taken, adapted, new = (len(report[name]) for name in ("taken", "adapted", "new"))
    st.markdown(
        f"Began with the weights of **{plain(report['source'])}**: {plural(taken, 'layer')} taken, {adapted} adapted, "
        f"{new} new; {100 * report['share']:.0f} % of the parameters before the classifier."
    )
    if report["source"].startswith(RUN):
        link("run", "Open the source", run=report["source"].removeprefix(RUN))
    if report["source_sha256"]:
        st.caption(f"SHA-256 of its weights: `{report['source_sha256']}`")
    draw_freeze_map(report, "run_transfer")
