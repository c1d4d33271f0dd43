"""The store's trash: what is in it, what it takes, and how it is emptied."""

import streamlit as st

from cnnlab.errors import CNNLabError
from cnnlab.runs.trash import Trashed
from dashboard import runs_data
from dashboard.components.confirm import confirm
from dashboard.components.numbers import count, short
from dashboard.components.text import plain
from dashboard.state import say

MOST_OFFERED = 500


def draw_trash() -> None:
    """Draw what the trash takes, and behind it what can be done; nothing where it is empty."""
    things = runs_data.trashed()
    if not things:
        return
    size = short(sum(size for _, size in things), "B")
    with st.popover(f"Trash: {count(len(things))}, {size}", icon=":material/delete:", type="tertiary", key="trash"):
        days = runs_data.kept_days()
        st.caption(
            "What is deleted stays here until somebody empties the trash."
            if not days
            else f"What is deleted stays here for {days:g} days, then it goes for good."
        )
        sizes = {one.id_: size for one, size in things if one.kind == "run"}
        chosen = st.multiselect(
            "Bring back runs",
            list(reversed(sizes))[:MOST_OFFERED],
            format_func=lambda run_id: f"{run_id} ({short(sizes[run_id], 'B')})",
            key="trash_chosen",
        )
        with st.container(horizontal=True):
            st.button("Bring back", icon=":material/undo:", key="trash_restore", disabled=not chosen,
                      on_click=_restore, args=(chosen,))  # fmt: skip
            if st.button("Empty the trash", icon=":material/delete_forever:", key="trash_empty"):
                _ask_empty(things, size)


def _restore(run_ids: list[str]) -> None:
    _, wrong = runs_data.restore(run_ids)
    for sentence in wrong:
        say(plain(sentence), ":material/error:")
    st.session_state["trash_chosen"] = []


def _ask_empty(things: list[tuple[Trashed, int]], size: str) -> None:
    kinds = [one.kind for one, _ in things]
    words = [
        f"{kinds.count(kind):,} {kind if kinds.count(kind) == 1 else _MANY[kind]}" for kind in dict.fromkeys(kinds)
    ]
    question = f"{', '.join(words)}, {size} on disk, are gone for good then. Nothing brings them back."
    confirm("Empty the trash?", question, "Empty it", _empty)


_MANY = {"run": "runs", "study": "studies", "ablation": "ablations"}


def _empty() -> None:
    try:
        say(f"The trash is empty: {short(runs_data.empty_trash(), 'B')} are free.", ":material/delete_forever:")
    except CNNLabError as error:
        say(plain(error), ":material/error:")
