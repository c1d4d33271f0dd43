"""Shares of variance against functions whose answer is known by hand, and against brute force over a grid."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor

from cnnlab.analysis.fanova import Measure, leaves_of, marginal, shares

POINTS = (np.arange(16) + 0.5) / 16
EVEN = Measure(POINTS, np.full(16, 1 / 16))


def grid(columns: int) -> np.ndarray:
    return np.stack([axis.ravel() for axis in np.meshgrid(*[POINTS] * columns, indexing="ij")], axis=1)


def grown(x: np.ndarray, y: np.ndarray, trees: int = 4):
    return RandomForestRegressor(trees, random_state=0, bootstrap=False, max_features=1.0).fit(x, y)


@pytest.mark.parametrize(
    ("function", "mains", "pair"),
    [
        # Var(a x) = a²/12: 4 parts against 1.
        (lambda x: 2 * x[:, 0] + x[:, 1], (0.8, 0.2), 0.0),
        # Of (x-½)(y-½) no part is of one alone.
        (lambda x: (x[:, 0] - 0.5) * (x[:, 1] - 0.5), (0.0, 0.0), 1.0),
        # Var(xy) = 7/144; of one alone Var(x/2) = 1/48 each; the rest is of both.
        (lambda x: x[:, 0] * x[:, 1], (3 / 7, 3 / 7), 1 / 7),
    ],
)
def test_known_shares(function, mains, pair):
    x = grid(2)
    found = shares(grown(x, function(x)), [EVEN, EVEN])
    # The total variance is estimated from 4,096 points: 3 standard errors of it are 7 %.
    assert found.mains == pytest.approx(mains, abs=0.06)
    assert found.pairs[0, 1] == pytest.approx(pair, abs=0.07)


def test_marginals_are_those_of_brute_force():
    random = np.random.default_rng(0)
    x = grid(3)
    forest = RandomForestRegressor(3, random_state=0, max_leaf_nodes=40).fit(x, random.normal(size=len(x)))
    weights = [Measure(POINTS, random.dirichlet(np.ones(16))) for _ in range(3)]
    cube = forest.predict(x).reshape(16, 16, 16)
    trees = [leaves_of(tree.tree_) for tree in forest.estimators_]
    a, b, c = (one.weights for one in weights)
    assert marginal(trees, weights, (1,)) == pytest.approx(np.einsum("ijk,i,k->j", cube, a, c))
    assert marginal(trees, weights, (2, 0)) == pytest.approx(np.einsum("ijk,j->ki", cube, b))


def test_choices_have_their_own_places():
    # Of three choices one stands out: values 0, 0, 3 have the mean 1 and the variance 2.
    x = np.array([[code, noise] for code in (0.0, 1.0, 2.0) for noise in POINTS])
    y = np.where(x[:, 0] == 2, 3.0, 0.0)
    choices = Measure(np.array([0.0, 1.0, 2.0]), np.full(3, 1 / 3))
    forest = grown(x, y)
    found = shares(forest, [choices, EVEN])
    assert found.mains[0] == pytest.approx(1.0, abs=0.05)
    assert found.mains[1] == pytest.approx(0.0, abs=1e-9)
    trees = [leaves_of(tree.tree_) for tree in forest.estimators_]
    assert marginal(trees, [choices, EVEN], (0,)).tolist() == [0.0, 0.0, 3.0]


def test_what_is_the_same_everywhere_has_no_shares():
    found = shares(grown(grid(2), np.ones(256)), [EVEN, EVEN])
    assert found.mains.tolist() == [0, 0]
    assert found.pairs == {}


def test_pairs_are_of_the_leading_ones():
    x = np.random.default_rng(0).uniform(size=(300, 4))
    found = shares(grown(x, 4 * x[:, 3] + 2 * x[:, 1] + 0.1 * x[:, 0]), [EVEN] * 4, most_in_pairs=2)
    assert list(found.pairs) == [(1, 3)]
