"""Parameters of tools as settings: the known ones in their places, all others as they are."""

import doctest

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cnnlab.config import flatten
from cnnlab.exchange import settings
from cnnlab.exchange.settings import as_config, group_of, typed


def test_texts_of_the_docstring():
    assert doctest.testmod(settings).failed == 0


def test_known_parameters_get_their_places_and_the_rest_stays_free():
    config, renamed = as_config({"lr": "0.01", "batch-size": "32", "Model": "vgg", "dropout": "0.5", "aug": "True"})
    assert config == {
        "training": {"learning_rate": 0.01, "batch_size": 32},
        "architecture": {"name": "vgg"},
        "parameters": {"dropout": 0.5, "aug": True},
    }
    assert renamed == {
        "training.learning_rate": "lr",
        "training.batch_size": "batch-size",
        "architecture.name": "Model",
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [("lr", "cosine"), ("batch_size", "1.5"), ("batch_size", "-1"), ("epochs", str(2**40)), ("seed", "True"),
     ("model", "3"), ("lr", "nan"), ("model", "")],
)  # fmt: skip
def test_a_value_that_does_not_fit_its_place_stays_free(name, value):
    config, renamed = as_config({name: value})
    assert renamed == {}
    assert list(config) == ["parameters"]


def test_of_two_names_for_one_place_the_first_has_it():
    config, _ = as_config({"lr": "0.1", "learning_rate": "0.2"})
    assert flatten(config) == {"training.learning_rate": 0.1, "parameters.learning_rate": 0.2}


@given(
    st.dictionaries(
        st.text(max_size=8), st.one_of(st.text(max_size=8), st.floats(), st.booleans(), st.integers(), st.none())
    )
)
def test_any_parameters_make_a_file_that_is_read_back(parameters):
    config, _ = as_config(parameters)
    assert yaml.safe_load(yaml.safe_dump(config)) == config


@given(st.one_of(st.booleans(), st.integers(-(2**60), 2**60), st.floats(allow_nan=False, allow_infinity=False)))
def test_what_is_written_as_text_is_read_as_it_was(value):
    assert typed(str(value)) == value
    assert type(typed(str(value))) is type(value)


def test_seeds_make_a_group_and_nothing_else_does():
    one, _ = as_config({"lr": "0.1", "seed": "1"})
    two, _ = as_config({"lr": "0.1", "seed": "2"})
    other, _ = as_config({"lr": "0.2", "seed": "2"})
    assert group_of(one, "a") == group_of(two, "b") != group_of(other, "b")
    # Without a seed nobody knows what else two runs differ in.
    seedless, _ = as_config({"lr": "0.1"})
    assert group_of(seedless, "a") != group_of(seedless, "b")
