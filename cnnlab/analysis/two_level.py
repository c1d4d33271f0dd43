"""How sure the difference of two groups is when both could have been otherwise: their seeds and the test images.

Resampling seeds within each group and, for both alike, images (Owen 2007, the pigeonhole bootstrap,
doi:10.1214/07-AOAS122) has three faults with few seeds: it takes their variance for too small by (n - 1) / n, it
counts what is luck of single answers three times, and its percentiles know nothing of Student's t. Its variance has
a closed form, which is taken here with the first two put right (Gallas, Pennello and Myers 2007,
doi:10.1364/JOSAA.24.000B70: readers are our seeds, cases our images), with as many degrees of freedom as
Satterthwaite 1946, doi:10.2307/3002019, gives it. Nothing is drawn, so the same runs always say the same.
`tests/analysis/test_coverage.py` measures how often such intervals hold the truth, and those of plain resampling.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special  # not scipy.stats, whose import costs ten times as much

from cnnlab.analysis.significance import Difference

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Pairwise:
    """Every group against every other: all are `(k, k)`, and `[i, j]` is of group i against group j.

    Attributes:
        difference: Of the mean accuracies.
        error: Standard error of it, over seeds and images.
        freedom: Degrees of freedom of that error; NaN where it is 0.
        fixed: Images that a network of i gets right and one of j wrong: mean over all pairs of their seeds.
            Transposed it is what is broken, and the two differ by `difference` times the images, exactly.
    """

    difference: Matrix
    error: Matrix
    freedom: Matrix
    fixed: Matrix

    def p(self) -> Matrix:
        """Return the two-sided probabilities; where nothing varies, 1 without a difference and else NaN."""
        with np.errstate(divide="ignore", invalid="ignore"):
            probabilities = 2 * special.stdtr(self.freedom, -np.abs(self.difference) / self.error)
        return np.where(self.error > 0, probabilities, np.where(self.difference == 0, 1.0, np.nan))

    def of(self, one: int, other: int, confidence: float = 0.95) -> Difference:
        """Return how much group `one` is above group `other`, with its interval over seeds and images."""
        value, error = float(self.difference[one, other]), float(self.error[one, other])
        if error == 0:
            known = 0.0 if value == 0 else math.nan
            return Difference(value, known, known, float(self.p()[one, other]))
        half = float(special.stdtrit(self.freedom[one, other], 0.5 + confidence / 2)) * error
        return Difference(value, value - half, value + half, float(self.p()[one, other]), "seeds and images")


def pairwise(groups: Sequence[NDArray[np.bool_]]) -> Pairwise:
    """Return the differences of all pairs of groups.

    A group of one seed adds nothing for seeds: what is said is then of this one network.

    Args:
        groups: Of each `(seeds, images)` booleans: right or not. The images are the same for all.
    """
    images = groups[0].shape[1]
    seeds = np.array([len(group) for group in groups], np.float64)
    starts = np.concatenate([[0], np.cumsum([len(group) for group in groups])[:-1]])
    both = both_right(np.concatenate(groups))
    products = np.add.reduceat(np.add.reduceat(both, starts, axis=0), starts, axis=1) / np.outer(seeds, seeds)
    sums = np.add.reduceat(np.diag(both), starts) / seeds
    means = sums / images
    over_seeds = np.array([_of_mean(group.mean(axis=1)) for group in groups])
    of_answers = np.array([_luck(sums[i], products[i, i], seeds[i]) for i in range(len(groups))]) / images**2
    squares = np.diag(products)
    difference = means[:, None] - means[None, :]
    spread = squares[:, None] + squares[None, :] - 2 * products - images * difference**2
    over_images = np.maximum(0.0, spread) / max(images - 1, 1) / images
    over_images = np.maximum(0.0, over_images - of_answers[:, None] - of_answers[None, :])
    np.fill_diagonal(over_images, 0.0)
    variance = over_seeds[:, None] + over_seeds[None, :] + over_images
    each = np.where(seeds > 1, over_seeds**2 / np.maximum(seeds - 1, 1), 0.0)
    divisor = each[:, None] + each[None, :] + over_images**2 / max(images - 1, 1)
    freedom = np.divide(variance**2, divisor, out=np.full(variance.shape, np.nan), where=divisor > 0)
    fixed = sums[:, None] - products
    return Pairwise(difference, np.sqrt(variance), freedom, np.maximum(0.0, fixed))


def both_right(is_right: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return `(networks, networks)` how many images two of them both get right, by counting bits.

    Exact, and not by a matrix product, whose threads wait long for each other where the machine is busy (measured:
    up to 1 s in place of 2 ms for 20 networks and 10,000 images, with two cores under load).

    Args:
        is_right: `(networks, images)` booleans.
    """
    packed = np.packbits(np.ascontiguousarray(is_right), axis=1)  # columns that were picked out lie the other way
    words = np.pad(packed, ((0, 0), (0, -packed.shape[1] % 8))).view(np.uint64)
    return np.stack([np.bitwise_count(words & row).sum(axis=1, dtype=np.int64) for row in words])


def _of_mean(accuracies: NDArray[np.float64]) -> float:
    """Return the variance of the mean over seeds, 0 for one."""
    return float(accuracies.var(ddof=1)) / len(accuracies) if len(accuracies) > 1 else 0.0


def _luck(total: float, squares: float, seeds: float) -> float:
    """Return the variance of the sum over images that single answers bring, image by image the seeds' own."""
    return (total - squares) / (seeds - 1) if seeds > 1 else 0.0
