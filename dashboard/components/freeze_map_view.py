"""Which layers learn in which stage, beside the form and on a run's page."""

from collections.abc import Mapping
from typing import Any

import polars as pl
import streamlit as st

from cnnlab.plots.freeze_map import freeze_map, freeze_map_info, freeze_map_summary
from cnnlab.plots.labels import plural
from cnnlab.settings.transfer import RUN
from dashboard.components import how_to_read
from dashboard.components.chart import chart
from dashboard.components.text import plain
from dashboard.state import link

ORIGINS = {"taken": "Taken", "adapted": "Taken, adapted", "new": "New"}


def draw_freeze_map(document: Mapping[str, Any], key: str) -> None:
    """Draw the map with a sentence about it; its numbers are a row per layer.

    Args:
        document: The inspector's answer to `freeze_map`, or a run's `transfer.json`.
    """
    info = freeze_map_info(document)
    chart(
        freeze_map(info),
        f"{key}.map",
        summary=freeze_map_summary(info),
        numbers=lambda: layer_fates(document),
        how_to_read=how_to_read.FREEZE_MAP,
    )


def layer_fates(document: Mapping[str, Any]) -> pl.DataFrame:
    """Return each layer, where its weights come from and how fast it learns in each stage."""
    return pl.DataFrame(
        [
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
