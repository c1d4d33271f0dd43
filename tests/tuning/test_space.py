"""The search space: its size, draws from it, and the runs that it makes."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnlab.config import flatten
from cnnlab.errors import ConfigError
from cnnlab.settings.ranges import nearest, value_key
from cnnlab.settings.study import study_from_dict
from cnnlab.tuning import space

DISCRETE = {
    "training.optimizer": ["sgd", "adam", "rmsprop"],
    "training.momentum": "float(0.5, 0.9, step=0.1)",
    "training.nesterov": [True, False],
    "training.batch_size": "int(8, 32, step=8)",
    "training.weight_decay": "choice(0, 0.1) if training.optimizer=sgd|adam and training.batch_size=8|16",
    "architecture.name": ["lenet5", "resnet"],
    "architecture.parameters.width": "int(8, 24, step=8)",
    "tricks.clip_norm": [None, 1.0],
}
CONTINUOUS = DISCRETE | {"training.learning_rate": "float(1e-4, 1e-1, log)", "data.image_size": "int(28, 40, log)"}
SEEDS = st.integers(0, 2**32 - 1)


def every(study):
    """All different trials, by trying all combinations and leaving out what is not searched beside the others."""
    values = [searched.grid(2) for searched in study.space.values()]
    found = [space.active(study, dict(zip(study.space, chosen, strict=True))) for chosen in itertools.product(*values)]
    return {value_key(one): one for one in found}


def test_the_size_is_the_number_of_different_trials():
    study = study_from_dict({"space": DISCRETE})
    assert space.size(study) == len(every(study))
    assert space.size(study_from_dict({"space": CONTINUOUS})) is None


@given(SEEDS)
def test_what_is_drawn_is_in_range_and_makes_a_run(seed):
    study = study_from_dict({"space": CONTINUOUS})
    values = space.sample(study, np.random.default_rng(seed))
    assert space.active(study, values) == values
    assert ("training.momentum" in values) == (values["training.optimizer"] == "sgd")
    assert all(study.space[path].holds(value) for path, value in values.items())
    flat = flatten(space.apply(study, values).to_dict())
    assert {path: flat[path] for path in values} == values


@given(SEEDS)
def test_values_survive_the_way_through_a_tuner(seed):
    study = study_from_dict({"space": CONTINUOUS})
    values = space.sample(study, np.random.default_rng(seed))
    for as_text in (False, True):
        sent = {path: space.encode(study.space[path], value, as_text=as_text) for path, value in values.items()}
        assert all(isinstance(value, (str, int, float)) and not isinstance(value, bool) for value in sent.values())
        assert space.decode(study, sent | {"tuner/epochs": 3}) == values


@given(SEEDS, st.one_of(st.none(), st.integers(-100, 100), st.floats(-100, 100), st.just("sgd"), st.booleans()))
def test_the_nearest_value_lies_in_its_range_and_is_the_value_itself_there(seed, value):
    study = study_from_dict({"space": CONTINUOUS})
    drawn = space.sample(study, np.random.default_rng(seed))
    for path, searched in study.space.items():
        assert searched.holds(nearest(searched, value))
        assert nearest(searched, drawn.get(path, searched.grid(2)[0])) == drawn.get(path, searched.grid(2)[0])
    own = space.own(study)
    assert space.active(study, own) == own


def test_a_log_range_is_drawn_evenly_over_its_magnitudes():
    study = study_from_dict({"space": {"training.learning_rate": "float(1e-4, 1, log)",
                                       "training.batch_size": "int(1, 4096, log)"}})  # fmt: skip
    rng = np.random.default_rng(0)
    drawn = [space.sample(study, rng) for _ in range(4000)]
    rates = np.log10([one["training.learning_rate"] for one in drawn])
    counts, _ = np.histogram(rates, bins=4, range=(-4, 0))
    assert abs(counts - 1000).max() < 120
    small = np.mean([one["training.batch_size"] <= 64 for one in drawn])
    assert abs(small - np.log(64.5 / 0.5) / np.log(4096.5 / 0.5)) < 0.03


def test_a_trial_is_the_run_with_its_values_and_the_budget():
    study = study_from_dict(
        {
            "run": {"repeats": 5, "training": {"epochs": 20, "warmup_epochs": 4}, "architecture": {"name": "lenet5",
                    "parameters": {"dropout": 0.5}}},
            "space": DISCRETE,
            "budget": {"epochs": 10, "early_stopping_patience": 3},
        }
    )  # fmt: skip
    run = space.apply(study, {"training.optimizer": "sgd", "training.momentum": 0.5, "architecture.name": "lenet5"})
    assert (run.training.epochs, run.training.early_stopping_epochs, run.training.warmup_epochs) == (10, 3, 4)
    assert (run.training.momentum, run.repeats, run.architecture.parameters["dropout"]) == (0.5, 1, 0.5)
    other = space.apply(study, {"architecture.name": "resnet", "architecture.parameters.width": 16})
    assert (other.architecture.name, other.architecture.parameters["width"]) == ("resnet", 16)
    short = space.apply(study, {"architecture.name": "lenet5"}, epochs=5)
    assert (short.training.epochs, short.training.warmup_epochs) == (5, 2)


def test_an_objective_of_latency_has_it_measured():
    searched = {"training.learning_rate": "float(1e-3, 1e-1)"}
    both = study_from_dict(
        {"space": searched, "objectives": ["val_accuracy", "latency_ms"], "algorithm": {"name": "tpe"}}
    )
    assert space.apply(both, {}).compute.measure_latency
    assert not space.apply(study_from_dict({"space": searched}), {}).compute.measure_latency


def test_values_that_do_not_go_together_are_told_and_counted():
    study = study_from_dict({"space": {"training.warmup_epochs": [0, 1, 2, 3], "training.epochs": [1, 2]}})
    with pytest.raises(ConfigError, match="leaves nothing of epochs=2"):
        space.apply(study, {"training.warmup_epochs": 3, "training.epochs": 2})
    share, reason = space.refused_share(study, np.random.default_rng(0), 400)
    assert abs(share - 5 / 8) < 0.08
    assert "warm-up" in reason


def test_what_was_seen_of_the_space():
    study = study_from_dict({"space": DISCRETE})
    tried = list(every(study).values())[::2]
    assert space.seen_share(study, [*tried, *tried]) == pytest.approx(len(tried) / len(every(study)))
    rates = study_from_dict({"space": {"training.learning_rate": "float(1e-4, 1, log)", "training.optimizer":
                                       ["sgd", "adam"], "training.momentum": "float(0, 0.9)"}})  # fmt: skip
    assert space.seen_share(rates, []) is None
    seen = [{"training.learning_rate": 2e-4, "training.optimizer": "adam"}] * 2 + [
        {"training.learning_rate": 1.0, "training.optimizer": "adam", "training.momentum": 0.1}
    ]
    shares = {"training.learning_rate": 0.5, "training.optimizer": 0.5, "training.momentum": 0.0}
    assert space.coverage(rates, seen, bins=4) == shares


def test_a_grid_tries_points_of_continuous_ranges_where_they_are_searched():
    searched = {"training.optimizer": ["sgd", "adam"], "training.momentum": "float(0.1, 0.9)"}
    study = study_from_dict({"space": searched, "algorithm": {"name": "grid", "grid_points": 3}})
    assert (space.size(study), space.grid_size(study)) == (None, 3 + 1)
