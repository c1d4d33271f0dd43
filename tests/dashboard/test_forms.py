"""Each kind of field has its widget; conditions hide; ranges and defaults are told."""

from typing import Literal

import pytest
from pydantic import Field
from streamlit.testing.v1 import AppTest

from cnnlab.architectures.catalogue import ARCHITECTURES
from cnnlab.augmentation.catalogue import OPS
from cnnlab.config import TrainingConfig
from cnnlab.parameters import Parameters, specs
from dashboard import forms


class Kinds(Parameters):
    is_on: bool = Field(True, title="Switch")
    few: Literal["a", "b"] = Field("a", title="Few")
    many: Literal["a", "b", "c", "d", "e"] = Field("e", title="Many")
    small: int = Field(3, ge=1, le=9, title="Small", json_schema_extra={"unit": "px"})
    large: int = Field(3, ge=1, le=9000, title="Large")
    share: float = Field(0.25, ge=0, lt=1, title="Share")
    rate: float = Field(0.002, gt=0, le=10, title="Rate", json_schema_extra={"log": True})
    word: str = Field("x", title="Word")
    hidden: int = Field(7, ge=1, le=9, title="Hidden", json_schema_extra={"only_if": {"few": ["b"]}})


class Optional(Parameters):
    count: int | None = Field(None, ge=1, le=9, title="Count", json_schema_extra={"group": "Numbers"})
    share: float | None = Field(None, ge=0, lt=1, title="Share", json_schema_extra={"group": "Numbers"})
    way: Literal["a", "b"] | None = Field(None, title="Way", json_schema_extra={"group": "Words"})
    word: str | None = Field(None, title="Word", json_schema_extra={"group": "Words"})
    run: str | None = Field(None, title="Run", json_schema_extra={"refers_to": "run"})
    weights: dict[str, float] = Field({}, title="Weights")


def optional_page(values: dict):
    import streamlit as st

    from dashboard.components.tricks_section import grouped_form
    from tests.dashboard.test_forms import Optional

    st.session_state["held"] = grouped_form(Optional, values, "k")


def page(values: dict):
    import streamlit as st

    from dashboard.forms import parameter_form
    from tests.dashboard.test_forms import Kinds

    st.session_state["held"] = parameter_form(Kinds, values, "k")


def run(values: dict | None = None) -> AppTest:
    app = AppTest.from_function(page, kwargs={"values": values or {}}, default_timeout=120).run()
    assert not app.exception
    return app


def test_every_kind_has_its_widget():
    app = run()
    assert app.toggle(key="k.is_on").value is True
    assert app.selectbox(key="k.many").value == "e"
    assert (app.slider(key="k.small").label, app.slider(key="k.small").value) == ("Small (px)", 3)
    assert app.number_input(key="k.large").value == 3
    assert app.slider(key="k.share").value == 0.25
    assert app.number_input(key="k.rate").value == 0.002
    assert app.text_input(key="k.word").value == "x"
    assert app.session_state["held"] == Kinds().model_dump()


def test_first_values_are_told_to_a_browser_that_has_not_drawn_them_yet():
    def page():
        import streamlit as st

        from dashboard import forms

        forms.put("low", 0.25)
        st.number_input("Low", key="low")

    app = AppTest.from_function(page).run()
    # Runs that follow at once: what the first one sent is never drawn.
    told = [app.number_input(key="low").proto.set_value]
    told += [app.run().number_input(key="low").proto.set_value for _ in range(4)]
    assert told == [True, True, True, True, False]
    app.number_input(key="low").set_value(0.5).run()
    assert app.number_input(key="low").value == 0.5


def test_given_values_win_over_defaults():
    app = run({"small": 5, "rate": 0.5})
    assert app.slider(key="k.small").value == 5
    assert app.number_input(key="k.rate").value == 0.5


def test_a_field_whose_condition_fails_is_not_drawn_and_keeps_its_value():
    assert run().session_state["held"]["hidden"] == 7
    keys = [slider.key for slider in run().slider]
    assert "k.hidden" not in keys
    assert "k.hidden" in [slider.key for slider in run({"few": "b"}).slider]


def test_what_a_person_sets_is_returned():
    app = run()
    app.slider(key="k.small").set_value(8)
    app.number_input(key="k.rate").set_value(0.1)
    app.run()
    assert app.session_state["held"]["small"] == 8
    assert app.session_state["held"]["rate"] == 0.1


def test_optional_fields_may_stay_empty_and_stand_under_their_groups():
    app = AppTest.from_function(optional_page, kwargs={"values": {"weights": {"a": 2.0}}}, default_timeout=120).run()
    assert not app.exception
    assert app.session_state["held"] == {**Optional().model_dump(), "weights": {"a": 2.0}}
    assert [text.value for text in app.markdown] == ["**Numbers**", "**Words**"]
    app.number_input(key="k.count").set_value(3)
    app.number_input(key="k.share").set_value(0.5)
    app.segmented_control(key="k.way").set_value("b")
    app.text_input(key="k.word").set_value("x").run()
    assert app.session_state["held"]["way"] == "b"
    app.text_input(key="k.word").set_value("").run()
    assert {key: app.session_state["held"][key] for key in ("count", "share", "word")} == {
        "count": 3,
        "share": 0.5,
        "word": None,
    }


def test_a_run_is_chosen_from_the_completed_ones(make_run):
    first = make_run(name="teacher")
    make_run(state="running")
    app = AppTest.from_function(optional_page, kwargs={"values": {"run": "gone"}}, default_timeout=120).run()
    box = app.selectbox(key="k.run")
    assert [text.split(" · ")[2] if " · " in text else text for text in box.options] == [
        "None",
        "teacher",
        "gone (not in this store)",
    ]
    assert box.value == "gone"
    box.set_value(first).run()
    assert app.session_state["held"]["run"] == first


def test_help_tells_range_and_default():
    spec = next(spec for spec in specs(TrainingConfig) if spec.name == "learning_rate")
    assert forms.help_text(spec) == "The highest of the schedule. Range (0, 10\\]. Default 0.002."
    spec = next(spec for spec in specs(TrainingConfig) if spec.name == "optimizer")
    assert forms.help_text(spec).endswith("Default Adam.")


@pytest.mark.parametrize("value", [1e-7, 2.5e-5, 0.002, 0.05, 3.0, 0.0])
def test_number_format_shows_the_value(value):
    assert float(forms.number_format(value) % value) == pytest.approx(value)


def catalogue_page(kind: str, name: str):
    import streamlit as st

    from cnnlab.architectures.catalogue import ARCHITECTURES
    from cnnlab.augmentation.catalogue import OPS
    from dashboard.forms import parameter_form

    entry = {"architecture": ARCHITECTURES, "augmentation": OPS}[kind][name]
    st.session_state["held"] = parameter_form(entry.parameters, {}, "k")


@pytest.mark.parametrize(
    ("kind", "name"), [*(("architecture", name) for name in ARCHITECTURES), *(("augmentation", name) for name in OPS)]
)
def test_every_entry_of_the_catalogues_draws_and_gives_its_defaults(kind, name):
    app = AppTest.from_function(catalogue_page, kwargs={"kind": kind, "name": name}, default_timeout=120).run()
    assert not app.exception
    model = {"architecture": ARCHITECTURES, "augmentation": OPS}[kind][name].parameters
    assert model(**app.session_state["held"]) == model()
