"""What images the edited network sees: those of a data set, or of a size and classes of one's own."""

from dataclasses import dataclass
from typing import Any

import streamlit as st

from cnnlab.architectures.catalogue import get_architecture
from dashboard.components.layer_editor_state import IMAGES, PREFIX
from dashboard.components.numbers import count
from dashboard.components.text import plain
from dashboard.components.train_sections import dataset_choices, shape_text
from dashboard.forms import put
from dashboard.state import query, set_query

OWN = ""
LARGEST_PX, MOST_CHANNELS, MOST_CLASSES = 1024, 16, 100_000


@dataclass(frozen=True)
class Images:
    """What the network gets and has to answer.

    Attributes:
        dataset: Empty for images of one's own size.
        num_classes: Per output.
    """

    dataset: str
    size_px: int
    channels: int
    num_classes: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.size_px, self.size_px, self.channels


def choose_images() -> Images:
    """Draw the choice; it is kept in the session and in the address."""
    choices = {name: one for name, one in dataset_choices().items() if one.num_images}
    kept = _kept(choices)
    key = f"{PREFIX}data"
    put(key, kept["dataset"])
    titles = {OWN: "A size of your own"} | {name: one.title for name, one in choices.items()}
    dataset = st.selectbox("Images of", list(titles), format_func=lambda name: plain(titles[name]), key=key)
    if dataset != kept["dataset"] and dataset:
        st.session_state[f"{PREFIX}size"] = _proposed_px(choices[dataset].image_shape)
    with st.container(horizontal=True, gap="small"):
        size = _number("size", "Side (px)", kept["size"], smallest_px(), LARGEST_PX)
        if dataset:
            channels, classes = choices[dataset].image_shape[2], tuple(map(len, choices[dataset].outputs.values()))
        else:
            channels = _number("channels", "Channels", kept["channels"], 1, MOST_CHANNELS)
            classes = (_number("classes", "Classes", kept["classes"], 2, MOST_CLASSES),)
    if dataset:
        shape = choices[dataset].image_shape
        change = "" if shape[0] == size == shape[1] else f" become {shape_text((size, size, channels))}"
        answers = " and ".join(count(number) for number in classes)
        st.caption(f"Images of {shape_text(shape)}{change}, {answers} classes.")
    st.session_state[IMAGES] = {"dataset": dataset, "size": size, "channels": channels, "classes": classes[0]}
    own = {} if dataset else {"channels": str(channels), "classes": str(classes[0])}
    set_query(**{"data": dataset or None, "size": str(size), "channels": None, "classes": None} | own)
    return Images(dataset, size, channels, classes)


def smallest_px() -> int:
    return get_architecture("layers").smallest_px


def _kept(choices: dict[str, Any]) -> dict[str, Any]:
    """Return the last choice, or in a new session that of the address."""
    if IMAGES not in st.session_state:
        st.session_state[IMAGES] = {
            "dataset": query("data"),
            "size": _from_address("size", 32, smallest_px(), LARGEST_PX),
            "channels": _from_address("channels", 3, 1, MOST_CHANNELS),
            "classes": _from_address("classes", 10, 2, MOST_CLASSES),
        }
    kept = dict(st.session_state[IMAGES])
    return kept if kept["dataset"] in choices else {**kept, "dataset": OWN}


def _from_address(name: str, usual: int, low: int, high: int) -> int:
    value = query(name)
    return min(max(int(value), low), high) if value.isdecimal() and len(value) < 9 else usual


def _number(name: str, label: str, value: int, low: int, high: int) -> int:
    put(f"{PREFIX}{name}", value)
    return int(st.number_input(label, low, high, key=f"{PREFIX}{name}", width=120))


def _proposed_px(shape: tuple[int, ...]) -> int:
    return get_architecture("layers").proposed_px(max(shape[:2]))
