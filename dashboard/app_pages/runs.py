"""All runs in one table: filter, sort, choose, then compare, open or delete."""

import hashlib

import polars as pl
import streamlit as st

from cnnlab.errors import CNNLabError
from dashboard import data
from dashboard.components import runs_table
from dashboard.components.confirm import confirm
from dashboard.components.empty import empty_state
from dashboard.components.exchange_export import export_action
from dashboard.components.exchange_import import import_action
from dashboard.components.exchange_jobs import exchange_jobs
from dashboard.components.live_runs import live_runs
from dashboard.components.numbers import count
from dashboard.components.text import plain
from dashboard.state import go, query_list, say, set_query

# So many ids keep the address below what browsers and proxies pass on.
LONGEST_CHOICE = 50
# A longer table scrolls within itself.
MOST_ROWS, HEIGHT_PX = 16, 580
DELETED = "deleted_runs"
CHOSEN = "chosen_runs"
# Label, column, and name in the address.
FILTERS = (("Data set", "dataset", "data"), ("Architecture", "architecture", "arch"), ("Status", "state", "state"))


def draw_filters(runs: pl.DataFrame) -> pl.DataFrame:
    """Draw the filters, which live in the address, and return what they keep."""
    search, *menus = st.columns([2, 1, 1, 1])
    words = search.text_input(
        "Search", key="q", bind="query-params", placeholder="Name, id, optimizer …", icon=":material/search:", live=True
    )
    chosen = [
        menu.multiselect(label, sorted(runs[column].drop_nulls().unique()), key=key, bind="query-params")
        for menu, (label, column, key) in zip(menus, FILTERS, strict=True)
    ]
    return runs_table.filter_runs(runs, words or "", *chosen)


def choose_rows(frame: pl.DataFrame, ids: list[str], columns: dict, key: str, chosen: list[str]) -> list[str]:
    """Draw `frame` and return the ids of the rows that are ticked.

    A selection is stored by row number, so a new run would shift it to another run: the
    table gets a new key whenever its rows change, and starts from the ids chosen before.
    """
    digest = hashlib.sha256("\n".join(ids).encode()).hexdigest()[:12]
    event = st.dataframe(
        frame,
        hide_index=True,
        column_config=columns,
        placeholder="–",
        height="content" if len(ids) <= MOST_ROWS else HEIGHT_PX,
        on_select="rerun",
        selection_mode="multi-row",
        selection_default={"selection": {"rows": runs_table.positions(ids, chosen)}},
        key=f"{key}_{digest}",
        lazy=False,  # a lazy table refuses selections
    )
    return [ids[row] for row in event.selection.rows if row < len(ids)]


def draw_actions(runs: pl.DataFrame, chosen: list[str]) -> None:
    """Draw what can be done with the chosen runs."""
    picked = runs.filter(pl.col("run_id").is_in(chosen))
    with st.container(horizontal=True, vertical_alignment="center", key="run_actions"):
        if st.button(
            f"Compare {len(chosen)}" if len(chosen) > 1 else "Compare",
            type="primary",
            disabled=not chosen,
            icon=":material/compare_arrows:",
            key="compare_chosen",
        ):
            go("compare", runs=",".join(chosen))
        if st.button("Open", disabled=len(chosen) != 1, icon=":material/monitoring:", key="open_chosen"):
            go("run", run=chosen[0])
        if st.button("Delete", disabled=not chosen, icon=":material/delete:", key="delete_chosen"):
            ask_delete(picked)
        export_action(chosen)
        if not chosen:
            st.caption("Tick runs in the first column to compare, open or delete them.")


def remembered() -> list[str]:
    """Return the runs chosen so far: what the address says where somebody followed a link."""
    if "runs" in st.query_params and query_list("runs") != st.session_state.get(CHOSEN):
        st.session_state[CHOSEN] = query_list("runs")
    return st.session_state.get(CHOSEN, [])


