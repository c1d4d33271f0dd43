"""The views of a study: each draws one side of its trials, says it in a sentence, and opens a clicked trial."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
import polars as pl
import streamlit as st

from cnnlab.analysis.trials import Axis, Goal, Trials
from cnnlab.plots.labels import plural
from cnnlab.plots.study_contour import contour, contour_info, contour_summary
from cnnlab.plots.study_curves import study_curves, study_curves_info, study_curves_summary
from cnnlab.plots.study_importance import importance_bars, importance_info, importance_summary
from cnnlab.plots.study_parallel import parallel_info
from cnnlab.plots.study_pareto import study_pareto, study_pareto_info, study_pareto_summary
from cnnlab.plots.study_progress import Across, best_so_far, best_so_far_info, best_so_far_summary
from cnnlab.plots.study_slices import slice_of, slices_info, slices_summary
from cnnlab.plots.study_timeline import timeline, timeline_info, timeline_summary
from cnnlab.runs.studies import Study
from dashboard import study_data
from dashboard.components import how_to_read
from dashboard.components.chart import chart
from dashboard.components.clicks import clicked
from dashboard.components.parallel_view import draw_parallel
from dashboard.components.study_table import trials_table
from dashboard.components.text import plain
from dashboard.state import go as open_page

ACROSS: dict[Across, str] = {"trials": "Trials", "time": "Time"}


def progress_view(one: Study, now: Trials) -> None:
    """Draw the best so far and all learning curves."""
    goal = choose_goal(now.goals)
    across = st.segmented_control(
        "Across", list(ACROSS), default="trials", required=True, format_func=ACROSS.__getitem__, key="across",
        bind="query-params", label_visibility="collapsed",
    )  # fmt: skip
    info = best_so_far_info(now, goal, across=across)
    _chart(best_so_far(info), "best", best_so_far_summary(info), now, how_to_read.BEST_SO_FAR)
    st.subheader("Learning curves", anchor=False)
    curves = study_curves_info(now, goal, study_data.metrics(one.study_id, study_data.all_run_ids(now)))
    figure = study_curves(curves, is_dark=_is_dark())
    _chart(figure, "study_curves", study_curves_summary(curves), now, how_to_read.STUDY_CURVES, has_trials=False)


def hyperparameters_view(now: Trials) -> None:
    """Draw parallel coordinates, each hyperparameter against the objective, and the map of two."""
    goal = choose_goal(now.goals)
    st.subheader("Parallel coordinates", anchor=False)
    lines = parallel_info(now)
    members = [now.run_ids[place] for place in lines.places.tolist()]
    draw_parallel(lines, "parallel", members=members, numbers=lambda: _trials(now))
    st.subheader(f"Each hyperparameter against {plain(goal.label)}", anchor=False)
    info = slices_info(now, goal)
    if not info.is_empty:
        with st.grid(min_column_width=300):
            for place, axis in enumerate(info.axes):
                summary = f"{goal.label} over {axis.label}, {plural(info.places.size, 'trial')}"
                _chart(slice_of(info, place), f"slice_{place}", summary, now, how_to_read.SLICE, is_small=True)
    st.caption(plain(slices_summary(info)))
    if len(now.axes) > 1:
        st.subheader("Two together", anchor=False)
        _map(now, goal)


def _map(now: Trials, goal: Goal) -> None:
    by_path = {axis.path: axis for axis in now.axes}
    paths = list(by_path)
    left, right = st.columns(2)

    def choose(place: Any, label: str, default: int) -> Axis:
        path = place.selectbox(
            label, paths, index=default, format_func=lambda path: by_path[path].label, key=f"map_{label.lower()}",
            bind="query-params",
        )  # fmt: skip
        return by_path[path]

    x, y = choose(left, "Across", 0), choose(right, "Upwards", 1)
    info = contour_info(now, goal, x, y)
    figure = contour(info, is_dark=_is_dark())
    _chart(figure, "contour", contour_summary(info), now, how_to_read.CONTOUR)


def importance_view(one: Study, now: Trials) -> None:
    """Draw which hyperparameters matter, by both measures."""
    goal = choose_goal(now.goals)
    info = importance_info(study_data.found_importance(one, goal), goal.label)
    chart(importance_bars(info), "importance", summary=importance_summary(info), how_to_read=how_to_read.IMPORTANCE)


def pareto_view(now: Trials) -> None:
    """Draw two objectives against one another."""
    info = study_pareto_info(now)
    _chart(study_pareto(info), "pareto", study_pareto_summary(info), now, how_to_read.STUDY_PARETO)
    if len(now.goals) > 2:
        st.caption(plain(f"Of the {len(now.goals)} objectives the first two are drawn."))


def timeline_view(now: Trials) -> None:
    """Draw who did what when."""
    info = timeline_info(now)
    _chart(timeline(info), "timeline", timeline_summary(info), now, how_to_read.TIMELINE)


def choose_goal(goals: Sequence[Goal]) -> Goal:
    """Draw the choice of the objective where there are several."""
    if len(goals) < 2:
        return goals[0]
    by_metric = {goal.metric: goal for goal in goals}
    chosen = st.segmented_control(
        "Objective", list(by_metric), default=goals[0].metric, required=True, key="objective",
        format_func=lambda metric: by_metric[metric].label, bind="query-params",
    )  # fmt: skip
    return by_metric[str(chosen)]


def _chart(
    figure: go.Figure,
    key: str,
    summary: str,
    now: Trials,
    words: str,
    *,
    is_small: bool = False,
    has_trials: bool = True,
) -> None:
    """Draw a chart whose points are trials; a click opens the first run of one.

    Args:
        has_trials: A point is a trial as a whole, and the numbers are those of the trials.
    """
    numbers = (lambda: _trials(now)) if has_trials else None
    event = chart(
        figure, key, summary=summary, numbers=numbers, how_to_read=words, is_clickable=True, is_small=is_small
    )
    place = clicked(event)
    if place is not None and place < now.n and (run_id := study_data.first_run(now, place)):
        open_page("run", run=run_id)


def _trials(now: Trials) -> pl.DataFrame:
    return trials_table(now, list(range(now.n)))


def _is_dark() -> bool:
    return st.context.theme.type == "dark"
