"""Answers image by image: joined over runs, put in order, and parted into fixed and broken."""

import math
from fractions import Fraction

import numpy as np
import polars as pl
import pytest
from answered_runs import answered, grouped
from hypothesis import given
from hypothesis import strategies as st

from cnnlab.analysis.comparison import compare
from cnnlab.analysis.fixed_broken import FixedBroken, fixed_and_broken
from cnnlab.analysis.image_answers import image_answers, in_cell, top_classes, worst_first
from cnnlab.analysis.label_errors import label_doubts, thresholds

CLASSES = 4


def frame(ids, labels, probabilities, output="label", split="test"):
    shares = np.asarray(probabilities, np.float32).reshape(len(ids), -1)
    taken = [None if np.isnan(row).any() else int(row.argmax()) for row in shares]
    columns = {
        "sample_id": [str(name) for name in ids],
        "label": pl.Series(labels, dtype=pl.Int32),
        "predicted": pl.Series(taken, dtype=pl.Int32),
        "probabilities": pl.Series(shares.tolist(), dtype=pl.List(pl.Float32)),
    }
    return pl.DataFrame(columns).with_columns(split=pl.lit(split), output=pl.lit(output))


@st.composite
def runs(draw, most=3):
    """Draw the answers of some runs to images of one set, in any order, some images missing."""
    seed, count = draw(st.integers(0, 2**32 - 1)), draw(st.integers(1, most))
    random = np.random.default_rng(seed)
    frames = []
    for _ in range(count):
        ids = random.permutation(20)[: random.integers(1, 21)]
        frames.append(frame(ids, ids % CLASSES, random.dirichlet(np.ones(CLASSES), len(ids))))
    return frames


def test_one_run_by_hand():
    one = frame("abc", [0, 1, 2], [[0.5, 0.2, 0.2, 0.1], [0.7, 0.1, 0.1, 0.1], [math.nan] * 4])
    answers = image_answers([one], CLASSES)
    assert answers.sample_ids == ("a", "b")
    assert (answers.n, answers.num_runs, answers.left_out) == (2, 1, 1)
    assert answers.is_right.tolist() == [True, False]
    assert answers.losses == pytest.approx([-math.log(0.5), -math.log(0.1)])
    assert worst_first(answers).tolist() == [1, 0]
    assert top_classes(answers.probabilities, 2).tolist() == [[0, 1], [0, 1]]


def test_a_loss_stays_finite():
    answers = image_answers([frame("a", [1], [[1.0, 0.0, 0.0, 0.0]])], CLASSES)
    assert answers.losses == pytest.approx([-math.log(1e-12)])


@given(runs())
def test_runs_are_joined_by_the_ids_of_the_images(frames):
    answers = image_answers(frames, CLASSES)
    everywhere = set.intersection(*(set(one["sample_id"]) for one in frames))
    anywhere = set.union(*(set(one["sample_id"]) for one in frames))
    assert set(answers.sample_ids) == everywhere
    assert answers.left_out == len(anywhere) - len(everywhere)
    for place, name in enumerate(answers.sample_ids):
        rows = [one.row(by_predicate=pl.col("sample_id") == name, named=True) for one in frames]
        assert answers.labels[place] == rows[0]["label"]
        assert answers.predicted_by_run[:, place].tolist() == [row["predicted"] for row in rows]
        assert answers.probabilities[place] == pytest.approx(
            np.mean([row["probabilities"] for row in rows], axis=0), abs=1e-6
        )
        assert answers.votes[place] == sum(row["predicted"] == row["label"] for row in rows)
        assert answers.is_right[place] == (answers.votes[place] > len(frames) / 2), "half is not more than half"


def test_an_image_under_another_label_is_left_out():
    one = frame("ab", [0, 1], np.eye(CLASSES)[:2])
    other = frame("ba", [1, 3], np.eye(CLASSES)[[1, 0]])
    answers = image_answers([one, other], CLASSES)
    assert (answers.sample_ids, answers.left_out) == (("b",), 1)


def test_other_numbers_of_classes_are_refused():
    with pytest.raises(ValueError, match=r"4 probabilities of 1 images\. Expected 5 of each."):
        image_answers([frame("a", [0], [[1, 0, 0, 0]])], 5)


def test_only_the_output_and_split_asked_for():
    both = pl.concat([frame("a", [0], np.eye(4)[:1]), frame("a", [0], np.eye(2)[:1], output="colour")])
    assert image_answers([both], 2, output="colour").n == 1
    assert image_answers([both], 4).probabilities.shape == (1, 4)
    assert image_answers([both], 4, split="val").n == 0
    assert image_answers([], 4).n == 0


