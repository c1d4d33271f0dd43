"""Which of several runs or groups is better, by how much and how sure that is, on the test images that they share.

By which method two are set against each other, `between` chooses. Beside groups, on these very images: Welch's t and a
permutation test over seeds. All pairs are corrected together by Holm, so that what is called a tie and what is called
better never contradict each other.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cnnlab.analysis.between import Speaks, between, speaks_of
from cnnlab.analysis.intervals import student_share, wilson
from cnnlab.analysis.pairing import Shared, share
from cnnlab.analysis.permutation import Permutation, permutation
from cnnlab.analysis.ranks import rank_ranges, tie_letters, ties_that_do_not_chain
from cnnlab.analysis.sides import Side
from cnnlab.analysis.significance import Difference, holm, mcnemar_of, welch
from cnnlab.analysis.two_level import Pairwise, pairwise

LEVEL = 0.05
Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Standing:
    """Where one side stands among those that can be compared.

    Attributes:
        run_ids: Of the compared runs, in the order of `accuracies`.
        missing: By run id, why its other runs are not.
        mean: Of the accuracies on the shared images, in [0, 1]; `low` and `high` are its 95 % interval: Student's
            over seeds, of one run Wilson's over images.
        best_rank, worst_rank: Counted from 1; what lies between cannot be excluded.
        letters: Sides that share one cannot be told apart.
    """

    key: str
    name: str
    run_ids: tuple[str, ...]
    missing: Mapping[str, str]
    accuracies: tuple[float, ...]
    mean: float
    low: float
    high: float
    best_rank: int
    worst_rank: int
    letters: str

    @property
    def n(self) -> int:
        return len(self.accuracies)


@dataclass(frozen=True)
class Against:
    """One side against another, image by image.

    Attributes:
        difference: How much more accurate it is, in shares of 1, with its 95 % interval and `p` by itself.
        p: After Holm's correction over all pairs; NaN where it is not known.
        fixed: Images that it gets right and the other wrong; of groups the mean over all pairs of their networks.
        broken: The other way round; the two differ by the difference times the number of images, exactly.
        over_seeds: Welch's t on the accuracies alone, where both have several seeds.
        shuffled: The permutation test of the same.
    """

    difference: Difference
    p: float
    fixed: float
    broken: float
    speaks_of: Speaks
    over_seeds: Difference | None = None
    shuffled: Permutation | None = None

    @property
    def is_told_apart(self) -> bool:
        return self.p < LEVEL


@dataclass(frozen=True)
class Comparison:
    """All sides, on the test images that they share.

    Attributes:
        standings: Of the sides that can be compared, in the order given.
        refused: By key, the name and the reason of each other side.
        p: `(k, k)` probabilities of all pairs after Holm's correction.
        shared: Who is right on which image; rows are runs.
    """

    standings: tuple[Standing, ...]
    refused: Mapping[str, tuple[str, str]]
    p: Matrix
    shared: Shared
    pairs: Pairwise

    def place(self, key: str) -> int | None:
        """Return where a side is in `standings`, None for one that cannot be compared."""
        return next((place for place, one in enumerate(self.standings) if one.key == key), None)

    @cached_property
    def is_told_apart(self) -> NDArray[np.bool_]:
        """`(k, k)`: whether two differ by more than noise; what is not known is not told apart."""
        return np.asarray(self.p < LEVEL)

    @property
    def num_pairs(self) -> int:
        return len(self.standings) * (len(self.standings) - 1) // 2

    @property
    def order(self) -> list[int]:
        """Places from the highest mean down."""
        return sorted(range(len(self.standings)), key=lambda place: -self.standings[place].mean)

    @property
    def tied_with_best(self) -> list[int]:
        """Places that cannot be told apart from the highest mean, which comes first."""
        order = self.order
        return [place for place in order if place == order[0] or not self.is_told_apart[place, order[0]]]

    @property
    def unchained(self) -> tuple[int, int, int] | None:
        """Places i, j, k: j is tied with both others, which are told apart."""
        return ties_that_do_not_chain(self.is_told_apart)

    def against(self, one: int, other: int) -> Against:
        """Return side `one` against side `other`, by their places."""
        mine, others = self.standings[one], self.standings[other]
        fixed, broken = float(self.pairs.fixed[one, other]), float(self.pairs.fixed[other, one])
        seeds = [standing.n for standing in self.standings]
        difference = between(self.pairs, one, other, seeds, self.shared.num_images)
        found = Against(difference, float(self.p[one, other]), fixed, broken, speaks_of(mine.n, others.n))
        if found.speaks_of != "settings":
            return found
        accuracies = mine.accuracies, others.accuracies
        return replace(found, over_seeds=welch(*accuracies), shuffled=permutation(*accuracies))


def compare(sides: Sequence[Side], baseline: int = 0) -> Comparison:
    """Compare all sides with one another.

    Args:
        sides: Runs or groups.
        baseline: The place of the one that decides which data set, output and classes are compared.
    """
    order = [sides[baseline], *sides[:baseline], *sides[baseline + 1 :]]
    shared = share([run for side in order for run in side.runs])
    rows = {run_id: place for place, run_id in enumerate(shared.run_ids)}
    compared = [side for side in sides if any(run_id in rows for run_id in side.run_ids)]
    refused = {side.key: (side.name, _why(side, shared)) for side in sides if side not in compared}
    groups = [shared.is_right[[rows[run_id] for run_id in side.run_ids if run_id in rows]] for side in compared]
    pairs = pairwise(groups) if groups else Pairwise(*[np.zeros((0, 0))] * 4)
    p = _corrected(_probabilities(pairs, [len(group) for group in groups]))
    is_told_apart = np.asarray(p < LEVEL)
    means = [float(group.mean()) for group in groups]
    ranks, letters = rank_ranges(means, is_told_apart), tie_letters(means, is_told_apart)
    standings = [
        _standing(side, shared, group, rank, letter)
        for side, group, rank, letter in zip(compared, groups, ranks, letters, strict=True)
    ]
    return Comparison(tuple(standings), refused, p, shared, pairs)


def _standing(side: Side, shared: Shared, is_right: NDArray[np.bool_], rank: tuple[int, int], letters: str) -> Standing:
    correct = is_right.sum(axis=1)
    accuracies = tuple((correct / shared.num_images).tolist())
    mean, low, high = student_share(accuracies)
    if len(accuracies) == 1:
        low, high = wilson(int(correct[0]), shared.num_images)
    return Standing(
        key=side.key,
        name=side.name,
        run_ids=tuple(run_id for run_id in side.run_ids if run_id not in shared.refused),
        missing={run_id: shared.refused[run_id] for run_id in side.run_ids if run_id in shared.refused},
        accuracies=accuracies,
        mean=mean,
        low=low,
        high=high,
        best_rank=rank[0],
        worst_rank=rank[1],
        letters=letters,
    )


def _probabilities(pairs: Pairwise, seeds: Sequence[int]) -> Matrix:
    """Return `(k, k)` probabilities: exact McNemar between single networks, else over seeds and images."""
    is_single = np.array(seeds) == 1
    is_both = is_single[:, None] & is_single[None, :]
    fixed = np.rint(pairs.fixed).astype(np.int64)  # whole already between single networks
    exact = mcnemar_of(fixed, fixed.T)
    return np.where(is_both, exact, pairs.p())


def _corrected(p: Matrix) -> Matrix:
    """Return the probabilities of all pairs after Holm's correction; 1 of each side with itself."""
    upper = np.triu_indices(len(p), 1)
    corrected = np.eye(len(p))
    corrected[upper] = holm(p[upper].tolist())
    corrected.T[upper] = corrected[upper]
    return corrected


def _why(side: Side, shared: Shared) -> str:
    """Return the reasons of all its runs, each once."""
    return "; ".join(dict.fromkeys(shared.refused[run_id] for run_id in side.run_ids)) or "it has no run"


def missing_value(value: float) -> float | None:
    """Return what tables and JSON show for a number: null for NaN."""
    return None if math.isnan(value) else value
