"""How much a study trains, by hand."""

import pytest

from cnnlab.analysis.study_plan import asha_epochs, mean_epochs, study_plan
from cnnlab.settings.rungs import sweep
from cnnlab.settings.study import study_from_dict
from cnnlab.tuning.space import size


def study(**values):
    base = {
        "run": {"training": {"epochs": 9}},
        "space": {"training.learning_rate": "float(0.001, 0.1, log)", "training.batch_size": [32, 64]},
        "budget": {"trials": 50},
    }
    return study_from_dict(base | values)


def test_random_trials_all_train_to_their_end():
    plan = study_plan(study(budget={"trials": 50, "executions": 2}), None)
    assert (plan.trials, plan.epochs, plan.is_most) == (50, 900, False)
    assert plan.seconds(2.0, at_once=3) == pytest.approx(600)


def test_trials_are_no_more_than_the_space_has():
    small = study(space={"training.batch_size": [32, 64], "training.epochs": [1, 2, 4]})
    assert study_plan(small, size(small)).trials == 6


def test_a_grid_has_all_its_points_unless_the_budget_has_fewer():
    one = study(algorithm={"name": "grid", "grid_points": 4}, budget={})
    assert study_plan(one, None).trials == one.trials == 8
    assert study_plan(study(algorithm={"name": "grid", "grid_points": 4}, budget={"trials": 5}), None).trials == 5
    beside = {"training.optimizer": ["sgd", "adam"], "training.momentum": "float(0.1, 0.9)"}
    assert study_plan(study(space=beside, algorithm={"name": "grid", "grid_points": 4}), None).trials == 4 + 1


def test_hyperband_by_hand():
    # Of 9 epochs and a factor of 3: 9 trials to epoch 1, 3 on to 3, 1 on to 9; 5 to 3 and 2 on to 9; 3 to 9.
    assert sweep(9, 3) == [[(9, 1, 1), (3, 3, 2), (1, 9, 6)], [(5, 3, 3), (2, 9, 6)], [(3, 9, 9)]]
    plan = study_plan(study(algorithm={"name": "hyperband"}, budget={}), None)
    assert (plan.trials, plan.epochs, plan.is_most) == (23, 27 + 15 + 12 + 9 + 6 + 6, True)
    twice = study_plan(study(algorithm={"name": "hyperband", "iterations": 2}, budget={}), None)
    assert (twice.trials, twice.epochs) == (46, 2 * plan.epochs)


@pytest.mark.parametrize(("trials", "epochs"), [(10, 9 + 2), (23, 75), (25, 75 + 2)])
def test_hyperband_keeps_to_its_budget(trials, epochs):
    plan = study_plan(study(algorithm={"name": "hyperband"}, budget={"trials": trials}), None)
    assert (plan.trials, plan.epochs) == (trials, epochs)


def test_what_is_left_out_of_the_budget():
    assert study(budget={}).trials == 20
    assert study(budget={}, algorithm={"name": "hyperband", "factor": 4}).trials == sum(
        rung.trials for bracket in sweep(9, 4) for rung in bracket
    )


def test_asha_by_hand():
    # All train 1 epoch, a third two more, a ninth six more.
    assert asha_epochs(9, 1, 3) == pytest.approx(1 + 2 / 3 + 6 / 9)
    assert asha_epochs(5, 9, 3) == 5
    plan = study_plan(study(algorithm={"name": "asha"}, budget={"trials": 9}), None)
    assert plan.epochs == pytest.approx(9 * (1 + 2 / 3 + 6 / 9))


@pytest.mark.parametrize(("searched", "mean"), [("int(2, 10)", 6), ("choice(1, 2, 9)", 4), ("int(1, 8, log)", 3.366)])
def test_searched_epochs_count_by_their_mean(searched, mean):
    assert mean_epochs(study(space={"training.epochs": searched})) == pytest.approx(mean, abs=1e-3)


def test_pruning_makes_it_the_most():
    assert study_plan(study(pruning={"rule": "median"}), None).is_most
    assert study_plan(study(budget={"trials": 5, "early_stopping_patience": 2}), None).is_most
