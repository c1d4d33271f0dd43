"""Ranks as ranges and ties as letters: against their definitions and a published example."""

from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cnnlab.analysis.ranks import rank_ranges, tie_letters, ties_that_do_not_chain


def apart(k, *pairs):
    matrix = np.zeros((k, k), bool)
    for one, other in pairs:
        matrix[one, other] = matrix[other, one] = True
    return matrix


@st.composite
def told_apart(draw):
    k = draw(st.integers(1, 8))
    values = draw(st.lists(st.floats(0, 1), min_size=k, max_size=k, unique=True))
    pairs = [pair for pair in combinations(range(k), 2) if draw(st.booleans())]
    return values, apart(k, *pairs)


@given(told_apart())
def test_letters_say_exactly_who_is_tied(case):
    values, is_told_apart = case
    letters = tie_letters(values, is_told_apart)
    assert all(letters)
    assert "a" in letters[int(np.argmax(values))]
    for one, other in combinations(range(len(values)), 2):
        assert bool(set(letters[one]) & set(letters[other])) != is_told_apart[one, other]


@given(told_apart())
def test_ranks_are_counted_from_both_ends(case):
    values, is_told_apart = case
    for place, (best, worst) in enumerate(rank_ranges(values, is_told_apart)):
        better = sum(is_told_apart[place, i] and values[i] > values[place] for i in range(len(values)))
        worse = sum(is_told_apart[place, i] and values[i] < values[place] for i in range(len(values)))
        assert (best, worst) == (1 + better, len(values) - worse)
        # The rank by the values alone is one of them.
        assert best <= 1 + sum(value > values[place] for value in values) <= worst


def test_letters_of_a_chain_of_ties():
    # The first is tied with the second and the second with the third, but not the first with the third.
    is_told_apart = apart(3, (0, 2))
    assert tie_letters([0.9, 0.8, 0.7], is_told_apart) == ["a", "ab", "b"]
    assert rank_ranges([0.9, 0.8, 0.7], is_told_apart) == [(1, 2), (1, 3), (2, 3)]
    assert ties_that_do_not_chain(is_told_apart) == (0, 1, 2)
    assert ties_that_do_not_chain(apart(3, (0, 2), (1, 2))) is None


def test_the_third_example_of_piepho():
    pairs = [(1, 7), (1, 8), (2, 4), (2, 5), (3, 5)]
    is_told_apart = apart(8, *[(one - 1, other - 1) for one, other in pairs])
    letters = tie_letters([8, 7, 6, 5, 4, 3, 2, 1], is_told_apart)
    assert len(set("".join(letters))) == 5  # of the six largest sets of ties one says nothing new
    shared = {
        (one + 1, other + 1) for one, other in combinations(range(8), 2) if not set(letters[one]) & set(letters[other])
    }
    assert shared == set(pairs)


def test_all_alike_and_all_apart():
    assert tie_letters([0.5, 0.5, 0.5], apart(3)) == ["a", "a", "a"]
    everyone = ~np.eye(30, dtype=bool)
    letters = tie_letters(range(30), everyone)
    assert letters[29] == "a"
    assert len(set(letters)) == 30
    assert rank_ranges(range(30), everyone)[0] == (30, 30)
    assert tie_letters([], apart(0)) == []
