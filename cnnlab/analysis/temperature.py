"""Temperature scaling: one number that makes a network as sure as it is right.

Source: Guo et al. 2017, arXiv:1706.04599, section 4.2.
"""

import math
from dataclasses import dataclass

import numpy as np

from cnnlab.analysis.answers import Answers
from cnnlab.analysis.confidences import relative_logs
from cnnlab.analysis.share_intervals import Z

COLDEST, HOTTEST = 0.05, 20.0
STEPS = 50
CLOSE_ENOUGH = 1e-7


@dataclass(frozen=True)
class Temperature:
    """What the logits are divided by: above 1 the network was over-confident.

    Attributes:
        value: In [`COLDEST`, `HOTTEST`].
        low: End of its 95 % interval, NaN where it is not determined.
        high: The other end.
        n: Images that it was fitted on.
    """

    value: float
    low: float
    high: float
    n: int

    @property
    def is_determined(self) -> bool:
        """False where the images ask for ever more, as when every answer is right."""
        return COLDEST < self.value < HOTTEST


def fit_temperature(answers: Answers) -> Temperature | None:
    """Return the temperature with the lowest mean loss on these images, which must not be those it is judged on.

    The loss is convex in the inverse temperature, where Newton's method runs, kept between bounds; the interval is
    that of a maximum of likelihood that need not be the true model (White 1982, doi:10.2307/1912526). None without
    images.
    """
    if not answers.n:
        return None
    logs = relative_logs(answers)
    of_truth = logs[np.arange(answers.n), answers.labels].astype(np.float64)
    coldest, hottest = 1 / COLDEST, 1 / HOTTEST
    low, high, beta = hottest, coldest, 1.0
    slopes = np.zeros(answers.n)
    curvature = 0.0
    for _ in range(STEPS):
        powers = np.exp(logs * np.float32(beta))
        total = powers.sum(axis=1, dtype=np.float64)
        weighted = powers * logs
        mean = weighted.sum(axis=1, dtype=np.float64) / total
        spread = np.einsum("ij,ij->i", weighted, logs, dtype=np.float64) / total - mean**2
        slopes, curvature = mean - of_truth, float(spread.sum())
        slope = float(slopes.sum())
        low, high = (beta, high) if slope < 0 else (low, beta)
        step = beta - slope / curvature if curvature > 0 else math.inf if slope < 0 else 0.0
        # Outside what is known to hold the minimum a step halves that instead, in proportion.
        following = step if low < step < high else math.sqrt(low * high)
        if abs(following - beta) <= CLOSE_ENOUGH * beta:
            break
        beta = following
    return _with_ends(beta, slopes, curvature)


def _with_ends(beta: float, slopes: np.ndarray, curvature: float) -> Temperature:
    value, n = 1 / beta, len(slopes)
    if not COLDEST * 1.001 < value < HOTTEST / 1.001:
        bound = COLDEST if value < 1 else HOTTEST
        return Temperature(bound, math.nan, math.nan, n)
    if n < 2 or curvature <= 0:
        return Temperature(value, math.nan, math.nan, n)
    relative = Z * math.sqrt(float((slopes**2).sum())) / curvature / beta
    return Temperature(value, value * math.exp(-relative), value * math.exp(relative), n)
