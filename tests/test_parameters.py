"""One description of a setting: its specs and its error sentences."""

from typing import Literal

import pytest
from pydantic import Field

from cnnlab.errors import ConfigError
from cnnlab.parameters import Parameters, check, specs


class Oven(Parameters):
    degrees: float = Field(
        180.0, gt=0, le=300, title="Heat", description="Of the air.", json_schema_extra={"unit": "C"}
    )
    minutes: int = Field(30, ge=1)
    mode: Literal["fan", "grill"] = "fan"
    fan_speed: int | None = Field(None, ge=1, le=3, json_schema_extra={"only_if": {"mode": ["fan"]}})


class Kitchen(Parameters):
    oven: Oven = Field(default_factory=Oven)


def test_specs_tell_what_a_form_needs():
    degrees, minutes, mode, fan_speed = specs(Oven)
    assert (degrees.title, degrees.kind, degrees.unit, degrees.range_text()) == ("Heat", "number", "C", "(0, 300]")
    assert (minutes.title, minutes.kind, minutes.range_text()) == ("Minutes", "integer", "[1, inf)")
    assert (mode.kind, mode.choices) == ("choice", ("fan", "grill"))
    assert fan_speed.is_optional
    assert fan_speed.applies({"mode": "fan"})
    assert not fan_speed.applies({"mode": "grill"})


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"degrees": 0.0}, "degrees=0.0 is out of range. Expected a number in (0, 300]."),
        ({"minutes": 0}, "minutes=0 is out of range. Expected an integer in [1, inf)."),
        ({"mode": "fann"}, "mode='fann' is not known. Did you mean 'fan'?"),
        ({"degres": 1}, "Unknown setting 'degres' for the oven. Did you mean 'degrees'?"),
        ({"minutes": "soon"}, "minutes='soon' cannot be used. Input should be a valid integer"),
        ([1], "[1] is not a mapping for the oven. Expected 'name: value' pairs."),
    ],
)
def test_wrong_values_are_named_with_the_way_out(values, sentence):
    with pytest.raises(ConfigError) as error:
        check(Oven, values, "the oven")
    assert str(error.value).startswith(sentence)


def test_a_wrong_value_further_in_is_named_by_its_path():
    with pytest.raises(ConfigError, match=r"^oven\.degrees=400 is out of range\. Expected a number in \(0, 300\]\.$"):
        check(Kitchen, {"oven": {"degrees": 400}})
    with pytest.raises(ConfigError, match=r"^Unknown setting 'oven\.minute'\. Did you mean 'minutes'\?$"):
        check(Kitchen, {"oven": {"minute": 4}})
