"""What curves of loss over rate and of throughput over batch size suggest: made ones, whose answer is known."""

import numpy as np
import pytest

from cnnlab.analysis.suggestions import centred_mean, divergence, suggest_batch, suggest_rate

RATES = np.geomspace(1e-6, 10, 141)


def test_the_steepest_fall_of_a_made_curve():
    # Falls from 2.3 to 0.3 around 1e-2, leaves at 1.
    losses = 2.3 - 2 / (1 + np.exp(-6 * (np.log10(RATES) + 2))) + np.where(RATES > 1, 50 * RATES, 0)
    found = suggest_rate(RATES, losses)
    assert found.steepest == pytest.approx(1e-2, rel=0.1)
    assert found.diverged_at == pytest.approx(1.0, rel=0.25)
    assert found.tenth == found.diverged_at / 10
    assert (found.rate, found.rule) == (found.steepest, "steepest")
    assert found.smoothed.shape == losses.shape


def test_a_loss_that_only_rises_leaves_the_tenth():
    found = suggest_rate(RATES, 2.3 + np.where(RATES > 0.1, 100 * RATES, 0))
    assert found.steepest is None
    assert (found.rate, found.rule) == (found.tenth, "tenth")
    assert found.tenth == pytest.approx(0.01, rel=0.5)


def test_a_flat_loss_suggests_nothing():
    found = suggest_rate(RATES, np.full(141, 2.3))
    assert (found.rate, found.rule, found.diverged_at) == (None, None, None)
    assert suggest_rate([], []).rate is None


@pytest.mark.parametrize(
    ("losses", "place"),
    [
        ([2.0, 1.0, 1.0, float("nan")], 3),
        ([1.0] * 5 + [40.0], 5),
        ([2.3, 2.0, 1.5, 1.0, 1.0, 2.5, 2.9, 2.9, 2.9], 7),  # by hand: lost all it had gained
        ([2.3, 2.4, 2.5, 2.6], None),
    ],
)
def test_where_a_loss_diverges(losses, place):
    assert divergence(np.asarray(losses)) == place


def test_a_centred_mean_moves_nothing():
    line = np.arange(20.0)
    np.testing.assert_allclose(centred_mean(line, 7), line)
    peak = np.zeros(9)
    peak[4] = 3.0
    np.testing.assert_allclose(centred_mean(peak, 3), [0, 0, 0, 1, 1, 1, 0, 0, 0])


def test_a_noisy_quadratic_gets_a_rate_near_the_best():
    rng = np.random.default_rng(0)
    curvature = np.logspace(-1, 0, 20)
    start = rng.normal(size=20) + 3

    def loss_after(rates):
        weights, losses = start.copy(), []
        for rate in rates:
            weights = weights - rate * curvature * (weights + 0.3 * rng.normal(size=20))
            losses.append(float((curvature * weights**2).sum() / 2))
        return losses

    rates = np.geomspace(1e-5, 10, 60)
    losses = loss_after(rates)
    left = divergence(np.asarray(losses))
    found = suggest_rate(rates[: left + 1], losses[: left + 1])
    best = min(rates, key=lambda rate: loss_after([rate] * 20)[-1])
    assert best / 10 < found.steepest < best * 10
    assert best / 10 < found.tenth < best * 10
    assert 2 / curvature.max() < found.diverged_at < 20  # where gradient descent stops to converge


@pytest.mark.parametrize(
    ("sizes", "speeds", "expected"),
    [
        ([8, 16, 32, 64], [100, 180, 290, 300], 32),
        ([8, 16, 32], [100, 96, 90], 8),
        ([8, 16, 32], [100, 200, 400], 32),
        ([8, 16, 32, 64], [94, 96, 100, 80], 16),
        ([], [], None),
    ],
)
def test_the_smallest_batch_near_the_fastest(sizes, speeds, expected):
    assert suggest_batch(sizes, speeds) == expected
