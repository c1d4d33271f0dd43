"""The columns of the runs table that a person chose last: kept while the tab is open, and in the browser by a cookie.

They are a person's own: what all who use a store see at first is a view (`runs_address`).
"""

import json
from collections.abc import Sequence
from urllib.parse import quote, unquote

import streamlit as st

COOKIE = "cnnlab_runs_columns"
_KEPT = "kept_columns"
_KEY = "kept_columns_cookie"
_YEAR_S = 365 * 24 * 3600
# A cookie holds 4 KB with its name.
_MOST_LETTERS = 3000


def kept_columns() -> list[str]:
    """Return the names of the columns that were chosen last; none where the usual ones are shown."""
    if _KEPT in st.session_state:
        return list(st.session_state[_KEPT])
    said = unquote(st.context.cookies.get(COOKIE, ""))
    return [part for part in said.split(",") if part]


def keep_columns(names: Sequence[str]) -> None:
    """Keep the names of columns; none for the usual ones."""
    st.session_state[_KEPT] = list(names)


def draw_cookie() -> None:
    """Let the browser remember them for a year; where nothing was chosen in this tab, draw nothing."""
    if _KEPT not in st.session_state:
        return
    said = quote(",".join(st.session_state[_KEPT]), safe="")
    age_s = _YEAR_S if 0 < len(said) <= _MOST_LETTERS else 0
    cookie = f"{COOKIE}={said if age_s else ''}; path=/; max-age={age_s}; SameSite=Lax"
    with st.container(key=_KEY):
        st.html(
            f"<style>.st-key-{_KEY} {{ display: none; }}</style>"
            f"<script>document.cookie = {json.dumps(cookie)};</script>",
            unsafe_allow_javascript=True,
        )
