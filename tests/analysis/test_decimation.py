"""Fewer points, the same line: no peak is lost and no gap is bridged."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnlab.analysis.decimation import kept_points

BUCKETS = 5
VALUES = st.one_of(st.floats(-1e6, 1e6), st.sampled_from([np.nan, np.inf, -np.inf]))


def parts(y, at):
    """Values of the stretches between gaps."""
    known = np.isfinite(y[at])
    stretches = np.split(at, np.flatnonzero(~known))
    return [y[stretch][np.isfinite(y[stretch])] for stretch in stretches if np.isfinite(y[stretch]).any()]


@given(st.lists(VALUES, min_size=4 * BUCKETS + 1, max_size=150), st.data())
def test_peaks_ends_and_gaps_stay(values, data):
    y = np.array(values, np.float64)
    x = np.sort(np.array(data.draw(st.lists(st.floats(0, 100), min_size=y.size, max_size=y.size)), np.float64))
    kept = kept_points(x, y, BUCKETS)
    assert (np.diff(kept) > 0).all()
    assert kept.size <= 8 * BUCKETS
    known = np.flatnonzero(np.isfinite(y))
    if not known.size:
        return
    assert {known[0], known[-1]} <= set(kept)
    finite = y[kept][np.isfinite(y[kept])]
    assert (finite.min(), finite.max()) == (y[known].min(), y[known].max())
    for one, other in itertools.pairwise(kept):
        if np.isfinite(y[[one, other]]).all():
            assert np.isfinite(y[one : other + 1]).all(), "a line from one to the other would hide a gap"


@given(st.integers(21, 400), st.integers(0, 5))
def test_each_bucket_keeps_its_lowest_and_highest(n, seed):
    y = np.random.default_rng(seed).standard_normal(n)
    x = np.arange(n, dtype=np.float64)
    kept = set(kept_points(x, y, BUCKETS).tolist())
    bucket = np.minimum(x / ((n - 1) / BUCKETS), BUCKETS - 1).astype(int)
    for place in range(BUCKETS):
        here = np.flatnonzero(bucket == place)
        assert {here[0], here[-1], here[y[here].argmin()], here[y[here].argmax()]} <= kept


def test_few_points_stay_as_they_are():
    assert kept_points(np.arange(3.0), np.array([1.0, np.nan, 2.0])).tolist() == [0, 1, 2]


@pytest.mark.parametrize("x", [np.zeros(100), np.full(100, np.nan)])
def test_a_line_without_width(x):
    y = np.arange(100.0)
    assert kept_points(x, y, BUCKETS).tolist() == ([0, 99] if np.isfinite(x).all() else [])


def test_a_million_points_become_few():
    y = np.random.default_rng(0).standard_normal(1_000_000)
    assert kept_points(np.arange(y.size, dtype=np.float64), y).size < 4 * 500 + 1
