"""What was done last with chosen runs, and the button that takes it back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from cnnlab.errors import CNNLabError
from cnnlab.runs.annotations import Change
from dashboard import data, runs_data
from dashboard.components.text import plain
from dashboard.state import say

LAST = "runs_last_deed"


@dataclass(frozen=True)
class Deed:
    """What was done, in words, and what takes it back; `undo` says what went wrong."""

    told: str
    icon: str
    undo: Callable[[], Sequence[str]]


def remember(deed: Deed) -> None:
    """Offer to take this back until something else is done or it is dismissed."""
    st.session_state[LAST] = deed


def runs_text(count: int) -> str:
    """Return `'1 run'` or `'3 runs'`."""
    return f"{count:,} {'run' if count == 1 else 'runs'}"


def annotate(run_ids: Sequence[str], change: Change, told: str, icon: str, inverse: dict[Change, list[str]]) -> None:
    """Say something of runs and offer to take it back.

    Args:
        inverse: What brings back which runs to what was said of them before.
    """
    try:
        runs_data.annotate(run_ids, change)
    except CNNLabError as error:
        say(plain(error), ":material/error:")
        return

    def undo() -> list[str]:
        wrong = []
        for back, ids in inverse.items():
            try:
                runs_data.annotate([run_id for run_id in ids if data.store().has_run(run_id)], back)
            except CNNLabError as error:
                wrong.append(str(error))
        return wrong

    remember(Deed(f"{runs_text(len(run_ids))} {told}.", icon, undo))


def draw_undo() -> None:
    """Offer to take back what was done last in this session."""
    deed: Deed | None = st.session_state.get(LAST)
    if deed is None:
        return
    # A line of its own would push the table away from under the pointer.
    with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content", key="undo_bar"):
        st.markdown(f"{deed.icon} {plain(deed.told)}", width="content")
        st.button("Undo", key="undo", icon=":material/undo:", on_click=_undo, args=(deed,))
        st.button("", key="dismiss_undo", icon=":material/close:", type="tertiary", help="Dismiss", on_click=_dismiss)


def _undo(deed: Deed) -> None:
    _dismiss()
    for sentence in deed.undo():
        say(plain(sentence), ":material/error:")


def _dismiss() -> None:
    st.session_state.pop(LAST, None)
