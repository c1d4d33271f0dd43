"""Welch, McNemar, bootstrap and Holm against scipy and against definitions."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from cnnlab.analysis.significance import holm, mcnemar, paired, paired_counts, welch

VALUES = st.lists(st.floats(0, 1).map(lambda value: round(value, 4)), min_size=2, max_size=8)


@given(VALUES, VALUES)
def test_welch_is_that_of_scipy(one, two):
    found = welch(one, two)
    if min(np.var(one), np.var(two)) < 1e-12:  # SciPy warns of one without spread; the next test has it
        return
    expected = scipy.stats.ttest_ind(one, two, equal_var=False)
    interval = expected.confidence_interval(0.95)
    assert found.value == pytest.approx(np.mean(one) - np.mean(two))
    assert found.p == pytest.approx(expected.pvalue, rel=1e-9, abs=1e-12)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), rel=1e-9, abs=1e-9)


def test_welch_without_spread_knows_the_difference_only():
    for one, two in (([0.9], [0.8, 0.7]), ([0.9, 0.9], [0.8, 0.8])):
        found = welch(one, two)
        assert found.value == pytest.approx(np.mean(one) - np.mean(two))
        assert math.isnan(found.p)
        assert math.isnan(found.low)
    assert math.isnan(welch([], [0.9]).value)


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_the_exact_binomial_test(fixed, broken):
    n = fixed + broken
    expected = scipy.stats.binomtest(fixed, n, 0.5).pvalue if n else 1.0
    assert mcnemar(fixed, broken) == pytest.approx(expected)


def test_the_interval_over_images_is_that_of_resampling():
    rng = np.random.default_rng(3)
    is_right, was_right = rng.random(300) < 0.8, rng.random(300) < 0.7
    found = paired(is_right, was_right)
    each = is_right.astype(int) - was_right.astype(int)
    rows = np.random.default_rng(4).integers(0, 300, (10_000, 300))
    low, high = np.quantile(each[rows].mean(axis=1), [0.025, 0.975])
    assert found.value == pytest.approx(each.mean())
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.006)
    assert found.p == mcnemar(int((each == 1).sum()), int((each == -1).sum()))
    assert paired(is_right, was_right) == found  # the same again


def test_the_bootstrap_is_left_out_where_it_contradicts_the_test():
    found = paired_counts(50, 32, 1000)
    assert (found.interval, round(found.p, 3)) == ("exact", 0.06), "the bootstrap begins at 0.1 points"
    assert found.low < 0
    assert paired_counts(140, 100, 10_000).interval == "bootstrap"


def test_networks_that_answer_alike_differ_by_nothing():
    right = np.array([True, False, True])
    found = paired(right, right)
    assert (found.value, found.p) == (0, 1)
    assert found.high == -found.low == pytest.approx(1 - 0.025 ** (1 / 3)), "three images are few"
    assert math.isnan(paired(right[:0], right[:0]).value)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])
    assert holm([]) == []


def test_a_change_that_is_not_measured_yet_counts_in_holm():
    adjusted = holm([0.01, math.nan])
    assert adjusted[0] == pytest.approx(0.02)
    assert math.isnan(adjusted[1])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=9))
def test_holm_lies_between_no_correction_and_bonferroni(probabilities):
    for p, adjusted in zip(probabilities, holm(probabilities), strict=True):
        assert p <= adjusted + 1e-12
        assert adjusted <= min(1.0, p * len(probabilities)) + 1e-12 or adjusted <= max(holm(probabilities))
