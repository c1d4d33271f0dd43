"""The space of a study: each searched field, its range, and how much of it was seen."""

import numpy as np
import polars as pl
import streamlit as st

from cnnlab.analysis.trials import NOT_THERE, Axis, Trials
from cnnlab.runs.studies import Study
from cnnlab.settings.range_text import range_text
from cnnlab.tuning import space
from dashboard.components.numbers import percent
from dashboard.components.text import plain

CELLS = 20


def space_view(one: Study, now: Trials) -> None:
    """Draw the fields with their ranges and where the trials were on them."""
    st.dataframe(
        space_table(one, now),
        key="space",
        hide_index=True,
        column_config={
            "Where the trials were": st.column_config.BarChartColumn(
                help="Trials from the low end to the high one, or by choice.", y_min=0
            ),
            "Seen": st.column_config.TextColumn(
                alignment="right", help=f"Choices tried, or parts of a range (of {CELLS}) with a trial."
            ),
        },
        alt="Searched fields, their ranges, and how much of each was seen",
    )
    st.caption(plain(seen_sentence(one, now)))


def seen_sentence(one: Study, now: Trials) -> str:
    """Return how many of all possible trials were made."""
    whole, share = space.size(one.config), space.seen_share(one.config, now.values)
    if whole is None or share is None:
        return f"{now.n:,} trials in a continuous space: there are infinitely many others."
    return f"{round(share * whole):,} of {whole:,} possible trials were made ({percent(share)})."


def space_table(one: Study, now: Trials) -> pl.DataFrame:
    """Return one row per searched field."""
    codes = now.codes()
    counts = [cell_counts(axis, codes[:, place]) for place, axis in enumerate(now.axes)]
    return pl.DataFrame(
        {
            "Field": [axis.path for axis in now.axes],
            "Range": [range_text(one.config.space[axis.path]) for axis in now.axes],
            "Where the trials were": counts,
            "Seen": [percent(sum(count > 0 for count in cells) / len(cells), 0) for cells in counts],
            "Trials without it": [int((codes[:, place] == NOT_THERE).sum()) for place in range(len(now.axes))],
        },
        schema_overrides={"Where the trials were": pl.List(pl.Int64)},
    )


def cell_counts(axis: Axis, codes: np.ndarray) -> list[int]:
    """Return how many trials each choice, each of few numbers, or each equal part of a range has."""
    there = codes[codes != NOT_THERE]
    places = axis.codes()
    if axis.choices or (axis.step and places.size <= CELLS):
        nearest = np.abs(there[:, None] - places).argmin(axis=1) if there.size else there.astype(int)
        return np.bincount(nearest, minlength=places.size).tolist()
    return np.histogram(there, bins=CELLS, range=(0.0, 1.0))[0].tolist()
