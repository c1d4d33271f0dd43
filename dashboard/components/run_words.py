"""What people say of one run on its page: notes, star, tags, and whether it is put aside."""

from typing import Any

import polars as pl
import streamlit as st

from dashboard import data
from dashboard.components import runs_actions
from dashboard.components.runs_undo import draw_undo
from dashboard.components.text import plain


def run_words(row: dict[str, Any]) -> None:
    """Draw what was said, and the buttons that say something else; `row` is of the summaries."""
    if row["notes"]:
        st.text(row["notes"])
    picked = data.summaries().filter(pl.col("run_id") == row["run_id"])
    if picked.is_empty():  # made within the last second
        return
    is_starred, tags = row["is_starred"], row["tags"]
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="run_words"):
        st.button("Starred" if is_starred else "Star", icon=":material/star:", type="tertiary", key="star",
                  help="Take the star away." if is_starred else "Mark this run.",
                  on_click=runs_actions.star, args=(picked, not is_starred))  # fmt: skip
        label = f"Tags: {', '.join(map(plain, tags))}" if tags else "Tags"
        with st.popover(label, icon=":material/sell:", type="tertiary", key="tags_popover"):
            runs_actions.draw_tags(picked)
        if st.button("Name and notes", icon=":material/edit_note:", type="tertiary", key="edit"):
            runs_actions.edit(picked)
        is_archived = row["is_archived"]
        st.button("Bring back from the archive" if is_archived else "Archive", type="tertiary", key="archive",
                  icon=":material/unarchive:" if is_archived else ":material/archive:",
                  on_click=runs_actions.archive, args=(picked, not is_archived))  # fmt: skip
        draw_undo()
