"""ROC and precision-recall against scikit-learn, ties included; the interval of the area by simulation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_answers import made_answers
from scipy import stats
from sklearn import metrics

from cnnlab.analysis.answers import Answers
from cnnlab.analysis.binary_ranking import auc_ends, binary_ranking
from cnnlab.analysis.ranking import FALSE_ALARMS, RECALLS, ranking
from cnnlab.analysis.share_intervals import wilson_ends


@st.composite
def scored(draw):
    """Scores of a few values, so that there are ties, with both kinds of images."""
    scores = draw(st.lists(st.integers(0, 8), min_size=2, max_size=40))
    is_of_class = draw(st.lists(st.booleans(), min_size=len(scores), max_size=len(scores)))
    is_of_class[0], is_of_class[1] = True, False
    return np.array(scores) / 8, np.array(is_of_class)


def rank(scores, is_of_class):
    return binary_ranking(scores[is_of_class], np.sort(scores))


@settings(deadline=None, max_examples=100)
@given(scored())
def test_areas_equal_scikit_learn(case):
    scores, is_of_class = case
    found = rank(scores, is_of_class)
    assert found.auc == pytest.approx(metrics.roc_auc_score(is_of_class, scores))
    assert found.average_precision == pytest.approx(metrics.average_precision_score(is_of_class, scores))
    reversed_area = rank(-scores, is_of_class).auc
    assert reversed_area == pytest.approx(1 - found.auc)


@settings(deadline=None, max_examples=100)
@given(scored())
def test_curves_equal_scikit_learn(case):
    scores, is_of_class = case
    found = rank(scores, is_of_class)
    x, y, _ = metrics.roc_curve(is_of_class, scores, drop_intermediate=False)
    highest = [y[x == value].max() for value in np.unique(x)]
    assert found.recall_at(np.unique(x)) == pytest.approx(highest)
    between = (np.unique(x)[:-1] + np.unique(x)[1:]) / 2
    lowest = [y[x == value].min() for value in np.unique(x)]
    assert found.recall_at(between) == pytest.approx((np.array(highest[:-1]) + np.array(lowest[1:])) / 2)
    precision, recall, _ = metrics.precision_recall_curve(is_of_class, scores)
    wanted = np.linspace(0.01, 1, 30)
    expected = [precision[np.flatnonzero(recall >= value - 1e-12)[-1]] for value in wanted]
    assert found.precision_at(wanted) == pytest.approx(expected)


def test_averages_equal_scikit_learn():
    answers = made_answers(400, 5)
    table = ranking(answers, list("abcde")).table
    is_of_class = np.eye(5)[answers.labels]
    for place, average in enumerate(("macro", "micro")):
        assert table["auc"][place] == pytest.approx(
            metrics.roc_auc_score(is_of_class, answers.probabilities, average=average)
        )
        assert table["ap"][place] == pytest.approx(
            metrics.average_precision_score(is_of_class, answers.probabilities, average=average)
        )
    assert table["n"].to_list() == [400, 400, *np.bincount(answers.labels)]
    assert table["class"].to_list() == [None, None, 0, 1, 2, 3, 4]


def test_the_kept_curves_are_those_of_the_classes_and_their_mean():
    answers = made_answers(400, 3)
    found = ranking(answers, list("abc"))
    column = answers.probabilities[:, 1]
    single = binary_ranking(column[answers.labels == 1], np.sort(column))
    assert found.recall[3] == pytest.approx(single.recall_at(FALSE_ALARMS), abs=1e-6)
    assert found.precision[3] == pytest.approx(single.precision_at(RECALLS), abs=1e-6)
    assert found.recall[0] == pytest.approx(found.recall[2:].mean(axis=0), abs=1e-6)
    assert (np.diff(found.recall, axis=1) >= -1e-6).all()
    assert (found.recall[:, -1] == 1).all()
    area = np.trapezoid(found.recall, FALSE_ALARMS, axis=1)
    assert area == pytest.approx(found.table["auc"].to_numpy(), abs=0.005)


def test_a_class_without_images_has_no_curve_and_no_part_in_the_mean():
    made = made_answers(200, 3)
    answers = Answers(np.where(made.labels == 2, 0, made.labels), made.probabilities)
    found = ranking(answers, list("abc"))
    assert found.table.row(4, named=True)["auc"] is None
    assert found.table.row(4, named=True)["ap"] is None
    assert np.isnan(found.recall[4]).all()
    assert found.lacking == 1
    assert found.table["auc"][0] == pytest.approx(found.table["auc"].to_numpy()[2:4].mean())
    assert found.recall[0] == pytest.approx(found.recall[2:4].mean(axis=0), abs=1e-6)


def test_nothing_to_rank():
    empty = ranking(Answers(np.zeros(0, np.int64), np.zeros((0, 2), np.float32)), ["a", "b"])
    assert empty.table["auc"].null_count() == empty.table["ap"].null_count() == 4
    alone = ranking(Answers(np.zeros(3, np.int64), np.full((3, 2), 0.5, np.float32)), ["a", "b"])
    assert alone.table["auc"].to_list() == [None, 0.5, None, None], "only the pairs of all classes can be ranked"


def test_classes_that_are_told_apart_entirely():
    answers = Answers(np.array([0, 1] * 10), np.array([[1, 0], [0, 1]] * 10, np.float32))
    table = ranking(answers, ["a", "b"]).table
    assert table["auc"].to_list() == table["ap"].to_list() == table["auc_high"].to_list() == [1.0] * 4
    assert (table["auc_low"] < 1).all(), "ten images of a class do not prove that it is always so"
    assert (table["auc_low"] > 0.6).all()
    low = wilson_ends([10], [10])[0][0]
    assert table["ap_low"][2] == pytest.approx(low)


@settings(deadline=None, max_examples=25)
@given(st.floats(0, 1), st.integers(1, 5000), st.integers(1, 5000))
def test_the_interval_holds_the_area_and_is_symmetric(auc, images, others):
    low, high = map(float, auc_ends(auc, images, others))
    assert 0 <= low <= auc + 1e-9
    assert auc - 1e-9 <= high <= 1
    mirrored = list(map(float, auc_ends(1 - auc, others, images)))
    assert (1 - mirrored[1], 1 - mirrored[0]) == pytest.approx((low, high), abs=1e-6)


def test_the_ends_are_where_the_standard_error_of_hanley_and_mcneil_reaches():
    low, high = (float(end) for end in auc_ends(0.9, 50, 200))
    for end in (low, high):
        q1, q2 = end / (2 - end), 2 * end**2 / (1 + end)
        variance = (end * (1 - end) + 49 * (q1 - end**2) + 199 * (q2 - end**2)) / (50 * 200)
        assert abs(0.9 - end) == pytest.approx(stats.norm.ppf(0.975) * np.sqrt(variance), rel=1e-6)


@pytest.mark.parametrize(("images", "others", "auc", "spread"), [(10, 490, 0.95, 1), (30, 270, 0.99, 2)])
def test_the_interval_of_the_area_covers_the_truth(images, others, auc, spread):
    rng = np.random.default_rng(0)
    shift = stats.norm.ppf(auc) * np.sqrt(1 + spread**2)
    areas = []
    for _ in range(400):
        own, rest = rng.normal(shift, spread, images), rng.normal(size=others)
        areas.append(binary_ranking(own, np.sort(np.concatenate([own, rest]))).auc)
    low, high = auc_ends(areas, images, others)
    assert np.mean((low <= auc) & (auc <= high)) > 0.92


def test_a_thousand_classes_are_ranked():
    answers = made_answers(2_000, 1_000, bonus=4)
    found = ranking(answers, [str(place) for place in range(1_000)])
    assert found.recall.shape == (1_002, len(FALSE_ALARMS))
    assert found.table["auc"][0] > 0.9
