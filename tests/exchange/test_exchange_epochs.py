"""Which epoch a number is of: said by the tool, counted, or not known."""

import numpy as np
import pytest

from cnnlab.exchange.epochs import epochs_of
from cnnlab.exchange.found import Series


def series(name, steps, elapsed=None, values=None, **more):
    steps = np.array(steps, np.int64)
    elapsed = np.full(steps.size, np.nan) if elapsed is None else np.array(elapsed, np.float64)
    values = np.zeros(steps.size) if values is None else np.array(values, np.float64)
    return Series(name, steps, elapsed, values, **more)


def counted(*all_series, val=(), marks=None, **options):
    found = epochs_of(list(all_series), [one for one in all_series if one.name in val], marks, **options)
    return [one.tolist() for one in found.epochs], found.said


@pytest.mark.parametrize("first", [0, 1])
def test_steps_without_a_gap_are_epochs(first):
    steps = list(range(first, first + 4))
    assert counted(series("loss", steps), series("val", steps[1:])) == ([[1, 2, 3, 4], [2, 3, 4]], True)


def test_a_single_number_is_of_the_first_epoch():
    assert counted(series("loss", [0])) == ([[1]], True)


@pytest.mark.parametrize(("values", "expected"), [([0, 0, 1, 1], [1, 1, 2, 2]), ([1, 1, 2, 2], [1, 1, 2, 2])])
def test_a_series_of_epochs_marks_the_steps(values, expected):
    marks = series("epoch", [9, 19, 29, 39], values=values)
    assert counted(series("loss", [9, 19, 29, 39]), marks=marks) == ([expected], True)
    # A step between two marks is of the epoch that had begun.
    assert counted(series("val", [25, 45]), marks=marks)[0] == [[expected[1], expected[3]]]


def test_beside_series_of_epochs_the_time_tells():
    by_epoch = series("epoch_loss", [0, 1, 2], [10, 20, 30], by_epoch=True)
    by_batch = series("batch_loss", [5, 10, 15, 20], [4, 10, 25, 99])
    assert counted(by_epoch, by_batch) == ([[1, 2, 3], [1, 1, 3, 3]], True)


def test_validations_end_epochs():
    loss, val = series("loss", [10, 100, 150, 200, 250]), series("val", [100, 200])
    assert counted(loss, val, val=("val",)) == ([[1, 1, 2, 2, 3], [1, 2]], False)


def test_where_nothing_speaks_of_epochs_all_is_the_first():
    assert counted(series("loss", [10, 20, 30])) == ([[1, 1, 1]], False)


def test_a_person_may_say_what_steps_are():
    gaps = series("loss", [0, 10, 20])
    assert counted(gaps, counting="epochs") == ([[1, 11, 21]], True)
    assert counted(series("loss", [1, 2, 3]), counting="steps") == ([[1, 1, 1]], False)


def test_epochs_that_the_tool_says_are_taken():
    said = series("loss", [50, 100], epochs=np.array([1, 2]))
    assert counted(said) == ([[1, 2]], True)
