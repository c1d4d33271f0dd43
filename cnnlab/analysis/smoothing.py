"""A calmer line over a noisy one."""

import numpy as np
import polars as pl
from numpy.typing import NDArray


def smoothed(values: NDArray[np.float64], smoothing: float) -> NDArray[np.float64]:
    """Return the exponential mean of all points so far, without the pull of a start at zero; NaN stays NaN.

    An infinity becomes NaN: it would be in all means that come after it.
    """
    if not 0 <= smoothing < 1:
        raise ValueError(f"smoothing={smoothing!r} is out of range. Expected a number in [0, 1).")
    if smoothing == 0 or values.size == 0:
        return values
    series = pl.Series(np.where(np.isfinite(values), values, np.nan), dtype=pl.Float64).fill_nan(None)
    return series.ewm_mean(alpha=1 - smoothing, adjust=True, ignore_nulls=True).to_numpy().astype(np.float64)
