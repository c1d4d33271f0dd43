"""Cells of a confusion matrix: clicked, chosen from menus, and named by the address as `cell=TRUE-PREDICTED`."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard.state import query, set_query

Cell = tuple[int, int]
SHOWN = "cell_in_menus"
_CELL = re.compile(r"(\d{1,6})-(\d{1,6})")


def cell_of_address(num_classes: int) -> Cell | None:
    """Return the true and the predicted class that the address names, None where it names none that there is."""
    found = _CELL.fullmatch(query("cell"))
    if found is None:
        return None
    true, predicted = int(found[1]), int(found[2])
    return (true, predicted) if max(true, predicted) < num_classes else None


def choose(cell: Cell | None, **others: str | None) -> None:
    """Write a cell, and what belongs to it, into the address."""
    set_query(cell=None if cell is None else f"{cell[0]}-{cell[1]}", **others)


def clicked_cell(key: str, num_classes: int) -> Cell | None:
    """Return the cell that was clicked since the last look at a chart, None where none was.

    Called before the chart is drawn, so that it can mark the cell: what was clicked is kept by its key.
    """
    number = first_number(st.session_state.get(key))
    handled = f"{key}.handled"
    if number is None or st.session_state.get(handled) == number:
        if number is None:
            st.session_state.pop(handled, None)  # the same cell may be clicked again
        return None
    st.session_state[handled] = number
    return divmod(number, num_classes)


def first_number(event: Any) -> int | None:
    """Return the first number of the customdata of the clicked point; arrays may come as lists or as mappings."""
    selection = event.get("selection") if isinstance(event, Mapping) else None
    points: Sequence[Any] = (selection or {}).get("points") or ()
    if not points:
        return None
    found = points[0].get("customdata")
    if isinstance(found, Mapping):
        found = list(found.values())
    if isinstance(found, Sequence) and not isinstance(found, str):
        found = found[0] if found else None
    return int(found) if isinstance(found, int | float) else None


def cell_menus(cell: Cell | None, classes: Sequence[str], **others: str | None) -> None:
    """Draw menus of the true and the predicted class, for those who do not click.

    Args:
        others: What belongs to the cell in the address.
    """
    keys = ("cell_true", "cell_predicted")
    if st.session_state.get(SHOWN) != (cell, len(classes)):  # a click or another address: the menus follow
        st.session_state[SHOWN] = (cell, len(classes))
        for key, number in zip(keys, cell or (None, None), strict=True):
            st.session_state[key] = number

    def chosen() -> None:
        true, predicted = (st.session_state[key] for key in keys)
        if true is not None and predicted is not None:
            choose((true, predicted), **others)

    with st.container(horizontal=True, key="cell_menus"):
        for key, label in zip(keys, ("True class", "Taken for"), strict=True):
            st.selectbox(
                label, range(len(classes)), index=None, format_func=lambda number: classes[number], key=key,
                on_change=chosen, placeholder="Choose a class", width=260,
            )  # fmt: skip
