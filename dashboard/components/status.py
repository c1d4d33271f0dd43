"""How a state looks everywhere: one icon, one word, one colour."""

from dataclasses import dataclass
from typing import Any

import streamlit as st


@dataclass(frozen=True)
class StateLook:
    """The face of one state."""

    label: str
    icon: str
    colour: Any
    meaning: str


STATES: dict[str, StateLook] = {
    "queued": StateLook("Queued", ":material/schedule:", "gray", "Waits for a free slot."),
    "running": StateLook("Running", ":material/play_arrow:", "blue", "Trains now."),
    "paused": StateLook("Paused", ":material/pause:", "violet", "Stopped for now; resume it to go on."),
    "completed": StateLook("Completed", ":material/check:", "green", "Trained and tested."),
    "failed": StateLook("Failed", ":material/error:", "red", "Ended with an error; its page says why."),
    "cancelled": StateLook("Cancelled", ":material/block:", "orange", "Stopped by somebody."),
    "lost": StateLook("Lost", ":material/help:", "red", "Its process vanished without a word."),
}


def look(state: str) -> StateLook:
    """Return the face of `state`; an unknown one shows its own name."""
    return STATES.get(state, StateLook(state.capitalize() or "Unknown", ":material/help:", "gray", ""))


def status_badge(state: str) -> None:
    """Draw the badge of `state`."""
    face = look(state)
    st.badge(face.label, icon=face.icon, color=face.colour, help=face.meaning or None)
