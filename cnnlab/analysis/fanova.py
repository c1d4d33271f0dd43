"""Functional ANOVA over a forest of regression trees: how much of the variance each coordinate explains alone.

A tree is constant on boxes, so that its mean over all coordinates but one or two is a sum over its leaves.
Source: Hutter, Hoos and Leyton-Brown 2014, "An Efficient Approach for Assessing Hyperparameter Importance",
ICML, sections 3 and 4. Differs from the paper: the variance is that of the mean of the trees, in place of the
mean of the trees' variances, which counts what single trees learn of chance; a continuous coordinate is taken
at the middles of equal cells.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
# Points for the variance of the whole forest; its standard error is then about 2 %.
SAMPLES = 4096


@dataclass(frozen=True)
class Measure:
    """Where a coordinate can be, and how much of the space is there: `weights` sum to 1."""

    points: Numbers
    weights: Numbers


@dataclass(frozen=True)
class Shares:
    """Shares of the variance: of each coordinate alone, and of pairs beyond what their two explain alone."""

    mains: Numbers
    pairs: dict[tuple[int, int], float]


@dataclass(frozen=True)
class Leaves:
    """The boxes of one tree, `low < x <= high` in each coordinate, and what it says there."""

    low: Numbers
    high: Numbers
    values: Numbers

    def inside(self, coordinate: int, points: Numbers) -> NDArray[np.bool_]:
        """Return `(leaves, points)`: whether a point of a coordinate is within a leaf."""
        return (self.low[:, coordinate, None] < points) & (points <= self.high[:, coordinate, None])


def leaves_of(tree: Any) -> Leaves:
    """Return the leaves of a fitted scikit-learn tree (`estimator.tree_`)."""
    low = np.full((tree.node_count, tree.n_features), -np.inf)
    high = np.full((tree.node_count, tree.n_features), np.inf)
    for node in range(tree.node_count):  # parents come before their children
        left, right = tree.children_left[node], tree.children_right[node]
        if left == right:
            continue
        low[[left, right]], high[[left, right]] = low[node], high[node]
        high[left, tree.feature[node]] = tree.threshold[node]
        low[right, tree.feature[node]] = tree.threshold[node]
    is_leaf = tree.children_left == tree.children_right
    return Leaves(low[is_leaf], high[is_leaf], np.asarray(tree.value[is_leaf]).reshape(-1).astype(np.float64))


def shares(forest: Any, measures: Sequence[Measure], *, most_in_pairs: int = 6, seed: int = 0) -> Shares:
    """Return the shares of a fitted forest's variance over the space of `measures`.

    A forest that says the same everywhere has shares of zero.

    Args:
        forest: Of scikit-learn, fitted on the coordinates of `measures`.
        most_in_pairs: Pairs are taken of so many coordinates, those that explain most alone.
    """
    trees = [leaves_of(estimator.tree_) for estimator in forest.estimators_]
    size = len(measures)
    total = _variance(forest, measures, seed)
    if total <= 0:
        return Shares(np.zeros(size), {})
    means = [marginal(trees, measures, (place,)) for place in range(size)]
    alone = np.array([_spread(mean, measure.weights) for mean, measure in zip(means, measures, strict=True)])
    chosen = sorted(np.argsort(-alone, kind="stable")[:most_in_pairs].tolist())
    pairs = {}
    for first, second in combinations(chosen, 2):
        together = marginal(trees, measures, (first, second))
        weights = np.outer(measures[first].weights, measures[second].weights)
        beyond = _spread(together, weights) - alone[first] - alone[second]
        pairs[first, second] = max(0.0, float(beyond / total))
    return Shares(alone / total, pairs)


def marginal(trees: Sequence[Leaves], measures: Sequence[Measure], kept: tuple[int, ...]) -> Numbers:
    """Return the mean of the trees over all coordinates but the one or two `kept`, at the points of these.

    Returns:
        `(points,)` of one, `(points of the first, points of the second)` of two.
    """
    found = np.zeros(tuple(measures[place].points.size for place in kept))
    for leaves in trees:
        weight = leaves.values.copy()
        for place, measure in enumerate(measures):
            if place not in kept:
                weight *= leaves.inside(place, measure.points) @ measure.weights
        first = leaves.inside(kept[0], measures[kept[0]].points).astype(np.float64)
        if len(kept) == 1:
            found += weight @ first
        else:
            found += (first * weight[:, None]).T @ leaves.inside(kept[1], measures[kept[1]].points).astype(np.float64)
    return found / len(trees)


def _spread(values: Numbers, weights: Numbers) -> float:
    mean = float((values * weights).sum())
    return float((np.square(values - mean) * weights).sum())


def _variance(forest: Any, measures: Sequence[Measure], seed: int) -> float:
    random = np.random.default_rng(seed)
    columns = [random.choice(measure.points, SAMPLES, p=measure.weights) for measure in measures]
    return float(np.var(forest.predict(np.stack(columns, axis=1))))
