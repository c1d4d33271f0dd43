"""Buttons that save a chart as PNG or SVG, in the page's size or for print, without a server."""

import re
from pathlib import Path

import streamlit as st

from cnnlab.plots.palette import SEQUENTIAL_DARK, SEQUENTIAL_LIGHT

ASSETS = Path(__file__).resolve().parents[1] / "assets"
# On paper nothing is drawn for a dark page.
TO_LIGHT = dict(zip(SEQUENTIAL_DARK, SEQUENTIAL_LIGHT, strict=True))


def _asset(name: str) -> str:
    return (ASSETS / name).read_text("utf-8")


_pictures = st.components.v2.component(
    "cnnlab_pictures", html=_asset("pictures.html"), css=_asset("pictures.css"), js=_asset("pictures.js")
)


def pictures(chart: str, key: str, *, file: str) -> None:
    """Draw the buttons.

    Args:
        chart: Key of the plotly chart on the same page.
        key: Of the buttons.
        file: Name of the files, without an ending.
    """
    repaint = TO_LIGHT if st.context.theme.type == "dark" else {}
    _pictures(key=key, data={"chart": chart_class(chart), "file": file, "repaint": repaint})


def chart_class(key: str) -> str:
    """Return by which class an element of this key is found, which Streamlit makes of it in this way."""
    return re.sub(r"[^a-zA-Z0-9_-]", "-", key.strip())
