"""The numbers and settings of one run, from its rows of a CSV file."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cnnlab.exchange.csv_counts import Counts, column_of, columns_of, counts_of
from cnnlab.exchange.csv_table import is_given, numbers
from cnnlab.exchange.found import Scalar, Series, counted
from cnnlab.exchange.names import name_of
from cnnlab.exchange.settings import typed


def read_series(
    rows: pl.DataFrame, roles: Mapping[str, str], started: float | None, tag: str, troubles: list[str]
) -> list[Series]:
    """Return what was measured; of what was measured again at the same epoch or step the last counts.

    Args:
        started: As `began_at`.
        tag: What the numbers of a column called 'value' are; empty where their columns say it.
        troubles: What cannot be read is added here, in words.
    """
    counts = counts_of(rows, roles, troubles)
    table = _Rows(rows, counts, _elapsed(rows, roles, started), troubles)
    value, metric = column_of(roles, "value"), column_of(roles, "metric")
    if value is not None and metric is not None:
        found = _long(table, roles, value, metric)
    else:
        names = {column: tag if tag and column.lower() == "value" else column for column in columns_of(roles, "number")}
        found = [one for column, name in names.items() if (one := _one(table, column, name, _ALL))]
    again = sum(table.again)
    if again:
        noun = "epoch" if counts.epochs is counts.steps else "step"
        troubles.append(f"{counted(again, 'number')} measured again at the same {noun} left out: the last counts")
    return found


@dataclass(frozen=True)
class _Rows:
    """The rows of a run; `again` is how many numbers of each series came again."""

    frame: pl.DataFrame
    counts: Counts
    elapsed_s: NDArray[np.float64]
    troubles: list[str]
    again: list[int] = field(default_factory=list)


_ALL = slice(None)
_PLACE = "__place"


def _long(table: _Rows, roles: Mapping[str, str], value: str, metric: str) -> list[Series]:
    split, output = column_of(roles, "split"), column_of(roles, "output")
    keys = [column for column in (split, output, metric) if column]
    found = []
    for part in table.frame.select(*keys).with_row_index(_PLACE).partition_by(keys, maintain_order=True):
        said = [str(part[column][0] or "") if column else "" for column in (split, output, metric)]
        series = _one(table, value, name_of(*said), part[_PLACE].to_numpy())
        if series:
            found.append(replace(series, said=(said[0], said[1], said[2]) if split else None))
    return found


def _one(table: _Rows, column: str, name: str, places: slice | NDArray[np.uint32]) -> Series | None:
    """Return the numbers that a column holds in some rows."""
    texts, counts = table.frame[column][places], table.counts
    given = is_given(texts)
    values, wrong = numbers(texts)
    if wrong:
        table.troubles.append(f"{name}: {counted(wrong, 'text')} without a number left out")
        given &= ~(np.isnan(values) & ~(texts.str.to_lowercase() == "nan").fill_null(False).to_numpy())
    given &= counts.known[places]
    steps, epochs = counts.steps[places], None if counts.epochs is None else counts.epochs[places]
    if counts.has_counter:
        last = _is_last(steps, epochs, given)
        table.again.append(int((given & ~last).sum()))
        given &= last
    if not given.any():
        return None
    return Series(
        name,
        steps[given],
        table.elapsed_s[places][given],
        values[given],
        epochs=None if epochs is None else epochs[given],
        by_epoch=name.rpartition("/")[2].startswith("epoch_"),
    )


def _is_last(steps: NDArray[np.int64], epochs: NDArray[np.int64] | None, given: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which rows are the last given ones of their epoch and step."""
    frame = pl.DataFrame({"step": steps, "epoch": steps if epochs is None else epochs, "given": given})
    return frame.select(pl.struct(pl.all()).is_last_distinct()).to_series().to_numpy()


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


def first_row(rows: pl.DataFrame, roles: Mapping[str, str]) -> list[str | None]:
    """Return the texts of a run's first row that stay when it goes on: in one row per run its settings only."""
    is_log = column_of(roles, "epoch") or column_of(roles, "step")
    kept = rows.columns if is_log else columns_of(roles, "parameter") + columns_of(roles, "run")
    return [rows[column][0] for column in kept if column in roles]


def read_parameters(rows: pl.DataFrame, roles: Mapping[str, str]) -> dict[str, Scalar]:
    """Return the parameters of a run: of one that changes within it, the first."""
    found: dict[str, Scalar] = {}
    for column in columns_of(roles, "parameter"):
        known = rows[column].drop_nulls()
        if not known.is_empty():
            found[column.removeprefix("config.")] = typed(str(known[0]))
    return found
