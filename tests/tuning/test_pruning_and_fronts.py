"""Stopping rules against plain NumPy and Optuna, Pareto fronts against brute force."""

import numpy as np
import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnlab.settings.searching import PruningConfig
from cnnlab.tuning.pareto import ranks
from cnnlab.tuning.pruning import should_stop

VALUES = st.integers(0, 4).map(float)


@given(st.lists(st.tuples(VALUES, VALUES, VALUES), max_size=14), st.tuples(*[st.sampled_from(["max", "min"])] * 3))
def test_fronts_are_those_of_brute_force(points, directions):
    signs = [1 if direction == "min" else -1 for direction in directions]
    left, front = dict(enumerate(points)), 0
    expected = np.zeros(len(points), int)
    while left:
        first = [
            one
            for one, point in left.items()
            if not any(
                all(s * a <= s * b for s, a, b in zip(signs, other, point, strict=True)) and other != point
                for other in left.values()
            )
        ]
        for one in first:
            expected[one] = front
            del left[one]
        front += 1
    assert ranks(points, directions).tolist() == expected.tolist()


@given(
    st.lists(st.lists(st.floats(0, 1), min_size=1, max_size=6), min_size=1, max_size=12),
    st.lists(st.floats(0, 1), min_size=1, max_size=6),
    st.sampled_from(["max", "min"]),
    st.sampled_from([10.0, 25.0, 50.0, 90.0]),
)
def test_the_rules_say_what_optuna_says(curves, own, direction, percentile):
    rule = PruningConfig(rule="percentile", percentile=percentile, warmup_epochs=1, min_trials=3)
    by_epoch = [dict(enumerate(curve, 1)) for curve in curves]
    answer = should_stop(rule, direction, dict(enumerate(own, 1)), by_epoch, len(own))
    at_epoch = [curve[len(own) - 1] for curve in curves if len(curve) >= len(own)]
    expected = False
    if len(own) > 1 and len(curves) >= 3 and at_epoch:
        is_max = direction == "max"
        bound = np.percentile(at_epoch, 100 - percentile if is_max else percentile)
        expected = max(own) < bound if is_max else min(own) > bound
    assert answer == expected
    pruner = optuna.pruners.PercentilePruner(percentile, n_startup_trials=3, n_warmup_steps=1)
    theirs = optuna.create_study(direction="maximize" if direction == "max" else "minimize")
    for curve in by_epoch:
        theirs.add_trial(optuna.trial.create_trial(value=0.0, intermediate_values=curve))
    running = optuna.trial.create_trial(
        state=optuna.trial.TrialState.RUNNING, intermediate_values=dict(enumerate(own, 1))
    )
    # Optuna spares the epochs before its warm-up number, ours those up to it.
    assert answer == (len(own) > 1 and pruner.prune(theirs, running))


def test_the_median_rule_by_hand():
    rule = PruningConfig(rule="median", warmup_epochs=0, min_trials=3)
    others = [{1: 0.1, 2: 0.2}, {1: 0.3, 2: 0.4}, {1: 0.5, 2: 0.9}]
    assert should_stop(rule, "max", {1: 0.2}, others, 1)
    assert not should_stop(rule, "max", {1: 0.3}, others, 1)
    assert not should_stop(rule, "max", {1: 0.5, 2: 0.1}, others, 2)  # its best so far counts
    assert should_stop(rule, "min", {1: 0.4}, others, 1)
    assert not should_stop(rule, "max", {1: 0.0}, others[:2], 1)
    assert not should_stop(rule, "max", {3: 0.0}, others, 3)  # nobody came so far
    assert should_stop(rule, "max", {1: float("nan")}, others, 1)
    assert not should_stop(PruningConfig(), "max", {1: 0.0}, others, 1)


def test_ranks_of_nothing_are_nothing():
    assert ranks([], ["max", "min"]).tolist() == []
    assert ranks([(1, 1), (1, 1)], ["max", "min"]).tolist() == [0, 0]
    with pytest.raises(ValueError, match="reshape"):
        ranks([(1, 2, 3)], ["max", "min"])
