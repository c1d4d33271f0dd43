"""What makes the browser's Back lead to the view that a person left (`browser_history.js`)."""

from pathlib import Path

import streamlit as st

SCRIPT = Path(__file__).resolve().parents[1] / "assets" / "browser_history.js"
_KEY = "browser_history"


@st.cache_resource(show_spinner=False)
def _html() -> str:
    # Out of sight, so that it takes no room above the title.
    return f"<style>.st-key-{_KEY} {{ display: none; }}</style><script>{SCRIPT.read_text(encoding='utf-8')}</script>"


def browser_history() -> None:
    """Let each page and each view be one step of the browser's history; once in a tab is enough."""
    with st.container(key=_KEY):
        st.html(_html(), unsafe_allow_javascript=True)
