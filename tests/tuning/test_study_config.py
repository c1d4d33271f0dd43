"""A study as data: what can be searched, under which conditions, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnlab.errors import ConfigError
from cnnlab.settings.objectives import Objective
from cnnlab.settings.range_text import parse_range, range_text
from cnnlab.settings.ranges import ChoiceRange, FloatRange, IntRange
from cnnlab.settings.study import StudyConfig, study_from_dict, study_from_yaml

SPACE = {
    "training.momentum": "float(0.5, 0.99)",
    "training.learning_rate": "float(1e-4, 1e-1, log)",
    "training.optimizer": ["sgd", "adam"],
    "architecture.name": ["lenet5", "resnet"],
    "architecture.parameters.width": "int(8, 24, step=8)",
    "augmentation": ["", "flip_lr", "flip_lr|crop(pad=4)"],
    "training.nesterov": [True, False],
}
FINITE = {"allow_nan": False, "allow_infinity": False}
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=12)
SCALARS = st.one_of(TEXTS, st.booleans(), st.none(), st.integers(-9999, 9999), st.floats(-9.0, 9.0, **FINITE))
CHOICES = st.lists(SCALARS, min_size=2, max_size=5, unique_by=repr).map(
    lambda values: ChoiceRange(values=tuple(values))
)
INTS = st.tuples(st.integers(-99, 99), st.integers(1, 99), st.integers(1, 9)).map(
    lambda drawn: IntRange(low=drawn[0], high=drawn[0] + drawn[1] + 9, step=drawn[2])
)
FLOATS = st.tuples(st.floats(1e-6, 1.0), st.floats(1.5, 99.0), st.booleans()).map(
    lambda drawn: FloatRange(low=drawn[0], high=drawn[0] * drawn[1], log=drawn[2])
)


def refusal(space: object, **others: object) -> str:
    with pytest.raises(ConfigError) as caught:
        study_from_dict({"space": space, **others})
    return str(caught.value)


def test_a_study_survives_yaml():
    study = study_from_dict({"space": SPACE, "objectives": ["val_accuracy", "macs"], "algorithm": {"name": "nsga2"}})
    assert study_from_yaml(study.to_yaml()) == study
    assert study.objectives == (Objective(), Objective(metric="macs", direction="min"))


@given(st.one_of(CHOICES, INTS, FLOATS), st.dictionaries(st.just("training.optimizer"), CHOICES, max_size=1))
def test_a_range_survives_being_a_text(searched, parents):
    values = {path: tuple(map(str, parent.values[:1])) for path, parent in parents.items()}
    conditional = searched.model_copy(update={"only_if": values})
    try:
        read = parse_range(range_text(conditional))
    except ConfigError:
        # Texts that hold what parts conditions cannot be written in one line; YAML takes them.
        assert any(sign in text for texts in values.values() for text in texts for sign in "|=()") or " and " in str(
            values
        )
        return
    assert read == conditional


def test_parents_come_first_and_conditions_of_the_settings_themselves_hold():
    study = study_from_dict({"space": SPACE})
    assert list(study.space)[:3] == ["training.learning_rate", "training.optimizer", "training.momentum"]
    assert study.conditions["training.momentum"] == {"training.optimizer": ("sgd",)}
    assert study.conditions["architecture.parameters.width"] == {"architecture.name": ("resnet",)}
    assert study.conditions["augmentation"] == {}


def test_conditions_are_joined_and_decided_where_the_parent_is_not_searched():
    study = study_from_dict(
        {
            "run": {"training": {"schedule": "step"}},
            "space": {
                "training.optimizer": ["sgd", "adam", "rmsprop"],
                "training.batch_size": "int(8, 64, step=8)",
                "training.step_factor": "float(0.1, 0.9) if training.optimizer=sgd|adam and training.schedule=step",
                "training.weight_decay": {
                    "kind": "float", "low": 0, "high": 0.1,
                    "only_if": {"training.optimizer": "sgd", "training.batch_size": [8, 16]},
                },
            },
        }
    )  # fmt: skip
    assert study.conditions["training.step_factor"] == {"training.optimizer": ("sgd", "adam")}
    both = {"training.optimizer": ("sgd",), "training.batch_size": (8, 16)}
    assert study.conditions["training.weight_decay"] == both


def test_a_choice_takes_values_as_the_run_does():
    study = study_from_dict({"space": {"training.learning_rate": ["1e-4", 0.1], "tricks.clip_norm": [None, 1]}})
    assert study.space["training.learning_rate"].values == (1e-4, 0.1)
    assert study.space["tricks.clip_norm"].values == (None, 1.0)


def test_the_hash_tells_spaces_and_not_names_apart():
    study = study_from_dict({"space": SPACE})
    again = study.model_copy(update={"name": "other", "workers": 8, "seed": 3})
    wider = study_from_dict({"space": SPACE | {"training.learning_rate": "float(1e-5, 1e-1, log)"}})
    other_run = study_from_dict({"space": SPACE, "run": {"training": {"epochs": 3}}})
    assert again.space_hash() == study.space_hash()
    assert len({study.space_hash(), wider.space_hash(), other_run.space_hash()}) == 3


def test_what_is_left_out_is_said():
    assert StudyConfig(space={"training.batch_size": IntRange(low=8, high=16)}).objectives == (Objective(),)
    with pytest.raises(ConfigError, match=r"space is missing for a study\. Add it as 'space: value'"):
        study_from_dict({})


@pytest.mark.parametrize(
    ("space", "sentence"),
    [
        ({"training.lerning_rate": [1, 2]}, "Unknown setting 'training.lerning_rate' in the search space. "
         "Did you mean 'training.learning_rate'?"),
        ({"training.learning_rate": "float(0.1, 20)"}, "space.training.learning_rate: high=20 is out of range. "
         "Expected a number in (0, 10]."),
        ({"training.learning_rate": [0.1, 20]}, "space.training.learning_rate: 20 cannot be used. "
         "Expected a number in (0, 10]."),
        ({"training.optimizer": ["sgd", "adm"]}, "space.training.optimizer: 'adm' cannot be used. "
         "Did you mean 'adam'?"),
        ({"training.optimizer": "int(1, 3)"}, "space.training.optimizer is a range of kind 'int', but takes certain "
         "values only. Expected a choice."),
        ({"training.batch_size": "float(8, 64)"}, "space.training.batch_size is a range of kind 'float', but takes "
         "integers. Expected an int range or a choice."),
        ({"training.seed": [1, 2]}, "space.training.seed cannot be searched: the study gives each run its seed. "
         "Expected another setting. Leave it out."),
        ({"architecture.parameters.widh": [8, 16], "architecture.name": ["lenet5", "resnet"]},
         "Unknown setting 'architecture.parameters.widh' in the search space. Did you mean "
         "'architecture.parameters.width'?"),
        ({"training.momentum": "float(0.5, 0.9)"}, "space.training.momentum is never searched: it means something only "
         "where training.optimizer is 'sgd', and the run has 'adam'. Expected a condition that can hold. Search "
         "training.optimizer too, change it in 'run', or leave training.momentum out."),
        ({"tricks.distill_temperature": "float(1, 4)"}, "space.tricks.distill_temperature is never searched: it means "
         "something only where tricks.distill_from is set, and the run has None. Expected a condition that can hold. "
         "Search tricks.distill_from too, change it in 'run', or leave tricks.distill_temperature out."),
        ({"training.batch_size": "int(8, 16) if training.epocs=3"}, "space.training.batch_size is searched only if "
         "'training.epocs': unknown. Did you mean 'training.epochs'?"),
        ({"training.batch_size": "int(8, 16) if training.optimizer=adamw", "training.optimizer": ["sgd", "adam"]},
         "space.training.batch_size is searched only if training.optimizer is 'adamw', which is not in its range. "
         "Expected values of its range. Correct the 'only_if'."),
        ({"training.batch_size": "int(8, 16) if training.epochs=3", "training.epochs":
          "int(3, 4) if training.batch_size=8"}, "The conditions of training.batch_size, training.epochs go round in a "
         "circle. Expected one of them without. Take an 'only_if' away."),
        ({"training.batch_size": "int(8 16)"}, "low='8 16' cannot be used."),
        ({"training.batch_size": "range(8, 16)"}, "The range 'range(8, 16)' cannot be read. Expected 'float(1e-4, "
         "1e-1, log)', 'int(8, 64, step=8)' or 'choice(sgd, adam)'. Check its name and brackets."),
        ({"training.batch_size": "int(8, 16, 2)"}, "'2' in the range 'int(8, 16, 2)' cannot be read. Expected low, "
         "high, and 'step=...' or 'log' behind them"),
        ({"training.batch_size": "int(16, 8)"}, "low=16 is not below high=8. Expected low < high. Swap or widen them."),
        ({"training.weight_decay": "float(0, 1, log)"}, "low=0 has no logarithm. Expected low > 0 with log. "
         "Raise low, or leave log out."),
        ({"training.batch_size": [8]}, "A choice of 1 is no choice. Expected two values or more. Put a single value "
         "into 'run'."),
        ({"training.batch_size": [8, 8]}, "The choice has 8 twice. Expected different values. Leave one of them out."),
        ({"augmentation": ["flip_lr", "flop"]}, "flop"),
        ({}, "space"),
    ],
)  # fmt: skip
def test_what_cannot_be_searched_is_refused_with_the_way_out(space, sentence):
    assert sentence in refusal(space)


@pytest.mark.parametrize(
    ("others", "sentence"),
    [
        ({"objectives": ["f1"]}, "Nothing says which way 'f1' is better. Expected one of: images_per_s, latency_ms, "
         "macs, num_params, train_accuracy, train_loss, train_s, trainable_params, val_accuracy, val_loss. For another "
         "logged number give its direction: 'f1:max' or 'f1:min'."),
        ({"objectives": ["test_accuracy:max"]}, "Objective 'test_accuracy' would choose by the test images, which are "
         "there to judge what was chosen. Expected a metric of the validation images. Use 'val_accuracy'."),
        ({"objectives": ["macs", "macs"]}, "Objectives macs, macs have one twice. Expected different metrics. Leave "
         "one out."),
        ({"objectives": ["val_loss", "macs"], "algorithm": {"name": "bayesian"}}, "Algorithm 'bayesian' takes one "
         "objective, got val_loss, macs. Expected one of the algorithms random, grid, tpe, nsga2 for several. Choose "
         "one of these, or keep one objective."),
        ({"pruning": {"rule": "median"}, "algorithm": {"name": "asha"}}, "pruning.rule='median' does not go with "
         "algorithm 'asha'. Expected one objective and one of the algorithms random, grid, bayesian, tpe. Set "
         "pruning.rule to 'none'."),
        ({"objectives": ["macs"], "algorithm": {"name": "asha"}}, "Algorithm 'asha' stops trials early, but 'macs' is "
         "known at their end only. Expected an objective of each epoch, such as 'val_accuracy'. Choose one, or let all "
         "trials train to their end."),
        ({"budget": {"epochs": 3}}, "space.training.epochs and budget.epochs both decide how long a trial trains. "
         "Expected one of them. Leave training.epochs out of the space."),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_refused(others, sentence):
    searched = "training.epochs" if "budget" in others else "training.batch_size"
    assert refusal({searched: "int(1, 3)"}, **others) == sentence


def test_an_objective_of_one_output_has_the_direction_of_its_kind():
    assert Objective.model_validate("val_loss/colour") == Objective(metric="val_loss/colour", direction="min")
    assert Objective.model_validate("val_loss/colour").title == "Validation loss of colour"
    assert Objective.model_validate("f1:min").text() == "f1:min"
