"""Which points of a long line a screen needs."""

import numpy as np
from numpy.typing import NDArray

# Two to a pixel of a wide page: a bucket's lowest and highest point lie over one another there.
BUCKETS = 500


def kept_points(x: NDArray[np.float64], y: NDArray[np.float64], buckets: int = BUCKETS) -> NDArray[np.int64]:
    """Return the places of the points that draw the same line as all of them, in their order.

    The line is cut into `buckets` of equal width. Of each the first, the lowest, the highest and the last point stay,
    so no peak is lost. Where points that are no number part two that stay, one of those stays too: no gap is bridged.

    Args:
        x: `(n,)` never falling, as it is drawn: its logarithm for a logarithmic axis.
        y: `(n,)`; a point whose x or y is not finite is a gap.

    Returns:
        At most `8 * buckets` places; all where `n` is no more than four to a bucket.

    Source: Jugel et al. 2014, doi:10.14778/2732951.2732953 (M4), which knows no gaps.
    """
    if y.size <= 4 * buckets:
        return np.arange(y.size)
    is_known = np.isfinite(x) & np.isfinite(y)
    known = np.flatnonzero(is_known)
    if not known.size:
        return known
    kept = _of_buckets(x[known], y[known], buckets)
    return _with_gaps(known[kept], np.flatnonzero(~is_known))


def _of_buckets(x: NDArray[np.float64], y: NDArray[np.float64], buckets: int) -> NDArray[np.int64]:
    width = (x[-1] - x[0]) / buckets
    bucket = np.minimum((x - x[0]) / width, buckets - 1).astype(np.int64) if width > 0 else np.zeros(x.size, np.int64)
    is_first = np.concatenate([[True], np.diff(bucket) > 0])
    starts = np.flatnonzero(is_first)
    place = np.cumsum(is_first) - 1
    lowest = _first_in_each(place, y == np.minimum.reduceat(y, starts)[place])
    highest = _first_in_each(place, y == np.maximum.reduceat(y, starts)[place])
    return np.unique(np.concatenate([starts, lowest, highest, [*(starts[1:] - 1), x.size - 1]]))


def _first_in_each(place: NDArray[np.int64], is_it: NDArray[np.bool_]) -> NDArray[np.int64]:
    found = np.flatnonzero(is_it)
    return found[np.concatenate([[True], np.diff(place[found]) > 0])]


def _with_gaps(kept: NDArray[np.int64], gaps: NDArray[np.int64]) -> NDArray[np.int64]:
    """Add the first gap behind each point that stays, where it lies before the next one that does."""
    following = np.searchsorted(gaps, kept[:-1])
    is_there = following < gaps.size
    first = gaps[following[is_there]]
    return np.sort(np.concatenate([kept, first[first < kept[1:][is_there]]]))
