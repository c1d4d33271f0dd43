"""Settings that differ, their defaults, and runs as lines through them."""

import math

import numpy as np
import pytest

from cnnlab.analysis.config_table import Setting, default_values, settings_of
from cnnlab.analysis.run_axes import GOALS, MOST_CHOICES, axes_of_runs, reached
from cnnlab.analysis.trials import NOT_THERE

BASES = {"a": ("digits", "lenet5"), "b": ("digits", "resnet")}


def setting(field, *values, is_default=()):
    return Setting(field, values, is_default or (False,) * len(values))


def test_defaults_are_those_of_data_and_network():
    defaults = default_values("digits", "lenet5")
    assert defaults["architecture.parameters.pooling"] == "max"
    assert "architecture.parameters.pooling" not in default_values("digits", "resnet")
    assert default_values("digits", "somebody's own") == {}


def test_what_is_as_by_default_is_known():
    rate = default_values("digits", "lenet5")["training.learning_rate"]
    differences = [
        ("architecture.name", {"a": "lenet5", "b": "resnet"}),
        ("training.learning_rate", {"a": rate, "b": 0.5}),
        ("architecture.parameters.pooling", {"a": "max", "b": None}),
        ("training.seed", {"a": 0, "b": 1}),
    ]
    found = settings_of(differences, ["b", "a"], BASES)
    assert [(one.field, one.values, one.is_default) for one in found] == [
        ("architecture.name", ("resnet", "lenet5"), (False, False)),
        ("training.learning_rate", (0.5, rate), (False, True)),
        ("architecture.parameters.pooling", (None, "max"), (False, True)),
        ("training.seed", (1, 0), (False, True)),
    ]
    assert [one.is_implied for one in found] == [False, False, True, False]
    assert [one.field for one in settings_of(differences, ["a", "b"], BASES, is_grouped=True)][-1] != "training.seed"


@pytest.mark.parametrize(
    ("values", "choices", "is_log", "step"),
    [
        ((1, 2, 4), (), False, 1.0),
        ((0.001, 0.1), (), True, None),
        ((0.1, 0.2), (), False, None),
        ((0, 100), (), False, 1.0),
        (("adam", "sgd"), ("adam", "sgd"), False, None),
        ((True, False), (False, True), False, None),
        ((1, True), (1, True), False, None),
        ((5, None), (5,), False, None),
        ((["x"], ["y"]), (["x"], ["y"]), False, None),
    ],
)
def test_numbers_are_an_axis_and_all_else_are_choices(values, choices, is_log, step):
    (axis,), left_out = axes_of_runs([setting("a.b_c", *values)])
    assert (axis.label, axis.choices, axis.is_log, axis.step) == ("b c", choices, is_log, step)
    assert left_out == {}
    for value in values:
        assert (axis.code(value) == NOT_THERE) is (value is None)


def test_a_thicket_of_names_has_no_axis():
    names = [f"line {place}" for place in range(MOST_CHOICES + 1)]
    assert axes_of_runs([setting("augmentation", *names)]) == ((), {"augmentation": "25 different values"})


def test_what_was_reached_is_missing_where_it_is_missing():
    rows = [{"test_accuracy": 0.5, "macs": 10}, {"test_accuracy": None}]
    found = reached(rows, [goal for goal in GOALS if goal.metric in ("test_accuracy", "macs")])
    assert found[0].tolist() == [0.5, 10.0]
    assert np.isnan(found[1]).all()
    assert math.isnan(reached(rows, GOALS)[0][1])
