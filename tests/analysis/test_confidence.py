"""Calibration, temperature and thresholds against scikit-learn, scipy and networks whose truth is known."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_answers import as_frame, made_answers
from scipy import optimize, special
from sklearn import calibration as sklearn_calibration
from sklearn import metrics

from cnnlab.analysis.answers import Answers
from cnnlab.analysis.calibration import calibration
from cnnlab.analysis.confidence_report import confidence_report
from cnnlab.analysis.confidences import HIGHEST_LOSS, Confidences, confidences, scaled_confidences
from cnnlab.analysis.intervals import wilson
from cnnlab.analysis.selective import COVERAGES, at_threshold, selective, threshold_for
from cnnlab.analysis.temperature import COLDEST, fit_temperature

NOTHING = Answers(np.zeros(0, np.int64), np.zeros((0, 3), np.float32))


def sure(confidence, is_right) -> Confidences:
    """Confidences whose losses are of no interest."""
    values = np.asarray(confidence, np.float64)
    return Confidences(values, np.asarray(is_right, bool), np.zeros(len(values)), np.zeros(len(values)))


# ---- one number per image ----


def test_losses_equal_scikit_learn():
    answers = made_answers(300, 4)
    found = confidences(answers)
    assert found.loss.mean() == pytest.approx(metrics.log_loss(answers.labels, answers.probabilities), rel=1e-5)
    assert found.brier.mean() == pytest.approx(
        metrics.brier_score_loss(np.eye(4)[answers.labels], answers.probabilities), rel=1e-5
    )
    assert found.confidence == pytest.approx(answers.probabilities.max(axis=1))


def test_probabilities_of_zero_and_one_have_finite_losses():
    found = confidences(Answers(np.array([0, 1]), np.array([[1, 0], [1, 0]], np.float32)))
    assert found.loss.tolist() == [0, HIGHEST_LOSS]
    assert found.brier.tolist() == [0, 2]


@settings(deadline=None, max_examples=25)
@given(st.floats(0.2, 5), st.integers(0, 99))
def test_scaling_equals_softmax_of_divided_logits_and_keeps_what_is_right(temperature, seed):
    answers = made_answers(40, 4, seed=seed)
    found = scaled_confidences(answers, temperature)
    shares = special.softmax(np.log(answers.probabilities.astype(np.float64)) / temperature, axis=1)
    expected = confidences(Answers(answers.labels, shares.astype(np.float32)))
    assert found.confidence == pytest.approx(expected.confidence, rel=1e-4)
    assert found.loss == pytest.approx(expected.loss, rel=1e-3, abs=1e-4)
    assert found.brier == pytest.approx(expected.brier, rel=1e-3, abs=1e-4)
    assert np.array_equal(found.is_right, answers.is_right)


def test_saturated_answers_can_be_scaled():
    answers = Answers(np.array([1, 0, 0]), np.array([[1, 0, 0], [1, 0, 0], [0.5, 0.5, 0]], np.float32))
    found = scaled_confidences(answers, 3.0)
    assert np.isfinite([found.confidence, found.loss, found.brier]).all()
    assert found.is_right.tolist() == [False, True, True]


# ---- calibration ----


def test_bins_equal_scikit_learn():
    found = confidences(made_answers(500, 4))
    for strategy, error in (
        ("uniform", calibration(found, 10).equal_width),
        ("quantile", calibration(found, 10).equal_mass),
    ):
        accuracy, confidence = sklearn_calibration.calibration_curve(
            found.is_right, found.confidence, n_bins=10, strategy=strategy
        )
        assert error.bins["accuracy"].to_numpy() == pytest.approx(
            accuracy, abs=0.01 if strategy == "quantile" else 1e-9
        )
        assert error.bins["confidence"].to_numpy() == pytest.approx(
            confidence, abs=0.01 if strategy == "quantile" else 1e-9
        )
        assert error.bins["n"].sum() == 500


def test_the_error_by_hand():
    found = calibration(sure([0.95, 0.95, 0.95, 0.95, 0.55], [1, 1, 1, 0, 1]), bins=10).equal_width
    assert found.bins["n"].to_list() == [1, 4]
    assert found.bins["accuracy"].to_list() == [1, 0.75]
    assert found.bins.row(1)[6:] == pytest.approx(wilson(3, 4))
    assert found.value == pytest.approx((1 * 0.45 + 4 * 0.2) / 5)
    assert found.largest == pytest.approx(0.45)


def test_bins_of_equal_mass_keep_equal_confidences_together():
    found = calibration(sure([1.0] * 90 + [0.5] * 10, [1] * 100)).equal_mass
    assert found.bins["n"].to_list() == [10, 90]


def test_a_calibrated_network_shows_no_more_than_chance():
    found = calibration(confidences(made_answers(20_000, 4))).equal_width
    assert found.value < 0.02
    assert found.value == pytest.approx(found.by_chance, abs=0.005)
    assert found.low == 0
    assert found.debiased < found.value


def test_what_chance_shows_equals_a_simulation():
    answers = confidences(made_answers(300, 4))
    rng = np.random.default_rng(0)
    drawn = [
        calibration(sure(answers.confidence, rng.random(300) < answers.confidence)).equal_width.value
        for _ in range(200)
    ]
    assert calibration(answers).equal_width.by_chance == pytest.approx(np.mean(drawn), rel=0.06)


def test_the_excess_is_that_of_kumar_et_al():
    """Their estimate draws the accuracy of each bin anew from a normal, and takes off what the draws have too much."""
    answers = confidences(made_answers(400, 4, temperature=0.5))
    found = calibration(answers).equal_width
    bins = found.bins
    n, accuracy, confidence = (bins[name].to_numpy() for name in ("n", "accuracy", "confidence"))
    spread = np.sqrt(accuracy * (1 - accuracy) / n)
    drawn = np.random.default_rng(0).normal(accuracy, spread, (4_000, len(n)))
    mean = (np.abs(drawn - confidence) * n / 400).sum(axis=1).mean()
    assert found.debiased == pytest.approx(2 * found.value - mean, abs=0.003)


def drawn(n: int, temperature: float, seed: int) -> Confidences:
    """A network with two classes whose logits are too large by 1 / temperature; what it is right in is drawn."""
    rng = np.random.default_rng(seed)
    confidence = 1 - rng.beta(0.7, 2, n) / 2
    return sure(confidence, rng.random(n) < special.expit(special.logit(confidence) * temperature))


@pytest.mark.parametrize(("temperature", "n"), [(1.0, 300), (0.5, 100), (0.7, 300)])
def test_the_interval_of_the_error_covers_the_truth(temperature, n):
    rng = np.random.default_rng(1)
    many = 1 - rng.beta(0.7, 2, 1_000_000) / 2
    gaps = special.expit(special.logit(many) * temperature) - many
    places = np.minimum((many * 15).astype(int), 14)
    truth = np.abs(np.bincount(places, gaps)).sum() / len(many)
    errors = [calibration(drawn(n, temperature, seed)).equal_width for seed in range(200)]
    assert np.mean([error.low <= truth + 1e-9 <= error.high for error in errors]) > 0.89


def test_calibration_of_nothing():
    found = calibration(confidences(NOTHING))
    assert np.isnan([found.accuracy, found.equal_width.value, *found.loss]).all()
    assert found.equal_mass.bins.is_empty()


@pytest.mark.parametrize("n", [1, 2])
def test_calibration_of_one_or_two_images(n):
    found = calibration(sure([0.9] * n, [True] * n))
    assert found.equal_width.value == pytest.approx(0.1)
    assert found.equal_width.low == 0


# ---- temperature ----


@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5])
def test_the_temperature_equals_that_of_scipy(temperature):
    answers = made_answers(2_000, 5, temperature=temperature)
    logs = np.log(answers.probabilities.astype(np.float64))

    def loss(value: float) -> float:
        scaled = logs / value
        return float((special.logsumexp(scaled, axis=1) - scaled[np.arange(2_000), answers.labels]).mean())

    expected = optimize.minimize_scalar(loss, bounds=(0.05, 20), method="bounded", options={"xatol": 1e-8}).x
    found = fit_temperature(answers)
    assert found.value == pytest.approx(expected, rel=1e-4)
    assert found.low < 1 / temperature < found.high, "it undoes what was done to a calibrated network"
    assert found.n == 2_000


def test_its_interval_covers_the_truth():
    fitted = [fit_temperature(made_answers(200, 10, temperature=0.5, seed=seed)) for seed in range(200)]
    assert 0.9 < np.mean([one.low <= 2 <= one.high for one in fitted]) < 0.99


def test_answers_that_are_all_right_ask_for_ever_more():
    answers = Answers(np.array([0, 1]), np.array([[0.9, 0.1], [0.2, 0.8]], np.float32))
    found = fit_temperature(answers)
    assert found.value == COLDEST
    assert not found.is_determined
    assert np.isnan([found.low, found.high]).all()


def test_saturated_answers_have_a_temperature():
    made = made_answers(300, 3, temperature=0.2)
    answers = Answers(made.labels, np.round(made.probabilities, 4))
    found = fit_temperature(answers)
    assert (answers.probabilities == 0).mean() > 0.1
    assert 2.5 < found.value < 6, "5 where nothing was rounded"


def test_answers_that_say_nothing():
    assert fit_temperature(NOTHING) is None
    flat = fit_temperature(Answers(np.array([0, 1]), np.full((2, 2), 0.5, np.float32)))
    assert np.isfinite(flat.value)


# ---- thresholds ----


def test_accuracy_and_coverage_by_hand():
    answers = sure([0.9, 0.8, 0.8, 0.6], [1, 1, 0, 0])
    point = at_threshold(answers, 0.8)
    assert (point.answered, point.right, point.coverage, point.accuracy) == (3, 2, 0.75, 2 / 3)
    table = selective(answers).by_threshold
    row = table.filter(table["threshold"] == 0.8).row(0, named=True)
    assert (row["answered"], row["coverage"], row["accuracy"]) == (3, 0.75, pytest.approx(2 / 3))
    assert (row["low"], row["high"]) == pytest.approx(wilson(2, 3))
    assert table.row(-1, named=True)["accuracy"] is None, "nothing is answered"
    assert np.isnan(at_threshold(answers, 0.95).accuracy)


def test_by_coverage_ends_where_all_is_answered():
    answers = confidences(made_answers(300, 4))
    table = selective(answers).by_coverage
    assert table["wanted"].to_list() == COVERAGES.tolist()
    assert (table["coverage"] >= table["wanted"] - 1e-9).all()
    assert table["accuracy"][-1] == pytest.approx(answers.is_right.mean())
    best = np.sort(answers.confidence)[::-1][:30].min()
    assert table["accuracy"][9] == pytest.approx(answers.is_right[answers.confidence >= best].mean())


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=1, max_size=30),
    st.sampled_from([0.5, 0.75, 0.9, 1.0]),
)
def test_the_threshold_is_the_lowest_that_is_good_enough(pairs, target):
    confidence, is_right = zip(*pairs, strict=True)
    answers = sure(np.array(confidence) / 10, is_right)
    good = [value for value in np.unique(answers.confidence) if at_threshold(answers, value).accuracy >= target - 1e-9]
    assert threshold_for(answers, target) == (min(good) if good else None)


def test_thresholds_of_nothing():
    empty = confidences(NOTHING)
    assert threshold_for(empty, 0.9) is None
    assert selective(empty).by_coverage["accuracy"].null_count() == len(COVERAGES)


# ---- all of it ----


def both_splits() -> pl.DataFrame:
    val, test = (made_answers(1_500, 4, temperature=0.4, seed=seed) for seed in (1, 2))
    return pl.concat([as_frame(val, split="val"), as_frame(test)])


def test_what_is_fitted_on_validation_images_helps_on_test_images():
    report = confidence_report(both_splits(), 4)
    assert report.temperature.value == pytest.approx(2.5, rel=0.15)
    assert report.after.equal_width.value < report.before.equal_width.value / 2
    assert report.after.loss[0] < report.before.loss[0]
    assert report.after.accuracy == report.before.accuracy
    point = report.operating_point(0.9)
    assert point.n == 1_500
    assert wilson(point.right, point.answered)[0] < 0.9 < wilson(point.right, point.answered)[1]
    assert report.operating_point(1.1) is None


def test_nothing_is_fitted_on_the_images_that_judge():
    frame = both_splits()
    report = confidence_report(
        frame.with_columns(sample_id=pl.col("sample_id").str.strip_prefix("val-").str.strip_prefix("test-")), 4
    )
    assert report.shared == 1_500
    assert report.temperature is report.after is report.operating_point(0.9) is None


def test_without_validation_images_there_is_no_temperature():
    report = confidence_report(both_splits().filter(pl.col("split") == "test"), 4)
    assert report.temperature is report.after is report.operating_point(0.9) is None
    assert report.before.n == 1_500
