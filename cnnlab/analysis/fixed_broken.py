"""Which images a network gets right that another one does not, and the other way round: image by image."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnlab.analysis.image_answers import ImageAnswers
from cnnlab.analysis.significance import Difference, paired


@dataclass(frozen=True)
class FixedBroken:
    """The images that both answered, in the order of A, parted in four.

    Of several runs an answer is right where more than half of the runs are.

    Attributes:
        places_a: `(n,)` places of the images in the answers of A; `places_b` in those of B.
        a_right: `(n,)` booleans; `b_right` likewise.
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
    def fixed(self) -> NDArray[np.int64]:
        """The images, as numbers into `places_a` and `places_b`, that B gets right and A wrong."""
        return np.flatnonzero(self.b_right & ~self.a_right)

    @property
    def broken(self) -> NDArray[np.int64]:
        """Those that A gets right and B wrong."""
        return np.flatnonzero(self.a_right & ~self.b_right)

    @property
    def both_wrong(self) -> NDArray[np.int64]:
        return np.flatnonzero(~self.a_right & ~self.b_right)

    @property
    def difference(self) -> Difference:
        """How much larger the share of right answers of B is: bootstrap interval over images, exact McNemar."""
        return paired(self.b_right, self.a_right)


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
        a.is_right[places_a],
        b.is_right[places_b],
        a.n - shared,
        b.n - shared,
        shared - len(places_a),
    )
