"""Which network the explorer shows. The address holds it, so a link shows the same network."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from cnnlab.architectures.catalogue import ARCHITECTURES, LOCAL, get_architecture
from cnnlab.architectures.entry import Architecture
from cnnlab.errors import CNNLabError
from dashboard.components.text import plain
from dashboard.forms import parameter_form, put
from dashboard.state import link, query, set_query

PREFIX = "explorer."
LOADED = f"{PREFIX}loaded"
SEEN = "explorer_seen"
QUERY = ("arch", "p", "size", "channels", "classes", "with", "with_p")
DEFAULT = "lenet5"
NOTHING = ""
# What may be asked for: a network of a page is looked at, not trained.
LIMITS = {"size": (8, 1024), "channels": (1, 16), "classes": (2, 10_000)}


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


def differing(entry: Architecture, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the plain values of `parameters` that are not the entry's defaults."""
    defaults = entry.brief({})
    return {name: value for name, value in entry.brief(parameters).items() if value != defaults.get(name)}


def address_of(
    entry: Architecture, parameters: Mapping[str, Any], image_px: int, channels: int, num_classes: int
) -> dict[str, str]:
    """Return the query of a link to a network; parameters that are the defaults are left out."""
    found = {"arch": entry.name, "p": _packed(parameters)}
    found |= {"size": str(image_px), "channels": str(channels), "classes": str(num_classes)}
    return {name: value for name, value in found.items() if value}


def usual(entry: Architecture) -> dict[str, int]:
    """Return size, channels and classes of the entry's paper, as far as it has one."""
    first = entry.published[0] if entry.published else None
    return {
        "size": entry.natural_px,
        "channels": first.channels if first else 3,
        "classes": first.num_classes if first else 10,
    }


def choose() -> tuple[Chosen | None, Chosen | None]:
    """Draw the choice of one network, and perhaps a second for the same images; None where it cannot be built."""
    _read_address()
    loaded = st.session_state[LOADED]
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
    _write_address(name, first, other, second, image)
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


# ---- the address ----


def _read_address() -> None:
    """Take what the address says, once per address."""
    asked = tuple(query(name) for name in QUERY)
    if st.session_state.get(SEEN) == asked and LOADED in st.session_state:
        return
    for key in [key for key in st.session_state if str(key).startswith(PREFIX)]:
        del st.session_state[key]
    name = _known(query("arch"), DEFAULT)
    other = _known(query("with"), NOTHING)
    image = {key: _number(key, value) for key, value in usual(ARCHITECTURES[name]).items()}
    st.session_state[LOADED] = {
        "arch": name,
        "p": _unpacked(query("p"), name),
        "with": other,
        "with_p": _unpacked(query("with_p"), other) if other else {},
        **image,
    }


def _write_address(
    name: str, first: Mapping[str, Any], other: str, second: Mapping[str, Any], image: Mapping[str, int]
) -> None:
    values = {"arch": name, "p": _packed_of(name, first), **{key: str(value) for key, value in image.items()}}
    values |= {"with": other, "with_p": _packed_of(other, second) if other else ""}
    set_query(**values)
    st.session_state[SEEN] = tuple(query(key) for key in QUERY)


def _known(name: str, default: str) -> str:
    if not name:
        return default
    try:
        return get_architecture(name).name if name not in LOCAL else default
    except CNNLabError as error:
        st.warning(plain(error), icon=":material/link_off:")
        return default


def _number(name: str, default: int) -> int:
    low, high = LIMITS[name]
    text = query(name)
    return min(max(int(text), low), high) if text.isdecimal() and len(text) < 9 else default


def _packed(parameters: Mapping[str, Any]) -> str:
    return json.dumps(dict(parameters), separators=(",", ":"), ensure_ascii=False) if parameters else ""


def _packed_of(name: str, parameters: Mapping[str, Any]) -> str:
    try:
        return _packed(differing(ARCHITECTURES[name], parameters))
    except CNNLabError:
        return ""


def _unpacked(text: str, name: str) -> dict[str, Any]:
    if not text:
        return {}
    try:
        values = json.loads(text)
        return ARCHITECTURES[name].check(values).model_dump()
    except (ValueError, CNNLabError) as error:
        said = str(error) if isinstance(error, CNNLabError) else "The settings in the address cannot be read."
        st.warning(f"{plain(said)} The defaults are shown.", icon=":material/link_off:")
        return {}
