"""Pick an architecture and see what it is and what it costs; a second one beside it for comparison."""

from functools import partial
from typing import Any

import streamlit as st

from dashboard import data
from dashboard.components import explorer_numbers as numbers
from dashboard.components.answers import patiently, when_answered
from dashboard.components.explorer_card import paper_card, published_counts
from dashboard.components.explorer_choice import Chosen, choose
from dashboard.components.explorer_views import draw_network, draw_views

WAITING = "Building the network to look at it …"


def ask(chosen: Chosen) -> data.Answer:
    """Return what the inspector knows of the network."""
    return data.inspect(chosen.entry.name, chosen.parameters, chosen.input_shape, chosen.num_classes)


def draw(chosen: Chosen, key: str, answer: data.Answer, beside: data.Answer | None = None) -> None:
    """Draw all about one network.

    Args:
        answer: Of the beginning of this script run. Where it was pending then, the page draws itself once more
            after it has come, so that both networks know each other.
        beside: Of the network beside it, whose charts have the same range.
    """

    def body(document: dict[str, Any]) -> None:
        published_counts(chosen, document)
        numbers.totals(document)
        clicked = draw_network(document, key)
        draw_views(document, key, clicked, beside.value if beside else None)

    with st.container(border=True):
        paper_card(chosen, key)
    when_answered(lambda: ask(chosen), body, WAITING, key=f"{key}_network", first=answer)


def draw_beside(chosen: tuple[Chosen, Chosen], answers: tuple[data.Answer, data.Answer]) -> None:
    """Draw two networks side by side, and once both are known what they cost in one table."""
    documents = (answers[0].value, answers[1].value)
    if documents[0] and documents[1]:
        titles = (chosen[0].entry.title, chosen[1].entry.title)
        if titles[0] == titles[1]:
            titles = (titles[0], f"{titles[1]}, beside it")
        numbers.totals_beside(titles, documents)
    left, right = st.columns(2, gap="medium")
    with left:
        draw(chosen[0], "a", answers[0], answers[1])
    with right:
        draw(chosen[1], "b", answers[1], answers[0])


st.title("Architectures")
first, second = choose()
if first is not None and second is not None:
    answers = patiently(partial(ask, first), partial(ask, second))
    draw_beside((first, second), (answers[0], answers[1]))
elif first is not None:
    draw(first, "a", patiently(partial(ask, first))[0])
