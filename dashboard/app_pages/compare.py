"""The chosen runs beside one another; the address holds the choice, so a link shows the same view."""

from collections.abc import Callable
from typing import Any

import polars as pl
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cnnlab.errors import RunNotFoundError
from dashboard import data
from dashboard.components import comparing
from dashboard.components.address_choice import address_choice
from dashboard.components.compare.classes import draw_class_views
from dashboard.components.compare.confidence import draw_confidence
from dashboard.components.compare.confusion import draw_confusion
from dashboard.components.compare.curves import draw_curves
from dashboard.components.compare.images import draw_image_lists
from dashboard.components.compare.overview import draw_overview
from dashboard.components.compare.settings import draw_settings
from dashboard.components.compare.shared_images import answered_runs
from dashboard.components.compare.subject import Subject
from dashboard.components.empty import empty_state
from dashboard.components.text import plain
from dashboard.state import link, query_list, set_query

# Older runs, and archived ones, are chosen on the Runs page: a menu of thousands helps nobody, and one of 500 takes
# the browser 70 ms at each drawing (measured).
OFFERED = 100
# Of more, the menu would fill a phone before the first number, and takes the browser 50 ms (measured with 20 runs).
MOST_IN_SIGHT = 8
CHOICE = "compare_choice"
FROM_ADDRESS = "compare_from_address"
LIVE_S = 3.0
TOGETHER = "All together"


def choose_runs(runs: pl.DataFrame) -> list[str]:
    """Draw the menu of runs, filled from the address, and keep the address as the menu."""
    asked = query_list("runs")
    known = set(runs["run_id"])
    present = [run_id for run_id in asked if run_id in known]
    unknown = [run_id for run_id in asked if run_id not in known]
    if st.session_state.get(FROM_ADDRESS) != asked or CHOICE not in st.session_state:
        st.session_state[CHOICE] = present
    newest = runs.filter(~pl.col("is_archived"))["run_id"].head(OFFERED)
    offered = list(dict.fromkeys([*newest, *present]))
    shown = runs.filter(pl.col("run_id").is_in(offered)).select("run_id", "name", "seed")
    labels = {row["run_id"]: comparing.run_label(row) for row in shown.iter_rows(named=True)}
    menu, row = places_of_menu(len(st.session_state[CHOICE]))
    chosen: list[str] = menu.multiselect(
        "Runs",
        offered,
        key=CHOICE,
        format_func=labels.__getitem__,
        placeholder="Choose runs to compare",
    )
    if chosen:
        with row:
            link("runs", "Choose in the table", runs=",".join(chosen))
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


def places_of_menu(num_chosen: int) -> tuple[DeltaGenerator, DeltaGenerator]:
    """Return where the menu of runs is drawn, and the row of its link: of many runs, in a window beside the link."""
    if num_chosen <= MOST_IN_SIGHT:
        return st.container(), st.container(horizontal=True)
    row = st.container(horizontal=True, vertical_alignment="center")
    return row.popover(f"{num_chosen} runs", icon=":material/checklist:", key="many_runs"), row


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
    """Draw what is said of all parts, then the part that the address names."""
    runs = data.summaries()
    if is_live and not is_any_active(runs, chosen):
        st.rerun(scope="app")  # ends the polling
    by_id = {row["run_id"]: row for row in runs.filter(pl.col("run_id").is_in(chosen)).iter_rows(named=True)}
    rows = [by_id[run_id] for run_id in chosen if run_id in by_id]
    output, rows = choose_output(rows)
    differing = comparing.data_warnings(answered_runs(rows)) if comparing.has_other_data(rows) else []
    for sentence in [*differing, *comparing.warnings(rows)]:
        st.warning(plain(sentence), icon=":material/balance:")
    with st.container(horizontal=True, vertical_alignment="center"):
        part = address_choice("Part", {key: title for key, (title, _) in PARTS.items()}, "part", wrap=True)
        is_grouped = len({row["group_id"] for row in rows}) < len(rows) and st.toggle(
            "Mean over seeds",
            key="mean",
            bind="query-params",
            help="Runs that differ in their seed only are drawn as one, with Student's 95 % interval.",
        )
    PARTS[part][1](Subject(rows, output, is_grouped))


# What a person asks of a comparison, one question at a time: only the part in sight is computed.
PARTS: dict[str, tuple[str, Callable[[Subject], None]]] = {
    "overview": ("Overview", draw_overview),
    "curves": ("Curves", draw_curves),
    "settings": ("Settings", draw_settings),
    "confusion": ("Confusion", draw_confusion),
    "images": ("Images", draw_image_lists),
    "classes": ("Classes", draw_class_views),
    "confidence": ("Confidence", draw_confidence),
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
is_live = is_any_active(runs, chosen)
st.fragment(compare, run_every=LIVE_S if is_live else None)(chosen)
