"""The page of a run that another tool trained: where it came from, its numbers, its settings."""

from typing import Any

import polars as pl
import streamlit as st

from cnnlab.analysis.metric_ends import metric_ends
from cnnlab.plots.curve_points import Horizontal
from cnnlab.plots.learning_curves import learning_curves, learning_curves_info, learning_curves_summary
from cnnlab.runs.origin import TOOLS, Origin
from dashboard import data
from dashboard.components.address_choice import address_choice
from dashboard.components.chart import chart
from dashboard.components.exchange_export import export_action
from dashboard.components.numbers import MISSING, ago, count, duration, number, percent
from dashboard.components.run_facts import fact_table
from dashboard.components.run_header import compare_popover, delete_button, siblings
from dashboard.components.run_words import run_words
from dashboard.components.status import status_badge
from dashboard.components.text import plain

ACROSS: dict[Horizontal, str] = {"epoch": "Epochs", "step": "Steps", "elapsed_s": "Time"}
SPLITS = ("train", "val", "test")
FIRST = ("loss", "accuracy", "learning_rate")
HOW = (
    "One line per split, as the tool kept the numbers: **train** is measured while training, **val** on images that "
    "the network does not learn from. Across **steps** means across whatever the tool counts."
)


def imported_run(run_id: str, row: dict[str, Any]) -> None:
    """Draw everything that is known of an imported run."""
    origin = data.origin(run_id)
    assert origin is not None
    _head(run_id, row, origin)
    _failure(run_id)
    frame = data.metrics([run_id])
    if frame.is_empty():
        st.info("The tool kept no numbers of this run, only its settings.", icon=":material/info:")
    else:
        _curves(run_id, frame, origin)
        _ends(frame)
    settings, about = st.tabs(["Settings", "Where it came from"])
    with settings:
        _settings(run_id, origin)
    with about:
        _origin(origin)


def _head(run_id: str, row: dict[str, Any], origin: Origin) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.title(plain(row["name"] or run_id), anchor=False, width="content")
        status_badge(row["state"])
        st.badge(TOOLS.get(origin.tool, origin.tool), icon=":material/move_to_inbox:", color="gray")
    facts = [f"Imported {ago(origin.imported_at)} from {origin.title}"]
    facts += [f"began {row['started_at']:%Y-%m-%d %H:%M} UTC"] if row["started_at"] else []
    facts += [f"{count(row['epochs_done'])} epochs"] if row["epochs_done"] else []
    facts += [f"trained for {duration(row['train_s'])}"] if row["train_s"] else []
    st.caption(f"{plain(' · '.join(facts))} · `{run_id}`")
    run_words(row)
    siblings(row)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="run_buttons"):
        compare_popover(run_id, row["dataset"])
        export_action([run_id])
        delete_button(run_id)
    for note in origin.notes:
        st.caption(f":material/info: {plain(note)}")


def _failure(run_id: str) -> None:
    failure = data.status(run_id).failure
    if failure is not None and failure["message"]:
        st.error("The tool says why it failed:", icon=":material/error:")
        st.code(failure["message"], language=None, wrap_lines=True)


def _curves(run_id: str, frame: pl.DataFrame, origin: Origin) -> None:
    """Draw one metric over the training; the choice stands in the address."""
    known = list(dict.fromkeys(frame["metric"]))
    metrics = [*(name for name in FIRST if name in known), *(name for name in known if name not in FIRST)]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        metric = st.selectbox("Metric", metrics, key="metric", bind="query-params")
        outputs = list(dict.fromkeys(frame.filter(pl.col("metric") == metric)["output"]))
        output = outputs[0]
        if len(outputs) > 1:
            output = st.selectbox("Output", outputs, format_func=lambda name: name or "All together", key="output")
        across = _across(origin)
    info = learning_curves_info(frame, metric, x=across, output=output, splits=SPLITS, run_ids=[run_id])
    chart(
        learning_curves(info),
        key="imported_curves",
        summary=learning_curves_summary(info),
        numbers=lambda: frame.filter((pl.col("metric") == metric) & (pl.col("output") == output)).drop("run_id"),
        how_to_read=HOW,
    )


def _across(origin: Origin) -> Horizontal:
    return address_choice("Across", ACROSS, "x", default="epoch" if origin.has_epochs else "step", has_label=True)


def _ends(frame: pl.DataFrame) -> None:
    """Draw the last and the extreme values of each metric."""
    rows = [
        {
            "Metric": one.metric.replace("_", " ") + (f" of {one.output}" if one.output else ""),
            "Split": one.split,
            "n": count(one.n),
            "Last": _shown(one.metric, one.last),
            "Lowest": _shown(one.metric, one.low),
            "Highest": _shown(one.metric, one.high),
        }
        for one in metric_ends(frame)
    ]
    right = dict.fromkeys(("n", "Last", "Lowest", "Highest"), st.column_config.TextColumn(alignment="right"))
    st.dataframe(pl.DataFrame(rows), hide_index=True, column_config=right, key="metric_ends", placeholder=MISSING)
    st.caption("n: how many numbers the tool kept. Single runs, so there are no intervals.")


def _shown(metric: str, value: float | None) -> str:
    return percent(value, 2) if metric == "accuracy" else number(value)


def _settings(run_id: str, origin: Origin) -> None:
    known = {name.removeprefix("parameters."): value for name, value in data.free_config(run_id).items()}
    if not known:
        st.caption("The tool kept no settings.")
        return
    fact_table(known, "Setting")
    if origin.renamed:
        called = ", ".join(f"{place} was {name}" for place, name in origin.renamed.items())
        st.caption(f"In the places of our own configs, so that they compare: {plain(called)}.")


def _origin(origin: Origin) -> None:
    facts = {
        "Tool": TOOLS.get(origin.tool, origin.tool),
        "Path": origin.path,
        "Run": origin.key,
        "Experiment": origin.experiment,
        "Status there": origin.said_status or "none is kept, so it counts as completed",
        "Imported": origin.imported_at,
    }
    fact_table({**facts, **{f"Tag {name}": value for name, value in origin.tags.items()}}, "Fact")
    st.caption("Nobody knows how to train this run here: it can be looked at, compared and exported.")
