"""Which epoch and which step each row of a CSV file is of; a row that does not say it is left out, never guessed.

What is missing is as in the row before only where a tool is known to leave it out: where steps tell rows apart, or
where rows are sparse, as those of PyTorch Lightning, so that nothing of the row is in the one before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cnnlab.exchange.csv_table import is_given, numbers
from cnnlab.exchange.found import ImportRunsError, counted

Flags = NDArray[np.bool_]
_LARGEST = 2.0**62
# Where so many epochs are fractions, they say how far training is (Hugging Face); of fewer each is a slip.
_FEWEST_FRACTIONS, _SHARE_OF_FRACTIONS = 2, 1 / 3


@dataclass(frozen=True)
class Counts:
    """Steps and, where the file has them, epochs counted from 1 of each row.

    Attributes:
        known: Which rows count.
        has_counter: They are of the file; else steps are the numbers of the rows.
    """

    steps: NDArray[np.int64]
    epochs: NDArray[np.int64] | None
    known: Flags
    has_counter: bool


def column_of(roles: Mapping[str, str], role: str) -> str | None:
    """Return the column that has a role, None where none has."""
    return next((column for column, one in roles.items() if one == role), None)


def columns_of(roles: Mapping[str, str], role: str) -> list[str]:
    """Return all columns that have a role."""
    return [column for column, one in roles.items() if one == role]


def counts_of(rows: pl.DataFrame, roles: Mapping[str, str], troubles: list[str]) -> Counts:
    """Return the counts of the rows of one run; which are left out is added to `troubles`, in words.

    Raises:
        ImportRunsError: no row says its epoch.
    """
    epoch, step = column_of(roles, "epoch"), column_of(roles, "step")
    in_rows = np.arange(1, rows.height + 1)
    known, epochs, steps = np.ones(rows.height, np.bool_), None, None
    says_something = _given(rows, _measured(roles)).any(axis=1)
    if epoch is not None:
        values, in_fractions = _epochs(rows[epoch])
        filled = _filled(values, _may_be_filled(rows, roles, is_missing(rows[epoch])))
        if in_fractions:
            troubles.append("epochs are fractions, so each is that of the epoch that was under way")
        known &= np.isfinite(filled)
        if says_something.any() and not known.any():
            raise _uncounted(rows[epoch])
        troubles += _left_out(rows[epoch], says_something & ~known, "epoch")
        epochs = _whole(filled + (1 if known.any() and np.nanmin(filled) == 0 else 0))
        steps = None if in_fractions else epochs
    if step is not None and (values := _steps(rows[step])).size and np.isfinite(values).any():
        # Without an epoch beside it nothing says that a row is of the step before.
        filled = _filled(values, is_missing(rows[step]) & known) if epoch is not None else values
        troubles += _left_out(rows[step], says_something & known & ~np.isfinite(filled), "step")
        known &= np.isfinite(filled)
        steps = _whole(filled)
    return Counts(in_rows if steps is None else steps, epochs, known, has_counter=steps is not None)


def counter_of(frame: pl.DataFrame, roles: Mapping[str, str]) -> NDArray[np.float64] | None:
    """Return what counts the rows, epochs before steps; NaN where a row does not say it, None without such a column."""
    epoch, step = column_of(roles, "epoch"), column_of(roles, "step")
    if epoch is not None:
        values, in_fractions = _epochs(frame[epoch])
        return numbers(frame[epoch])[0] if in_fractions else values
    return None if step is None else _steps(frame[step])


def filled_forward(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return numbers without NaN: each such is as the one before, at the beginning as the next; 0 where all are."""
    return pl.Series(values).fill_nan(None).forward_fill().backward_fill().fill_null(0).to_numpy()


def is_missing(column: pl.Series) -> Flags:
    """Return where a column says nothing; pandas may write that as NaN."""
    is_nan = (column.str.strip_chars().str.to_lowercase() == "nan").fill_null(False).to_numpy()
    return np.asarray(~is_given(column) | is_nan)


def _epochs(column: pl.Series) -> tuple[NDArray[np.float64], bool]:
    """Return the epochs that a column says, NaN where it says none, and whether it speaks in fractions of them."""
    values, _ = numbers(column)
    if _is_fraction(column):
        return np.where(values >= 0, np.maximum(np.ceil(values), 1), np.nan), True
    return np.where((values >= 0) & (np.floor(values) == values) & (values <= _LARGEST), values, np.nan), False


def _is_fraction(column: pl.Series) -> bool:
    values = numbers(column)[0]
    known = values[np.isfinite(values)]
    count = int(np.sum(np.floor(known) != known))
    return count >= _FEWEST_FRACTIONS and count >= _SHARE_OF_FRACTIONS * known.size


def _steps(column: pl.Series) -> NDArray[np.float64]:
    values, _ = numbers(column)
    return np.where((np.floor(values) == values) & (np.abs(values) <= _LARGEST), values, np.nan)


def _filled(values: NDArray[np.float64], where: Flags) -> NDArray[np.float64]:
    if not where.any() or not np.isfinite(values).any():
        return values
    return np.where(where & np.isnan(values), filled_forward(values), values)


def _may_be_filled(rows: pl.DataFrame, roles: Mapping[str, str], missing: Flags) -> Flags:
    """Return of which rows without an epoch it is that of the row before."""
    step = column_of(roles, "step")
    if step is not None:
        return missing & np.isfinite(_steps(rows[step]))
    if not missing.any() or column_of(roles, "metric"):
        return np.zeros(rows.height, np.bool_)
    given = _given(rows, columns_of(roles, "number"))
    found, before = np.zeros(rows.height, np.bool_), np.ones(given.shape[1], np.bool_)
    for place, is_without in enumerate(missing):
        if not is_without:
            before = given[place]
        elif not (before & given[place]).any():
            found[place], before = True, before | given[place]
    return found


def _measured(roles: Mapping[str, str]) -> list[str]:
    return columns_of(roles, "number") + columns_of(roles, "value")


def _given(rows: pl.DataFrame, columns: Sequence[str]) -> Flags:
    return np.array([is_given(rows[column]) for column in columns], np.bool_).reshape(len(columns), rows.height).T


def _left_out(column: pl.Series, where: Flags, noun: str) -> list[str]:
    """Return which rows are left out and why, in words."""
    said = column.filter(pl.Series(where & ~is_missing(column)))
    without = int(where.sum()) - said.len()
    found = [f"{counted(without, 'row')} without {'an epoch' if noun == 'epoch' else 'a step'} left out"] * bool(
        without
    )
    if said.len():
        found.append(f"{counted(said.len(), 'row')} left out: {said[0]!r} is no {noun}")
    return found


def _uncounted(column: pl.Series) -> ImportRunsError:
    said = column.filter(pl.Series(~is_missing(column)))
    such = f": {said[0]!r} is none" if said.len() else ""
    return ImportRunsError(
        f"No row says its epoch in the column {column.name!r}{such}. Expected whole numbers from 0 on. Correct them, "
        f"or leave the column out with '--column {column.name}=-'."
    )


def _whole(values: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.clip(np.nan_to_num(values, nan=0.0), -_LARGEST, _LARGEST).astype(np.int64)
