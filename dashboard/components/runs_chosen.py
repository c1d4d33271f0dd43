"""Which runs are chosen: kept over filters, orders, pages and other pages, and in the address where they fit."""

from collections.abc import Iterable, Sequence

import streamlit as st

from dashboard.state import query_list, set_query

# So many ids keep the address below what browsers and proxies pass on.
LONGEST_CHOICE = 50
CHOSEN = "chosen_runs"


def chosen() -> list[str]:
    """Return the runs chosen so far: what the address says where somebody followed a link."""
    if "runs" in st.query_params and query_list("runs") != st.session_state.get(CHOSEN):
        st.session_state[CHOSEN] = query_list("runs")
    return list(st.session_state.get(CHOSEN, []))


def choose(run_ids: Sequence[str]) -> None:
    """Let these be the chosen runs."""
    kept = list(dict.fromkeys(run_ids))
    st.session_state[CHOSEN] = kept
    set_query(runs=",".join(kept) if len(kept) <= LONGEST_CHOICE else None)


def tick(run_ids: Iterable[str], is_on: bool) -> None:
    """Add runs to the chosen ones, or take them away."""
    ids = list(run_ids)
    rest = [run_id for run_id in chosen() if run_id not in set(ids)]
    choose([*rest, *ids] if is_on else rest)
