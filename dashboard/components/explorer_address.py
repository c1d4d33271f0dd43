"""What the explorer's address holds: the networks, their images, and how each is looked at.

A link shows the same view: level of detail, the part below the drawing, the image under the frames.
What is as it comes is left out.
"""

import json
from collections.abc import Mapping
from typing import Any

import streamlit as st

from cnnlab.architectures.catalogue import ARCHITECTURES, LOCAL, get_architecture
from cnnlab.architectures.entry import Architecture
from cnnlab.errors import CNNLabError
from dashboard.components.text import plain
from dashboard.state import query, set_query

PREFIX = "explorer."
LOADED = f"{PREFIX}loaded"
SEEN = "explorer_seen"
SIDES = ("a", "b")  # the network, and the one beside it: prefixes of their widgets
VIEW = ("detail", "view", "images", "image")
WIDGETS = ("detail", "view", "images", "number", "of", "clicked", "formulas")
DEFAULT = "lenet5"
NOTHING = ""
# What may be asked for: a network of a page is looked at, not trained.
LIMITS = {"size": (8, 1024), "channels": (1, 16), "classes": (2, 10_000)}


def usual(entry: Architecture) -> dict[str, int]:
    """Return size, channels and classes of the entry's paper, as far as it has one."""
    first = entry.published[0] if entry.published else None
    return {
        "size": entry.natural_px,
        "channels": first.channels if first else 3,
        "classes": first.num_classes if first else 10,
    }


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


# ---- the networks ----


def read_address() -> Mapping[str, Any]:
    """Take what the address says, once per address; return the networks and the images of the last one taken."""
    if st.session_state.get(SEEN) != _seen() or LOADED not in st.session_state:
        _forget_widgets()
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
    return dict(st.session_state[LOADED])


def write_address(
    name: str, first: Mapping[str, Any], other: str, second: Mapping[str, Any], image: Mapping[str, int]
) -> None:
    """Write the networks and the images into the address."""
    values = {"arch": name, "p": _packed_of(name, first), **{key: str(value) for key, value in image.items()}}
    values |= {"with": other, "with_p": _packed_of(other, second) if other else ""}
    if not other:
        values |= {_in_address("b", part): "" for part in VIEW}
    set_query(**values)
    st.session_state[SEEN] = _seen()


# ---- how each is looked at ----


def asked_view(side: str, part: str) -> str:
    """Return what the address says of a part of `VIEW`; empty where it says nothing."""
    return query(_in_address(side, part))


def write_view(side: str, **parts: str) -> None:
    """Write parts of `VIEW` into the address; empty ones leave it."""
    set_query(**{_in_address(side, part): value for part, value in parts.items()})
    st.session_state[SEEN] = _seen()


def _in_address(side: str, part: str) -> str:
    return part if side == "a" else f"with_{part}"


def _seen() -> tuple[str, ...]:
    names = ("arch", "p", "size", "channels", "classes", "with", "with_p")
    views = [_in_address(side, part) for side in SIDES for part in VIEW]
    return tuple(query(name) for name in (*names, *views))


def _forget_widgets() -> None:
    """Let the address decide anew, and not what an earlier one left in the widgets."""
    prefixes = (PREFIX, *(f"{side}_{part}" for side in SIDES for part in WIDGETS))
    for key in [key for key in st.session_state if str(key).startswith(prefixes)]:
        del st.session_state[key]


# ---- reading ----


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
