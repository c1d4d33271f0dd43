"""The chosen runs beside one another; the address holds the choice, so a link shows the same view."""

from typing import Any

import polars as pl
import streamlit as st

from cnnlab.errors import RunNotFoundError
from cnnlab.plots import bubbles, learning_curves
from dashboard import data
from dashboard.components import comparing
from dashboard.components.empty import empty_state
from dashboard.components.matrices import draw_matrices
from dashboard.components.text import plain
from dashboard.state import go, link, query_list, set_query

# Older runs are chosen on the Runs page: a menu of thousands helps nobody.
OFFERED = 500
CHOICE = "compare_choice"
FROM_ADDRESS = "compare_from_address"
LIVE_S = 3.0
TOGETHER = "All together"
COSTS: tuple[bubbles.Cost, ...] = ("num_params", "macs")


def choose_runs(runs: pl.DataFrame) -> list[str]:
    """Draw the menu of runs, filled from the address, and keep the address as the menu."""
    asked = query_list("runs")
    known = set(runs["run_id"])
    present = [run_id for run_id in asked if run_id in known]
    unknown = [run_id for run_id in asked if run_id not in known]
    if st.session_state.get(FROM_ADDRESS) != asked or CHOICE not in st.session_state:
        st.session_state[CHOICE] = present
    offered = list(dict.fromkeys([*runs["run_id"].head(OFFERED), *present]))
    shown = runs.filter(pl.col("run_id").is_in(offered)).select("run_id", "name", "seed")
    labels = {row["run_id"]: comparing.run_label(row) for row in shown.iter_rows(named=True)}
    chosen: list[str] = st.multiselect(
        "Runs",
        offered,
        key=CHOICE,
        format_func=labels.__getitem__,
        placeholder="Choose runs to compare",
    )
    if chosen != present:
        set_query(runs=",".join(chosen))
    elif unknown:
        st.warning(
            f"Not in this store, so left out: {', '.join(map(plain, unknown))}. They may have been deleted, or the "
            "link is of another store.",
            icon=":material/link_off:",
        )
    st.session_state[FROM_ADDRESS] = query_list("runs")
    return chosen


def open_clicked(event: Any, members: Any) -> None:
    """Open the run behind a clicked point; a group opens its first."""
    for point in event.selection.points:
        index = point.get("customdata")
        index = index[0] if isinstance(index, (list, tuple)) else index
        if isinstance(index, (int, float)) and 0 <= int(index) < len(members):
            member = members[int(index)]
            go("run", run=member if isinstance(member, str) else member[0])


def draw_curves(
    chosen: list[str], names: dict[str, str], groups: dict[str, str] | None, output: str | None = None
) -> None:
    """Draw the learning curves with the settings of the address; live while a chosen run trains."""
    menus = st.columns(4)
    metric = menus[0].selectbox(
        "Metric", list(METRICS), format_func=METRICS.__getitem__, key="metric", bind="query-params"
    )
    splits = menus[1].pills(
        "Splits", ["train", "val"], selection_mode="multi", default=["train", "val"], key="splits", bind="query-params"
    )
    x = menus[2].selectbox("Across", list(ACROSS), format_func=ACROSS.__getitem__, key="x", bind="query-params")
    smoothing = menus[3].slider("Smoothing", 0.0, 0.95, 0.0, 0.05, key="smoothing", bind="query-params")
    info = learning_curves.learning_curves_info(
        data.metrics(chosen),
        metric,
        x=x,
        output=None if metric == "learning_rate" else output,
        splits=list(splits or ["train", "val"]),
        run_ids=chosen,
        names=names,
        groups=groups,
        smoothing=smoothing,
    )
    event = st.plotly_chart(
        learning_curves.learning_curves(info),
        key="curves",
        on_select="rerun",
        selection_mode="points",
        alt=learning_curves.learning_curves_summary(info),
    )
    st.caption(plain(learning_curves.learning_curves_summary(info)) + " A click on a curve opens its run.")
    open_clicked(event, info.members)


METRICS = {"loss": "Loss", "accuracy": "Accuracy", "learning_rate": "Learning rate"}
ACROSS: dict[learning_curves.Horizontal, str] = {"epoch": "Epochs", "elapsed_s": "Elapsed time", "step": "Steps"}


def draw_differences(chosen: list[str], names: dict[str, str]) -> None:
    """Draw the settings in which the chosen runs differ, and only those."""
    if len(chosen) < 2:
        st.caption("Choose a second run to see what differs.")
        return
    differences = data.config_differences(chosen)
    if not differences:
        st.caption("The configs of these runs are the same.")
        return
    st.dataframe(
        comparing.differences_table(differences, names),
        hide_index=True,
        key="differences",
        column_config={"Setting": st.column_config.TextColumn(pinned=True)},
    )


