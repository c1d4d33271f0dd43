"""A page of the table of runs or of their groups, as it is sorted over all of them."""

from collections.abc import Sequence
from typing import Any

import polars as pl
import streamlit as st

from cnnlab.errors import CNNLabError, QueryError
from cnnlab.query.names import AGE, described
from cnnlab.runs.annotations import Change
from dashboard import data, runs_data
from dashboard.components import runs_address, runs_chosen
from dashboard.components.groups_table import COLUMNS, Groups, group_row, groups_of
from dashboard.components.numbers import count
from dashboard.components.picking_table import Row, picking_table
from dashboard.components.runs_columns import MADE, RunColumn, cells, head, run_column, run_columns
from dashboard.components.runs_query import ask_too
from dashboard.components.text import plain
from dashboard.state import say, url

SIZES = (50, 100, 250, 500)
OPENED = "runs_opened"
# Else the highest mean of the table would stand there without an interval and a place, and nobody would know why.
LONE = (
    " A group of one run has no interval over seeds, so it is not told apart from the best, however high it is: train "
    "more seeds of it."
)


def page_of(frame: pl.DataFrame, noun: str) -> pl.DataFrame:
    """Draw the choice of the page and return its rows."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="pages"):
        size = st.selectbox("Rows", SIZES, key="rows", bind="query-params", label_visibility="collapsed", width=110,
                            on_change=runs_address.first_page, format_func=lambda size: f"{size} rows")  # fmt: skip
        pages = max(1, -(-frame.height // size))
        if st.session_state.get(runs_address.PAGE, 1) > pages:
            st.session_state[runs_address.PAGE] = pages
        page = st.pagination(pages, key=runs_address.PAGE, bind="query-params")
        first = (page - 1) * size
        shown = frame.slice(first, size)
        if frame.height > size:
            st.caption(f"{count(first + 1)} to {count(first + shown.height)} of {count(frame.height)} {noun}")
    return shown


def offered_columns() -> tuple[list[str], dict[str, str]]:
    """Return the names of all columns that there may be, and what a menu calls them."""
    fields = runs_data.fields()
    return runs_data.remembered("columns", (fields,), lambda: _offered(fields.columns))


def _offered(columns: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    names = [*MADE, *(row["field"] for row in described(columns) if row["field"] != AGE)]
    titles = {}
    for name in names:
        title = run_column(name, columns).title
        titles[name] = f"{title} ({name})" if "." in name else title
    return names, titles


def draw_runs(found: pl.DataFrame, chosen: list[str], area: Any) -> None:
    """Draw a page of runs into `area`, and the choice of the page here."""
    columns, wrong = run_columns(runs_address.columns(), runs_data.fields().columns)
    sort = runs_address.sort()
    try:
        ordered = runs_data.ordered(found, sort)
    except QueryError as error:
        wrong, ordered, sort = [*wrong, str(error)], found, ""
    for sentence in wrong:
        area.warning(plain(sentence), icon=":material/view_column:")
    page = runs_data.with_columns(page_of(ordered, "runs"), [source for one in columns for source in one.sources])
    by = _sorted_column(columns, sort)
    looks = head(columns, page)
    ticked = set(chosen)
    rows = [
        Row(
            [row["run_id"]],
            f"{row['name'] or row['run_id']}, seed {row['seed']}",
            cells(columns, row),
            int(row["run_id"] in ticked),
            row["run_id"],
            url("run", run=row["run_id"]),
            row["is_starred"],
        )
        for row in page.iter_rows(named=True)
    ]
    names = [one.column for one in columns]
    is_number = {look.id: look.is_right for look in looks}
    with area:
        picking_table(
            "runs_table",
            looks,
            rows,
            answers={
                "tick": lambda event: runs_chosen.tick(event["ids"], event["is_on"]),
                "star": lambda event: _star(event["id"], event["is_on"]),
                "open": lambda event: st.session_state.update({OPENED: event["id"]}),
                "tag": lambda event: ask_too(f"tag={event['tag']}"),
                "sort": lambda event: _sort(columns, event["column"], is_number.get(event["column"], False)),
                "move": lambda event: runs_address.move_column(event["column"], event["to"], names),
            },
            caption=f"{count(page.height)} of {count(found.height)} runs",
            sort=by,
            is_descending=sort.startswith("-"),
            has_stars=True,
        )


def _sorted_column(columns: Sequence[RunColumn], sort: str) -> str:
    """Return the shown column that an order is about, however it is named in the address."""
    wanted = run_column(sort.removeprefix("-"), runs_data.fields().columns).column if sort else ""
    return next((one.column for one in columns if one.sources[-1] == wanted), "")


def _sort(columns: Sequence[RunColumn], column: str, is_number: bool) -> None:
    one = next((one for one in columns if one.column == column), None)
    if one is not None:
        runs_address.sort_next(one.sources[-1], is_number)


def _star(run_id: str, is_on: bool) -> None:
    """Mark one run; another click takes it back, so nothing else offers to."""
    try:
        runs_data.annotate([run_id], Change(is_starred=is_on))
    except CNNLabError as error:
        say(plain(error), ":material/error:")


def draw_groups(found: pl.DataFrame, chosen: list[str], area: Any) -> None:
    """Draw a page of groups into `area`, and the choice of the page here."""
    key = (data.summaries(), found.height, int(found["run_id"].hash().sum() or 0))
    groups: Groups = runs_data.remembered("groups", key, lambda: groups_of(found))
    sort = runs_address.sort()
    page = page_of(groups.ordered(sort), "groups")
    ticked = set(chosen)
    right = {column.id: column.is_right for column in COLUMNS}
    with area:
        st.caption(
            "One row per group: runs whose configs differ in their seed only, on one version of the data."
            + (LONE if (groups.frame["n"] == 1).any() else "")
        )
        picking_table(
            "groups_table",
            COLUMNS,
            [group_row(groups, row, ticked) for row in page.iter_rows(named=True)],
            answers={
                "tick": lambda event: runs_chosen.tick(event["ids"], event["is_on"]),
                "open": lambda event: _open_group(event["id"]),
                "sort": lambda event: runs_address.sort_next(event["column"], right.get(event["column"], False)),
            },
            caption=f"{count(page.height)} of {count(groups.frame.height)} groups",
            sort=sort.removeprefix("-"),
            is_descending=sort.startswith("-"),
        )


def _open_group(group: str) -> None:
    """Show the runs of a group."""
    st.session_state["view"] = "Runs"
    st.session_state[runs_address.QUERY] = f"group={group}"
    runs_address.first_page()
