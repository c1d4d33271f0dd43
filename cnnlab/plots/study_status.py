"""How trials look in every chart of a study: a colour, a symbol and a word per status; and where they were in time."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnlab.analysis.trials import Goal
from cnnlab.plots.palette import CATEGORICAL, NEUTRAL

# In the order of legends.
WORDS = {
    "completed": "completed",
    "stopped": "stopped early",
    "running": "running",
    "failed": "failed",
    "cancelled": "cancelled",
    "waiting": "waiting",
}
COLOURS = {
    "completed": CATEGORICAL[0],
    "stopped": CATEGORICAL[1],
    "running": CATEGORICAL[2],
    "failed": CATEGORICAL[5],
    "cancelled": CATEGORICAL[6],
    "waiting": NEUTRAL,
}
SYMBOLS = {"completed": "circle", "stopped": "circle-open"}
BEST = CATEGORICAL[3]


def word(status: str) -> str:
    """Return what a status is called."""
    return WORDS.get(status, status)


def colour(status: str) -> str:
    """Return the colour of a status."""
    return COLOURS.get(status, NEUTRAL)


def symbol(status: str) -> str:
    """Return the marker of a status."""
    return SYMBOLS.get(status, "x")


# Large whole numbers, which k and M make short; of a loss below 1 they would make thousandths.
COUNTS = ("macs", "num_params", "trainable_params")


def tick_format(goal: Goal) -> str:
    """Return how an axis writes the numbers of an objective: 95 %, 1.2M, 0.35."""
    return ".3~p" if "accuracy" in goal.metric else ".3~s" if goal.metric in COUNTS else ".4~g"


def title_of(goal: Goal) -> str:
    """Return the title of an axis: the metric, its unit where it has one, and which way is better."""
    text = goal.label[:1].upper() + goal.label[1:]
    unit = f" ({goal.unit})" if goal.unit else ""
    return f"{text}{unit}, {'higher' if goal.is_max else 'lower'} is better"


def seconds(times: Sequence[Any]) -> NDArray[np.float64]:
    """Return seconds since 1970 of ISO texts or times in UTC; NaN where there is none."""
    return np.array([_second(moment) for moment in times], dtype=np.float64)


def time_unit(longest_s: float) -> tuple[float, str]:
    """Return by what seconds are divided for an axis of such length, and the unit."""
    for size, unit in ((86_400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if longest_s >= 3 * size:
            return size, unit
    return 1.0, "s"


def _second(moment: Any) -> float:
    if isinstance(moment, str) and moment:
        try:
            moment = datetime.fromisoformat(moment)
        except ValueError:
            return math.nan
    if not isinstance(moment, datetime):
        return math.nan
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
