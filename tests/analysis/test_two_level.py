"""Differences over seeds and images: by hand, against resampling, and what must hold whatever the numbers."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cnnlab.analysis.significance import mcnemar, paired
from cnnlab.analysis.two_level import pairwise


def answers(rng, seeds, images, accuracy=0.8, of_seeds=0.05, of_images=0.5, of_answers=0.5):
    """Right or not, where seeds, images and single answers differ, on a latent scale."""
    latent = rng.normal(accuracy, of_seeds, (seeds, 1)) + rng.normal(0, of_images, images)
    return latent + rng.normal(0, of_answers, (seeds, images)) > 0


@st.composite
def two_groups(draw):
    images = draw(st.integers(2, 12))
    return [draw(arrays(np.bool_, (draw(st.integers(1, 4)), images))) for _ in range(2)]


def test_the_error_by_hand():
    rng = np.random.default_rng(1)
    one, two = answers(rng, 3, 400), answers(rng, 5, 400, 0.7)
    seeds = one.mean(axis=1).var(ddof=1) / 3 + two.mean(axis=1).var(ddof=1) / 5
    images = (one.mean(axis=0) - two.mean(axis=0)).var(ddof=1) / 400
    luck = (one.var(axis=0, ddof=1).mean() / 3 + two.var(axis=0, ddof=1).mean() / 5) / 400
    found = pairwise([one, two])
    assert found.error[0, 1] ** 2 == pytest.approx(seeds + images - luck)
    assert found.difference[0, 1] == pytest.approx(one.mean() - two.mean())
    each = [(a & ~b).sum() for a in one for b in two]
    assert found.fixed[0, 1] == pytest.approx(np.mean(each))


def test_the_error_is_that_of_resampling_seeds_and_images():
    """The variance of the pigeonhole bootstrap is ours, with seeds by (n - 1) / n and luck counted three times."""
    rng = np.random.default_rng(2)
    one, two = answers(rng, 4, 300), answers(rng, 4, 300, 0.6)
    draws = 4000
    weights = rng.multinomial(300, [1 / 300] * 300, draws) / 300
    means = [((weights @ group.T) * (rng.multinomial(4, [1 / 4] * 4, draws) / 4)).sum(axis=1) for group in (one, two)]
    luck = sum(group.var(axis=0, ddof=1).mean() / 4 / 300 for group in (one, two))
    seeds = sum(group.mean(axis=1).var(ddof=1) / 4 for group in (one, two))
    # Beside the seeds' own (n - 1) / n, a resampled answer is lucky in its image, its seed and itself.
    expected = pairwise([one, two]).error[0, 1] ** 2 - seeds / 4 + luck + luck * 3 / 4
    assert (means[0] - means[1]).var() == pytest.approx(expected, rel=0.08)


@settings(max_examples=60)
@given(two_groups())
def test_turned_round_it_is_the_mirrored_one(groups):
    found = pairwise(groups)
    there, back = found.of(0, 1), found.of(1, 0)
    assert back.value == -there.value
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low), nan_ok=True)
    assert back.p == pytest.approx(there.p, nan_ok=True)
    images = groups[0].shape[1]
    assert found.fixed[0, 1] - found.fixed[1, 0] == pytest.approx(there.value * images, abs=1e-9)
    assert math.isnan(there.low) or there.low <= there.value <= there.high
    if not math.isnan(there.p) and found.error[0, 1] > 0:  # the interval and the test agree
        assert (there.p < 0.05) == (not there.low <= 0 <= there.high)


@given(two_groups())
def test_a_third_group_changes_nothing_between_two(groups):
    alone = pairwise(groups).of(0, 1)
    third = np.ones((2, groups[0].shape[1]), bool)
    beside = pairwise([groups[0], third, groups[1]]).of(0, 2)
    for name in ("value", "low", "high", "p"):
        assert getattr(beside, name) == pytest.approx(getattr(alone, name), nan_ok=True, abs=1e-12)


@given(arrays(np.bool_, (2, 20)))
def test_counts_of_two_single_networks_are_exact(right):
    found = pairwise([right[:1], right[1:]])
    fixed, broken = found.fixed[0, 1], found.fixed[1, 0]
    assert (fixed, broken) == (int((right[0] & ~right[1]).sum()), int((~right[0] & right[1]).sum()))
    there, back = paired(right[0], right[1]), paired(right[1], right[0])
    assert (back.value, back.low, back.high) == (-there.value, -there.high, -there.low)
    assert there.p == back.p == mcnemar(int(fixed), int(broken))


def test_where_nothing_varies_there_is_no_interval():
    one, none = np.ones((2, 5), bool), np.zeros((2, 5), bool)
    assert (pairwise([one, one]).of(0, 1).p, pairwise([one, one]).of(0, 1).low) == (1, 0)
    found = pairwise([one, none]).of(0, 1)
    assert found.value == 1
    assert math.isnan(found.p)
    assert math.isnan(found.low)
