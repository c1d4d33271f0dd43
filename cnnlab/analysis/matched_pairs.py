"""The interval of a difference on the same images that always says of zero what the exact McNemar test says.

Source: Fay and Lumbard 2021, doi:10.1002/sim.8829. Of the images on which two networks differ, one is right on a share
(Clopper and Pearson 1934, doi:10.1093/biomet/26.4.404), and these images are a share of all. Each share has a Beta
distribution for its low and one for its high end; the ends of the difference are quantiles of what both give together.
"""

from collections.abc import Callable

import numpy as np
from scipy import special  # not scipy.stats, whose import costs ten times as much

NODES, WEIGHTS = np.polynomial.legendre.leggauss(256)
HALVINGS = 48


def exact_ends(fixed: int, broken: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the low and high end of `(fixed - broken) / n`; with no image that differs they are not zero.

    Args:
        fixed: Images that only the new network gets right.
        broken: Images that only the old one gets right.
        n: All images, at least one.
    """
    tail = (1 - confidence) / 2
    return _low_end(fixed, broken, n, tail), -_low_end(broken, fixed, n, tail)


def _low_end(fixed: int, broken: int, n: int, tail: float) -> float:
    """Return the difference under which there is `tail` of all, by the lowest shares that fit the counts."""
    differing = fixed + broken
    if fixed == 0:
        return -1.0 if differing == n else -float(special.betaincinv(differing + 1, n - differing, 1 - tail))
    if differing == n:
        return 2 * float(special.betaincinv(fixed, broken + 1, tail)) - 1
    below_zero = float(special.betainc(fixed, broken + 1, 0.5))  # half of the exact McNemar probability
    if below_zero < tail:
        share, weights = _halves(fixed, broken, below_zero, 1.0)

        def under(low: float) -> float:
            parts = special.betainc(differing, n - differing + 1, np.minimum(1.0, low / share))
            return below_zero + float(weights @ parts)

        return _where(under, tail, 0.0, 1.0)
    share, weights = _halves(fixed, broken, 0.0, below_zero)
    return _where(
        lambda low: float(weights @ special.betaincc(differing + 1, n - differing, np.minimum(1.0, low / share))),
        tail, -1.0, 0.0,
    )  # fmt: skip


def _halves(fixed: int, broken: int, least: float, most: float) -> tuple[np.ndarray, np.ndarray]:
    """Return by how much of the differing images one is ahead, in [-1, 1], between two quantiles, and weights."""
    quantiles = least + (most - least) * (NODES + 1) / 2
    return 2 * special.betaincinv(fixed, broken + 1, quantiles) - 1, WEIGHTS * (most - least) / 2


def _where(share_under: Callable[[float], float], wanted: float, low: float, high: float) -> float:
    """Return where a growing function reaches `wanted`, by halving."""
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if share_under(middle) < wanted else (low, middle)
    return (low + high) / 2
