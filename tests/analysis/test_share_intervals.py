"""Many intervals at once against statsmodels, and what a mean of them is worth."""

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from cnnlab.analysis.intervals import wilson
from cnnlab.analysis.share_intervals import mean_of_ends, mean_with_ends, over_seeds_and_images, shares, wilson_ends


def test_wilson_equals_statsmodels_and_the_single_one():
    n = np.repeat([1, 3, 10, 360, 10_000], 5)
    hits = (n * np.tile([0, 0.3, 0.5, 0.97, 1], 5)).astype(int)
    low, high = wilson_ends(hits, n)
    expected = proportion_confint(hits, n, method="wilson")
    assert low == pytest.approx(np.maximum(expected[0], 0), abs=1e-12)
    assert high == pytest.approx(np.minimum(expected[1], 1), abs=1e-12)
    assert (low[1], high[1]) == pytest.approx(wilson(int(hits[1]), int(n[1])), abs=1e-12)


def test_nothing_known_is_nan():
    assert np.isnan(shares([0, 3], [0, 3])).tolist() == [True, False]
    low, high = wilson_ends([0, 3], [0, 3])
    assert np.isnan(low).tolist() == np.isnan(high).tolist() == [True, False]
    assert all(map(math.isnan, mean_of_ends(*([np.array([math.nan])] * 3))))
    assert all(map(math.isnan, mean_with_ends([])))


def test_the_mean_leaves_out_what_is_not_known():
    values, low, high = np.array([0.8, math.nan, 0.6]), np.array([0.7, math.nan, 0.5]), np.array([0.9, math.nan, 0.7])
    half = math.sqrt(2 * 0.1**2) / 2
    assert mean_of_ends(values, low, high) == pytest.approx((0.7, 0.7 - half, 0.7 + half))


def test_the_mean_of_shares_that_are_all_one_still_has_an_interval():
    low, high = wilson_ends([10] * 4, [10] * 4)
    mean, least, most = mean_of_ends(np.ones(4), low, high)
    assert (mean, most) == (1, 1)
    assert low[0] < least < 1


def test_the_interval_of_a_mean_of_shares_covers_the_truth():
    truth, n = np.array([0.7, 0.9, 0.95, 0.99]), 50
    hits = np.random.default_rng(0).binomial(n, truth, size=(1000, 4))
    low, high = wilson_ends(hits, n)
    held = 0
    for place in range(1000):
        _, least, most = mean_of_ends(hits[place] / n, low[place], high[place])
        held += least <= truth.mean() <= most
    assert 0.93 < held / 1000 < 0.98


def test_a_group_without_intervals_over_images_has_students():
    values = np.array([[0.8, 0.9], [0.82, 0.9], [0.84, np.nan]])
    nothing = np.full(values.shape, np.nan)
    mean, low, high, runs = over_seeds_and_images(values, nothing, nothing)
    expected = stats.t.interval(0.95, 2, 0.82, stats.sem(values[:, 0]))
    assert (mean[0], low[0], high[0]) == pytest.approx((0.82, *expected))
    assert runs.tolist() == [3, 2]


def test_a_group_is_never_surer_than_its_images_allow():
    rng = np.random.default_rng(2)
    hits = rng.binomial(30, 0.9, size=(3, 50))
    values, (low, high) = hits / 30, wilson_ends(hits, np.full(hits.shape, 30))
    mean, least, most, _ = over_seeds_and_images(values, low, high)
    assert (mean - least >= np.minimum(mean, (values - low).mean(axis=0)) - 1e-12).all()
    assert (most - mean >= np.minimum(1 - mean, (high - values).mean(axis=0)) - 1e-12).all()


def test_mean_of_numbers_equals_scipy():
    values = np.random.default_rng(0).normal(size=50)
    expected = stats.norm.interval(0.95, loc=values.mean(), scale=stats.sem(values))
    assert mean_with_ends(values) == pytest.approx((values.mean(), *expected))
