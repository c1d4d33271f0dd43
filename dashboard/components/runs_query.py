"""The box in which one asks for runs in words of their configs, what it understood, and the filters beside it."""

from collections.abc import Sequence

import polars as pl
import streamlit as st

from cnnlab.errors import QueryError
from cnnlab.query.names import described
from dashboard import runs_data
from dashboard.components.numbers import count
from dashboard.components.runs_address import QUERY, first_page
from dashboard.components.text import plain

# Label, column, and name in the address.
FILTERS = (("Data set", "dataset", "data"), ("Architecture", "architecture", "arch"), ("Status", "state", "state"))
EXAMPLES = {
    "architecture=resnet accuracy>90%": "one architecture, and good",
    "depth>10 lr<0.01": "layers with weights; settings by their last word: training.learning_rate",
    "(arch=vgg_small or arch=resnet) not state=failed": "and is understood; or, not and parentheses",
    "tag:baseline starred": "tags that hold a word, and marked runs",
    "params=10k..1M time<5min": "ranges and units",
    "created>=2026-11-01 age<7d": "dates in UTC, and time since then",
    "accuracy=missing state=completed": "what has no accuracy",
    'name=*night* "two words"': "a pattern, and text anywhere in names, notes and the like",
    "archived": "what was put aside, which is hidden otherwise",
}
_LAST = "runs_last_query"


def draw_query(runs: pl.DataFrame) -> pl.DataFrame:
    """Draw the box and the filters, which live in the address, and return the runs that they keep."""
    box, *menus = st.columns([3, 1, 1, 1], vertical_alignment="bottom")
    with box:
        question = _draw_box()
    for menu, (label, column, key) in zip(menus, FILTERS, strict=True):
        values = sorted(runs[column].drop_nulls().unique())
        chosen = menu.multiselect(label, values, key=key, bind="query-params", on_change=first_page)
        runs = runs.filter(pl.col(column).is_in(chosen)) if chosen else runs
    return _found(runs, question)


def _draw_box() -> str:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        question = st.text_input(
            "Find runs",
            key=QUERY,
            bind="query-params",
            placeholder="Words, or architecture=resnet depth>10 accuracy>90%",
            icon=":material/search:",
            live="150ms",
            on_change=first_page,
            max_chars=2000,
        )
        with st.popover("", icon=":material/help:", help="How to ask", key="query_help"):
            draw_help()
    return question or ""


def draw_help() -> None:
    """Draw examples that can be clicked, and all that can be asked for."""
    st.markdown("**Write what you look for.** Parts beside each other must all hold.")
    with st.container(gap="xxsmall"):
        for example, meaning in EXAMPLES.items():
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.button(f"`{example}`", key=f"example {example}", on_click=_ask, args=(example,), type="tertiary")
                st.caption(plain(meaning), width="content")
    st.markdown(
        "`=` and `!=` compare, `<` `<=` `>` `>=` order, `:` is *contains*; a comma means *one of these*. What a run "
        "lacks is never equal, smaller or larger."
    )
    with st.expander("All fields"):
        st.dataframe(
            runs_data.remembered("described", (runs_data.fields(),), lambda: _described(runs_data.fields().columns)),
            hide_index=True,
            key="query_fields",
        )


def _described(columns: Sequence[str]) -> pl.DataFrame:
    return pl.DataFrame(described(columns)).rename({"field": "Field", "short": "Short", "note": "What it is"})


def _ask(question: str) -> None:
    st.session_state[QUERY] = question
    first_page()


def ask_only(question: str) -> None:
    """Ask that alone: filters are taken away; call it before the widgets are drawn."""
    for _, _, key in FILTERS:
        st.session_state[key] = []
    _ask(question)


def ask_too(part: str) -> None:
    """Add a part to the question, unless it is there."""
    now = (st.session_state.get(QUERY) or "").strip()
    if part not in now.split():
        _ask(f"({now}) {part}" if " or " in f" {now.lower()} " else f"{now} {part}".strip())


def _found(runs: pl.DataFrame, question: str) -> pl.DataFrame:
    has_archived = st.session_state.get("archived", False)
    try:
        found = runs_data.found(runs, question, has_archived=has_archived)
        st.session_state[_LAST] = question
    except QueryError as error:
        last = st.session_state.get(_LAST, "")
        with st.container(key="query_error"):
            st.markdown(f":red[:material/error: {plain(error)}]")
            st.caption(f"Until then: the runs of {plain(last)}" if last else "Until then: all runs.")
        try:
            return runs_data.found(runs, last, has_archived=has_archived)
        except QueryError:  # it named a setting that no run has any more
            return runs_data.found(runs, "", has_archived=has_archived)
    if found.is_empty() and not runs.is_empty():
        _draw_nothing(runs, question, has_archived)
    return found


def _draw_nothing(runs: pl.DataFrame, question: str, has_archived: bool) -> None:
    """Say which part of a question leaves nothing."""
    st.info("No run matches. Clear the search or a filter.", icon=":material/filter_alt_off:")
    parts = runs_data.parts(runs, question, has_archived=has_archived) if question.strip() else []
    for part in parts:
        st.caption(plain(part.sentence))
    hidden = 0 if has_archived else runs_data.found(runs, question, has_archived=True).height
    if hidden:
        st.caption(f"{count(hidden)} archived {'run matches' if hidden == 1 else 'runs match'}: show archived ones.")
