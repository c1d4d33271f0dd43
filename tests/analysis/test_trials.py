"""Where a trial is in its space, and which are the best."""

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnlab.analysis.trials import NOT_THERE, Axis, Goal, axes_of, goals_of, trials_of
from cnnlab.runs.schema import TRIALS, polars_schema
from cnnlab.settings.range_text import parse_range
from cnnlab.settings.study import study_from_dict

RATE = Axis("training.learning_rate", "learning rate", (), 1e-4, 1e-1, None, True)
WIDTH = Axis("architecture.parameters.width", "width", (), 8, 32, 8)
KIND = Axis("training.optimizer", "optimizer", ("sgd", "adam", None))


def table(*rows: dict) -> pl.DataFrame:
    names = dict.fromkeys(TRIALS.names)
    whole = [{**names, "trial_id": str(place), "number": place + 1, **row} for place, row in enumerate(rows)]
    return pl.DataFrame(whole, schema=polars_schema(TRIALS), orient="row")


def test_logarithmic_places():
    assert [RATE.code(value) for value in (1e-4, 1e-3, 1e-1)] == pytest.approx([0, 1 / 3, 1])
    assert RATE.code(None) == RATE.code("fast") == RATE.code(-1.0) == NOT_THERE
    assert RATE.value(1 / 3) == pytest.approx(1e-3)


def test_choices_are_told_apart_as_json_does():
    one = Axis("x", "x", (1, True, "1", [1, 2]))
    assert [one.code(value) for value in (1, True, "1", [1, 2], 2)] == [0, 1, 2, 3, NOT_THERE]
    assert one.value(3.0) == [1, 2]
    assert KIND.code(None) == 2


def test_a_choice_of_none_is_not_the_same_as_no_choice():
    rows = table(
        {"values": '{"training.optimizer": null}'}, {"values": "{}"}, {"values": '{"training.optimizer": "sgd"}'}
    )
    found = trials_of(rows, [KIND], GOALS)
    assert found.codes()[:, 0].tolist() == [2, NOT_THERE, 0]
    assert (found.described(0), found.described(1)) == ("optimizer none", "")
    layer = {"kind": "dense", "units": 8, "activation": "relu", "bias": True}
    assert Axis("x", "x", (None, layer)).text(layer) == "dense, 8 units, ReLU"


@given(st.floats(1e-4, 1e-1))
def test_a_place_gives_its_value_back(value):
    assert RATE.value(RATE.code(value)) == pytest.approx(value)


def test_few_steps_are_taken_one_by_one():
    assert [WIDTH.value(code) for code in WIDTH.codes()] == [8, 16, 24, 32]
    assert RATE.codes().size == 32


def test_a_measure_counts_what_is_absent():
    whole = KIND.measure(0.4)
    assert whole.points.tolist() == [NOT_THERE, 0, 1, 2]
    assert whole.weights == pytest.approx([0.4, 0.2, 0.2, 0.2])
    assert RATE.measure().weights.sum() == pytest.approx(1)


def test_axes_and_goals_of_a_study():
    study = study_from_dict(
        {
            "space": {
                "architecture.name": ["lenet5", "resnet"],
                "training.learning_rate": "float(1e-4, 1e-1, log)",
                "architecture.parameters.width": "int(8, 64, step=8) if architecture.name=resnet",
            },
            "objectives": ["val_accuracy", "macs"],
            "algorithm": {"name": "nsga2"},
        }
    )
    axes = axes_of(study.space)
    assert [(axis.label, axis.is_log, axis.step) for axis in axes] == [
        ("architecture", False, None), ("learning rate", True, None), ("width", False, 8),
    ]  # fmt: skip
    assert goals_of(study.objectives) == (Goal("val_accuracy", True), Goal("macs", False))


def test_two_fields_of_one_name_keep_their_paths():
    rate = parse_range("float(0.1, 1)")
    axes = axes_of({"training.rate": rate, "transfer.rate": rate, "training.momentum": rate})
    assert [axis.label for axis in axes] == ["training.rate", "transfer.rate", "momentum"]


ROWS = table(
    {"status": "completed", "values": '{"a": 1}', "objectives": '{"val_accuracy": 0.8, "macs": 5}'},
    {"status": "stopped", "values": '{"a": 1}', "objectives": '{"val_accuracy": 0.99, "macs": 1}'},
    {"status": "completed", "values": '{"a": 2}', "objectives": '{"val_accuracy": 0.9, "macs": 9}'},
    {"status": "failed"},
    {"status": "completed", "values": '{"a": 3}', "objectives": '{"val_accuracy": null, "macs": 2}'},
    {"status": "completed", "values": '{"a": 3}', "objectives": '{"val_accuracy": 0.7, "macs": 6}'},
)
GOALS = (Goal("val_accuracy", True), Goal("macs", False))


def test_best_ranking_and_front_are_of_completed_trials():
    found = trials_of(ROWS, [Axis("a", "a", (1, 2, 3))], GOALS)
    assert found.best() == 2
    assert found.ranking() == [2, 0, 5]
    assert found.front(*found.goals) == [0, 2]
    assert found.codes()[:, 0].tolist() == [0, 0, 1, NOT_THERE, 2, 2]
    turned = trials_of(ROWS, [], GOALS[::-1])
    assert turned.ranking() == [4, 0, 5, 2]
    assert turned.front(*turned.goals) == [0, 2]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=12), st.booleans(), st.booleans())
def test_the_front_is_that_of_brute_force(points, first_is_max, second_is_max):
    rows = table(*({"status": "completed", "objectives": f'{{"a": {a}, "b": {b}}}'} for a, b in points))
    goals = (Goal("a", first_is_max), Goal("b", second_is_max))
    turned = [(a if first_is_max else -a, b if second_is_max else -b) for a, b in points]
    expected = [
        place
        for place, (a, b) in enumerate(turned)
        if not any(x >= a and y >= b and (x, y) != (a, b) for x, y in turned)
    ]
    assert trials_of(rows, [], goals).front(*goals) == expected


def test_no_trial_yet():
    found = trials_of(table(), [RATE], GOALS)
    assert found.best() is None
    assert found.ranking() == []
    assert found.codes().shape == (0, 1)
    assert np.isclose(found.measures()[0].weights.sum(), 1)


def test_how_numbers_read():
    assert Goal("val_accuracy", True).text(0.98765) == "98.77 %"
    assert Goal("macs", False).text(1234567.0) == "1,234,567"
    assert Goal("val_loss", False).text(math.nan) == "–"
    assert (Goal("latency_ms", False).text(0.48123), Goal("train_s", False).text(2000.0)) == ("0.4812 ms", "2,000 s")
    assert [RATE.text(value) for value in (0.00123456, None, True)] == ["0.001235", "–", "True"]
