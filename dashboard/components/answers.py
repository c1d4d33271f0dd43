"""Shows what the inspector answers, without ever making the page wait for it."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from dashboard import data

LOOK_EVERY_S = 0.7


def when_answered(ask: Callable[[], data.Answer], draw: Callable[[Any], None], waiting: str, key: str) -> None:
    """Draw the answer, or `waiting` while there is none, or what went wrong with a button to try again.

    Args:
        ask: Asks again at each look; the same question is answered once.
        draw: Gets the value of the answer.
        key: Of the container; one per place.
    """
    first = ask()

    def body() -> None:
        answer = first if first.value is not None or first.error else ask()
        if answer.is_pending:
            st.caption(f":material/hourglass_top: {waiting}")
            st.skeleton(60)
        elif first.is_pending:
            st.rerun()  # the whole page once, so that the looking ends
        elif answer.error:
            st.warning(answer.error, icon=":material/error:")
            if st.button("Try again", key=f"{key}_again", icon=":material/refresh:"):
                st.rerun()
        else:
            draw(answer.value)

    with st.container(key=key):
        st.fragment(body, run_every=LOOK_EVERY_S if first.is_pending else None)()