def test_a_cell_holds_what_any_run_put_there_the_most_confident_first():
    one = frame("abcd", [0, 0, 0, 1], [[0.4, 0.6, 0, 0], [0.1, 0.9, 0, 0], [1, 0, 0, 0], [0, 1, 0, 0]])
    other = frame("abcd", [0, 0, 0, 1], [[0.9, 0.1, 0, 0], [0.2, 0.8, 0, 0], [0.2, 0.8, 0, 0], [0, 1, 0, 0]])
    assert in_cell(image_answers([one], CLASSES), 0, 1).tolist() == [1, 0]
    assert in_cell(image_answers([one, other], CLASSES), 0, 1).tolist() == [1, 2, 0]
    assert in_cell(image_answers([one], CLASSES), 1, 0).tolist() == []


# ---- fixed and broken ----


@given(runs(), runs())
def test_fixed_and_broken_add_up_to_the_difference(of_a, of_b):
    a, b = image_answers(of_a, CLASSES), image_answers(of_b, CLASSES)
    parts = fixed_and_broken(a, b)
    shared = set(a.sample_ids) & set(b.sample_ids)
    assert parts.n == len(shared)
    assert [a.sample_ids[place] for place in parts.places_a] == [b.sample_ids[place] for place in parts.places_b]
    assert parts.gains.sum() == parts.b_votes.sum() * len(of_a) - parts.a_votes.sum() * len(of_b), "exactly"
    assert parts.num_fixed - parts.num_broken == pytest.approx(parts.right_b - parts.right_a)
    assert (parts.only_a, parts.only_b) == (a.n - len(shared), b.n - len(shared))
    if len(of_a) == len(of_b) == 1:
        both_right = int((parts.a_votes & parts.b_votes).sum())
        assert len(parts.fixed) + len(parts.broken) + len(parts.both_wrong) + both_right == parts.n
        assert (parts.num_fixed, parts.num_broken) == (len(parts.fixed), len(parts.broken))
    if parts.n:
        difference = parts.difference()
        assert difference.value == pytest.approx((parts.num_fixed - parts.num_broken) / parts.n)
        assert not difference.low - 1e-9 > difference.value
        assert not difference.high + 1e-9 < difference.value
        only_b, only_a = parts.by_pairs
        assert only_b - only_a == pytest.approx(parts.num_fixed - parts.num_broken)
        assert only_b >= parts.num_fixed - 1e-9, "what both have in part counts on both sides"
    for digits in (0, 1):
        right_a, fixed, broken, right_b = (Fraction(f"{number:.{digits}f}") for number in parts.printed(digits))
        assert right_a + fixed - broken == right_b, "as printed"
        assert (float(right_a), float(right_b)) == pytest.approx(
            (parts.right_a, parts.right_b), abs=0.5 / 10**digits + 1e-9
        )
        exact = (parts.num_fixed, parts.num_broken)
        assert (float(fixed), float(broken)) == pytest.approx(exact, abs=1.5 / 10**digits + 1e-9)
    back = fixed_and_broken(b, a)
    assert {b.sample_ids[back.places_a[place]] for place in back.broken} == {
        a.sample_ids[parts.places_a[place]] for place in parts.fixed
    }


def test_a_group_is_not_worse_than_its_runs():
    # Each of two seeds is right on half of the images, but never on the same; B is one of them.
    eye = np.eye(CLASSES)
    one = frame("abcd", [0, 0, 0, 0], eye[[0, 0, 1, 1]])
    other = frame("abcd", [0, 0, 0, 0], eye[[1, 1, 0, 0]])
    parts = fixed_and_broken(image_answers([one, other], CLASSES), image_answers([one], CLASSES))
    assert (parts.right_a, parts.right_b, parts.num_fixed, parts.num_broken) == (2, 2, 1, 1)
    assert (parts.fixed.tolist(), parts.broken.tolist(), parts.both_wrong.tolist()) == ([0, 1], [2, 3], [])
    assert parts.by_pairs == (1, 1)
    assert parts.difference().interval == "seeds and images", "McNemar's test is of two runs"


def test_the_difference_is_that_of_the_comparison():
    random = np.random.default_rng(6)
    right = [random.random((3, 300)) < share for share in (0.9, 0.93)]
    sides = grouped(*[answered(f"{name}{row}", one, group=name) for name, rows in zip("ab", right, strict=True)
                      for row, one in enumerate(rows)])  # fmt: skip
    frames = [[frame(range(300), [0] * 300, np.eye(CLASSES)[1 - one.astype(int)]) for one in rows] for rows in right]
    parts = fixed_and_broken(*(image_answers(one, CLASSES) for one in frames))
    found = compare(sides).against(1, 0)
    assert parts.difference() == found.difference
    assert parts.by_pairs == pytest.approx((found.fixed, found.broken))


