"""The numbers and settings of one run, from its rows of a CSV file."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from cnnlab.exchange.csv_table import is_given, numbers
from cnnlab.exchange.found import Scalar, Series, counted
from cnnlab.exchange.names import name_of
from cnnlab.exchange.settings import typed


def column_of(roles: Mapping[str, str], role: str) -> str | None:
    """Return the column that has a role, None where none has."""
    return next((column for column, one in roles.items() if one == role), None)


def columns_of(roles: Mapping[str, str], role: str) -> list[str]:
    """Return all columns that have a role."""
    return [column for column, one in roles.items() if one == role]


def read_series(
    rows: pl.DataFrame, roles: Mapping[str, str], started: float | None, tag: str, troubles: list[str]
) -> list[Series]:
    """Return what was measured.

    Args:
        started: As `began_at`.
        tag: What the numbers of a column called 'value' are; empty where their columns say it.
        troubles: What cannot be read is added here, in words.
    """
    value, metric = column_of(roles, "value"), column_of(roles, "metric")
    if value is not None and metric is not None:
        return _long(rows, roles, value, metric, started, troubles)
    found = []
    for column in columns_of(roles, "number"):
        series = _one(rows, roles, column, tag if tag and column.lower() == "value" else column, started, troubles)
        found += [series] if series else []
    return found


def _long(
    rows: pl.DataFrame, roles: Mapping[str, str], value: str, metric: str, started: float | None, troubles: list[str]
) -> list[Series]:
    split, output = column_of(roles, "split"), column_of(roles, "output")
    keys = [column for column in (split, output, metric) if column]
    found = []
    for part in rows.partition_by(keys, maintain_order=True):
        said = [str(part[column][0] or "") if column else "" for column in (split, output, metric)]
        series = _one(part, roles, value, name_of(*said), started, troubles)
        if series:
            told = (said[0], said[1], said[2]) if split else None
            found.append(Series(series.name, series.steps, series.elapsed_s, series.values, series.epochs, said=told))
    return found


def _one(
    rows: pl.DataFrame, roles: Mapping[str, str], column: str, name: str, started: float | None, troubles: list[str]
) -> Series | None:
    given = is_given(rows[column])
    values, wrong = numbers(rows[column])
    if wrong:
        troubles.append(f"{name}: {counted(wrong, 'text')} without a number left out")
        given &= ~(np.isnan(values) & ~(rows[column].str.to_lowercase() == "nan").fill_null(False).to_numpy())
    if not given.any():
        return None
    steps, epochs = _counts(rows, roles)
    return Series(
        name,
        steps[given],
        _elapsed(rows, roles, started)[given],
        values[given],
        epochs=None if epochs is None else epochs[given],
        by_epoch=name.rpartition("/")[2].startswith("epoch_"),
    )


def _counts(rows: pl.DataFrame, roles: Mapping[str, str]) -> tuple[np.ndarray, np.ndarray | None]:
    """Return steps and, where the file has them, epochs counted from 1 of each row."""
    epoch, step = column_of(roles, "epoch"), column_of(roles, "step")
    epochs = None if epoch is None else _whole(rows[epoch], fill=True)
    if epochs is not None:
        epochs = np.maximum(epochs + (1 if epochs.size and epochs.min() == 0 else 0), 1)
    if step is not None:
        return _whole(rows[step], fill=True), epochs
    return (np.arange(1, rows.height + 1) if epochs is None else epochs), epochs


def _whole(column: pl.Series, *, fill: bool) -> np.ndarray:
    """Return whole numbers; what is missing is as in the row before (Lightning leaves it out)."""
    values, _ = numbers(column)
    if fill:
        values = pl.Series(values).fill_nan(None).forward_fill().backward_fill().fill_null(0).to_numpy()
    return np.clip(np.floor(values), -(2**62), 2**62).astype(np.int64)


def _clock(rows: pl.DataFrame, roles: Mapping[str, str]) -> np.ndarray | None:
    """Return the time of each row in seconds since 1970, None where the file has none."""
    column = column_of(roles, "time")
    if column is None:
        return None
    values, wrong = numbers(rows[column])
    if wrong:
        dates = rows[column].str.to_datetime(strict=False, time_zone="UTC", exact=True)
        return dates.dt.epoch("us").cast(pl.Float64).fill_null(np.nan).to_numpy() / 1e6
    finite = values[np.isfinite(values)]
    if not finite.size or finite.min() < 1e8:
        return None  # too early for a clock
    return values / 1000 if finite.min() > 1e11 else values


def began_at(rows: pl.DataFrame, roles: Mapping[str, str]) -> float | None:
    """Return the first time of the clock in seconds since 1970, None where the file has none."""
    clock = _clock(rows, roles)
    known = clock[np.isfinite(clock)] if clock is not None else np.array([])
    return float(known.min()) if known.size else None


def _elapsed(rows: pl.DataFrame, roles: Mapping[str, str], started: float | None) -> np.ndarray:
    column = column_of(roles, "elapsed_s")
    if column is not None:
        return numbers(rows[column])[0]
    clock = _clock(rows, roles)
    return np.full(rows.height, np.nan) if clock is None or started is None else clock - started


def read_parameters(rows: pl.DataFrame, roles: Mapping[str, str]) -> dict[str, Scalar]:
    """Return the parameters of a run: of one that changes within it, the first."""
    found: dict[str, Scalar] = {}
    for column in columns_of(roles, "parameter"):
        known = rows[column].drop_nulls()
        if not known.is_empty():
            found[column.removeprefix("config.")] = typed(str(known[0]))
    return found
