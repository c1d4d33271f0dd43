"""Intervals against scipy, and whether they hold what they promise."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from cnnlab.analysis.intervals import student, student_quantile, student_share, wilson


@pytest.mark.parametrize(("correct", "n"), [(0, 1), (1, 1), (5, 10), (0, 360), (360, 360), (349, 360), (9_999, 10_000)])
@pytest.mark.parametrize("confidence", [0.68, 0.95, 0.99])
def test_wilson_equals_scipy(correct, n, confidence):
    expected = stats.binomtest(correct, n).proportion_ci(confidence_level=confidence, method="wilson")
    assert wilson(correct, n, confidence) == pytest.approx((expected.low, expected.high), abs=1e-12)


@settings(deadline=None)
@given(st.integers(1, 100_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_the_share_and_stays_within_zero_and_one(case):
    correct, n = case
    low, high = wilson(correct, n)
    assert 0 <= low <= correct / n <= high <= 1
    mirrored = wilson(n - correct, n)
    assert (1 - mirrored[1], 1 - mirrored[0]) == pytest.approx((low, high), abs=1e-9)


def test_wilson_of_nothing_is_everything():
    assert wilson(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(("correct", "n"), [(-1, 5), (6, 5), (0, -1)])
def test_wilson_refuses_what_cannot_be(correct, n):
    with pytest.raises(ValueError, match=rf"^{correct} correct of {n} cannot be\. Expected 0 <= correct <= n\.$"):
        wilson(correct, n)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95])
def test_confidence_is_a_share(confidence):
    with pytest.raises(ValueError, match=r"is out of range\. Expected a number in \(0, 1\)\.$"):
        wilson(1, 2, confidence)
    with pytest.raises(ValueError, match=r"is out of range\. Expected a number in \(0, 1\)\.$"):
        student([1.0, 2.0], confidence)


@pytest.mark.parametrize(("n", "share"), [(50, 0.9), (360, 0.97), (10_000, 0.99)])
def test_wilson_covers_the_truth_about_as_often_as_promised(n, share):
    # The exact coverage of a discrete count swings around 95 %, so the sum runs over all counts.
    counts = np.arange(n + 1)
    holds = np.array([low <= share <= high for low, high in (wilson(int(count), n) for count in counts)])
    coverage = float(stats.binom.pmf(counts, n, share)[holds].sum())
    assert 0.93 < coverage < 0.975


def test_student_equals_scipy():
    values = [0.91, 0.93, 0.90, 0.95]
    mean, low, high = student(values)
    expected = stats.t.interval(0.95, 3, loc=np.mean(values), scale=stats.sem(values))
    assert (mean, low, high) == pytest.approx((np.mean(values), *expected), abs=1e-12)


def test_student_covers_the_truth_in_simulation():
    draws = np.random.default_rng(0).normal(0.9, 0.02, size=(4000, 3))
    held = sum(low <= 0.9 <= high for _, low, high in map(student, draws))
    assert 0.94 < held / 4000 < 0.96


def test_student_knows_what_it_does_not_know():
    assert all(map(math.isnan, student([])))
    mean, low, high = student([0.5])
    assert mean == 0.5
    assert math.isnan(low)
    assert math.isnan(high)
    assert all(map(math.isnan, student([0.5, math.nan, 0.7])))
    assert student([0.5, 0.5, 0.5]) == (0.5, 0.5, 0.5)


@pytest.mark.parametrize("n", [2, 3, 10, 50])
def test_student_quantile_equals_scipy(n):
    assert student_quantile(n) == pytest.approx(stats.t.ppf(0.975, n - 1), rel=1e-10)


def test_the_interval_of_a_share_leaves_nothing_possible_out():
    mean, low, high = student_share([0.9, 1.0])
    assert (mean, high) == (0.95, 1.0)
    assert low == student([0.9, 1.0])[1]
    assert student_share([0.0, 0.1])[1] == 0.0
    assert math.isnan(student_share([0.5])[2])


def test_student_quantile_of_one_value_is_not_known():
    assert math.isnan(student_quantile(1))
    assert math.isnan(student_quantile(0))
