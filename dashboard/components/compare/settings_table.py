"""Which settings differ, as a table that stays readable with twenty runs and with values as long as a network."""

from collections.abc import Mapping, Sequence
from string import ascii_uppercase
from typing import Any

import pandas as pd
import streamlit as st

from cnnlab.analysis.config_table import Setting
from cnnlab.plots.labels import plural, shortened
from cnnlab.plots.palette import NEUTRAL
from cnnlab.settings.ranges import value_key
from dashboard.components.compare.subject import Subject
from dashboard.components.comparing import setting_text
from dashboard.components.text import plain

# More columns than that do not fit beside one another: then each run is a row.
MOST_COLUMNS = 6
LONG = 36


def draw_table(subject: Subject, settings: list[Setting]) -> None:
    """Draw the values, what is as by default in grey, and below them the long ones in full."""
    names = list(subject.labels.values())
    is_bare = st.toggle(
        "Leave out defaults",
        key="bare",
        bind="query-params",
        help="What a run would have got anyway is not written, nor a setting that nobody chose.",
    )
    settings = [setting for setting in settings if not (is_bare and setting.is_implied)]
    table, is_default = settings_frame(settings, names, is_bare=is_bare, is_by_run=len(names) > MOST_COLUMNS)
    grey = is_default.map(lambda one: f"color: {NEUTRAL}" if one else "")
    st.dataframe(
        table.style.apply(lambda _: grey, axis=None),
        hide_index=True,
        key="differences",
        column_config={str(table.columns[0]): st.column_config.TextColumn(pinned=True)},
        alt="Settings in which the runs differ",
    )
    differ = plural(len(settings), "setting differs", "settings differ")
    st.caption(
        f"{differ} between {len(names)} {'groups' if subject.is_grouped else 'runs'}; those that are the same in all "
        "are left out. Grey is as by default, – is not there."
    )
    _long_ones(settings, names)


def settings_frame(
    settings: Sequence[Setting], names: Sequence[str], *, is_bare: bool = False, is_by_run: bool = False
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a row per setting with a column per run, and for each cell whether it is as by default.

    Args:
        settings: In their order.
        names: Of the runs, in the order of the values.
        is_bare: Defaults are left empty.
        is_by_run: A row is a run, a column a setting.
    """
    texts, flags = [], []
    for setting in settings:
        cells = cell_texts(setting)
        flags.append(list(setting.is_default))
        texts.append(
            [
                "" if is_bare and is_default else cells[value_key(value)]
                for value, is_default in zip(setting.values, setting.is_default, strict=True)
            ]
        )
    fields = [setting.field for setting in settings]
    if is_by_run:
        return _framed("Run", names, fields, _turned(texts)), _framed("Run", names, fields, _turned(flags), False)
    return _framed("Setting", fields, names, texts), _framed("Setting", fields, names, flags, False)


def cell_texts(setting: Setting) -> dict[str, str]:
    """Return what stands in a cell, by `value_key`: long values are shortened behind a letter of their own."""
    texts = {value_key(value): setting_text(value) for value in setting.distinct}
    if not is_long(setting):
        return texts
    return {key: f"{letter(place)}: {shortened(text, LONG)}" for place, (key, text) in enumerate(texts.items())}


def is_long(setting: Setting) -> bool:
    """Return whether a value of a setting is too long for a cell."""
    return any(len(setting_text(value)) > LONG for value in setting.distinct)


def letter(place: int) -> str:
    """Return A, B, ..., Z, A2, B2, ... for 0, 1, ...

    >>> letter(0), letter(25), letter(26)
    ('A', 'Z', 'A2')
    """
    turn, place = divmod(place, len(ascii_uppercase))
    return f"{ascii_uppercase[place]}{turn + 1 if turn else ''}"


def _framed(
    title: str, rows: Sequence[str], columns: Sequence[str], cells: Sequence[Sequence[Any]], first: Any = None
) -> pd.DataFrame:
    """Return cells with the names of their rows (or `first`) in front."""
    frame = pd.DataFrame(cells, columns=list(columns))
    frame.insert(0, title, list(rows) if first is None else first)
    return frame


def _turned(cells: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
    return list(zip(*cells, strict=True))


def _long_ones(settings: Sequence[Setting], names: Sequence[str]) -> None:
    for setting in settings:
        if is_long(setting):
            with st.expander(f"`{setting.field}` in full", icon=":material/notes:"):
                for place, (text, runs) in enumerate(_holders(setting, names).items()):
                    st.markdown(f"**{letter(place)}**: {plain(', '.join(runs))}")
                    st.code(text, language=None, wrap_lines=True)


def _holders(setting: Setting, names: Sequence[str]) -> Mapping[str, list[str]]:
    """Return which runs have each value, in the order of the letters."""
    found: dict[Any, list[str]] = {setting_text(value): [] for value in setting.distinct}
    for name, value in zip(names, setting.values, strict=True):
        found[setting_text(value)].append(name)
    return found
