"""What a page shows when there is nothing to show: why, and what to do next."""

import streamlit as st

from dashboard.state import link


def empty_state(icon: str, title: str, text: str, page: str = "", label: str = "", **query: str) -> None:
    """Draw a quiet box with a title, one sentence and a link to `page` (a key of `PAGES`)."""
    with st.container(border=True, horizontal_alignment="center", gap="small"):
        st.space("small")
        st.markdown(f"### :gray[{icon}]", width="content")
        st.markdown(f"**{title}**", width="content")
        st.caption(text, text_alignment="center")
        if page:
            link(page, label, **query)
        st.space("small")
