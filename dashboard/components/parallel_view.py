"""Parallel coordinates whose choice on the axes stays, also in the address, and leads to a comparison of its runs."""

import zlib
from collections.abc import Callable, Sequence
from typing import Any

import polars as pl
import streamlit as st

from cnnlab.plots.labels import plural
from cnnlab.plots.study_parallel import ParallelInfo, kept_lines, parallel, parallel_summary
from dashboard.components import how_to_read
from dashboard.components.chart import chart
from dashboard.components.pictures import ASSETS, chart_class
from dashboard.state import go, query, set_query

# An address of more runs than that is no address.
MOST_COMPARED = 40
Chosen = dict[str, list[tuple[float, float]]]

_axis_choice = st.components.v2.component(
    "cnnlab_axis_choice", js=(ASSETS / "axis_choice.js").read_text("utf-8"), html="<span hidden></span>"
)


def draw_parallel(
    info: ParallelInfo,
    key: str,
    *,
    members: Sequence[Sequence[str]],
    numbers: Callable[[], pl.DataFrame],
    note: str = "",
    is_here: bool = False,
) -> None:
    """Draw the lines, and below them what is kept of them.

    Args:
        info: What is drawn.
        key: Of the chart; `keep` in the address holds what is chosen.
        members: The runs behind each line.
        numbers: One row per line.
        note: Said behind the summary.
        is_here: This is the page of the comparison, which then shows other runs.
    """
    # What is chosen belongs to these lines: of other runs it would hide some for no reason that is seen.
    lines = zlib.crc32(repr(members).encode())
    ranges, order = _choice(info, key, f"{key}_choice_{lines:x}")
    is_dark = st.context.theme.type == "dark"
    chart(
        parallel(info, is_dark=is_dark, ranges=ranges, order=order),
        key,
        summary=f"{parallel_summary(info)}{f' {note}' if note else ''}",
        numbers=numbers,
        how_to_read=how_to_read.PARALLEL,
    )
    if ranges and not info.is_empty:
        _kept(info, ranges, members, key, is_here=is_here)


def _choice(info: ParallelInfo, chart_key: str, key: str) -> tuple[Chosen, list[str]]:
    """Return the ranges and the order that a person has chosen, at first those of the address."""
    asked = read_ranges(query("keep"))
    first: dict[str, Any] = {"ranges": asked, "order": list(info.names)}
    known = st.session_state.get(key)
    told = (known or {}).get("axes") or first
    found: Any = _axis_choice(
        key=key,
        data={"chart": chart_class(chart_key), "told": told},
        default={"axes": first},
        on_axes_change=lambda: None,
        height=1,
    )
    now = found.axes or first
    ranges = {name: [(float(low), float(high)) for low, high in chosen] for name, chosen in now["ranges"].items()}
    ranges = {name: chosen for name, chosen in ranges.items() if name in info.names}
    set_query(keep=write_ranges(ranges))
    return ranges, list(now["order"])


def _kept(info: ParallelInfo, ranges: Chosen, members: Sequence[Sequence[str]], key: str, *, is_here: bool) -> None:
    kept = kept_lines(info, ranges)
    runs = [run_id for place, runs in enumerate(members) if kept[place] for run_id in runs]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{int(kept.sum())} of {plural(kept.size, info.noun)}** pass there.", width="content")
        if len(runs) > MOST_COMPARED:
            st.caption(f"These are {len(runs)} runs. To compare them, draw narrower, down to {MOST_COMPARED}.")
        elif runs:
            label = f"Compare these {plural(len(runs), 'run')}" if len(runs) > 1 else "Look at this run"
            icon = ":material/compare_arrows:"
            st.button(label, icon=icon, key=f"{key}_compare", on_click=_open, args=(runs, is_here))


def _open(runs: Sequence[str], is_here: bool) -> None:
    """Open a run, or the comparison from its beginning; a callback, which alone may turn its menu."""
    if len(runs) == 1:
        go("run", run=runs[0])
    st.session_state["part"] = "overview"
    if not is_here:
        go("compare", runs=",".join(runs))
    set_query(runs=",".join(runs), keep=None)
    st.rerun(scope="app")


def write_ranges(ranges: Chosen) -> str:
    """Return ranges as text for an address.

    >>> write_ranges({"training.epochs": [(0.25, 1.0)], "macs": [(1.0, 2.0), (4.0, 5.5)]})
    'training.epochs:0.25~1;macs:1~2;macs:4~5.5'
    """
    return ";".join(f"{name}:{low:.6g}~{high:.6g}" for name, chosen in ranges.items() for low, high in chosen)


def read_ranges(text: str) -> Chosen:
    """Return what `write_ranges` wrote; what cannot be read is left out.

    >>> read_ranges("training.epochs:0.25~1;nonsense;macs:x~2")
    {'training.epochs': [(0.25, 1.0)]}
    """
    found: Chosen = {}
    for part in text.split(";"):
        name, _, numbers = part.rpartition(":")
        low, _, high = numbers.partition("~")
        try:
            found.setdefault(name, []).append((float(low), float(high)))
        except ValueError:
            continue
    return {name: chosen for name, chosen in found.items() if chosen}
