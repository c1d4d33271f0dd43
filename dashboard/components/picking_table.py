"""A table whose rows are ticked, starred and opened, and whose order and columns the server decides.

Streamlit's own table sorts and searches what the browser has; of thousands of rows that is one page, and an order
of one page would be a lie. So this one (`picking_table.js`) tells the server what a person did, and the server
answers with the rows of the page. It is a plain table of the page for keyboards and screen readers.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import streamlit as st

ASSETS = Path(__file__).resolve().parents[1] / "assets"
SESSION = "picking_session"
_component = st.components.v2.component(
    "cnnlab_picking_table",
    html='<div class="frame" tabindex="0" role="region" aria-label="Table"></div>',
    css=(ASSETS / "picking_table.css").read_text(encoding="utf-8"),
    js=(ASSETS / "picking_table.js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True)
class Column:
    """How a column looks; the first is the one that stays in sight.

    Attributes:
        kind: `link` opens the row, `tags` are words to filter by.
    """

    id: str
    title: str
    help: str = ""
    is_right: bool = False
    is_sortable: bool = True
    kind: Literal["text", "link", "tags"] = "text"


@dataclass(frozen=True)
class Row:
    """One row.

    Attributes:
        ids: What is chosen by its tick.
        label: What its tick and star are called.
        cells: One per column: text, None for what is not known, or a list of tags.
        chosen: 1 for yes, 0 for no, 2 for some of its ids.
        open: What a click on its link says, and `href` where it leads in a new tab.
    """

    ids: Sequence[str]
    label: str
    cells: Sequence[str | list[str] | None]
    chosen: int
    open: str
    href: str
    starred: bool = False


def picking_table(
    key: str,
    columns: Sequence[Column],
    rows: Sequence[Row],
    *,
    answers: Mapping[str, Callable[[dict[str, Any]], None]],
    caption: str,
    sort: str = "",
    is_descending: bool = False,
    has_stars: bool = False,
) -> None:
    """Draw the table.

    Args:
        answers: By what a person did: `tick` (ids, is_on), `star` (id, is_on), `open` (id), `tag` (tag), `sort`
            (column), `move` (column, to: its new place). Called before the script runs again.
        caption: What the table shows, for those who cannot see it.
        sort: Id of the column by which it is sorted.
    """
    session = st.session_state.setdefault(SESSION, secrets.token_hex(4))
    done = f"{key}_done"

    def answer() -> None:
        state = st.session_state.get(key)
        for event in (state.get("outbox") if state else None) or []:
            if event.get("session") == session and event["number"] > st.session_state.get(done, 0):
                st.session_state[done] = event["number"]
                if event["kind"] in answers:
                    answers[event["kind"]](event)

    _component(
        key=key,
        data={
            "session": session,
            "done": st.session_state.get(done, 0),
            # Other rows are read from their beginning.
            "shown": f"{rows[0].ids[0] if rows else ''} {len(rows)} {sort} {is_descending}",
            "columns": [asdict(column) for column in columns],
            "rows": [asdict(row) for row in rows],
            "caption": caption,
            "sort": sort,
            "is_descending": is_descending,
            "has_stars": has_stars,
        },
        on_outbox_change=answer,
    )
