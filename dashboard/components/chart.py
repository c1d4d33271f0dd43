"""A chart with all that belongs to it: a sentence for those who cannot see it, its numbers, and how to read it."""

from collections.abc import Callable
from typing import Any

import plotly.graph_objects as go
import polars as pl
import streamlit as st

from dashboard.components.text import plain


def chart(
    figure: go.Figure,
    key: str,
    *,
    summary: str,
    numbers: pl.DataFrame | Callable[[], pl.DataFrame],
    how_to_read: str,
    is_clickable: bool = False,
) -> Any:
    """Draw a figure, its summary, and under it 'The numbers' and 'How to read this'.

    Args:
        key: Of the chart; its other parts derive theirs from it.
        summary: One sentence with n; it is also what screen readers say.
        numbers: What is drawn, one row per point; called only when somebody opens them.
        how_to_read: Markdown: what the axes, colours and sizes mean, and what to conclude or not.
        is_clickable: A click on a point reruns the script.

    Returns:
        The event of `st.plotly_chart` where it is clickable, else None.
    """
    options: dict[str, Any] = {"on_select": "rerun", "selection_mode": "points"} if is_clickable else {}
    event = st.plotly_chart(figure, key=key, alt=summary, **options)
    st.caption(plain(summary))
    with st.container(horizontal=True, gap="small", key=f"{key}_extras"):
        with st.popover("The numbers", icon=":material/table_chart:", type="tertiary", key=f"{key}_numbers"):
            table = numbers() if callable(numbers) else numbers
            st.dataframe(table, hide_index=True, placeholder="–")
            st.download_button(
                "Download as CSV",
                table.write_csv,
                file_name=f"{key}.csv",
                mime="text/csv",
                icon=":material/download:",
                key=f"{key}_csv",
            )
        with st.popover("How to read this", icon=":material/help:", type="tertiary", key=f"{key}_how"):
            st.markdown(how_to_read)
    return event if is_clickable else None
