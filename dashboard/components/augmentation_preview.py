"""Real images of the chosen data set, before and after the augmentation of the form."""

import base64
from typing import Any

import streamlit as st

from dashboard import data
from dashboard.components.answers import when_answered
from dashboard.components.text import plain
from dashboard.forms import put

PAIRS = 7
SHOWN_PX = 72
_SEED = "train.preview_seed"


def augmentation_preview(chosen: dict[str, Any], line: str, image_size: int) -> None:
    """Draw some training images before and after the line, at the size that the network sees."""
    put("train.preview", bool(line))
    with st.container(horizontal=True, vertical_alignment="center"):
        is_wanted = st.toggle("Preview on real images", key="train.preview")
        if is_wanted:
            put(_SEED, 0)
            if st.button("Other images", icon=":material/casino:", key="other_images", type="tertiary"):
                st.session_state[_SEED] += 1
    if not is_wanted:
        return
    seed = st.session_state[_SEED]
    when_answered(
        lambda: data.preview(chosen, line, image_size, PAIRS, seed),
        lambda pairs: _draw(pairs, has_steps=bool(line)),
        "Drawing images …",
        key="augmentation_preview",
    )


def _draw(pairs: list[dict[str, str]], *, has_steps: bool) -> None:
    st.caption(
        "Above as they are, below as training may see them: drawn anew for each image of each step."
        if has_steps
        else "As they are: nothing is ticked."
    )
    with st.container(horizontal=True, gap="small"):
        for pair in pairs:
            with st.container(width=SHOWN_PX, gap=None):
                st.image(_png(pair["before_png_b64"]), width=SHOWN_PX, alt=f"{pair['label']}, as it is")
                if has_steps:
                    st.image(_png(pair["after_png_b64"]), width=SHOWN_PX, alt=f"{pair['label']}, augmented")
                st.caption(plain(pair["label"]))


def _png(text: str) -> bytes:
    return base64.b64decode(text)
