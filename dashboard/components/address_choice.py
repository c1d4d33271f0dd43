"""One of a few titles in a row, kept in the address: which view, measure or order somebody looks at."""

from collections.abc import Mapping
from typing import TypeVar

import streamlit as st

Key = TypeVar("Key", bound=str)


def address_choice(
    label: str,
    titles: Mapping[Key, str],
    key: str,
    *,
    default: Key | None = None,
    has_label: bool = False,
    wrap: bool = False,
    help: str | None = None,
) -> Key:
    """Draw the titles and return the key of the chosen one.

    Args:
        label: For those who cannot see the page, and above the row where `has_label`.
        key: Of the widget, and the word in the address.
        default: Which one an address without the word means; the first when left out.
    """
    chosen: Key = st.segmented_control(
        label,
        list(titles),
        format_func=titles.__getitem__,
        default=next(iter(titles)) if default is None else default,
        required=True,
        key=key,
        bind="query-params",
        wrap=wrap,
        help=help,
        label_visibility="visible" if has_label else "collapsed",
    )
    return chosen
