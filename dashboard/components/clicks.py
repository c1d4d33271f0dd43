"""Which point of a chart was clicked, and the run or the group behind it."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from dashboard.state import go, is_here, set_next, set_query


def clicked(event: Any) -> int | None:
    """Return the customdata of the clicked point, None where nothing was clicked or it leads nowhere."""
    for point in event.selection.points:
        index = point.get("customdata")
        index = index[0] if isinstance(index, (list, tuple)) and index else index
        if isinstance(index, (int, float)) and index >= 0:
            return int(index)
    return None


def open_clicked(event: Any, members: Sequence[str | Sequence[str]]) -> None:
    """Open the run behind a clicked point, or the comparison of a group's runs."""
    index = clicked(event)
    if index is not None and index < len(members):
        member = members[index]
        open_runs([member] if isinstance(member, str) else member)


def open_runs(run_ids: Sequence[str]) -> None:
    """Open the page of one run, or the comparison of several, one by one."""
    if len(run_ids) == 1:
        go("run", run=run_ids[0])
    if is_here("compare"):  # other runs in the same part: what else the address says stays
        set_next(mean=False)
        set_query(runs=",".join(run_ids))
        st.rerun(scope="app")
    go("compare", runs=",".join(run_ids))
