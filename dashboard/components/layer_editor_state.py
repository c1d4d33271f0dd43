"""The list of layers that is edited. It lives in the session; a layer keeps a number of its own when it moves."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import streamlit as st
import yaml

from cnnlab.architectures.layer_list import DEFAULT_LAYERS, LAYER_KINDS, brief, check_layer, check_layers
from cnnlab.architectures.layer_list_presets import PRESETS
from cnnlab.commands.text import value_text
from cnnlab.errors import ConfigError
from cnnlab.parameters import specs

PREFIX = "editor."
SETTING = f"{PREFIX}set."  # of the widgets of a layer's settings: <SETTING><id>.<name>
IMAGES = f"{PREFIX}images"  # what images the list is looked at with
SELECTED = f"{PREFIX}selected"  # the key of the list's widget
_LAYERS, _PAST, _FUTURE, _LAST_ID, _AT = (
    f"{PREFIX}{name}" for name in ("layers", "past", "future", "last_id", "at")
)  # fmt: skip
MOST_STEPS = 100

# A layer with the number that it keeps.
Item = tuple[int, dict[str, Any]]


def items() -> list[Item]:
    """Return the layers with their numbers; a new session starts with the default list."""
    if _LAYERS not in st.session_state:
        _set(_numbered(check_layers(DEFAULT_LAYERS)))
    return list(st.session_state[_LAYERS])


def layers() -> list[dict[str, Any]]:
    """Return the layers as the config has them."""
    return [layer for _, layer in items()]


def text() -> str:
    """Return the list in one line, as for the command line and the address."""
    return value_text(brief(layers()))


def selected() -> int | None:
    """Return the number of the chosen layer, None in an empty list."""
    known = [number for number, _ in items()]
    at = st.session_state.get(SELECTED, st.session_state.get(_AT))
    return at if at in known else known[0] if known else None


def select(number: int | None) -> None:
    """Choose a layer; before the list is drawn, or in a callback."""
    st.session_state[_AT] = number
    if number is None:
        st.session_state.pop(SELECTED, None)
    else:
        st.session_state[SELECTED] = number


def remember(number: int) -> None:
    """Keep the choice for when the page is left and the widget forgotten."""
    st.session_state[_AT] = number


# ---- changes: each can be undone ----


def replace_all(values: Any) -> None:
    """Put another list in place of this one; raises `ConfigError` and changes nothing where it is wrong."""
    _change(_numbered(check_layers(values)), at=0)


def take_preset(key: str) -> None:
    """Put the preset chosen in the menu of `key` in place of the list."""
    chosen = st.session_state[key]
    if chosen:
        replace_all(PRESETS[chosen].layers)


def add(key: str) -> None:
    """Add a layer of the kind chosen in the menu of `key` behind the chosen one."""
    kind = st.session_state[key]
    if not kind:
        return
    place = _place() + 1
    changed = items()
    changed.insert(place, (_new_id(), check_layer(kind, place + 1)))
    _change(changed, at=place)


def duplicate() -> None:
    """Add a copy behind the chosen layer."""
    place, changed = _place(), items()
    changed.insert(place + 1, (_new_id(), dict(changed[place][1])))
    _change(changed, at=place + 1)


def delete() -> None:
    """Take the chosen layer out; the one after it is chosen then."""
    place, changed = _place(), items()
    del changed[place]
    _change(changed, at=min(place, len(changed) - 1))


def move(by: Literal[-1, 1]) -> None:
    """Move the chosen layer up or down."""
    place, changed = _place(), items()
    if 0 <= place + by < len(changed):
        changed[place], changed[place + by] = changed[place + by], changed[place]
        _change(changed, at=place + by)


def take_settings(number: int) -> None:
    """Take over what the widgets of a layer's settings hold."""
    changed = items()
    place = next(index for index, item in enumerate(changed) if item[0] == number)
    layer = dict(changed[place][1])
    for spec in specs(LAYER_KINDS[layer["kind"]].settings):
        value = st.session_state.get(f"{SETTING}{number}.{spec.name}")
        layer[spec.name] = layer[spec.name] if value is None else value
    changed[place] = (number, check_layer(layer, place + 1))
    _change(changed, at=place, keep_widgets=True)


def undo() -> None:
    """Go back before the last change."""
    _travel(_PAST, _FUTURE)


def redo() -> None:
    """Take back the last undo."""
    _travel(_FUTURE, _PAST)


def can_undo() -> bool:
    return bool(st.session_state.get(_PAST))


def can_redo() -> bool:
    return bool(st.session_state.get(_FUTURE))


def _travel(source: str, target: str) -> None:
    if st.session_state.get(source):
        st.session_state.setdefault(target, []).append((items(), _place()))
        changed, place = st.session_state[source].pop()
        _set(changed)
        _forget_widgets()
        _select_place(place)


def _change(changed: list[Item], at: int, *, keep_widgets: bool = False) -> None:
    past = st.session_state.setdefault(_PAST, [])
    past.append((items(), _place()))
    del past[:-MOST_STEPS]
    st.session_state[_FUTURE] = []
    _set(changed)
    if not keep_widgets:
        _forget_widgets()
    _select_place(at)


def _forget_widgets() -> None:
    # Their values would win over those of the list.
    for key in [key for key in st.session_state if str(key).startswith(SETTING)]:
        del st.session_state[key]


def _select_place(place: int) -> None:
    known = items()
    select(known[max(0, min(place, len(known) - 1))][0] if known else None)


def _place() -> int:
    """Return where the chosen layer stands; -1 in an empty list."""
    number = selected()
    return next((index for index, item in enumerate(items()) if item[0] == number), -1)


def _set(changed: Sequence[Item]) -> None:
    st.session_state[_LAYERS] = list(changed)


def _numbered(checked: Sequence[dict[str, Any]]) -> list[Item]:
    return [(_new_id(), layer) for layer in checked]


def _new_id() -> int:
    st.session_state[_LAST_ID] = st.session_state.get(_LAST_ID, 0) + 1
    return int(st.session_state[_LAST_ID])


# ---- lists from elsewhere ----


def open_with(values: Any, dataset: str, size_px: int) -> None:
    """Put a list into the editor, with the images it is looked at with; before its page is drawn."""
    replace_all(values)
    for name in ("data", "size"):
        st.session_state.pop(f"{PREFIX}{name}", None)
    st.session_state[IMAGES] = {"dataset": dataset, "size": size_px, "channels": 3, "classes": 10}


def list_in(written: str) -> list[Any]:
    """Return the list of layers in YAML: alone, under 'layers', or in a whole config.

    Raises:
        ConfigError: there is none.
    """
    try:
        values = yaml.safe_load(written)
    except yaml.YAMLError:
        raise ConfigError("The YAML cannot be read. Check its indentation, brackets and quotes.") from None
    for path in ((), ("layers",), ("parameters", "layers"), ("architecture", "parameters", "layers")):
        found = values
        for key in path:
            found = found.get(key) if isinstance(found, Mapping) else None
        if isinstance(found, list):
            return found
    raise ConfigError(
        "There is no list of layers in it. Expected one such as [conv, max_pool, flatten]. "
        "Paste what 'Copy as YAML' gave here or in the training form."
    )


def try_to(change: Callable[[], None]) -> str:
    """Run a change and return the sentence that is wrong with it, or an empty one."""
    try:
        change()
    except ConfigError as error:
        return str(error)
    return ""
