"""Intervals of many shares at once, of their mean, and of a group of seeds.

Sources: Wilson 1927, doi:10.1080/01621459.1927.10502953; Zou and Donner 2008, doi:10.1002/sim.3095
(the interval of a sum from those of its parts).
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnlab.analysis.intervals import student_quantile

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


def over_seeds_and_images(
    values: Sequence[ArrayLike] | Numbers, low: Sequence[ArrayLike] | Numbers, high: Sequence[ArrayLike] | Numbers
) -> tuple[Numbers, Numbers, Numbers, NDArray[np.int64]]:
    """Return mean, low, high and number of runs of each point of a group of seeds, within [0, 1].

    The mean is off for two reasons: other seeds, by Student's interval of the mean, and other test images, by what the
    interval of one run allows. Both distances are added as those of a sum are. Seeds that agree to the last image so
    have the interval of one run, never none. What is luck of single answers is in both, so it is rather too wide: in
    simulations (as in `tests/analysis/test_coverage.py`) it held the truth of a class in 98 to 100 of 100, Student's
    over seeds alone in 45 to 94.

    Args:
        values: One sequence of points per run, NaN where it has none; such a run has no part in the point.
        low: Of each point, over images; where it is NaN in all runs the interval is over seeds alone.
        high: As `low`.
    """
    table, least, most = (np.array([np.asarray(one, np.float64) for one in part]) for part in (values, low, high))
    is_known = np.isfinite(table)
    runs = is_known.sum(axis=0)
    mean = shares(np.where(is_known, table, 0.0).sum(axis=0), runs)
    quantiles = {count: student_quantile(count) for count in np.unique(runs).tolist()}
    squares = np.where(is_known, (table - mean) ** 2, 0.0).sum(axis=0)
    errors = np.sqrt(shares(squares, runs * np.maximum(runs - 1, 0)))  # NaN below two runs
    over_seeds = np.array([quantiles[count] for count in runs.tolist()]) * errors
    ends = []
    for distance in (table - least, most - table):
        over_images = _mean_known(np.maximum(0.0, distance))  # an end may be on the other side of a biased value
        both = np.hypot(np.nan_to_num(over_seeds), np.nan_to_num(over_images))
        ends.append(np.where(np.isnan(over_seeds) & np.isnan(over_images), np.nan, both))
    return mean, np.clip(mean - ends[0], 0, 1), np.clip(mean + ends[1], 0, 1), runs


def _mean_known(table: Numbers) -> Numbers:
    """Return the mean over the first axis of what is known, NaN where nothing is."""
    is_known = np.isfinite(table)
    return shares(np.where(is_known, table, 0.0).sum(axis=0), is_known.sum(axis=0))


def mean_with_ends(values: ArrayLike) -> tuple[float, float, float]:
    """Return the mean of one number per image with its normal 95 % interval; NaN where not known."""
    array = np.asarray(values, np.float64)
    if not array.size:
        return math.nan, math.nan, math.nan
    mean = float(array.mean())
    half = Z * float(array.std(ddof=1)) / math.sqrt(array.size) if array.size > 1 else math.nan
    return mean, mean - half, mean + half
