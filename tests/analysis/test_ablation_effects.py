"""What the changes of an ablation do, by seeds and by images, and when nothing can be said."""

import math

import numpy as np
import polars as pl
import pytest
import scipy.stats

from cnnlab.analysis.ablation import Scores, effects
from cnnlab.analysis.intervals import wilson
from cnnlab.analysis.significance import mcnemar

V1 = frozenset(["v1"])


def scores(name, *accuracies, planned=3, active=0, versions=V1):
    ids = tuple(f"{name}{place}" for place in range(len(accuracies)))
    return Scores(name, ids, accuracies, planned, active, 100 if accuracies else 0, versions)


def nobody(run_id):
    raise AssertionError(f"{run_id} was asked")


BASE = scores("baseline", 0.90, 0.91, 0.92)
BETTER = scores("better", 0.95, 0.96, 0.97)
NOISY = scores("noisy", 0.88, 0.92, 0.96)


def test_effects_over_seeds_with_holm():
    base, better, noisy = effects([BASE, BETTER, NOISY], [0, 0, 0], nobody)
    raw = [
        scipy.stats.ttest_ind(group.accuracies, BASE.accuracies, equal_var=False).pvalue for group in (BETTER, NOISY)
    ]
    assert better.p == pytest.approx(2 * min(raw))
    assert noisy.p == pytest.approx(max(2 * min(raw), max(raw)))
    assert better.difference.value == pytest.approx(0.05)
    assert (better.is_more_than_noise, noisy.is_more_than_noise) == (True, False)
    assert (better.method, better.n, better.against) == ("welch", 3, "baseline")
    assert base.difference is None
    assert (base.mean, base.n) == (pytest.approx(0.91), 3)


def test_one_after_another_compares_with_the_step_before():
    _, first, second = effects([BASE, BETTER, NOISY], [0, 0, 1], nobody)
    assert (first.against, second.against) == ("baseline", "better")
    assert second.difference.value == pytest.approx(0.92 - 0.96)


def test_one_seed_is_compared_image_by_image():
    right = {"baseline0": np.arange(100) < 80, "better0": np.arange(100) < 95}

    def answers(run_id):
        frame = pl.DataFrame({"sample_id": [str(i) for i in range(100)], "is_right": right[run_id]})
        return frame.reverse() if run_id == "better0" else frame  # joined by their names, not by their order

    base, better = effects([scores("baseline", 0.80, planned=1), scores("better", 0.95, planned=1)], [0, 0], answers)
    assert better.method == "paired"
    assert better.difference.value == pytest.approx(0.15)
    assert better.p == pytest.approx(mcnemar(15, 0))
    assert better.difference.low > 0.07
    assert (base.low, base.high) == wilson(80, 100)


def test_other_test_images_are_refused():
    def answers(run_id):
        return pl.DataFrame({"sample_id": [f"{run_id}-{i}" for i in range(100)], "is_right": [True] * 100})

    _, better = effects([scores("baseline", 0.8, planned=1), scores("better", 0.9, planned=1)], [0, 0], answers)
    assert (better.difference, better.reason) == (None, "tested on different images")


@pytest.mark.parametrize(
    ("group", "reason"),
    [
        (scores("late", planned=3, active=3), "late waits for its first result"),
        (scores("broken", planned=3), "no run of broken has a result"),
        (scores("half", 0.9, planned=3, active=2), "waits for a second seed"),
        (scores("other", 0.9, 0.8, versions=frozenset(["v2"])), "tested on different versions of the data"),
    ],
)
def test_why_nothing_can_be_said(group, reason):
    _, found = effects([BASE, group], [0, 0], nobody)
    assert (found.difference, found.reason) == (None, reason)
    assert math.isnan(found.p)
    assert not found.is_more_than_noise


def test_seeds_that_all_agree_give_no_verdict():
    _, found = effects([scores("baseline", 0.9, 0.9), scores("same", 0.8, 0.8)], [0, 0], nobody)
    assert found.difference.value == pytest.approx(-0.1)
    assert found.reason == "no seed differs from another"
    assert not found.is_more_than_noise
