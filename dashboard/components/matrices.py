"""Confusion matrices: how they are looked at, one drawn so that its cells can be clicked, several side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnnlab.analysis.confusion import Cells, Order, class_order
from cnnlab.plots import confusion, confusion_difference
from cnnlab.plots.confusion import ConfusionInfo
from cnnlab.plots.square import NAMED_CLASSES
from dashboard.components.address_choice import address_choice
from dashboard.components.cells import Cell, clicked_cell
from dashboard.components.chart import chart
from dashboard.components.text import plain

MATRICES = 6
CELLS: dict[Cells, str] = {
    "counts": "Counts",
    "rows": "Share of each true class",
    "columns": "Share of each predicted class",
}
ORDERS: dict[Order, str] = {"class": "By class", "size": "By size", "similarity": "By similarity"}


@dataclass(frozen=True)
class MatrixLook:
    """How matrices are looked at; all of it stands in the address."""

    cells: Cells
    order: Order
    has_diagonal: bool

    def places(self, infos: Sequence[ConfusionInfo]) -> NDArray[np.int64]:
        """Return one order of the classes for all matrices, from their sum, so that they can be laid over another."""
        return class_order(np.sum([info.matrix for info in infos], axis=0), self.order)


def choose_look(*, has_diagonal_choice: bool = True) -> MatrixLook:
    """Draw the choices of cells, order and diagonal."""
    cells = address_choice("Cells", CELLS, "cells", default="counts", has_label=True, wrap=True)
    order = address_choice(
        "Order",
        ORDERS,
        "order",
        default="class",
        has_label=True,
        help="By size: the classes with most images first. By similarity: classes that are taken for each other stand "
        "side by side, so that mistakes gather in blocks.",
    )
    is_bare = has_diagonal_choice and st.toggle(
        "Mistakes only",
        key="off_diagonal",
        bind="query-params",
        help="Leaves what is right blank, so that mistakes have the whole scale of colours.",
    )
    return MatrixLook(cells, order, not is_bare)


def draw_matrix(
    info: ConfusionInfo,
    key: str,
    look: MatrixLook,
    places: NDArray[np.int64],
    chosen: Cell | None,
    height_px: int | None = None,
) -> None:
    """Draw one matrix; ask `clicked_cell` of the same key beforehand what was clicked."""
    figure = confusion.confusion(
        info,
        look.cells,
        order=places,
        chosen=chosen,
        has_diagonal=look.has_diagonal,
        is_dark=st.context.theme.type == "dark",
        height_px=height_px or (520 if len(info.class_names) <= NAMED_CLASSES else 640),
    )
    chart(
        figure,
        key,
        summary=confusion.confusion_summary(info),
        numbers=lambda: confusion.confusion_numbers(info),
        how_to_read=confusion.HOW_TO_READ,
        is_clickable=True,
    )


def draw_side_by_side(
    infos: Mapping[str, ConfusionInfo], names: Mapping[str, str], look: MatrixLook, of: str, chosen: Cell | None
) -> tuple[str, Cell] | None:
    """Draw up to six matrices, two in a row, and return a cell that was clicked with the key of its matrix.

    Args:
        infos: By key; all over the same classes.
        of: Whose cell is `chosen`: it is marked in that matrix.
    """
    if len(infos) > MATRICES:
        st.caption(f"Shown for the first {MATRICES} of {len(infos)}: choose fewer to see the others.")
    shown = list(infos)[:MATRICES]
    places = look.places([infos[key] for key in shown])
    clicks = {key: clicked_cell(f"matrix_{key}", len(infos[key].class_names)) for key in shown}
    new = next(((key, cell) for key, cell in clicks.items() if cell is not None), None)
    marked = new or (of, chosen)
    for start in range(0, len(shown), 2):
        for column, key in zip(st.columns(2), shown[start : start + 2], strict=False):
            with column:
                st.markdown(f"**{plain(names[key])}**")
                draw_matrix(infos[key], f"matrix_{key}", look, places, marked[1] if key == marked[0] else None, 440)
    return new


def draw_difference(
    a: ConfusionInfo, b: ConfusionInfo, names: tuple[str, str], look: MatrixLook, chosen: Cell | None
) -> Cell | None:
    """Draw B minus A, and return a cell that was clicked."""
    key = "matrix_difference"
    new = clicked_cell(key, len(a.class_names))
    info = confusion_difference.confusion_difference_info(a, b, names, look.cells)
    chart(
        confusion_difference.confusion_difference(
            info,
            order=look.places([a, b]),
            chosen=new or chosen,
            is_dark=st.context.theme.type == "dark",
            height_px=560,
        ),
        key,
        summary=confusion_difference.confusion_difference_summary(info),
        numbers=lambda: confusion_difference.confusion_difference_numbers(info),
        how_to_read=confusion_difference.HOW_TO_READ,
        is_clickable=True,
    )
    return new
