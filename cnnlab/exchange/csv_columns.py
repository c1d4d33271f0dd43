"""What each column of a CSV file is, by its name and by what is in it: a guess that a person can correct."""

import re
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from cnnlab.errors import ConfigError, suggestion
from cnnlab.exchange.csv_table import counted_numbers, is_numeric, numbers
from cnnlab.exchange.names import targets
from cnnlab.exchange.settings import PLACE_OF

ROLES: dict[str, str] = {
    "number": "A number that was measured; its name says which.",
    "run": "Which run a row is of.",
    "epoch": "Which epoch a row is of.",
    "step": "Optimizer updates, or whatever was counted.",
    "elapsed_s": "Seconds since the run began.",
    "time": "The time of the clock: seconds or milliseconds since 1970, or a date.",
    "split": "Training, validation or test.",
    "output": "Which output of the network.",
    "metric": "What the column 'value' is, row by row.",
    "value": "The number of the column 'metric'.",
    "parameter": "A setting of the run.",
    "-": "Left out.",
}
_NAMES: dict[str, Sequence[str]] = {
    "run": ("run_id", "run", "run_name", "trial_id", "trial", "experiment", "exp", "name", "id"),
    "epoch": ("epoch", "epoch_number", "ep"),
    "step": ("step", "global_step", "iteration", "iter", "steps", "batch_number"),
    "elapsed_s": ("elapsed_s", "elapsed", "seconds", "time_s", "relative_time", "relative time"),
    "time": ("time", "timestamp", "wall_time", "wall time", "date", "datetime"),
    "split": ("split", "phase", "subset", "stage"),
    "output": ("output", "head"),
    "metric": ("metric", "metric_name", "key", "tag", "variable"),
    "value": ("value",),
}
_COUNTERS = {"epoch", "step"}
_LEARNING_RATE = re.compile(r"(?:^|[^a-z])(?:lr|learning_rate)$")
_OF_MEASUREMENTS = ("_loss", "_acc", "_accuracy")
# Each of these is one column at most.
_SINGLE = tuple(_NAMES)


def guess(frame: pl.DataFrame, *, has_counter: bool = False) -> dict[str, str]:
    """Return the role of each column.

    Args:
        has_counter: A person said which column is the epoch or the step.
    """
    roles: dict[str, str] = {}
    by_name = {name.lower().strip(): name for name in reversed(frame.columns)}
    for role, names in _NAMES.items():
        column = next((by_name[name] for name in names if name in by_name and by_name[name] not in roles), None)
        if column is not None:
            roles[column] = role
    _without_halves(roles)
    for column in [one for one, role in roles.items() if role in _COUNTERS]:
        count, wrong = counted_numbers(frame[column])
        if not count and (roles[column] == "step" or not wrong):
            del roles[column]
    if not (has_counter or set(roles.values()) & _COUNTERS):
        _without(roles, "elapsed_s")
    has_counter = has_counter or bool(set(roles.values()) & _COUNTERS)
    for column in frame.columns:
        if column not in roles:
            roles[column] = _of_content(frame[column], has_counter=has_counter)
    return {column: roles[column] for column in frame.columns}


def chosen(frame: pl.DataFrame, said: Mapping[str, str]) -> dict[str, str]:
    """Return the role of each column: as the person says, else guessed.

    Raises:
        ConfigError: a column or a role is unknown, or a role is given twice.
    """
    for column, role in said.items():
        if column not in frame.columns:
            raise ConfigError(f"No column {column!r} in this file. {suggestion(column, frame.columns)}")
        if role not in ROLES:
            raise ConfigError(f"{role!r} is no role of a column. {suggestion(role, ROLES)}")
    guessed = guess(frame, has_counter=bool(set(said.values()) & _COUNTERS))
    taken = {role for role in said.values() if role in _SINGLE}
    roles = {
        column: said.get(
            column, "number" if role in taken and is_numeric(frame[column]) else "-" if role in taken else role
        )
        for column, role in guessed.items()
    }
    for role in _SINGLE:
        having = [column for column, one in roles.items() if one == role]
        if len(having) > 1:
            raise ConfigError(
                f"The columns {', '.join(map(repr, having))} are all to be {role!r}. Expected one of them. "
                "Make the others 'number', 'parameter' or '-'."
            )
    return roles


def _without_halves(roles: dict[str, str]) -> None:
    """A table in long form has both a column of names and one of values; one alone is something else."""
    if not {"metric", "value"} <= set(roles.values()):
        _without(roles, "metric", "value")


def _without(roles: dict[str, str], *unwanted: str) -> None:
    for column in [column for column, role in roles.items() if role in unwanted]:
        del roles[column]


def _of_content(column: pl.Series, *, has_counter: bool) -> str:
    known = column.name.lower().strip().replace(" ", "_").replace("-", "_")
    count, wrong = counted_numbers(column)
    if not count + wrong:
        return "-"
    if not count or (wrong and not _is_measured(column, has_counter=has_counter)):
        return "parameter"
    if _LEARNING_RATE.search(known):
        # Over epochs it is a curve; in one row per run it is what was set.
        return "number" if has_counter else "parameter"
    return "parameter" if known in PLACE_OF else "number"


def _is_measured(column: pl.Series, *, has_counter: bool) -> bool:
    """Return whether a column of numbers and texts is of measurements with slips among them, not a setting.

    What is called a loss or an accuracy is. Else most have to be numbers that differ from row to row: a setting such
    as `auto, 1, 2` stays the same in all rows of a run.
    """
    target = targets([column.name])[column.name]
    if target and (target.metric in ("loss", "accuracy") or target.metric.lower().endswith(_OF_MEASUREMENTS)):
        return True
    count, wrong = counted_numbers(column)
    values = numbers(column)[0]
    distinct = np.unique(values[~np.isnan(values)]).size
    return has_counter and count > wrong and 2 * distinct > count
