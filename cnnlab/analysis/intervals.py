"""How sure a number is: the Wilson interval of one run, Student's interval over the seeds of a group.

Sources: Wilson 1927, doi:10.1080/01621459.1927.10502953 (without continuity correction);
Student 1908, doi:10.1093/biomet/6.1.1.
"""

import math
from collections.abc import Iterable
from statistics import NormalDist

import numpy as np
from scipy import special  # not scipy.stats, whose import costs ten times as much


def wilson(correct: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the low and high end of the interval of a share such as an accuracy.

    It keeps its coverage where all or no images are right, and it never leaves [0, 1].

    Args:
        correct: Right answers.
        n: Answers. With none nothing is known, and the interval is (0, 1).
        confidence: Share of such intervals that hold the true value.

    Raises:
        ValueError: `correct` is not in [0, n].
    """
    if n < 0 or not 0 <= correct <= n:
        raise ValueError(f"{correct} correct of {n} cannot be. Expected 0 <= correct <= n.")
    if n == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf(0.5 + _checked(confidence) / 2)
    share = correct / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # The ends are exact where rounding would leave 1e-17 or 1 - 1e-16.
    low = 0.0 if correct == 0 else max(0.0, centre - half)
    high = 1.0 if correct == n else min(1.0, centre + half)
    return low, high


def student(values: Iterable[float], confidence: float = 0.95) -> tuple[float, float, float]:
    """Return the mean of `values` and the low and high end of its interval.

    One value has a mean and no interval, no value has neither: NaN stands for what is not known.
    A NaN among the values makes all three NaN: leave it out on purpose, and say so, or not at all.
    """
    array = np.asarray(list(values), dtype=np.float64)
    if array.size == 0:
        return math.nan, math.nan, math.nan
    mean = float(array.mean())
    if array.size == 1:
        return mean, math.nan, math.nan
    half = student_quantile(array.size, confidence) * float(array.std(ddof=1)) / math.sqrt(array.size)
    return mean, mean - half, mean + half


def student_share(values: Iterable[float], confidence: float = 0.95) -> tuple[float, float, float]:
    """Return the same for shares such as accuracies: the interval ends at 0 and 1, which costs it no coverage."""
    mean, low, high = student(values, confidence)
    return mean, low if math.isnan(low) else max(0.0, low), high if math.isnan(high) else min(1.0, high)


def student_quantile(n: int, confidence: float = 0.95) -> float:
    """Return what the standard error of a mean of `n` values is multiplied by; NaN below two values."""
    return float(special.stdtrit(n - 1, 0.5 + _checked(confidence) / 2)) if n > 1 else math.nan


def _checked(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence={confidence!r} is out of range. Expected a number in (0, 1).")
    return confidence
