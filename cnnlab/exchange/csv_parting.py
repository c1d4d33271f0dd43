"""Which rows of a CSV file make a run: those that a column names, that share settings, or whose epochs rise."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from cnnlab.exchange.csv_counts import column_of, columns_of, counter_of, filled_forward
from cnnlab.exchange.csv_table import is_numeric
from cnnlab.exchange.found import ImportRunsError

MOST_RUNS = 100_000
_KEY = "__run"


def parted(frame: pl.DataFrame, roles: Mapping[str, str], stem: str) -> dict[str, pl.DataFrame]:
    """Return the rows of each run by its name.

    Args:
        stem: What a run is called that nothing names.

    Raises:
        ImportRunsError: there are too many.
    """
    run = column_of(roles, "run")
    keys = [run] if run else _telling(frame, roles)
    if keys:
        # '1' says nothing, 'seed 1' does.
        named = [f"{column} " if run is None and is_numeric(frame[column]) else "" for column in keys]
        parts = [pl.lit(name) + pl.col(column).fill_null("–") for name, column in zip(named, keys, strict=True)]
        text = pl.concat_str(parts, separator=", ")
    else:
        starts = _begins_anew(frame, roles)
        # The first keeps its name when a second one begins in the file.
        later = pl.concat_str([pl.lit(f"{stem} "), pl.Series("start", starts + 1)])
        text = pl.when(pl.Series("start", starts) == 0).then(pl.lit(stem)).otherwise(later)
    whole = frame.with_columns(text.alias(_KEY))
    if whole[_KEY].n_unique() > MOST_RUNS:
        raise ImportRunsError(
            f"The column {keys[0]!r} names more than {MOST_RUNS:,} runs. Expected a column that rows of one run share. "
            "Say which column names the run."
        )
    return {str(key[0]): part for key, part in whole.partition_by(_KEY, as_dict=True, maintain_order=True).items()}


def _telling(frame: pl.DataFrame, roles: Mapping[str, str]) -> list[str]:
    """Return the parameters that tell runs apart where no column names them and epochs come more than once."""
    varying = [column for column in columns_of(roles, "parameter") if frame[column].n_unique() > 1]
    if not varying or column_of(roles, "metric"):
        return []
    counts = counter_of(frame, roles)
    if counts is None:
        return varying
    known = counts[np.isfinite(counts)]
    return varying if np.unique(known).size < known.size else []


def _begins_anew(frame: pl.DataFrame, roles: Mapping[str, str]) -> np.ndarray:
    """Return the number of each row's run, counted from 0: a new one begins where epochs do."""
    counts = counter_of(frame, roles)
    if counts is None or column_of(roles, "metric"):
        return np.zeros(frame.height, np.int64)
    return np.concatenate([[0], np.cumsum(np.diff(filled_forward(counts)) < 0)]).astype(np.int64)
