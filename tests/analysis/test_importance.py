"""Importance of hyperparameters: what is known of made functions, and how sure it is."""

import math

import numpy as np
import pytest

from cnnlab.analysis.fanova import Measure
from cnnlab.analysis.importance import FEWEST_TRIALS, importance

POINTS = (np.arange(16) + 0.5) / 16
EVEN = Measure(POINTS, np.full(16, 1 / 16))


def asked(count: int, function, columns: int = 3, seed: int = 0):
    x = np.random.default_rng(seed).uniform(size=(count, columns))
    return importance([f"p{place}" for place in range(columns)], x, function(x), [EVEN] * columns)


def test_what_explains_more_is_first_and_noise_is_last():
    found = asked(200, lambda x: 3 * x[:, 1] + x[:, 2])
    assert [one.name for one in found.parameters] == ["p1", "p2", "p0"]
    first, second, useless = found.parameters
    assert first.variance.value == pytest.approx(0.9, abs=0.05)  # 9 of 10 parts, which a forest exaggerates
    assert second.variance.value == pytest.approx(0.1, abs=0.05)
    assert first.variance.low < first.variance.value < first.variance.high
    assert useless.variance.value < 0.02
    assert abs(useless.permutation.value) < 0.03
    # Of a sum of functions, what each explains in all is what it explains alone.
    assert first.permutation.value == pytest.approx(0.9, abs=0.1)
    assert second.permutation.value == pytest.approx(0.1, abs=0.05)
    assert found.r2.value > 0.8
    assert found.n == 200


def test_what_only_two_explain_together_is_a_pair():
    found = asked(300, lambda x: (x[:, 0] > 0.5) ^ (x[:, 2] > 0.5))
    first, second, share = found.pairs[0]
    assert {first, second} == {"p0", "p2"}
    assert share.value > 0.5
    assert all(one.variance.value < 0.3 for one in found.parameters)
    permuted = {one.name: one.permutation.value for one in found.parameters}
    assert min(permuted["p0"], permuted["p2"]) > 0.3 > permuted["p1"]


def test_more_trials_are_surer():
    def width(count: int) -> float:
        share = asked(count, lambda x: 2 * x[:, 0] + x[:, 1]).parameters[0].variance
        return share.high - share.low

    assert width(200) < width(15)


def test_the_same_trials_give_the_same_numbers():
    assert asked(20, lambda x: x[:, 0]) == asked(20, lambda x: x[:, 0])


def test_results_that_are_no_numbers_are_left_out():
    x = np.random.default_rng(0).uniform(size=(30, 2))
    y = np.where(np.arange(30) < 10, np.nan, x[:, 0])
    y[11] = np.inf
    assert importance(["a", "b"], x, y, [EVEN, EVEN]).n == 19


@pytest.mark.parametrize(("count", "value"), [(FEWEST_TRIALS - 1, None), (30, 1.0)])
def test_too_few_or_all_alike_say_nothing(count, value):
    found = asked(count, lambda x: x[:, 0] if value is None else np.full(len(x), value))
    assert found.is_empty
    assert found.n == count
    assert math.isnan(found.r2.value)
