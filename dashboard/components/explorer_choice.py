"""Which network the explorer shows. The address holds it, so a link shows the same network."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from cnnlab.architectures.catalogue import ARCHITECTURES
from cnnlab.architectures.entry import Architecture
from cnnlab.errors import CNNLabError
from dashboard.components.explorer_address import (
    LIMITS,
    NOTHING,
    PREFIX,
    address_of,
    differing,
    read_address,
    usual,
    write_address,
)
from dashboard.components.text import plain
from dashboard.forms import parameter_form, put
from dashboard.state import link


@dataclass(frozen=True)
class Chosen:
    """A network of the catalogue for images of one size."""

    entry: Architecture
    parameters: dict[str, Any]
    image_px: int
    channels: int
    num_classes: int

    @property
    def input_shape(self) -> tuple[int, int, int]:
        return (self.image_px, self.image_px, self.channels)

    @property
    def differing(self) -> dict[str, Any]:
        """The parameters that are not the defaults."""
        return differing(self.entry, self.parameters)

    def address(self) -> dict[str, str]:
        """Return the query of a link to this network alone."""
        return address_of(self.entry, self.differing, self.image_px, self.channels, self.num_classes)


def choose() -> tuple[Chosen | None, Chosen | None]:
    """Draw the choice of one network, and perhaps a second for the same images; None where it cannot be built."""
    loaded = read_address()
    with st.container(border=True):
        left, right = st.columns([3, 2], gap="medium")
        with left:
            put(f"{PREFIX}arch", loaded["arch"])
            name = st.selectbox(
                "Architecture", list(ARCHITECTURES), format_func=_label, key=f"{PREFIX}arch", on_change=_take_usual
            )
        with right:
            put(f"{PREFIX}with", loaded["with"])
            other = st.selectbox(
                "Beside it",
                [NOTHING, *ARCHITECTURES],
                format_func=lambda key: _label(key) if key else "No second architecture",
                key=f"{PREFIX}with",
                help="A second network for the same images.",
            )
        first = _parameters(name, loaded["p"] if name == loaded["arch"] else {}, "a")
        second = _parameters(other, loaded["with_p"] if other == loaded["with"] else {}, "b") if other else {}
        image = _image(loaded)
    chosen = _checked(name, first, image)
    beside = _checked(other, second, image) if other else None
    write_address(name, first, other, second, image)
    return chosen, beside


def _label(name: str) -> str:
    return ARCHITECTURES[name].label


def _parameters(name: str, values: dict[str, Any], side: str) -> dict[str, Any]:
    entry = ARCHITECTURES[name]
    if side == "b" and entry.parameters.model_fields:
        st.caption(f"Settings of {plain(entry.title)}, beside it")
    held = parameter_form(entry.parameters, values, f"{PREFIX}{side}.{name}", columns=4)
    if name == "layers":
        link("editor", "Change the list in the layer editor")
    return held


def _image(loaded: Mapping[str, Any]) -> dict[str, int]:
    titles = {"size": "Image size (px)", "channels": "Channels", "classes": "Classes"}
    helps = {"size": "Height and width that the network sees.", "channels": "1 is grey, 3 is colour."}
    found = {}
    for column, (name, title) in zip(st.columns(3), titles.items(), strict=True):
        low, high = LIMITS[name]
        put(f"{PREFIX}{name}", loaded[name])
        with column:
            found[name] = int(st.number_input(title, low, high, key=f"{PREFIX}{name}", help=helps.get(name)))
    return found


def _checked(name: str, parameters: Mapping[str, Any], image: Mapping[str, int]) -> Chosen | None:
    entry = ARCHITECTURES[name]
    try:
        checked = entry.brief(parameters)
        if image["size"] < entry.smallest_px:
            st.error(
                f"{plain(entry.title)} needs images of at least {entry.smallest_px} px. Make the image size larger.",
                icon=":material/error:",
            )
            return None
        if entry.check_size is not None:
            entry.check_size(entry.check(parameters).model_dump(), image["size"])
    except CNNLabError as error:
        st.error(plain(error), icon=":material/error:")
        return None
    return Chosen(entry, checked, image["size"], image["channels"], image["classes"])


def _take_usual() -> None:
    """Show a newly chosen network as in its paper, so that its counts are the published ones."""
    for name, value in usual(ARCHITECTURES[st.session_state[f"{PREFIX}arch"]]).items():
        st.session_state[f"{PREFIX}{name}"] = value