def test_what_is_printed_adds_up():
    # 350 1/3 right, 3 1/3 fixed, 3 broken, 350 2/3 right: one by one they would be 350.3, 3.3, 3.0 and 350.7.
    votes = np.repeat([[3, 3], [0, 3], [0, 1], [3, 0], [1, 1], [0, 0]], [347, 3, 1, 3, 1, 5], axis=0)
    right = (np.arange(3)[:, None, None] < votes).transpose(2, 0, 1)
    parts = FixedBroken(np.arange(360), np.arange(360), right[0], right[1], 0, 0, 0)
    exact = (parts.right_a, parts.num_fixed, parts.num_broken, parts.right_b)
    assert exact == pytest.approx((350 + 1 / 3, 3 + 1 / 3, 3, 350 + 2 / 3))
    assert parts.printed(1) == (350.3, 3.4, 3.0, 350.7)


def test_the_interval_of_these_networks_is_the_bootstrap_over_images():
    random = np.random.default_rng(5)
    shares = random.dirichlet(np.ones(CLASSES), (3, 400))
    frames = [frame(range(400), np.arange(400) % CLASSES, one) for one in shares]
    parts = fixed_and_broken(image_answers(frames[:2], CLASSES), image_answers(frames[2:], CLASSES))
    gains = parts.gains / 2
    drawn = [random.choice(gains, 400).mean() for _ in range(4000)]
    assert parts.over_images() == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.006)


def test_images_whose_label_was_changed_in_between_are_left_out():
    a = image_answers([frame("ab", [0, 1], np.eye(CLASSES)[:2])], CLASSES)
    b = image_answers([frame("ab", [0, 2], np.eye(CLASSES)[:2])], CLASSES)
    parts = fixed_and_broken(a, b)
    assert (parts.n, parts.relabelled, parts.only_a) == (1, 1, 0)


# ---- label errors ----


def by_hand(shares, labels):
    """The thresholds and suspects of Northcutt et al. 2019, loop by loop."""
    of = [[row[k] for row, label in zip(shares, labels, strict=True) if label == k] for k in range(len(shares[0]))]
    least = [sum(own) / len(own) if own else math.inf for own in of]
    suspects = []
    for row, label in zip(shares, labels, strict=True):
        above = [k for k in range(len(row)) if row[k] >= least[k]]
        suspects.append(bool(above) and max(above, key=lambda k: (row[k], -k)) != label)
    return least, suspects


@given(st.integers(1, 60), st.integers(0, 2**32 - 1))
def test_suspects_are_those_of_the_paper_counted_by_hand(n, seed):
    random = np.random.default_rng(seed)
    shares, labels = random.dirichlet(np.ones(CLASSES), n), random.integers(0, CLASSES, n)
    least, suspects = by_hand(shares.tolist(), labels.tolist())
    assert thresholds(shares, labels) == pytest.approx(least)
    doubts = label_doubts(shares, labels)
    assert sorted(doubts.places) == list(range(n))
    assert doubts.is_suspect.tolist() == [suspects[place] for place in doubts.places]
    assert doubts.num_suspects == sum(suspects)
    own = shares[doubts.places, labels[doubts.places]]
    assert doubts.self_confidence == pytest.approx(own)
    assert (doubts.suggested != labels[doubts.places]).all()
    assert (np.diff(doubts.margins[doubts.is_suspect]) >= 0).all()
    assert (doubts.margins <= own + 1e-12).all()


def test_labels_that_were_turned_are_found():
    random = np.random.default_rng(3)
    truth = random.integers(0, CLASSES, 2000)
    shares = np.full((2000, CLASSES), 0.05)
    shares[np.arange(2000), truth] = 0.85
    shares = shares * random.uniform(0.7, 1.3, shares.shape)
    shares /= shares.sum(axis=1, keepdims=True)
    turned = random.choice(2000, 100, replace=False)
    labels = truth.copy()
    labels[turned] = (truth[turned] + 1) % CLASSES
    doubts = label_doubts(shares, labels)
    assert set(doubts.places[:100]) == set(turned)
    assert (doubts.suggested[:100] == truth[doubts.places[:100]]).all()


def test_no_images_have_no_doubts():
    assert label_doubts(np.zeros((0, 3)), np.zeros(0, int)).num_suspects == 0
