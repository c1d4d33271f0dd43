"""Runs and groups against one another: which test speaks, Holm over all pairs, ties, and what is left out."""

import math
from itertools import combinations

import numpy as np
import pytest
from answered_runs import answered, grouped, single, unanswered
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlab.analysis.comparison import compare
from cnnlab.analysis.intervals import student_share, wilson
from cnnlab.analysis.permutation import permutation
from cnnlab.analysis.significance import holm, mcnemar, paired, welch
from cnnlab.analysis.two_level import pairwise


def right(rng, accuracy, images=400):
    return rng.random(images) < accuracy


def made(rng, *settings_of, images=400, seeds=3):
    """Runs of several settings: (group, accuracy)."""
    return [
        answered(f"{group}{seed}", right(rng, accuracy, images), group=group)
        for group, accuracy in settings_of
        for seed in range(seeds)
    ]


def test_two_networks_are_compared_image_by_image():
    one, two = np.arange(100) < 80, np.arange(100) >= 10
    found = compare(single(answered("a", one), answered("b", two)))
    effect = found.against(1, 0)
    assert effect.difference == paired(two, one)
    assert (effect.fixed, effect.broken) == (20, 10)
    assert effect.p == effect.difference.p == pytest.approx(mcnemar(20, 10))
    assert (effect.speaks_of, effect.over_seeds, effect.shuffled) == ("networks", None, None)
    first = found.standings[0]
    assert (first.mean, first.low, first.high, first.n) == (0.8, *wilson(80, 100), 1)


def test_groups_are_compared_over_seeds_and_images():
    rng = np.random.default_rng(1)
    runs = made(rng, ("a", 0.7), ("b", 0.9))
    found = compare(grouped(*runs))
    effect = found.against(1, 0)
    matrices = [np.stack([run.answers.is_right for run in runs[start : start + 3]]) for start in (0, 3)]
    assert effect.difference == pairwise(matrices).of(1, 0)
    accuracies = [matrix.mean(axis=1).tolist() for matrix in matrices]
    assert effect.over_seeds == welch(accuracies[1], accuracies[0])
    assert effect.shuffled == permutation(accuracies[1], accuracies[0])
    assert effect.speaks_of == "settings"
    assert effect.is_told_apart
    one = found.standings[0]
    assert (one.mean, one.low, one.high) == pytest.approx(student_share(accuracies[0]))
    assert (one.run_ids, one.n) == (("a0", "a1", "a2"), 3)


def test_one_seed_against_several_speaks_of_that_network():
    rng = np.random.default_rng(2)
    found = compare(grouped(*made(rng, ("a", 0.7)), answered("b0", right(rng, 0.9), group="b")))
    effect = found.against(1, 0)
    assert effect.speaks_of == "mixed"
    assert effect.over_seeds is None
    assert 0 < effect.difference.low < effect.difference.value < effect.difference.high


def test_all_pairs_are_corrected_together():
    rng = np.random.default_rng(3)
    runs = [answered(name, right(rng, accuracy)) for name, accuracy in zip("abcd", (0.7, 0.72, 0.8, 0.9), strict=True)]
    found = compare(single(*runs))
    each = [paired(runs[i].answers.is_right, runs[j].answers.is_right).p for i, j in combinations(range(4), 2)]
    assert [found.p[pair] for pair in combinations(range(4), 2)] == pytest.approx(holm(each))
    assert (found.p == found.p.T).all()
    assert found.num_pairs == 6


def test_ties_and_ranks_come_from_the_same_probabilities():
    rng = np.random.default_rng(4)
    found = compare(single(*[answered(name, right(rng, accuracy)) for name, accuracy in
                             (("low", 0.5), ("high", 0.9), ("high too", 0.9))]))  # fmt: skip
    low, high, too = found.standings
    assert (low.best_rank, low.worst_rank) == (3, 3)
    assert {(high.best_rank, high.worst_rank), (too.best_rank, too.worst_rank)} == {(1, 2)}
    assert (low.letters, high.letters, too.letters) == ("b", "a", "a")
    assert sorted(found.tied_with_best) == [1, 2]
    assert found.order[-1] == 0
    assert found.unchained is None


def test_a_group_without_some_of_its_runs():
    rng = np.random.default_rng(5)
    runs = [*made(rng, ("a", 0.8), ("b", 0.8)), unanswered("a3", group="a")]
    found = compare(grouped(*runs))
    assert found.standings[0].missing == {"a3": "not tested yet"}
    assert (found.standings[0].n, found.refused) == (3, {})


def test_sides_that_cannot_be_compared_stand_apart():
    rng = np.random.default_rng(6)
    runs = [answered("a", right(rng, 0.8)), answered("b", right(rng, 0.8), dataset="birds"), unanswered("c")]
    found = compare(single(*runs))
    assert [one.key for one in found.standings] == ["a"]
    assert found.refused == {"b": ("b", "it stands on the data set birds, not on pets"), "c": ("c", "not tested yet")}
    assert (found.place("a"), found.place("b")) == (0, None)
    # The baseline decides: seen from it, it is the others that do not fit.
    assert compare(single(*runs), baseline=1).refused["a"] == ("a", "it stands on the data set pets, not on birds")


def test_a_baseline_without_answers_leaves_the_others():
    rng = np.random.default_rng(7)
    found = compare(single(unanswered("base"), answered("a", right(rng, 0.8)), answered("b", right(rng, 0.8))))
    assert [one.key for one in found.standings] == ["a", "b"]
    assert found.place("base") is None
    nobody = compare(single(unanswered("base"), unanswered("a")))
    assert (nobody.standings, nobody.num_pairs, nobody.unchained) == ((), 0, None)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 3), st.integers(1, 3))
def test_fixed_less_broken_is_the_difference_in_images(seed, seeds, other_seeds):
    rng = np.random.default_rng(seed)
    runs = [*made(rng, ("a", 0.7), images=50, seeds=seeds), *made(rng, ("b", 0.6), images=50, seeds=other_seeds)]
    found = compare(grouped(*runs))
    there, back = found.against(1, 0), found.against(0, 1)
    assert there.fixed - there.broken == pytest.approx(50 * there.difference.value)
    assert (there.fixed, there.broken) == (back.broken, back.fixed)
    assert back.difference.value == pytest.approx(-there.difference.value)
    assert (back.difference.low, back.difference.high) == pytest.approx(
        (-there.difference.high, -there.difference.low), nan_ok=True
    )
    assert there.p == back.p or math.isnan(there.p)
