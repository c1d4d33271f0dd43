"""Whether two groups of seeds differ, by shuffling which seed belongs to which.

Source: Fisher 1935, The Design of Experiments, section 21. Where the shuffles are too many to go through them
all, the drawn ones count the observed one along: Phipson and Smyth 2010, doi:10.2202/1544-6115.1585.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

MOST_SHUFFLES = 20_000
DRAWS = 9_999


@dataclass(frozen=True)
class Permutation:
    """The two-sided probability that shuffling makes the means differ as much.

    Attributes:
        p: NaN where one group is empty.
        smallest: No difference, however large, has a lower probability with so few seeds.
        is_exact: All shuffles were gone through; else `DRAWS` were drawn.
    """

    p: float
    smallest: float
    is_exact: bool


def permutation(values: Sequence[float], others: Sequence[float], seed: int = 0) -> Permutation:
    """Return the permutation test of the difference of means.

    It supposes nothing about how the numbers are spread, only that without a difference every seed could as well
    belong to the other group.
    """
    n, m = len(values), len(others)
    if not n or not m:
        return Permutation(math.nan, math.nan, True)
    pooled = np.asarray([*values, *others], np.float64)
    shuffles = math.comb(n + m, n)
    is_exact = shuffles <= MOST_SHUFFLES
    chosen = _all_choices(n + m, n) if is_exact else _drawn_choices(n + m, n, seed)
    # The mean of the chosen says that of the rest, so distances from the common mean order the differences.
    distances = np.abs(pooled[chosen].mean(axis=1) - pooled.mean())
    observed = abs(float(pooled[:n].mean() - pooled.mean()))
    as_large = int((distances >= observed * (1 - 1e-9) - 1e-12).sum())
    p = as_large / shuffles if is_exact else (1 + as_large) / (1 + DRAWS)
    smallest = (2 if n == m else 1) / shuffles
    return Permutation(p, smallest if is_exact else max(smallest, 1 / (1 + DRAWS)), is_exact)


@lru_cache(maxsize=16)
def _all_choices(total: int, count: int) -> NDArray[np.intp]:
    return np.array(list(itertools.combinations(range(total), count)), dtype=np.intp)


def _drawn_choices(total: int, count: int, seed: int) -> NDArray[np.intp]:
    return np.random.default_rng(seed).random((DRAWS, total)).argsort(axis=1)[:, :count]
