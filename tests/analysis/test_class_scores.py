"""Precision, recall and F1 with intervals against scikit-learn, and whether the intervals hold."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_answers import made_answers
from sklearn import metrics

from cnnlab.analysis.class_scores import class_scores, scores_of_matrix
from cnnlab.analysis.intervals import wilson


@st.composite
def matrices(draw):
    size = draw(st.integers(2, 6))
    counts = draw(st.lists(st.integers(0, 9), min_size=size * size, max_size=size * size))
    return np.array(counts, np.int64).reshape(size, size)


@settings(deadline=None, max_examples=40)
@given(matrices())
def test_scores_equal_scikit_learn(matrix):
    names = [str(place) for place in range(len(matrix))]
    labels, predicted = (np.repeat(part, matrix.ravel()) for part in np.indices(matrix.shape).reshape(2, -1))
    scores = scores_of_matrix(matrix, names)
    if not matrix.sum():
        return
    for average in ("macro", "weighted", "micro", None):
        # Weighted, a class that is never predicted counts as none right; alone and in the macro mean it is unknown.
        expected = metrics.precision_recall_fscore_support(
            labels, predicted, labels=range(len(matrix)), average=average,
            zero_division=0 if average == "weighted" else np.nan,
        )[:3]  # fmt: skip
        table = scores.classes if average is None else scores.averages.filter(average=average)
        for measure, values in zip(("precision", "recall", "f1"), expected, strict=True):
            known = table[measure].fill_null(np.nan).to_numpy()
            assert known == pytest.approx(np.atleast_1d(values), nan_ok=True), (average, measure)


@settings(deadline=None, max_examples=40)
@given(matrices())
def test_each_interval_holds_its_number_and_stays_in_zero_and_one(matrix):
    classes = scores_of_matrix(matrix, [str(place) for place in range(len(matrix))]).classes
    for measure in ("precision", "recall", "f1"):
        known = classes.drop_nulls(measure)
        value, low, high = (known[measure + end].to_numpy() for end in ("", "_low", "_high"))
        assert (low >= 0).all()
        assert (low <= value + 1e-12).all()
        assert (value <= high + 1e-12).all()
        assert (high <= 1).all()


def test_ends_of_recall_and_precision_are_wilsons_and_of_f1_those_of_the_jaccard_index():
    row = scores_of_matrix(np.array([[8, 2], [1, 9]]), ["a", "b"]).classes.row(0, named=True)
    assert (row["recall_low"], row["recall_high"]) == pytest.approx(wilson(8, 10))
    assert (row["precision_low"], row["precision_high"]) == pytest.approx(wilson(8, 9))
    assert (row["f1_low"], row["f1_high"]) == pytest.approx([2 * end / (1 + end) for end in wilson(8, 11)])


def test_what_divides_by_zero_is_null():
    classes = scores_of_matrix(np.array([[3, 1, 0], [0, 0, 0], [2, 0, 0]]), ["a", "absent", "never"]).classes
    assert classes["n"].to_list() == [4, 0, 2]
    assert classes["predicted"].to_list() == [5, 1, 0]
    assert classes["recall"].to_list() == [0.75, None, 0]
    assert classes["precision"].to_list()[2] is None
    assert classes["f1"].to_list()[2] == 0
    assert classes["recall_low"].null_count() == 1


def test_without_images_nothing_is_known():
    scores = scores_of_matrix(np.zeros((2, 2), np.int64), ["a", "b"])
    assert scores.n == 0
    assert scores.averages["f1"].to_list() == [None, None, None]
    assert scores.averages["f1_low"].to_list() == [None, None, None]


def test_micro_is_the_accuracy_and_macro_recall_the_balanced_accuracy():
    answers = made_answers(300, 4)
    scores = class_scores(answers, list("abcd"))
    averages = {row["average"]: row for row in scores.averages.iter_rows(named=True)}
    right = int(answers.is_right.sum())
    assert averages["micro"]["f1"] == averages["micro"]["precision"] == pytest.approx(right / 300)
    assert (averages["micro"]["f1_low"], averages["micro"]["f1_high"]) == pytest.approx(wilson(right, 300))
    assert averages["macro"]["recall"] == pytest.approx(
        metrics.balanced_accuracy_score(answers.labels, answers.predicted)
    )
    assert averages["weighted"]["recall"] == pytest.approx(right / 300)
    assert averages["macro"]["classes"] == 4


def coverage(truth: np.ndarray, n: int, repeats: int) -> dict[str, float]:
    """How often the intervals of F1 hold the truth of a matrix of probabilities: of a class, of the macro mean."""
    f1 = 2 * np.diag(truth) / (truth.sum(axis=0) + truth.sum(axis=1))
    rng = np.random.default_rng(0)
    names = [str(place) for place in range(len(truth))]
    held = {"class": [], "macro": []}
    for _ in range(repeats):
        scores = scores_of_matrix(rng.multinomial(n, truth.ravel()).reshape(truth.shape), names)
        low, high = (scores.classes[f"f1_{end}"].to_numpy() for end in ("low", "high"))
        held["class"].append(np.mean((low <= f1) & (f1 <= high)))
        macro = scores.averages.row(0, named=True)
        held["macro"].append(macro["f1_low"] <= f1.mean() <= macro["f1_high"])
    return {name: float(np.mean(values)) for name, values in held.items()}


def probabilities(num_classes: int, accuracy: float) -> np.ndarray:
    truth = np.random.default_rng(1).dirichlet(np.full(num_classes, 0.3), num_classes)
    np.fill_diagonal(truth, 0)
    truth *= (1 - accuracy) / truth.sum(axis=1, keepdims=True)
    np.fill_diagonal(truth, accuracy)
    return truth / num_classes


# The second has ten images a class, where resamples are too low by more than their spread.
@pytest.mark.parametrize(("num_classes", "accuracy", "n"), [(5, 0.9, 300), (20, 0.7, 200)])
def test_the_intervals_of_f1_cover_the_truth(num_classes, accuracy, n):
    held = coverage(probabilities(num_classes, accuracy), n, 120)
    assert 0.93 < held["class"] < 0.98
    assert 0.89 < held["macro"] < 0.99
