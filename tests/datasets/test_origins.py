"""Whose images a corrected data set has."""

from dataclasses import replace

import pytest

from cnnlab.datasets.origins import origins_of
from cnnlab.datasets.storage import open_dataset


@pytest.fixture
def info(tmp_path):
    return open_dataset(tmp_path, "digits").info


def corrected(info, name, version, before):
    facts = {"corrected_from": {"name": before[0], "version": before[1], "marks": []}}
    return replace(info, name=name, version=version, facts=facts)


def test_a_correction_of_a_correction_goes_back_to_the_first(info):
    once = corrected(info, "fixed", "v1", ("digits", info.version))
    twice = corrected(info, "fixed_again", "v2", ("fixed", "v1"))
    assert origins_of([info, once, twice]) == {("fixed", "v1"): "digits", ("fixed_again", "v2"): "digits"}


def test_what_was_not_corrected_is_not_in_there(info):
    assert origins_of([info]) == {}


def test_a_version_of_the_same_name_from_elsewhere_is_no_correction(info):
    imported = replace(info, name="fixed", version="v9", facts={})
    once = corrected(info, "fixed", "v1", ("digits", info.version))
    assert ("fixed", "v9") not in origins_of([imported, once])


def test_a_circle_ends(info):
    one, two = corrected(info, "a", "v1", ("b", "v1")), corrected(info, "b", "v1", ("a", "v1"))
    assert set(origins_of([one, two])) == {("a", "v1"), ("b", "v1")}
