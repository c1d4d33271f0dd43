"""Inference time, throughput and memory of chosen runs: the choice, the button that measures, chart and numbers."""

from collections.abc import Mapping

import polars as pl
import streamlit as st

from cnnlab.plots import inference
from cnnlab.plots.bubble_layout import Scale
from cnnlab.plots.labels import plural
from dashboard import data
from dashboard.components import how_to_read, measuring
from dashboard.components.chart import chart
from dashboard.components.clicks import clicked
from dashboard.state import go, query_list, set_query

# Reading what was measured opens a file per run: the newest are enough for a start.
LOOKED_AT = 100
OFFERED = 500
CHOICE = "cost_runs"
FROM_ADDRESS = "cost_runs_from_address"
SCALES: dict[Scale, str] = {"log": "Log", "linear": "Linear"}


def draw_inference(runs: pl.DataFrame, names: Mapping[str, str]) -> None:
    """Draw the section about the completed ones of `runs`, newest first."""
    completed = runs.filter(pl.col("state") == "completed")
    st.subheader("Inference time and memory", anchor=False)
    if completed.is_empty():
        st.caption("Networks can be measured once a run has completed.")
        return
    chosen = _choose(completed["run_id"].to_list(), names)
    _measure_button(chosen)
    measuring.live_measurements()
    if not chosen:
        st.caption("Choose runs to see how fast they answer, or to measure it on this machine.")
        return
    measured = data.inference(chosen)
    _draw_chart(measured, chosen, names)


def _choose(offered: list[str], names: Mapping[str, str]) -> list[str]:
    asked = [run_id for run_id in query_list("runs") if run_id in set(offered)]
    if st.session_state.get(FROM_ADDRESS) != asked or CHOICE not in st.session_state:
        known = data.inference(offered[:LOOKED_AT])["run_id"].unique(maintain_order=True).to_list()
        st.session_state[CHOICE] = asked or known[:8]
    menu = list(dict.fromkeys([*offered[:OFFERED], *asked]))
    st.session_state[CHOICE] = [run_id for run_id in st.session_state[CHOICE] if run_id in menu]
    chosen: list[str] = st.multiselect(
        "Runs to measure or show",
        menu,
        key=CHOICE,
        format_func=lambda run_id: f"{names.get(run_id, run_id)} · {run_id[-4:]}",
        placeholder="Choose completed runs",
    )
    set_query(runs=",".join(chosen))
    st.session_state[FROM_ADDRESS] = chosen
    return chosen


def _measure_button(chosen: list[str]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        is_pressed = st.button(
            "Measure on this machine",
            icon=":material/speed:",
            disabled=not chosen or measuring.is_measuring(),
            key="measure",
            help="Batch sizes 1 to 64, each 200 calls or 3 s, in a process of its own per run.",
        )
        busy = data.summaries().filter(pl.col("state") == "running").height
        if busy:
            st.caption(
                f"{plural(busy, 'run')} may be training here now: times would be longer than on a quiet machine."
            )
    if is_pressed:
        measuring.start(data.store().root, chosen)
        st.rerun()


def _draw_chart(measured: pl.DataFrame, chosen: list[str], names: Mapping[str, str]) -> None:
    if measured.is_empty():
        is_near = measuring.is_measuring()
        what = "The numbers appear here." if is_near else "Press the button above."
        st.caption(f"Nothing was measured of these runs yet. {what}")
        return
    kinds = [
        kind for kind in inference.TITLES if kind != "gpu_memory" or measured["gpu_memory_bytes"].is_not_null().any()
    ]
    with st.container(horizontal=True):
        kind = st.segmented_control(
            "Measure", kinds, required=True, default=kinds[0], format_func=KINDS.__getitem__, key="measured",
            bind="query-params", wrap=True,
        )  # fmt: skip
        scale = st.segmented_control(
            "Axis upwards", list(SCALES), required=True, default="log", format_func=SCALES.__getitem__,
            key="measured_axis", bind="query-params",
        )  # fmt: skip
    info = inference.inference_info(measured, kind or "image_ms", run_ids=chosen, names=dict(names))
    summary = inference.inference_summary(info)
    event = chart(
        inference.inference(info, scale=scale or "log"),
        "inference",
        summary=summary,
        numbers=measured,
        how_to_read=how_to_read.INFERENCE,
        is_clickable=True,
        hint="A click opens the run.",
    )
    index = clicked(event)
    if index is not None and index < len(info.members):
        go("run", run=info.members[index])


KINDS: dict[inference.Measure, str] = {
    "image_ms": "Time per image",
    "batch_ms": "Time per batch",
    "images_per_s": "Throughput",
    "memory": "Memory",
    "gpu_memory": "GPU memory",
}
