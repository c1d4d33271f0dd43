"""Learning rates as numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnlab.config import TrainingConfig
from cnnlab.training.rates import learning_rates

SCHEDULES = ["constant", "cosine", "step", "one_cycle"]


@given(
    schedule=st.sampled_from(SCHEDULES),
    epochs=st.integers(1, 20),
    warmup=st.floats(0, 0.99),
    steps=st.integers(1, 50),
    rate=st.floats(1e-6, 10),
)
def test_one_rate_per_step_between_zero_and_the_highest(schedule, epochs, warmup, steps, rate):
    training = TrainingConfig(epochs=epochs, warmup_epochs=warmup * epochs, schedule=schedule, learning_rate=rate)
    rates = learning_rates(training, steps)
    assert rates.shape == (epochs * steps,)
    assert (rates > 0).all()
    assert (rates <= rate * (1 + 1e-12)).all()


def test_constant():
    assert learning_rates(TrainingConfig(epochs=2, schedule="constant", learning_rate=0.5), 2).tolist() == [0.5] * 4


def test_cosine_starts_high_and_is_half_in_the_middle():
    rates = learning_rates(TrainingConfig(epochs=10, schedule="cosine", learning_rate=1.0), 10)
    assert rates[0] == 1.0
    assert rates[50] == pytest.approx(0.5)
    assert rates[-1] < 0.001


def test_step_drops_by_its_factor():
    training = TrainingConfig(epochs=4, schedule="step", learning_rate=1.0, step_every_epochs=2, step_factor=0.1)
    assert learning_rates(training, 2) == pytest.approx([1, 1, 1, 1, 0.1, 0.1, 0.1, 0.1])


def test_one_cycle_peaks_at_three_tenths():
    rates = learning_rates(TrainingConfig(epochs=10, schedule="one_cycle", learning_rate=1.0), 10)
    assert int(np.argmax(rates)) == 30
    assert rates[30] == 1.0
    assert rates[0] == pytest.approx(1 / 25)
    assert rates[-1] < 0.002


def test_warm_up_climbs_linearly_to_where_the_schedule_starts():
    training = TrainingConfig(epochs=3, warmup_epochs=1, schedule="constant", learning_rate=1.0)
    assert learning_rates(training, 3) == pytest.approx([0.25, 0.5, 0.75, *[1.0] * 6])


def test_warm_up_and_cosine_are_the_formula():
    training = TrainingConfig(epochs=5, warmup_epochs=1, schedule="cosine", learning_rate=0.4)
    climb = [0.4 * (step + 1) / 11 for step in range(10)]
    fall = [0.2 * (1 + np.cos(np.pi * step / 40)) for step in range(40)]
    assert learning_rates(training, 10) == pytest.approx(climb + fall)


def test_one_cycle_is_the_formula():
    training = TrainingConfig(epochs=10, schedule="one_cycle", learning_rate=2.0)
    rise = [2 / 25 + (2 - 2 / 25) * (1 - np.cos(np.pi * step / 30)) / 2 for step in range(30)]
    fall = [2e-4 + (2 - 2e-4) * (1 + np.cos(np.pi * step / 70)) / 2 for step in range(70)]
    assert learning_rates(training, 10) == pytest.approx(rise + fall)
