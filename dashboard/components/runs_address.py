"""What the address of the table of runs says: columns, order, and the views that set all of it at once."""

from collections.abc import Sequence

import streamlit as st

from cnnlab.errors import CNNLabError
from cnnlab.runs.views import DEFAULT, View
from dashboard import runs_data
from dashboard.components.kept_columns import draw_cookie, keep_columns, kept_columns
from dashboard.components.runs_columns import USUAL
from dashboard.components.text import plain
from dashboard.state import query, query_list, say, set_query

QUERY, PAGE, FILTERS = "q", "page", ("data", "arch", "state")
# Whatever of these an address has, it asks for that view and for no other.
_ASKING = (QUERY, "sort", "columns", "view", "archived", "runs", PAGE, *FILTERS)
_SEEN = "runs_address_seen"


def columns() -> list[str]:
    """Return the names of the columns, in their order."""
    return query_list("columns") or list(USUAL)


def set_columns(names: Sequence[str]) -> None:
    """Show these columns, and keep them; the usual ones leave no trace in the address."""
    chosen = [] if list(names) == list(USUAL) else list(names)
    keep_columns(chosen)
    set_query(columns=",".join(chosen))


def move_column(column: str, to: int, shown: Sequence[str]) -> None:
    """Put a shown column at another place."""
    if column in shown:
        rest = [one for one in shown if one != column]
        set_columns([*rest[:to], column, *rest[to:]])


def sort() -> str:
    """Return the name by which runs are sorted, with `-` before it from high to low; empty for newest first."""
    return query("sort")


def sort_next(column: str, is_first_descending: bool) -> None:
    """Answer a click on a header: the usual direction, then the other, then newest first again."""
    up, down = column, f"-{column}"
    first, second = (down, up) if is_first_descending else (up, down)
    set_sort({first: second, second: ""}.get(sort(), first))


def set_sort(name: str) -> None:
    """Sort by a name; the first page shows what comes first."""
    set_query(sort=name)
    first_page()


def first_page() -> None:
    """Go to the first page."""
    st.session_state[PAGE] = 1


def apply_view(view: View) -> None:
    """Show what a view says; call it before the widgets are drawn."""
    st.session_state[QUERY] = view.query
    set_query(columns=",".join(view.columns), sort=view.sort)
    first_page()


def apply_named_view(name: str) -> None:
    """Show a view that was kept, or say why not."""
    try:
        apply_view(runs_data.read_view(name))
    except CNNLabError as error:
        say(plain(error), ":material/error:")


def begin() -> None:
    """Show what a person sees at first: the view called `default`, in the columns that the person chose last."""
    _begin_with_default()
    if "columns" not in st.query_params and (kept := kept_columns()):
        set_query(columns=",".join(kept))


def _begin_with_default() -> None:
    """Show the view called `default` where the address asks for nothing, once for each visit of the page."""
    if any(name in st.query_params for name in _ASKING) or st.session_state.get(_SEEN):
        return
    st.session_state[_SEEN] = True
    if DEFAULT in runs_data.view_names():
        apply_named_view(DEFAULT)
        # What a widget is given before it is first drawn does not come into the address by itself.
        set_query(**{QUERY: st.session_state.get(QUERY)})


def current_view() -> View:
    """Return what the page shows now, to be kept."""
    chosen = query_list("columns")
    return View(query=st.session_state.get(QUERY) or "", columns=tuple(chosen), sort=sort())


def draw_columns(offered: Sequence[str], titles: dict[str, str]) -> None:
    """Draw the choice of columns: any of the summary, any setting, any number of a result."""
    shown = columns()
    draw_cookie()
    with st.popover("Columns", icon=":material/view_column:", key="columns_popover"):
        chosen = st.multiselect(
            "Columns, in this order",
            list(dict.fromkeys([*shown, *offered])),
            default=shown,
            format_func=lambda name: titles.get(name, name),
            key=f"columns_{','.join(shown)}",
            help="Every setting of the config and every number of the results. In the table, drag a header or press "
            "Alt with an arrow key to move a column.",
        )
        if chosen != shown:
            set_columns(chosen)
            st.rerun()
        if st.button(
            "The usual columns", icon=":material/restart_alt:", key="usual_columns", disabled=shown == [*USUAL]
        ):
            set_columns(USUAL)
            st.rerun()


def draw_views() -> None:
    """Draw the views that people kept, and what keeps the present one."""
    names = runs_data.view_names()
    with st.popover("Views", icon=":material/bookmark:", key="views_popover"):
        for name in names:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.button(plain(name), key=f"view.{name}", on_click=apply_named_view, args=(name,), width="stretch")
                st.button("", icon=":material/delete:", key=f"forget.{name}", on_click=_forget, args=(name,),
                          help=f"Forget the view {name}.", type="tertiary")  # fmt: skip
        if not names:
            st.caption("A view is a query, columns and an order under a name, for all who use this store.")
        with st.form("keep_view", border=False, clear_on_submit=True):
            name = st.text_input("Keep what the page shows now as", max_chars=40, placeholder="A name, or default")
            st.caption(f"The view called {DEFAULT} is what this page shows at first.")
            if st.form_submit_button("Keep", icon=":material/bookmark_add:"):
                _keep(name)


def _keep(name: str) -> None:
    try:
        runs_data.keep_view(name, current_view())
        say(f"Kept as {plain(' '.join(name.split()))}.")
    except CNNLabError as error:
        say(plain(error), ":material/error:")
    st.rerun()


def _forget(name: str) -> None:
    try:
        runs_data.delete_view(name)
    except CNNLabError as error:
        say(plain(error), ":material/error:")
