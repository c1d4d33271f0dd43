"""All runs of a comparison as lines through the settings in which they differ, to what they reached."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import polars as pl
import streamlit as st

from cnnlab.analysis.config_table import Setting
from cnnlab.analysis.pairing import share, shared_text
from cnnlab.analysis.run_axes import GOALS, axes_of_runs, reached
from cnnlab.analysis.trials import Axis, Goal
from cnnlab.plots.labels import listed_with_reasons, plural
from cnnlab.plots.study_parallel import ParallelInfo
from dashboard.components.compare.shared_images import answered_runs, on_shared
from dashboard.components.compare.subject import Subject
from dashboard.components.parallel_view import draw_parallel

# More axes than that lie too close to be read; others are chosen in the menu.
FIRST_AXES = 7
SEED = "training.seed"


def draw_lines(subject: Subject, settings: list[Setting]) -> None:
    """Draw the choice of axes and results, and the lines.

    One axis of test accuracy is of the same images: what was tested on others has none.
    """
    runs = answered_runs(subject.rows)
    shared = share(runs)
    rows, reasons = on_shared(subject.rows, runs, shared)
    subject = replace(subject, rows=rows)
    axes, left_out = axes_of_runs(settings)
    offered = {axis.path: axis for axis in axes}
    goals = [goal for goal in GOALS if np.isfinite(reached(subject.rows, [goal])).any()]
    if not offered or not goals:
        st.caption("A line takes a run with a result and a setting in which the runs differ.")
        return
    by_metric = {goal.metric: goal for goal in goals}
    chosen_by_people = {setting.field for setting in settings if not setting.is_implied} - {SEED}
    first = [path for path in offered if path in chosen_by_people][:FIRST_AXES] or list(offered)[:FIRST_AXES]
    left, right = st.columns([3, 2])
    paths = left.multiselect(
        "Settings", list(offered), default=first, format_func=lambda path: offered[path].label, key="axes",
        bind="query-params",
    )  # fmt: skip
    metrics = right.multiselect(
        "Results", list(by_metric), default=list(by_metric)[:2], key="results", bind="query-params",
        format_func=lambda name: _title(by_metric[name]), help="The first gives the colours.",
    )  # fmt: skip
    chosen_axes = tuple(offered[path] for path in paths or first)
    chosen_goals = tuple(by_metric[name] for name in metrics or list(by_metric)[:1])
    info, places = lines_info(subject, settings, chosen_axes, chosen_goals)
    members = list(subject.members.values())
    said = (_note(subject, info, left_out), shared_text(shared, subject.names), _without_accuracy(reasons, subject))
    note = " ".join(filter(None, said))
    draw_parallel(
        info, "lines", members=[members[place] for place in places], note=note, is_here=True,
        numbers=lambda: lines_table(subject, settings, info, places),
    )  # fmt: skip


def lines_info(
    subject: Subject, settings: Sequence[Setting], axes: Sequence[Axis], goals: Sequence[Goal]
) -> tuple[ParallelInfo, list[int]]:
    """Return the lines of the runs (or groups, by the means of their results) that have all results, and which."""
    by_field = {setting.field: setting for setting in settings}
    count = len(subject.members)
    codes = np.array(
        [[axis.code(by_field[axis.path].values[place]) for axis in axes] for place in range(count)], dtype=np.float64
    ).reshape(count, len(axes))
    results = np.stack([_mean(reached(subject.members_of(key), goals)) for key in subject.members])
    places = np.flatnonzero(np.isfinite(results).all(axis=1))
    noun = "group" if subject.is_grouped else "run"
    return ParallelInfo(tuple(axes), tuple(goals), places, codes[places], results[places], noun), places.tolist()


def lines_table(
    subject: Subject, settings: Sequence[Setting], info: ParallelInfo, places: Sequence[int]
) -> pl.DataFrame:
    """Return one row per line: name, settings as they were asked for, results, and of how many runs."""
    by_field = {setting.field: setting for setting in settings}
    names, sizes = list(subject.labels.values()), [len(members) for members in subject.members.values()]
    table: dict[str, list[object]] = {"name": [names[place] for place in places]}
    for axis in info.axes:
        values = [by_field[axis.path].values[place] for place in places]
        is_number = all(value is None or type(value) in (int, float) for value in values)
        table[axis.path] = [
            value if is_number else None if value is None else axis.text(value) for value in values
        ]  # fmt: skip
    table |= {goal.metric: info.results[:, at].tolist() for at, goal in enumerate(info.goals)}
    return pl.DataFrame(table | {"runs": [sizes[place] for place in places]}, strict=False)


def _mean(values: np.ndarray) -> np.ndarray:
    """Return the mean of each column over the runs that know it."""
    known = np.isfinite(values)
    counts = known.sum(axis=0)
    sums = np.where(known, values, 0.0).sum(axis=0)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _note(subject: Subject, info: ParallelInfo, left_out: dict[str, str]) -> str:
    said = []
    if missing := len(subject.members) - info.places.size:
        said.append(f"Not drawn, for want of a result: {plural(missing, info.noun)}.")
    if left_out:
        said.append(f"Without an axis: {', '.join(f'{name} ({why})' for name, why in left_out.items())}.")
    return " ".join(said)


def _without_accuracy(reasons: Mapping[str, str], subject: Subject) -> str:
    return f"Without test accuracy here: {listed_with_reasons(reasons, subject.names)}." if reasons else ""


def _title(goal: Goal) -> str:
    return goal.label[:1].upper() + goal.label[1:]
