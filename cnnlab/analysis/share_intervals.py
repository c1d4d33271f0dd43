"""Intervals of many shares at once, and of their mean.

Sources: Wilson 1927, doi:10.1080/01621459.1927.10502953; Zou and Donner 2008, doi:10.1002/sim.3095
(the interval of a sum from those of its parts).
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

Numbers = NDArray[np.float64]
Z = 1.959963984540054  # all of these are 95 % intervals


def shares(hits: ArrayLike, n: ArrayLike) -> Numbers:
    """Return `hits / n`, NaN where n is 0."""
    part, whole = np.broadcast_arrays(np.asarray(hits, np.float64), np.asarray(n, np.float64))
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)


def wilson_ends(hits: ArrayLike, n: ArrayLike) -> tuple[Numbers, Numbers]:
    """Return low and high ends of Wilson's 95 % interval of each `hits / n`, NaN where n is 0.

    Args:
        hits: Right answers; not whole where a mean of shares stands in for one, as with average precision.
        n: Answers.
    """
    share, whole = shares(hits, n), np.asarray(n, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        room = Z * Z / whole
        centre = (share + room / 2) / (1 + room)
        half = np.sqrt(room * share * (1 - share) + room * room / 4) / (1 + room)
    low = np.where(share == 0, 0.0, np.maximum(0.0, centre - half))
    high = np.where(share == 1, 1.0, np.minimum(1.0, centre + half))
    return np.where(np.isnan(share), np.nan, low), np.where(np.isnan(share), np.nan, high)


def mean_of_ends(values: Numbers, low: Numbers, high: Numbers) -> tuple[float, float, float]:
    """Return the mean of the known `values` and its interval, from the intervals of each.

    The values are taken as independent. The ends keep the skew of theirs, so the mean stays in [0, 1] and
    has an interval also where each value is 1.
    """
    known = np.isfinite(values) & np.isfinite(low) & np.isfinite(high)
    count = int(known.sum())
    if not count:
        return math.nan, math.nan, math.nan
    mean = float(values[known].mean())
    down = math.sqrt(float(((values - low)[known] ** 2).sum())) / count
    up = math.sqrt(float(((high - values)[known] ** 2).sum())) / count
    return mean, max(0.0, mean - down), min(1.0, mean + up)


def mean_with_ends(values: ArrayLike) -> tuple[float, float, float]:
    """Return the mean of one number per image with its normal 95 % interval; NaN where not known."""
    array = np.asarray(values, np.float64)
    if not array.size:
        return math.nan, math.nan, math.nan
    mean = float(array.mean())
    half = Z * float(array.std(ddof=1)) / math.sqrt(array.size) if array.size > 1 else math.nan
    return mean, mean - half, mean + half
