"""Asks before something is stopped or thrown away."""

from collections.abc import Callable

import streamlit as st


def confirm(title: str, question: str, action: str, do: Callable[[], None], icon: str = ":material/warning:") -> None:
    """Open a dialog with `question`; `do` runs when the button `action` is pressed, before the page is drawn anew."""

    def body() -> None:
        st.write(question)
        with st.container(horizontal=True, horizontal_alignment="right"):
            if st.button("Keep it", key="confirm_no"):
                st.rerun()
            if st.button(action, type="primary", key="confirm_yes", on_click=do):
                st.rerun()

    st.dialog(title, icon=icon)(body)()
