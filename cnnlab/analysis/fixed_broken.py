"""Which images a network gets right that another one does not, and the other way round: image by image.

Of several runs the share that is right counts. A majority would not do: of two seeds both would have to be right,
and a group would look worse than each of its runs.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnlab.analysis.image_answers import ImageAnswers
from cnnlab.analysis.significance import RESAMPLES, Difference, paired


@dataclass(frozen=True)
class FixedBroken:
    """The images that both answered, in the order of A.

    Attributes:
        places_a: `(n,)` places of the images in the answers of A; `places_b` in those of B.
        a_votes: `(n,)` how many runs of A are right; `b_votes` of B.
        runs_a: How many runs A is; `runs_b` B.
        only_a: Images that only A answered; `only_b` likewise.
        relabelled: Images that both answered, but under different labels: left out as well.
    """

    places_a: NDArray[np.int64]
    places_b: NDArray[np.int64]
    a_votes: NDArray[np.int64]
    b_votes: NDArray[np.int64]
    runs_a: int
    runs_b: int
    only_a: int
    only_b: int
    relabelled: int

    @property
    def n(self) -> int:
        return len(self.places_a)

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

    def difference(self, confidence: float = 0.95, seed: int = 0) -> Difference:
        """Return how much larger the share of right answers of B is, with a bootstrap interval over images.

        The probability is that of the exact McNemar test; of groups, to which it does not apply, NaN.
        """
        if self.runs_a == self.runs_b == 1:
            return paired(self.b_votes > 0, self.a_votes > 0, confidence, seed)
        if self.n == 0:
            return Difference(math.nan, math.nan, math.nan, math.nan)
        # Few different values: resampling images is drawing how often each comes.
        values, counts = np.unique(self.gains / (self.runs_a * self.runs_b), return_counts=True)
        draws = np.random.default_rng(seed).multinomial(self.n, counts / self.n, RESAMPLES) @ values / self.n
        low, high = np.quantile(draws, [0.5 - confidence / 2, 0.5 + confidence / 2])
        return Difference((self.right_b - self.right_a) / self.n, float(low), float(high), math.nan)


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
        a.votes[places_a],
        b.votes[places_b],
        max(1, a.num_runs),
        max(1, b.num_runs),
        a.n - shared,
        b.n - shared,
        shared - len(places_a),
    )
