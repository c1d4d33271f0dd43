"""Runs as parallel coordinates take them: an axis for each setting in which they differ, and what they reached."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnlab.analysis.config_table import Setting
from cnnlab.analysis.trials import Axis, Goal, axis_labels
from cnnlab.settings.ranges import value_key

# A number over more than this factor is read better by its logarithm.
LOG_FACTOR = 30.0
# An axis with more names than that is a thicket.
MOST_CHOICES = 24
GOALS = (
    Goal("test_accuracy", True),
    Goal("val_accuracy", True),
    Goal("num_params", False),
    Goal("macs", False),
    Goal("train_s", False),
)


def axes_of_runs(settings: Sequence[Setting]) -> tuple[tuple[Axis, ...], dict[str, str]]:
    """Return an axis per setting that can be drawn, and of the others the reason."""
    labels = axis_labels([setting.field for setting in settings])
    axes, left_out = [], {}
    for setting in settings:
        axis = _axis(setting, labels[setting.field])
        if axis is None:
            left_out[labels[setting.field]] = f"{len(setting.distinct)} different values"
        else:
            axes.append(axis)
    return tuple(axes), left_out


def reached(rows: Sequence[Mapping[str, Any]], goals: Sequence[Goal]) -> NDArray[np.float64]:
    """Return `(runs, goals)`: what the rows of summaries say, NaN where they say nothing."""
    values = [[math.nan if row.get(goal.metric) is None else float(row[goal.metric]) for goal in goals] for row in rows]
    return np.array(values, dtype=np.float64).reshape(len(rows), len(goals))


def _axis(setting: Setting, label: str) -> Axis | None:
    known = [value for value in setting.distinct if value is not None]
    if known and all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in known):
        low, high = float(min(known)), float(max(known))
        if low < high:
            step = 1.0 if all(isinstance(value, int) for value in known) else None
            return Axis(setting.field, label, (), low, high, step, is_log=low > 0 and high / low >= LOG_FACTOR)
    if len(known) > MOST_CHOICES:
        return None
    return Axis(setting.field, label, choices=tuple(sorted(known, key=value_key)))