def draw_bubbles(frame: pl.DataFrame, names: dict[str, str], is_grouped: bool) -> None:
    """Draw top-1 against parameters and against operations; a click opens the run."""
    for column, x in zip(st.columns(2), COSTS, strict=True):
        info = bubbles.bubbles_info(frame, x, is_grouped=is_grouped, names=names)
        with column:
            event = st.plotly_chart(
                bubbles.bubbles(info, colour_by="run"),
                key=f"bubbles_{x}",
                on_select="rerun",
                selection_mode="points",
                alt=bubbles.bubbles_summary(info),
            )
            st.caption(plain(bubbles.bubbles_summary(info)))
            open_clicked(event, info.members)
    st.caption("After Canziani, Paszke and Culurciello 2016, arXiv:1605.07678, figure 2.")


def is_any_active(runs: pl.DataFrame, chosen: list[str]) -> bool:
    """Return whether one of the chosen runs waits or trains."""
    active = runs.filter(pl.col("run_id").is_in(chosen) & pl.col("state").is_in(data.RUNNING_STATES))
    return not active.is_empty()


def compare(chosen: list[str]) -> None:
    """Draw the comparison; a run that somebody deletes meanwhile leaves it."""
    try:
        draw_comparison(chosen)
    except RunNotFoundError:
        data.refresh()
        st.rerun(scope="app")


def choose_output(rows: list[dict[str, Any]]) -> tuple[str | None, list[dict[str, Any]]]:
    """Draw the choice of the output where the runs have several; return it and the rows with its numbers.

    All together means all in the curves of the loss, and the main output of each run elsewhere: None.
    """
    results = {row["run_id"]: data.result(row["run_id"]) for row in rows}
    outputs = comparing.outputs_of(rows, results)
    if len(outputs) < 2:
        return None, rows
    chosen = st.segmented_control(
        "Output",
        [*outputs, TOGETHER],
        default=outputs[0],
        required=True,
        key="output",
        bind="query-params",
        help="Of which all numbers, curves and matrices of this page speak. All together: the loss of all, and "
        "else the main output of each run.",
    )
    if chosen == TOGETHER:
        return None, rows
    return str(chosen), [comparing.of_output(row, results[row["run_id"]], str(chosen)) for row in rows]


def draw_comparison(chosen: list[str]) -> None:
    """Draw everything about the chosen runs."""
    runs = data.summaries()
    if is_live and not is_any_active(runs, chosen):
        st.rerun(scope="app")  # ends the polling
    by_id = {row["run_id"]: row for row in runs.filter(pl.col("run_id").is_in(chosen)).iter_rows(named=True)}
    rows = [by_id[run_id] for run_id in chosen if run_id in by_id]
    output, rows = choose_output(rows)
    names = {row["run_id"]: comparing.run_label(row) for row in rows}
    here = [row["run_id"] for row in rows]
    for sentence in comparing.warnings(rows):
        st.warning(plain(sentence), icon=":material/balance:")
    st.dataframe(comparing.summary_table(rows), hide_index=True, key="summary", column_config=SUMMARY_COLUMNS)
    is_grouped = len({row["group_id"] for row in rows}) < len(rows) and st.toggle(
        "Mean over seeds",
        key="mean",
        bind="query-params",
        help="Runs that differ in their seed only are drawn as one, with Student's 95 % interval.",
    )
    groups = {row["run_id"]: row["group_id"] for row in rows}
    group_names = {row["group_id"]: row["name"] or row["run_id"] for row in reversed(rows)}
    st.subheader("Learning curves")
    draw_curves(here, names | group_names, groups if is_grouped else None, output)
    st.subheader("What differs")
    draw_differences(here, names)
    st.subheader("Accuracy against cost")
    draw_bubbles(pl.DataFrame(rows, schema=runs.schema, orient="row"), names, is_grouped)
    st.subheader("Confusion matrices")
    draw_matrices(rows, names, output)


RIGHT = (
    "Test top-1",
    "95 % interval",
    "Test images",
    "Best validation",
    "Parameters",
    "MACs",
    "Epochs",
    "Training time",
)
SUMMARY_COLUMNS = {"Run": st.column_config.TextColumn(pinned=True, width="medium")} | {
    name: st.column_config.TextColumn(alignment="right") for name in RIGHT
}

st.title("Compare")
runs = data.summaries().sort("created_at", descending=True)
if runs.is_empty():
    empty_state(
        ":material/compare_arrows:",
        "Nothing to compare yet",
        "Train two networks, then set them side by side here.",
        "train",
        "Set up a training",
    )
    st.stop()
chosen = choose_runs(runs)
if not chosen:
    empty_state(
        ":material/checklist:",
        "No run chosen",
        "Choose runs in the menu above, or tick them on the Runs page.",
        "runs",
        "Choose on the Runs page",
    )
    st.stop()
with st.container(horizontal=True):
    link("runs", "Choose in the table", runs=",".join(chosen))
is_live = is_any_active(runs, chosen)
st.fragment(compare, run_every=LIVE_S if is_live else None)(chosen)
