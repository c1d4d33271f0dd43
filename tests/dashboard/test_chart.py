"""A chart: what belongs to it stands behind menus, and is made only when somebody opens one."""

import ast
import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.components import how_to_read

PAGES = Path(how_to_read.__file__).parents[1]
WORDS = {name: text for name, text in vars(how_to_read).items() if name.isupper()}


def page() -> None:
    import polars as pl
    import streamlit as st

    from cnnlab.plots.template import new_figure
    from dashboard.components.chart import chart

    def numbers() -> pl.DataFrame:
        st.session_state.made = st.session_state.get("made", 0) + 1
        return pl.DataFrame({"epoch": [1, 2], "loss": [0.5, None]})

    figure = new_figure(x_title="Epoch", y_title="Loss").add_scatter(x=[1, 2], y=[0.5, 0.4])
    chart(
        figure,
        "loss.of_*all*",
        summary="Loss of *2* runs.",
        numbers=numbers,
        how_to_read="**Down** is better.",
        is_small=st.session_state.get("small", False),
        hint="A click opens the run.",
    )


@pytest.fixture
def app() -> AppTest:
    return AppTest.from_function(page)


def opened(app: AppTest, menu: str) -> AppTest:
    app.session_state[f"loss.of_*all*_{menu}"] = True
    app.run()
    assert not app.exception
    return app


def pictures(app: AppTest) -> dict:
    """What the component was told."""
    return json.loads(app.get("bidi_component")[0].proto.json)


def test_nothing_is_made_before_a_menu_is_open(app):
    app.run()
    assert [caption.value for caption in app.caption] == [r"Loss of \*2\* runs\. A click opens the run."]
    assert app.get("plotly_chart")[0].proto.alt == "Loss of *2* runs."
    assert "made" not in app.session_state
    assert not app.dataframe
    assert not app.markdown
    assert not app.get("bidi_component")


def test_the_numbers_are_a_table_and_a_file(app):
    opened(app, "numbers")
    assert app.dataframe[0].value["epoch"].tolist() == [1, 2]
    assert app.session_state.made == 1
    assert app.get("download_button")[0].proto.label == "The numbers as CSV"


def test_how_to_read_it_is_markdown(app):
    assert [text.value for text in opened(app, "how").markdown] == ["**Down** is better."]


def test_pictures_speak_of_the_chart_beside_them(app):
    told = pictures(opened(app, "download"))
    assert told == {"chart": "loss-of_-all-", "file": "loss-of_-all", "repaint": {}}
    assert "made" not in app.session_state, "the file of the numbers is made when it is asked for"


def test_a_small_chart_has_one_menu_for_all(app):
    app.session_state["small"] = True
    app.run()
    assert not app.caption
    opened(app, "about")
    assert app.caption[0].value.startswith("Loss of")
    assert len(app.dataframe) == len(app.get("bidi_component")) == 1


@pytest.mark.parametrize("name", WORDS)
def test_words_are_some_sentences_and_are_used(name):
    assert 2 <= WORDS[name].count(". ") + 1 <= 9, "short enough to be read, long enough to teach"
    assert WORDS[name].endswith(".")
    assert "**" in WORDS[name], "what a chart is made of stands out"
    used = [path for path in PAGES.rglob("*.py") if f"how_to_read.{name}" in path.read_text("utf-8")]
    assert used


def test_no_chart_stands_alone():
    alone = [path.name for path in PAGES.rglob("*.py") if path.name != "chart.py" and _calls(path, "plotly_chart")]
    assert alone == []


def _calls(path: Path, name: str) -> bool:
    tree = ast.parse(path.read_text("utf-8"))
    return any(isinstance(node, ast.Attribute) and node.attr == name for node in ast.walk(tree))
