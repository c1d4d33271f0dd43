"""A chart with all that belongs to it: a sentence for those who cannot see it, its numbers, how to read it, files."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
import polars as pl
import streamlit as st

from cnnlab.plots.csv_text import csv_text
from cnnlab.plots.figure_numbers import figure_numbers
from dashboard.components.pictures import pictures
from dashboard.components.text import plain

Numbers = pl.DataFrame | Callable[[], pl.DataFrame]
TABLE_PX = 320
TABLE_WIDTH_PX = 560
SMALL_HIDES = ["zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"]


@dataclass(frozen=True)
class _Extras:
    """What stands under a chart; nothing of it is computed before somebody opens it."""

    key: str
    summary: str
    numbers: Numbers
    how_to_read: str

    @property
    def file(self) -> str:
        return re.sub(r"[^A-Za-z0-9_-]+", "-", self.key).strip("-")

    def table(self) -> pl.DataFrame:
        return self.numbers() if callable(self.numbers) else self.numbers


def chart(
    figure: go.Figure,
    key: str,
    *,
    summary: str,
    numbers: Numbers | None = None,
    how_to_read: str,
    is_clickable: bool = False,
    is_small: bool = False,
    hint: str = "",
) -> Any:
    """Draw a figure, its summary, and under it 'The numbers', 'How to read this' and 'Download'.

    What is behind the three is made when somebody opens it, in a fragment of its own: the page does not run again.

    Args:
        key: Of the chart; its other parts derive theirs from it.
        summary: One sentence with n; it is also what screen readers say.
        numbers: What is drawn, one row per point; called only when somebody opens them. Where left out, they are read
            off the figure, without what no hover can name.
        how_to_read: Markdown: what the axes, colours and sizes mean, and what to conclude or not.
        is_clickable: A click on a point reruns the script.
        is_small: One small menu holds all, the summary included; for previews and for many charts side by side.
        hint: What a click does, said behind the summary.

    Returns:
        The event of `st.plotly_chart` where it is clickable, else None.
    """
    options: dict[str, Any] = {"on_select": "rerun", "selection_mode": "points"} if is_clickable else {}
    config = {"modeBarButtonsToRemove": SMALL_HIDES} if is_small else {}
    event = st.plotly_chart(figure, key=key, alt=summary, config=config, **options)
    extras = _Extras(key, summary, (lambda: figure_numbers(figure)) if numbers is None else numbers, how_to_read)
    if is_small:
        _small_menu(extras)
    else:
        with st.container(gap="xsmall"):
            st.caption(plain(summary) + (f" {hint}" if hint else ""))
            _row(extras)
    return event if is_clickable else None


@st.fragment
def _row(extras: _Extras) -> None:
    with st.container(horizontal=True, gap="small", key=f"{extras.key}_extras"):
        with _menu("The numbers", "table_chart", f"{extras.key}_numbers") as menu:
            if menu.open:
                _numbers(extras)
        with _menu("How to read this", "help", f"{extras.key}_how") as menu:
            if menu.open:
                st.markdown(extras.how_to_read)
        with _menu("Download", "download", f"{extras.key}_download") as menu:
            if menu.open:
                _files(extras)


@st.fragment
def _small_menu(extras: _Extras) -> None:
    with _menu("About this chart", "more_horiz", f"{extras.key}_about") as menu:
        if menu.open:
            st.caption(plain(extras.summary))
            st.markdown(extras.how_to_read)
            _numbers(extras)
            _files(extras)


def _menu(label: str, icon: str, key: str) -> Any:
    return st.popover(label, icon=f":material/{icon}:", type="tertiary", key=key, on_change="rerun")


def _numbers(extras: _Extras) -> None:
    table = extras.table()
    _csv(extras, lambda: table, f"{extras.key}_csv")
    st.dataframe(
        table, hide_index=True, placeholder="–", width=TABLE_WIDTH_PX, height=TABLE_PX, key=f"{extras.key}_table"
    )


def _files(extras: _Extras) -> None:
    pictures(extras.key, f"{extras.key}_pictures", file=extras.file)
    _csv(extras, extras.table, f"{extras.key}_csv_file")


def _csv(extras: _Extras, table: Callable[[], pl.DataFrame], key: str) -> None:
    st.download_button(
        "The numbers as CSV",
        lambda: csv_text(table()),
        file_name=f"{extras.file}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key=key,
    )
