"""The exponential mean against a plain loop."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cnnlab.analysis.smoothing import smoothed


def reference(values, smoothing):
    """Sum of the finite values so far, each weighing `smoothing` times the next, over the sum of weights."""
    total = weight = 0.0
    result = []
    for value in values:
        if np.isnan(value):
            result.append(np.nan)
            continue
        total, weight = total * smoothing + value, weight * smoothing + 1
        result.append(total / weight)
    return result


finite_or_nan = st.one_of(st.floats(-100, 100), st.just(float("nan")))


@settings(deadline=None)
@given(arrays(np.float64, st.integers(0, 40), elements=finite_or_nan), st.floats(0, 0.98))
def test_equals_a_plain_loop(values, smoothing):
    assert smoothed(values, smoothing) == pytest.approx(reference(values, smoothing), nan_ok=True, abs=1e-6)


def test_a_constant_stays_and_a_gap_stays():
    assert smoothed(np.array([2.0, 2.0, np.nan, 2.0]), 0.9) == pytest.approx([2.0, 2.0, np.nan, 2.0], nan_ok=True)


@pytest.mark.parametrize("smoothing", [-0.1, 1.0])
def test_out_of_range_is_refused(smoothing):
    with pytest.raises(ValueError, match=r"is out of range\. Expected a number in \[0, 1\)\.$"):
        smoothed(np.array([1.0]), smoothing)
