"""From the rows of the store to arrays."""

import numpy as np
import polars as pl
import pytest
from made_answers import as_frame, made_answers

from cnnlab.analysis.answers import Answers, answers_of


def test_arrays_are_those_of_the_split_and_output():
    test, val, other = (made_answers(20, 3, seed=seed) for seed in range(3))
    frame = pl.concat([as_frame(test), as_frame(val, split="val"), as_frame(other, output="second")])
    for output, split, expected in ((None, "test", test), ("label", "val", val), ("second", "test", other)):
        found = answers_of(frame, 3, output=output, split=split)
        assert np.array_equal(found.probabilities, expected.probabilities)
        assert np.array_equal(found.labels, expected.labels)
        assert found.probabilities.dtype == np.float32


def test_rows_that_are_no_numbers_are_left_out_and_counted():
    made = made_answers(20, 3)
    made.probabilities[[4, 7], 1] = [np.nan, np.inf]
    found = answers_of(as_frame(made), 3)
    assert (found.n, found.left_out) == (18, 2)
    assert np.array_equal(found.labels, np.delete(made.labels, [4, 7]))


def test_nothing_there_is_no_error():
    frame = as_frame(made_answers(5, 3))
    for found in (answers_of(frame, 3, split="val"), answers_of(frame, 3, output="no such")):
        assert (found.n, found.num_classes) == (0, 3)
        assert found.confidence.size == found.predicted.size == found.of_truth.size == 0


def test_rows_that_do_not_fit_are_refused():
    frame = as_frame(made_answers(5, 3))
    with pytest.raises(ValueError, match=r"^Rows of \[3\] probabilities\. Expected 4 in each\.$"):
        answers_of(frame, 4)
    wrong = frame.with_columns(label=pl.lit(3, dtype=pl.Int32))
    with pytest.raises(ValueError, match=r"^label 3 is out of range\. Expected an integer in \[0, 3\)\.$"):
        answers_of(wrong, 3)


def test_confidence_is_that_of_what_was_predicted():
    answers = Answers(np.array([0, 1]), np.array([[0.25, 0.75], [0.5, 0.5]], np.float32))
    assert answers.predicted.tolist() == [1, 0], "the first of two equals, as in the store"
    assert answers.confidence.tolist() == [0.75, 0.5]
    assert answers.of_truth.tolist() == [0.25, 0.5]
    assert answers.is_right.tolist() == [False, False]
