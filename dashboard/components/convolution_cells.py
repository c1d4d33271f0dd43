"""Numbers typed into cells, kept in the address."""

import math

import numpy as np
import polars as pl
import streamlit as st
from numpy.typing import NDArray

from dashboard.state import query, set_query

# So many columns as a box of the page can show; a number of five digits needs the widest.
_BOX_PX, _NARROWEST_PX, _WIDEST_PX = 310, 38, 64


def number_cells(name: str, first: NDArray[np.float64]) -> NDArray[np.float64]:
    """Draw an editor for a grid of numbers and return what is in it; an empty cell counts as zero.

    Args:
        name: Of the value in the address.
        first: What stands in the cells as long as the address says nothing fitting.
    """
    shape = first.shape
    kept = f"lab.{name}.{shape[0]}x{shape[1]}"
    if kept not in st.session_state:
        st.session_state[kept] = read_grid(query(name), shape, first)
    column_px = min(_WIDEST_PX, max(_NARROWEST_PX, _BOX_PX // shape[1]))
    edited = st.data_editor(
        pl.DataFrame({str(column): st.session_state[kept][:, column] for column in range(shape[1])}),
        key=f"{kept}.editor",
        hide_index=True,
        num_rows="fixed",
        width="content",
        height="content",
        column_config={
            str(column): st.column_config.NumberColumn(str(column), width=column_px, format="compact")
            for column in range(shape[1])
        },
    )
    grid = np.array([[_number(value) for value in edited[str(column)]] for column in range(shape[1])]).T
    set_query(**{name: ",".join(f"{value:g}" for value in grid.ravel())})
    return grid


def read_grid(text: str, shape: tuple[int, ...], first: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the comma-separated numbers of `text` in `shape`, or `first` where they are others.

    >>> read_grid("1,2,3,4", (2, 2), np.zeros((2, 2))).tolist(), read_grid("1,x", (1, 2), np.zeros((1, 2))).tolist()
    ([[1.0, 2.0], [3.0, 4.0]], [[0.0, 0.0]])
    """
    try:
        numbers = np.array([float(part) for part in text.split(",")])
    except ValueError:
        return first
    return numbers.reshape(shape) if numbers.size == first.size and np.isfinite(numbers).all() else first


def _number(value: object) -> float:
    number = float(value) if isinstance(value, (int, float)) else 0.0
    return number if math.isfinite(number) else 0.0
