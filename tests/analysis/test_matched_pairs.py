"""The exact interval of a difference on the same images: that of the paper, and of one mind with McNemar's test."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlab.analysis.matched_pairs import exact_ends
from cnnlab.analysis.significance import FEWEST_DIFFERING, mcnemar, paired_counts

COUNTS = st.tuples(st.integers(0, 70), st.integers(0, 70), st.integers(0, 400)).map(
    lambda drawn: (drawn[0], drawn[1], max(1, sum(drawn)))
)


@pytest.mark.parametrize(("fixed", "broken", "n"), [(4, 0, 360), (3, 2, 360), (6, 0, 360), (20, 3, 200), (0, 0, 50)])
def test_ends_are_quantiles_of_what_two_beta_distributions_give_together(fixed, broken, n):
    """As the paper has them, here by drawing, as its authors' `mcnemarExactDP` also can."""
    rng, draws, differing = np.random.default_rng(1), 400_000, fixed + broken
    ahead = 2 * (rng.beta(fixed, broken + 1, draws) if fixed else np.zeros(draws)) - 1
    of_all = [rng.beta(differing, n - differing + 1, draws)] if differing else [np.zeros(draws)]
    of_all.append(rng.beta(differing + 1, n - differing, draws))
    low = min(float(np.quantile(one * ahead, 0.025)) for one in of_all)
    assert exact_ends(fixed, broken, n)[0] == pytest.approx(low, abs=0.0004)


@given(COUNTS)
def test_it_says_of_zero_what_the_test_says(counts):
    fixed, broken, n = counts
    low, high = exact_ends(*counts)
    assert (low > 0 or high < 0) == (mcnemar(fixed, broken) < 0.05)
    assert -1 <= low <= (fixed - broken) / n <= high <= 1
    assert exact_ends(broken, fixed, n) == (-high, -low)


@settings(deadline=None)
@given(COUNTS)
def test_whatever_interval_is_shown_never_contradicts_the_test(counts):
    found = paired_counts(*counts)
    assert (found.low > 0 or found.high < 0) == (found.p < 0.05)
    assert found.interval == "exact" or sum(counts[:2]) >= FEWEST_DIFFERING


def test_four_images_against_none_are_no_difference_in_both():
    found = paired_counts(4, 0, 359)
    assert (found.interval, round(found.p, 3)) == ("exact", 0.125)
    assert found.low < 0 < found.value < found.high


def test_where_all_images_differ_it_is_that_of_clopper_and_pearson():
    assert exact_ends(3, 0, 3) == pytest.approx((2 * 0.025 ** (1 / 3) - 1, 1.0))
    assert exact_ends(0, 1, 1) == (-1.0, pytest.approx(0.95))


@pytest.mark.parametrize("differing", [1, 3, 6, 12, 25])
@pytest.mark.parametrize("ahead", [0.5, 0.7, 1.0])
def test_it_holds_the_truth_also_where_few_images_differ(differing, ahead):
    rng, n, trials = np.random.default_rng(17), 360, 300
    share = differing / n
    truth, held = share * (2 * ahead - 1), 0
    for fixed, broken, _ in rng.multinomial(n, [share * ahead, share * (1 - ahead), 1 - share], trials).tolist():
        found = paired_counts(fixed, broken, n)
        held += found.low <= truth <= found.high
    assert held / trials >= 0.95 - 3.5 * math.sqrt(0.95 * 0.05 / trials)
