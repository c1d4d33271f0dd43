"""The permutation test over seeds against scipy's and against counting."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlab.analysis.permutation import DRAWS, permutation

VALUES = st.lists(st.integers(0, 200).map(lambda correct: correct / 200), min_size=1, max_size=5)


@settings(max_examples=40)
@given(VALUES, VALUES)
def test_all_shuffles_are_those_of_scipy(one, two):
    if len(one) + len(two) < 3:  # scipy asks for two values in each
        return
    found = permutation(one, two)
    expected = np.mean([
        abs(np.mean(chosen) - np.mean(rest)) >= abs(np.mean(one) - np.mean(two)) - 1e-12
        for chosen, rest in shuffles([*one, *two], len(one))
    ])  # fmt: skip
    assert found.p == pytest.approx(expected)
    assert found.is_exact
    assert found.p >= found.smallest - 1e-12


def shuffles(pooled, n):
    """Every way to choose n of the values, and the rest."""
    from itertools import combinations

    for chosen in combinations(range(len(pooled)), n):
        yield [pooled[i] for i in chosen], [pooled[i] for i in range(len(pooled)) if i not in chosen]


@pytest.mark.parametrize(("one", "two"), [([0.91, 0.93, 0.92], [0.88, 0.9, 0.91]), ([0.7, 0.8], [0.6, 0.5, 0.9, 0.4])])
def test_it_is_the_exact_test_of_scipy(one, two):
    expected = scipy.stats.permutation_test(
        (one, two), lambda x, y, axis: np.mean(x, axis=axis) - np.mean(y, axis=axis), vectorized=True
    )
    assert len(one) == len(two) or abs(expected.null_distribution).max() > 0
    # SciPy doubles the smaller tail, which is the same where both groups have as many seeds.
    if len(one) == len(two):
        assert permutation(one, two).p == pytest.approx(expected.pvalue)
    null = np.abs(expected.null_distribution)
    assert permutation(one, two).p == pytest.approx(np.mean(null >= abs(expected.statistic) - 1e-12))


def test_three_seeds_each_cannot_go_below_a_tenth():
    found = permutation([0.9, 0.91, 0.92], [0.1, 0.11, 0.12])
    assert (found.p, found.smallest) == (pytest.approx(0.1), pytest.approx(0.1))
    assert permutation([0.9, 0.91], [0.1, 0.2, 0.3]).smallest == pytest.approx(0.1)


def test_many_seeds_are_drawn_and_repeat_themselves():
    rng = np.random.default_rng(5)
    one, two = rng.normal(0.9, 0.01, 12).tolist(), rng.normal(0.905, 0.01, 12).tolist()
    found = permutation(one, two)
    assert not found.is_exact
    assert found == permutation(one, two)
    welch = scipy.stats.ttest_ind(one, two, equal_var=False).pvalue
    assert found.p == pytest.approx(welch, abs=0.03)
    far = permutation([value + 1 for value in one], two)
    assert far.p == pytest.approx(1 / (1 + DRAWS))  # never zero


def test_nothing_to_shuffle():
    assert math.isnan(permutation([], [0.9]).p)
    assert permutation([0.9], [0.8]).p == 1
    assert permutation([0.9, 0.9], [0.9, 0.9]).p == 1


def test_it_keeps_its_level():
    rng = np.random.default_rng(7)
    rejected = sum(permutation(*rng.normal(0, 1, (2, 4)).tolist()).p <= 0.05 for _ in range(600))
    # The exact level with 4 and 4 seeds is 2 of 70 shuffles; 3.3 standard errors above it is 0.05.
    assert 0.005 < rejected / 600 <= 0.052