def remember(chosen: list[str]) -> None:
    """Keep the chosen runs for the next script run and, where they fit, in the address."""
    st.session_state[CHOSEN] = chosen
    set_query(runs=",".join(chosen) if len(chosen) <= LONGEST_CHOICE else None)


def ask_delete(picked: pl.DataFrame) -> None:
    """Ask before the chosen runs go; those that wait or train are left alone."""
    free = picked.filter(~pl.col("state").is_in(data.RUNNING_STATES))
    busy = picked.height - free.height
    names = ", ".join(plain(row["name"] or row["run_id"]) for row in free.head(5).iter_rows(named=True))
    more = f" and {free.height - 5} more" if free.height > 5 else ""
    left = f" {busy} of them wait or train: cancel these first." if busy else ""
    if free.is_empty():
        st.warning(f"Runs that wait or train are not deleted.{left}", icon=":material/warning:")
        return
    noun = "run" if free.height == 1 else "runs"
    question = f"{names}{more}. They move to the store's trash, and this page offers to bring them back.{left}"
    confirm(f"Delete {free.height} {noun}?", question, "Delete", lambda: delete(free["run_id"].to_list()))


def delete(run_ids: list[str]) -> None:
    """Move runs to the trash and remember them for the undo."""
    gone = []
    for run_id in run_ids:
        try:
            data.store().delete_run(run_id)
            gone.append(run_id)
        except CNNLabError as error:  # started or deleted by somebody else meanwhile
            say(plain(error), ":material/error:")
    st.session_state[DELETED] = gone
    data.refresh()
    remember([])


def undo_delete() -> None:
    """Bring back what was deleted last in this session."""
    for run_id in st.session_state.pop(DELETED):
        try:
            data.store().restore_run(run_id)
        except CNNLabError as error:
            say(plain(error), ":material/error:")
    data.refresh()


def draw_undo() -> None:
    """Offer to bring back what was deleted last in this session."""
    deleted = st.session_state.get(DELETED, [])
    if not deleted:
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(
            f":material/delete: {len(deleted)} {'run' if len(deleted) == 1 else 'runs'} deleted.", width="content"
        )
        if st.button("Undo", key="undo_delete", icon=":material/undo:"):
            undo_delete()
            st.rerun()
        if st.button("Dismiss", key="dismiss_delete", type="tertiary"):
            del st.session_state[DELETED]
            st.rerun()


st.title("Runs")
import_action()
exchange_jobs()
runs = data.summaries().sort("created_at", descending=True)
draw_undo()
if runs.is_empty():
    empty_state(
        ":material/table_rows:",
        "No runs yet",
        "Train a first network; it appears here at once.",
        "train",
        "Set up a training",
    )
    st.stop()
live_runs("runs_active", runs)
kept = draw_filters(runs)
view = st.segmented_control(
    "View",
    ["Runs", "Groups"],
    default="Runs",
    required=True,
    key="view",
    bind="query-params",
    label_visibility="collapsed",
)
actions = st.container()
known = set(runs["run_id"])
before = [run_id for run_id in remembered() if run_id in known]
hidden: list[str] = []
if kept.is_empty():
    st.info("No run matches the filters. Clear the search or a filter.", icon=":material/filter_alt_off:")
    chosen = hidden = before
elif view == "Groups":
    groups, members = runs_table.shown_groups(kept)
    st.caption("One row per group: runs whose configs differ in their seed only, on one version of the data.")
    picked = choose_rows(groups, list(members), runs_table.group_columns(), "groups", [])
    chosen = [run_id for key in picked for run_id in members[key]]
else:
    ids = kept["run_id"].to_list()
    hidden = [run_id for run_id in before if run_id not in set(ids)]
    chosen = hidden + choose_rows(runs_table.shown_runs(kept), ids, runs_table.run_columns(), "runs", before)
    remember(chosen)
told = [f"{count(kept.height)} of {count(runs.height)} runs"]
told += [f"{count(len(chosen))} chosen"] if chosen else []
told += [f"{count(len(hidden))} of them hidden by the filters"] if hidden else []
st.caption(", ".join(told))
with actions:
    draw_actions(runs, chosen)
