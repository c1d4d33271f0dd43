"""Top-k against scikit-learn, and where probabilities are tied."""

import numpy as np
import pytest
from made_answers import made_answers
from sklearn import metrics

from cnnlab.analysis.answers import Answers
from cnnlab.analysis.intervals import wilson
from cnnlab.analysis.top_k import top_k


@pytest.mark.parametrize("num_classes", [3, 10, 40])
def test_top_k_equals_scikit_learn(num_classes):
    answers = made_answers(200, num_classes)
    found = top_k(answers)
    assert found.table["k"].to_list() == list(range(1, min(10, num_classes) + 1))
    for row in found.table.filter(found.table["k"] < num_classes).iter_rows(named=True):
        expected = metrics.top_k_accuracy_score(
            answers.labels, answers.probabilities, k=row["k"], labels=range(num_classes)
        )
        assert row["accuracy"] == pytest.approx(expected)
        assert (row["low"], row["high"]) == pytest.approx(wilson(row["right"], 200))


def test_top_1_is_the_accuracy_also_where_probabilities_are_tied():
    answers = made_answers(500, 6, temperature=0.02)
    rounded = Answers(answers.labels, np.round(answers.probabilities, 1))
    found = top_k(rounded)
    assert found.table["right"][0] == rounded.is_right.sum()
    assert found.tied > 0
    assert found.table["right"].is_sorted()
    assert found.table["accuracy"][5] == 1, "among all classes the true one is"


def test_of_equal_probabilities_the_lower_index_goes_first():
    found = top_k(Answers(np.array([2, 0]), np.array([[1, 0, 0, 0], [0, 0, 0, 1]], np.float32)))
    assert found.table["right"].to_list() == [0, 1, 2, 2]
    assert found.tied == 2


def test_without_images_nothing_is_known():
    found = top_k(Answers(np.zeros(0, np.int64), np.zeros((0, 3), np.float32)))
    assert found.table["accuracy"].to_list() == [None] * 3
