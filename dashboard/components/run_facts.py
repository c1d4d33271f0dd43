"""The tabs of a run's page that say what exactly ran: config, data, libraries, hardware, layers, events."""

from collections.abc import Mapping
from typing import Any

import polars as pl
import streamlit as st

from cnnlab.config import RunConfig, flatten
from cnnlab.plots.hardware import hardware, hardware_info, hardware_summary
from dashboard import data
from dashboard.components import how_to_read
from dashboard.components.chart import chart
from dashboard.components.config_text import config_text
from dashboard.components.network_cost import CONVENTION
from dashboard.components.numbers import MISSING, count, short


def run_config(config: RunConfig) -> None:
    """Draw the resolved config, and how to run it again."""
    left, right = st.columns(2, gap="large")
    with left:
        fact_table({name: value for name, value in flatten(config.to_dict()).items() if name != "notes"}, "Setting")
    with right:
        config_text(config, key="run", height=420)


def run_environment(run_id: str, row: Mapping[str, Any], result: Mapping[str, Any] | None) -> None:
    """Draw the data version, the seed, the library versions and the machine."""
    environment = data.store().read_environment(run_id)
    version = (result or {}).get("dataset_version") or row.get("dataset_version")
    facts: dict[str, Any] = {"Data set": row["dataset"], "Data version": version or MISSING, "Seed": row["seed"]}
    if environment is None:
        fact_table(facts, "Fact")
        st.caption("The trainer writes machine and library versions when it starts.")
        return
    fact_table(facts | flatten(environment), "Fact")


def run_layers(run_id: str) -> None:
    """Draw the layers with what each costs."""
    frame = data.layers(run_id)
    if frame.is_empty():
        st.caption("The trainer writes the layers when it has built the network.")
        return
    shapes = [
        MISSING if shape is None else "×".join("?" if side is None else str(side) for side in shape)
        for shape in frame["output_shape"].to_list()
    ]
    shown = frame.select(
        pl.col("name").alias("Layer"),
        pl.col("kind").alias("Kind"),
        pl.Series("Output", shapes, dtype=pl.String),
        pl.col("num_params").alias("Parameters"),
        pl.col("trainable_params").alias("Trainable"),
        pl.col("macs").alias("MACs"),
    )
    column = st.column_config
    st.dataframe(
        shown,
        hide_index=True,
        placeholder="not counted",
        column_config={
            "Layer": column.TextColumn(pinned=True),
            "Output": column.TextColumn(alignment="right", help="Height × width × channels, of one image."),
            "Parameters": column.NumberColumn(format="localized"),
            "Trainable": column.NumberColumn(format="localized"),
            "MACs": column.NumberColumn(format="localized", help=CONVENTION),
        },
        alt="Layers of the network with parameters and multiply-accumulates",
    )
    macs = frame["macs"].drop_nulls()
    total = short(int(macs.sum())) if len(macs) else MISSING
    st.caption(
        f"{count(frame.height)} layers, {count(int(frame['num_params'].sum()))} parameters, {total} MACs. {CONVENTION}"
    )


def run_hardware(run_id: str) -> None:
    """Draw processor, memory and GPU over the run."""
    info = hardware_info(data.hardware(run_id))
    summary = hardware_summary(info)
    chart(hardware(info), "hardware", summary=summary, numbers=info.table, how_to_read=how_to_read.HARDWARE)


def run_events(run_id: str) -> None:
    """Draw the journal of the run."""
    events = data.store().events(run_id)
    if not events:
        st.caption("Nothing is noted yet.")
        return
    rows = [
        {
            "Time (UTC)": str(event.get("time", ""))[:19].replace("T", " "),
            "Event": str(event.get("event", "")),
            "Details": ", ".join(f"{key}={value}" for key, value in event.items() if key not in ("time", "event")),
        }
        for event in events
    ]
    st.dataframe(pl.DataFrame(rows), hide_index=True, alt="What happened to the run, oldest first")


def fact_table(facts: Mapping[str, Any], title: str) -> None:
    """Draw names and values in two columns."""
    rows = [
        {title: name, "Value": short(value, "B") if name.endswith("_bytes") and value else _text(value)}
        for name, value in facts.items()
    ]
    st.dataframe(
        pl.DataFrame(rows, schema={title: pl.String, "Value": pl.String}),
        hide_index=True,
        height=min(560, 38 + 35 * max(1, len(rows))),
        column_config={"Value": st.column_config.TextColumn(alignment="right")},
        alt=f"{title} and value",
    )


def _text(value: Any) -> str:
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value)) or MISSING
    return str(value) if value != "" else MISSING
