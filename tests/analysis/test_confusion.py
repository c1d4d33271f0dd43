"""The matrix against counting by hand and against scikit-learn."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from cnnlab.analysis.confusion import (
    confusion_matrix,
    most_confused,
    normalise_columns,
    normalise_rows,
    overall,
    per_class,
)

NAMES = ("cat", "deer", "dog")


@st.composite
def answers(draw):
    num_classes = draw(st.integers(1, 12))
    size = draw(st.integers(0, 60))
    classes = st.lists(st.integers(0, num_classes - 1), min_size=size, max_size=size)
    return num_classes, draw(classes), draw(classes)


def test_counts_by_hand():
    matrix = confusion_matrix([0, 0, 0, 2], [0, 2, 2, 2], 3)
    assert matrix.tolist() == [[1, 0, 2], [0, 0, 0], [0, 0, 1]]
    assert matrix.dtype == np.int64
    assert overall(matrix) == (2, 4)


@settings(deadline=None)
@given(answers())
def test_the_matrix_keeps_every_answer(case):
    num_classes, labels, predicted = case
    matrix = confusion_matrix(labels, predicted, num_classes)
    assert matrix.shape == (num_classes, num_classes)
    assert matrix.sum() == len(labels)
    assert matrix.sum(axis=1).tolist() == np.bincount(np.array(labels, int), minlength=num_classes).tolist()
    assert matrix.sum(axis=0).tolist() == np.bincount(np.array(predicted, int), minlength=num_classes).tolist()
    if labels and num_classes > 1:  # scikit-learn warns of a single class
        assert matrix.tolist() == metrics.confusion_matrix(labels, predicted, labels=range(num_classes)).tolist()


@settings(deadline=None)
@given(answers())
def test_rows_add_to_one_or_are_unknown(case):
    matrix = confusion_matrix(case[1], case[2], case[0])
    assert np.array_equal(normalise_columns(matrix), normalise_rows(matrix.T).T, equal_nan=True)
    sums = normalise_rows(matrix).sum(axis=1)
    assert np.isnan(sums[matrix.sum(axis=1) == 0]).all()
    assert sums[matrix.sum(axis=1) > 0] == pytest.approx(1.0)


@settings(deadline=None)
@given(answers())
def test_per_class_equals_scikit_learn_where_defined(case):
    num_classes, labels, predicted = case
    names = [f"class {label}" for label in range(num_classes)]
    table = per_class(confusion_matrix(labels, predicted, num_classes), names)
    assert table["class"].to_list() == names
    if not labels:
        assert table.select(pl.col("precision", "recall", "f1").is_null().all()).row(0) == (True, True, True)
        return
    expected = metrics.precision_recall_fscore_support(
        labels, predicted, labels=range(num_classes), zero_division=np.nan
    )
    for column, values in zip(("precision", "recall", "f1"), expected, strict=False):
        ours = table[column].fill_null(float("nan")).to_numpy()
        assert ours == pytest.approx(values, nan_ok=True)
    assert table["n"].to_list() == expected[3].tolist()


def test_what_is_undefined_is_null_and_never_zero():
    table = per_class(confusion_matrix([0, 0, 2], [0, 2, 2], 3), NAMES)
    assert table.row(1) == ("deer", 0, None, None, None)
    never_predicted = per_class(confusion_matrix([0, 1], [0, 0], 3), NAMES)
    assert never_predicted.row(1) == ("deer", 1, None, 0.0, 0.0)


def test_most_confused_by_hand():
    matrix = np.array([[5, 0, 2], [3, 4, 0], [2, 0, 6]])
    table = most_confused(matrix, NAMES, 2)
    assert table.rows() == [("deer", "cat", 3, 3 / 7), ("cat", "dog", 2, 2 / 7)]
    assert most_confused(matrix, NAMES, 10).height == 3
    assert most_confused(np.diag([1, 2, 3]), NAMES).is_empty()
    assert matrix[1, 0] == 3, "the matrix itself is left as it was"


@pytest.mark.parametrize(
    ("labels", "predicted", "sentence"),
    [
        ([3], [0], r"^label 3 is out of range\. Expected an integer in \[0, 3\)\.$"),
        ([0], [-1], r"^prediction -1 is out of range\. Expected an integer in \[0, 3\)\.$"),
        ([0, 1], [0], r"^\(2,\) labels and \(1,\) predictions\. Expected two lists of one length\.$"),
    ],
)
def test_impossible_answers_are_refused(labels, predicted, sentence):
    with pytest.raises(ValueError, match=sentence):
        confusion_matrix(labels, predicted, 3)
