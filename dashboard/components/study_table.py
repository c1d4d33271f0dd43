"""Every trial of a study as a row; the chosen ones can be opened, compared or killed."""

from collections.abc import Mapping
from typing import Any

import polars as pl
import streamlit as st

from cnnlab.analysis.trials import Axis, Goal, Trials
from cnnlab.plots.study_status import seconds, word
from cnnlab.runs.studies import Study
from dashboard import study_data
from dashboard.components.confirm import confirm
from dashboard.components.text import plain
from dashboard.state import go, link, say

SIGNS = {"completed": "✓", "running": "▶", "waiting": "…", "failed": "✕", "stopped": "◐", "cancelled": "■"}
KILLED = ("running", "waiting")
# An address of more runs than that is no address.
MOST_COMPARED = 40


def trials_view(one: Study, now: Trials) -> None:
    """Draw the table: by number while the study goes on, then the best first."""
    if not now.n:
        st.caption("No trial yet: the first appears as soon as a worker has asked for it.")
        return
    # Rows are chosen by their places: while trials come and end, no row may take the place of another.
    is_live = study_data.is_live(one)
    order = list(range(now.n)) if is_live else [*now.ranking(), *_others(now)]
    event: Any = st.dataframe(
        trials_table(now, order),
        key="live_trials" if is_live else "trials",
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row",
        column_config=_columns(now),
        placeholder="–",
        alt="Trials of the study",
    )
    chosen = [order[row] for row in event.selection.rows if row < len(order)]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        _buttons(one, now, chosen)
    for place in chosen if len(chosen) == 1 else []:
        _runs_of(now, place)


def trials_table(now: Trials, order: list[int]) -> pl.DataFrame:
    """Return one row per trial in an order of places: status, objectives, values, time, worker, reason."""
    rows = now.rows[order]
    took = seconds(rows["ended_at"].to_list()) - seconds(rows["started_at"].to_list())
    columns: dict[str, Any] = {
        "Trial": rows["number"],
        "Status": [f"{SIGNS.get(status, '')} {word(status).capitalize()}" for status in rows["status"]],
    }
    for goal in now.goals:
        values = now.objective(goal)[order]
        scale = 100 if "accuracy" in goal.metric else 1
        columns[_goal_title(goal)] = [value * scale if value == value else None for value in values.tolist()]
    for axis in now.axes:
        is_text = bool(axis.choices) and not all(isinstance(one, (int, float)) for one in axis.choices)
        found = [_value(axis, now.values[place], is_text=is_text) for place in order]
        columns[_title(axis.label)] = found
    columns["Duration"] = [one if one == one else None for one in took.tolist()]
    columns |= {"Epochs done": rows["epochs_done"], "Worker": rows["worker"], "Reason": rows["reason"]}
    return pl.DataFrame(columns, strict=False)


def _value(axis: Axis, values: Mapping[str, Any], *, is_text: bool) -> Any:
    """Return the value of a trial, as text where a choice is not of numbers; None where it has none."""
    if axis.path not in values:
        return None
    return axis.text(values[axis.path]) if is_text else values[axis.path]


def _goal_title(goal: Goal) -> str:
    return _title(f"{goal.label} ({goal.unit})" if goal.unit not in ("", "%") else goal.label)


def _columns(now: Trials) -> dict[str, Any]:
    column = st.column_config
    found: dict[str, Any] = {
        "Trial": column.NumberColumn(width=60, pinned=True),
        "Status": column.TextColumn(width=120),
        "Duration": column.NumberColumn(format="%.0f s", help="From begin to end, waiting for a slot included."),
    }
    for goal in now.goals:
        is_share = "accuracy" in goal.metric
        found[_goal_title(goal)] = column.NumberColumn(
            format="%.2f %%" if is_share else "compact" if goal.metric in ("macs", "num_params") else "%.4g"
        )
    for axis in now.axes:
        if not axis.choices:
            found[_title(axis.label)] = column.NumberColumn(format="%.4g", help=axis.path)
    return found


def _title(label: str) -> str:
    return label[:1].upper() + label[1:]


def _others(now: Trials) -> list[int]:
    ranked = set(now.ranking())
    return [place for place in reversed(range(now.n)) if place not in ranked]


def _buttons(one: Study, now: Trials, chosen: list[int]) -> None:
    if not chosen:
        st.caption("Tick trials in the first column to open, compare or kill them.")
        return
    run_ids = [run_id for place in chosen for run_id in now.run_ids[place]]
    if st.button("Open", icon=":material/monitoring:", disabled=len(chosen) != 1 or not run_ids, key="open_trial"):
        go("run", run=run_ids[0])
    is_comparable = 1 < len(run_ids) <= MOST_COMPARED
    if st.button("Compare", icon=":material/compare_arrows:", disabled=not is_comparable, key="compare_trials"):
        go("compare", runs=",".join(run_ids))
    living = [place for place in chosen if now.rows["status"][place] in KILLED]
    if st.button("Kill", icon=":material/stop_circle:", disabled=not living, key="kill_trials"):
        count = "this trial" if len(living) == 1 else f"these {len(living)} trials"
        confirm(
            f"Kill {count}?",
            "Its training stops now, and it counts as cancelled. The study goes on with others.",
            "Kill",
            lambda: say(kill(one, now, living)),
        )


def kill(one: Study, now: Trials, places: list[int]) -> str:
    """End trials; return what happened in a sentence."""
    gone = study_data.kill(one.study_id, [now.rows["trial_id"][place] for place in places])
    return f"{gone} {'trial' if gone == 1 else 'trials'} killed." if gone else "None of them trains at the moment."


def _runs_of(now: Trials, place: int) -> None:
    run_ids = now.run_ids[place]
    reason = now.rows["reason"][place]
    if reason:
        st.caption(plain(f"{now.label(place).capitalize()}: {reason}"))
    if len(run_ids) > 1:
        with st.container(horizontal=True, gap="small"):
            for number, run_id in enumerate(run_ids, 1):
                link("run", f"Run {number}", run=run_id)


def compare_best(now: Trials, most: int = 5) -> str:
    """Return the first runs of the best trials for the address of the Compare page."""
    found = [study_data.first_run(now, place) for place in now.ranking()[:most]]
    return ",".join(run_id for run_id in found if run_id)
