"""Shows what the inspector answers, without ever making the page wait for it."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from dashboard import data

LOOK_EVERY_S = 0.7


def patiently(*asks: Callable[[], data.Answer]) -> list[data.Answer]:
    """Ask several questions, and those without an answer once more: what is warm answers within that time."""
    answers = [ask() for ask in asks]
    return [ask() if answer.is_pending else answer for ask, answer in zip(asks, answers, strict=True)]


def when_answered(
    ask: Callable[[], data.Answer],
    draw: Callable[[Any], None],
    waiting: str,
    key: str,
    first: data.Answer | None = None,
) -> None:
    """Draw the answer, or `waiting` while there is none, or what went wrong with a button to try again.

    Args:
        ask: Asks again at each look; the same question is answered once.
        draw: Gets the value of the answer.
        key: Of the container; one per place.
        first: What was answered in this script run, where the page has asked already.
    """
    asked = first or patiently(ask)[0]
    # Within this script run an answer that is pending stays so: if the page were drawn again at once, widgets
    # would lose the values that they were given, as the browser would get only their second version.
    looks = iter([asked])

    def body() -> None:
        answer = next(looks, None) or (ask() if asked.is_pending else asked)
        if answer.is_pending:
            st.caption(f":material/hourglass_top: {waiting}")
            st.skeleton(60)
        elif asked.is_pending:
            st.rerun()  # the whole page once, so that the looking ends
        elif answer.error:
            st.warning(answer.error, icon=":material/error:")
            if st.button("Try again", key=f"{key}_again", icon=":material/refresh:"):
                st.rerun()
        else:
            draw(answer.value)

    with st.container(key=key):
        st.fragment(body, run_every=LOOK_EVERY_S if asked.is_pending else None)()
