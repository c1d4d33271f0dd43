"""Pick an architecture and see what it is and what it costs; a second one beside it for comparison."""

from typing import Any

import streamlit as st

from dashboard import data
from dashboard.components import explorer_numbers as numbers
from dashboard.components.answers import when_answered
from dashboard.components.explorer_card import paper_card, published_counts
from dashboard.components.explorer_choice import Chosen, choose
from dashboard.components.explorer_views import draw_network, draw_views

WAITING = "Building the network to look at it …"


def ask(chosen: Chosen) -> data.Answer:
    """Return what the inspector knows of the network."""
    return data.inspect(chosen.entry.name, chosen.parameters, chosen.input_shape, chosen.num_classes)


def draw(chosen: Chosen, key: str, beside: Chosen | None = None) -> None:
    """Draw all about one network; the charts have the range of the one beside it."""

    def body(document: dict[str, Any]) -> None:
        published_counts(chosen, document)
        numbers.totals(document)
        clicked = draw_network(document, key)
        draw_views(document, key, clicked, ask(beside).value if beside else None)

    with st.container(border=True):
        paper_card(chosen, key)
    when_answered(lambda: ask(chosen), body, WAITING, key=f"{key}_network")


def draw_beside(first: Chosen, second: Chosen) -> None:
    """Draw what two networks cost in one table, once both are known."""
    answers = (ask(first).value, ask(second).value)
    if answers[0] and answers[1]:
        titles = (first.entry.title, second.entry.title)
        if titles[0] == titles[1]:
            titles = (titles[0], f"{titles[1]}, beside it")
        numbers.totals_beside(titles, answers)


st.title("Architectures")
first, second = choose()
if first is not None and second is not None:
    above = st.container()
    pairs = (("a", first, second), ("b", second, first))
    for column, (key, chosen, beside) in zip(st.columns(2, gap="medium"), pairs, strict=True):
        with column:
            draw(chosen, key, beside)
    with above:  # asked last: by then both answers may have come
        draw_beside(first, second)
elif first is not None:
    draw(first, "a")
