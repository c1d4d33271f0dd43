"""Which images a network gets right that another one does not, and the other way round: image by image.

Of several runs the share that is right counts. A majority would not do: of two seeds both would have to be right,
and a group would look worse than each of its runs.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cnnlab.analysis.between import between_groups
from cnnlab.analysis.image_answers import ImageAnswers
from cnnlab.analysis.significance import RESAMPLES, Difference


@dataclass(frozen=True)
class FixedBroken:
    """The images that both answered, in the order of A.

    Attributes:
        places_a: `(n,)` places of the images in the answers of A; `places_b` in those of B.
        a_right: `(runs, n)` booleans, right or not, of A; `b_right` of B.
        only_a: Images that only A answered; `only_b` likewise.
        relabelled: Images that both answered, but under different labels: left out as well.
    """

    places_a: NDArray[np.int64]
    places_b: NDArray[np.int64]
    a_right: NDArray[np.bool_]
    b_right: NDArray[np.bool_]
    only_a: int
    only_b: int
    relabelled: int

    @property
    def n(self) -> int:
        return len(self.places_a)

    @property
    def runs_a(self) -> int:
        return max(1, len(self.a_right))

    @property
    def runs_b(self) -> int:
        return max(1, len(self.b_right))

    @cached_property
    def a_votes(self) -> NDArray[np.int64]:
        """`(n,)` how many runs of A are right."""
        return self.a_right.sum(axis=0)

    @cached_property
    def b_votes(self) -> NDArray[np.int64]:
        return self.b_right.sum(axis=0)

    @property
    def gains(self) -> NDArray[np.int64]:
        """`(n,)` by how much B is more often right, in parts of `1 / (runs_a * runs_b)`: whole numbers add up."""
        return self.b_votes * self.runs_a - self.a_votes * self.runs_b

    @property
    def fixed(self) -> NDArray[np.int64]:
        """The images, as numbers into `places_a` and `places_b`, that a larger share of B's runs gets right."""
        return np.flatnonzero(self.gains > 0)

    @property
    def broken(self) -> NDArray[np.int64]:
        """Those that a smaller share of B's runs gets right."""
        return np.flatnonzero(self.gains < 0)

    @property
    def both_wrong(self) -> NDArray[np.int64]:
        """Those that no run gets right."""
        return np.flatnonzero((self.a_votes == 0) & (self.b_votes == 0))

    @property
    def right_a(self) -> float:
        """Images that A gets right, the mean over its runs."""
        return int(self.a_votes.sum()) / self.runs_a

    @property
    def right_b(self) -> float:
        return int(self.b_votes.sum()) / self.runs_b

    @property
    def num_fixed(self) -> float:
        """What the fixed images add to the mean number of right ones; `num_broken` what the broken take away."""
        return int(self.gains[self.fixed].sum()) / (self.runs_a * self.runs_b)

    @property
    def num_broken(self) -> float:
        return -int(self.gains[self.broken].sum()) / (self.runs_a * self.runs_b)

    @property
    def by_pairs(self) -> tuple[float, float]:
        """Images that a network of B gets right and one of A wrong, and the other way round: means over all pairs.

        So a comparison counts. An image that some runs of both get right is in both of these, and by what is left in
        only one of `num_fixed` and `num_broken`; the differences are the same.
        """
        both, pairs = int(self.a_votes @ self.b_votes), self.runs_a * self.runs_b
        of_a, of_b = int(self.a_votes.sum()) * self.runs_b, int(self.b_votes.sum()) * self.runs_a
        return (of_b - both) / pairs, (of_a - both) / pairs

    def printed(self, digits: int) -> tuple[float, float, float, float]:
        """Return right of A, fixed, broken and right of B as they are printed: the first three add up to the last.

        Right ones are rounded as everywhere; of fixed and broken one is, and the other follows, whichever is off least.
        """
        whole, unit = self.runs_a * self.runs_b, 10**digits
        of_a, of_b = int(self.a_votes.sum()) * self.runs_b, int(self.b_votes.sum()) * self.runs_a
        fixed, broken = int(self.gains[self.fixed].sum()), -int(self.gains[self.broken].sum())
        a, b, nearest_fixed, nearest_broken = (
            (2 * unit * count + whole) // (2 * whole) for count in (of_a, of_b, fixed, broken)
        )
        offered = [(nearest_fixed, nearest_fixed - (b - a)), (nearest_broken + (b - a), nearest_broken)]
        counts = min(
            (pair for pair in offered if min(pair) >= 0),
            key=lambda pair: abs(pair[0] * whole - unit * fixed) + abs(pair[1] * whole - unit * broken),
        )
        return a / unit, counts[0] / unit, counts[1] / unit, b / unit

    def difference(self) -> Difference:
        """Return how much larger the share of right answers of B is, by the method of every comparison."""
        return between_groups(self.b_right, self.a_right)

    def over_images(self, confidence: float = 0.95, seed: int = 0) -> tuple[float, float]:
        """Return the bootstrap interval over images alone, which speaks of these very networks."""
        # Few different values: resampling images is drawing how often each comes.
        values, counts = np.unique(self.gains / (self.runs_a * self.runs_b), return_counts=True)
        draws = np.random.default_rng(seed).multinomial(self.n, counts / self.n, RESAMPLES) @ values / self.n
        low, high = np.quantile(draws, [0.5 - confidence / 2, 0.5 + confidence / 2])
        return float(low), float(high)


def fixed_and_broken(a: ImageAnswers, b: ImageAnswers) -> FixedBroken:
    """Join the answers of A and B by the ids of the images."""
    if a.sample_ids == b.sample_ids:
        places_a = places_b = np.arange(a.n)
    else:
        of_b = {sample_id: place for place, sample_id in enumerate(b.sample_ids)}
        pairs = [(place, of_b[name]) for place, name in enumerate(a.sample_ids) if name in of_b]
        places_a, places_b = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    shared = len(places_a)
    is_same = a.labels[places_a] == b.labels[places_b]
    places_a, places_b = places_a[is_same], places_b[is_same]
    return FixedBroken(
        places_a,
        places_b,
        (a.predicted_by_run == a.labels)[:, places_a],
        (b.predicted_by_run == b.labels)[:, places_b],
        a.n - shared,
        b.n - shared,
        shared - len(places_a),
    )
