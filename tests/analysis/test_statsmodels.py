"""The same answers as statsmodels, which was written by others from the same papers."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import mcnemar as their_mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from cnnlab.analysis.intervals import wilson
from cnnlab.analysis.significance import holm, mcnemar, welch


@given(st.integers(0, 80), st.integers(0, 80))
def test_mcnemar(fixed, broken):
    expected = their_mcnemar([[7, fixed], [broken, 9]], exact=True).pvalue if fixed + broken else 1.0
    assert mcnemar(fixed, broken) == pytest.approx(expected)


@given(st.lists(st.floats(1e-9, 1), min_size=1, max_size=20))
def test_holm(probabilities):
    found = holm(probabilities)
    assert found == pytest.approx(multipletests(probabilities, method="holm")[1])
    # Monotone: a smaller probability never gets the larger one.
    order = np.argsort(probabilities, kind="stable")
    assert all(np.diff(np.array(found)[order]) >= 0)


@settings(max_examples=50)
@given(*[st.lists(st.integers(0, 500).map(lambda n: n / 500), min_size=2, max_size=6)] * 2)
def test_welch(one, two):
    if min(np.var(one), np.var(two)) < 1e-12:
        return
    means = CompareMeans(DescrStatsW(one), DescrStatsW(two))
    found = welch(one, two)
    assert found.p == pytest.approx(means.ttest_ind(usevar="unequal")[1], abs=1e-12)
    assert (found.low, found.high) == pytest.approx(means.tconfint_diff(usevar="unequal"), abs=1e-9)


@given(st.integers(1, 2000), st.floats(0, 1))
def test_wilson(n, share):
    correct = math.floor(share * n)
    assert wilson(correct, n) == pytest.approx(proportion_confint(correct, n, method="wilson"), abs=1e-9)
