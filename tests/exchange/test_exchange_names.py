"""What a name is taken for, and how a person says otherwise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnlab.errors import ConfigError
from cnnlab.exchange.names import Target, as_validation, is_validation, name_of, said_target, target_of, targets

KNOWN = {
    "loss": "train:loss",
    "val_loss": "val:loss",
    "acc": "train:accuracy",
    "val_sparse_categorical_accuracy": "val:accuracy",
    "lr": "train:learning_rate",
    "train/loss": "train:loss",
    "Loss/train": "train:loss",
    "Accuracy/test": "test:accuracy",
    "eval/acc": "val:accuracy",
    "validation/epoch_accuracy": "val:accuracy",
    "train/epoch_learning_rate": "train:learning_rate",
    "acc_val": "val:accuracy",
    "test.acc": "test:accuracy",
    "train_loss_epoch": "train:loss",
    "f1": "train:f1",
    "val_f1": "val:f1",
    "hp/metric": "train:hp/metric",
    "epoch_time": "train:time",
}


@pytest.mark.parametrize(("name", "place"), KNOWN.items())
def test_habits_of_tools_are_known(name, place):
    found = targets([name])[name]
    assert found is not None
    assert found.text() == place


def test_what_keras_repeats_in_batches_is_left_out():
    assert targets(["validation/evaluation_loss_vs_iterations"]) == {"validation/evaluation_loss_vs_iterations": None}


def test_two_names_never_become_the_same():
    found = targets(["acc", "accuracy", "train/acc"])
    assert found == {
        "acc": Target("train", "acc"),
        "accuracy": Target("train", "accuracy"),
        "train/acc": Target("train", "train/acc"),
    }


def test_outputs_of_a_keras_network_are_told_by_their_losses():
    names = ["loss", "digit_loss", "digit_accuracy", "color_loss", "color_acc", "val_digit_accuracy", "color_mae"]
    found = {name: target.text() for name, target in targets(names).items() if target}
    assert found == {
        "loss": "train:loss",
        "digit_loss": "train:digit:loss",
        "digit_accuracy": "train:digit:accuracy",
        "color_loss": "train:color:loss",
        "color_acc": "train:color:accuracy",
        "val_digit_accuracy": "val:digit:accuracy",
        "color_mae": "train:color_mae",
    }


PART = st.text("abc_1", min_size=1, max_size=5)


@given(st.sampled_from(["train", "val", "test"]), st.one_of(st.just(""), PART), PART)
def test_our_own_names_come_back(split, output, metric):
    name = name_of(split, output, metric)
    assert targets([name], is_ours=True) == {name: Target(split, metric, output)}


WORDS = st.sampled_from(["acc", "accuracy", "loss", "val_acc", "val_accuracy", "train/acc", "acc/train", "lr", "acc 2"])


@given(st.lists(st.one_of(WORDS, st.text("al_/", max_size=6)), max_size=9))
def test_any_names_become_different_places(names):
    found = [target for target in targets(names).values() if target]
    assert len(set(found)) == len(found)


@given(
    st.sampled_from(["train", "val", "test"]), st.one_of(st.just(""), PART), PART, st.sampled_from([True, False, None])
)
def test_a_place_is_read_as_it_is_written(split, output, metric, is_percent):
    place = Target(split, metric, output, is_percent)
    assert target_of(place.text()) == place


def test_a_place_that_is_none_says_what_is_expected():
    assert target_of("-") is None
    for text in ("accuracy", "all:loss", "val:", "val:a:b:c", ""):
        with pytest.raises(ConfigError, match=r"Expected split:metric or split:output:metric"):
            target_of(text)


def test_a_test_that_is_measured_again_and_again_is_the_validation():
    found = targets(["train/loss", "test/loss"])
    assert is_validation(found, {"train/loss": 5, "test/loss": 5})
    assert not is_validation(found, {"train/loss": 5, "test/loss": 1})
    with_val = targets(["val_loss", "test_loss"])
    assert not is_validation(with_val, {"val_loss": 5, "test_loss": 5})
    assert as_validation(found)["test/loss"] == Target("val", "loss")


def test_a_split_that_is_none_of_ours_stays_in_the_name():
    assert said_target("Validation", "label", "ACC") == Target("val", "accuracy", "label")
    assert said_target("holdout", "", "loss") == Target("train", "holdout/loss")
