"""The settings of a comparison: what differs, what a change does against a baseline, and runs as lines."""

import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_runs import make_run

from cnnlab.analysis.config_table import Setting
from dashboard import data
from dashboard.components.compare.baseline import change_text
from dashboard.components.compare.settings_table import cell_texts, settings_frame
from dashboard.components.parallel_view import read_ranges, write_ranges

LONG = "flip_lr|crop(pad=4)|brightness(0.2)|contrast(0.2)|cutout(8)"


def setting(field, *values, is_default=()):
    return Setting(field, values, is_default or (False,) * len(values))


@pytest.fixture
def group(store):
    """Make runs of one config with so many seeds."""

    def make(name, accuracies, **training):
        data.refresh()
        return [
            make_run(store.root, accuracy=one, name=name, training={"epochs": 2, "seed": seed, **training})
            for seed, one in enumerate(accuracies)
        ]

    return make


def opened(open_page, runs, **query):
    return open_page("compare", runs=",".join(runs), part="Settings", **query)


def told(page):
    return " ".join(element.value for element in [*page.caption, *page.markdown]).replace("\\", "")


def test_two_runs_stand_beside_one_another_and_many_below(open_page, group):
    runs = [*group("a", [0.9]), *group("b", [0.8], learning_rate=0.01)]
    table = pl.from_pandas(opened(open_page, runs).dataframe[0].value)
    assert table["Setting"].to_list() == ["training.learning_rate"]
    runs += group("c", [0.7] * 6, learning_rate=0.1)
    table = pl.from_pandas(opened(open_page, runs).dataframe[0].value)
    assert table.columns == ["Run", "training.learning_rate", "training.seed"]
    assert table.height == 8


def test_groups_stand_for_their_runs(open_page, group):
    runs = [*group("a", [0.9, 0.8]), *group("b", [0.8, 0.7], learning_rate=0.01)]
    page = opened(open_page, runs, mean="true")
    assert pl.from_pandas(page.dataframe[0].value).rows() == [("training.learning_rate", "0.002", "0.01")]
    assert "1 settings differ between 2 groups" not in told(page)
    assert "1 setting differs between 2 groups" in told(page)
    alike = opened(open_page, group("c", [0.9, 0.9]), mean="true")
    assert told(alike).endswith("Choose a second group, or compare run by run.")


def test_defaults_can_be_left_out():
    settings = [setting("a", 1, 2, is_default=(True, False)), setting("b", "x", None, is_default=(True, False))]
    table, is_default = settings_frame(settings, ["one", "two"])
    assert table.to_dict("list") == {"Setting": ["a", "b"], "one": ["1", "x"], "two": ["2", "–"]}
    assert is_default.to_dict("list") == {"Setting": [False, False], "one": [True, True], "two": [False, False]}
    bare, _ = settings_frame(settings, ["one", "two"], is_bare=True, is_by_run=True)
    assert bare.to_dict("list") == {"Run": ["one", "two"], "a": ["", "2"], "b": ["", "–"]}


def test_a_setting_that_nobody_chose_is_no_row_without_defaults(open_page, store):
    runs = [make_run(store.root), make_run(store.root, architecture={"name": "resnet"})]
    whole, bare = (pl.from_pandas(opened(open_page, runs, bare=bare).dataframe[0].value) for bare in ("false", "true"))
    assert "architecture.parameters.pooling" in whole["Setting"].to_list()
    assert bare["Setting"].to_list() == ["architecture.name"]


def test_long_values_have_a_letter_in_the_table_and_stand_below_in_full(open_page, store):
    first, second = cell_texts(setting("augmentation", "", LONG)).values()
    assert first == "A: (empty)"
    assert second.startswith("B: flip_lr|crop")
    assert len(second) < 42
    runs = [make_run(store.root, name="plain"), make_run(store.root, name="much", augmentation=LONG)]
    page = opened(open_page, runs)
    assert [expander.label for expander in page.expander] == ["`augmentation` in full"]
    assert LONG in [code.value for code in page.code]
    assert "**B**: much · seed 0" in told(page)


def test_a_change_leaves_out_what_comes_with_another_network():
    settings = [
        setting("architecture.name", "lenet5", "resnet", "resnet"),
        setting("architecture.parameters.pooling", "max", None, None, is_default=(True, False, False)),
        setting("architecture.parameters.width", None, 16, 32, is_default=(False, True, False)),
    ]
    assert change_text(settings, 0, 1) == "architecture.name lenet5 → resnet"
    assert change_text(settings, 0, 2) == "architecture.name lenet5 → resnet; architecture.parameters.width – → 32"
    assert change_text(settings, 1, 2) == "architecture.parameters.width 16 → 32"
    assert change_text(settings, 1, 1) == ""


def test_what_a_change_does_against_a_baseline(open_page, group):
    plain, better = group("plain", [0.70, 0.71, 0.72]), group("better", [0.85, 0.86, 0.87], learning_rate=0.01)
    page = opened(open_page, plain + better, mean="true", settings="Against a baseline", baseline="better")
    assert page.selectbox(key="baseline").options == ["plain", "better"]
    table = pl.from_pandas(page.dataframe[0].value)
    assert table["Variant"].to_list() == ["better", "plain"]
    assert table["Settings"].to_list() == ["", "training.learning_rate 0.01 → 0.002"]
    assert table["Effect (points)"].to_list() == ["–", "-15.00"]
    assert table["Verdict"].to_list() == ["", "more than noise"]
    assert table["n"].to_list() == ["3 of 3", "3 of 3"]
    assert "Welch's t interval over seeds" in told(page)
    assert "200 test images of digits 0123456789ab" in told(page)


def test_single_runs_are_compared_image_by_image(open_page, group):
    runs = [*group("a", [0.7]), *group("b", [0.9], learning_rate=0.01)]
    page = opened(open_page, runs, settings="Against a baseline")
    assert pl.from_pandas(page.dataframe[0].value)["Effect (points)"].to_list() == ["–", "+20.00"]
    assert "McNemar's exact test" in told(page)
    assert "more seeds show what chance does" in told(page)


def test_other_data_are_refused_with_the_reason(open_page, store, group):
    runs = [*group("a", [0.7]), make_run(store.root, data={"dataset": "mnist"}, training={"epochs": 5})]
    page = opened(open_page, runs, settings="Against a baseline")
    table = pl.from_pandas(page.dataframe[0].value)
    assert table["Verdict"].to_list() == ["", "it stands on the data set mnist, not on digits"]
    assert table["Effect (points)"].to_list() == ["–", "–"]


def test_runs_are_lines_and_the_choice_on_them_stands_in_the_address(open_page, group):
    runs = [*group("a", [0.7, 0.72]), *group("b", [0.9, 0.92], learning_rate=0.1)]
    page = opened(open_page, runs, settings="Parallel coordinates", keep="test_accuracy:0.8~1;nonsense")
    (lines,) = json.loads(page.get("plotly_chart")[0].proto.spec)["data"]
    names = [one["name"] for one in lines["dimensions"]]
    assert names == ["training.learning_rate", "test_accuracy", "val_accuracy"]
    assert lines["dimensions"][1]["constraintrange"] == [[0.8, 1.0]]
    assert "**2 of 4 runs** pass there" in told(page)
    page.button(key="lines_compare").click().run()
    assert not page.exception
    assert page.query_params["runs"] == ",".join(runs[2:])
    assert "keep" not in page.query_params
    assert page.segmented_control(key="part").value == "overview"


def test_groups_are_lines_of_means(open_page, group):
    runs = [*group("a", [0.7, 0.72]), *group("b", [0.9, 0.92], learning_rate=0.1)]
    page = opened(open_page, runs, settings="Parallel coordinates", mean="true")
    page.session_state["lines_numbers"] = True
    page.run()
    table = pl.from_pandas(page.dataframe[0].value)
    assert table["test_accuracy"].to_list() == pytest.approx([0.71, 0.91])
    assert table["runs"].to_list() == [2, 2]
    assert table["training.learning_rate"].to_list() == [0.002, 0.1]


def test_a_run_without_result_is_said(open_page, store, group):
    runs = [*group("a", [0.7]), *group("b", [0.9], learning_rate=0.1), make_run(store.root, state="queued")]
    assert "Not drawn, for want of a result: 1 run" in told(opened(open_page, runs, settings="Parallel coordinates"))


names = st.text("abc._", min_size=1, max_size=8)
ends = st.floats(-1e6, 1e6).map(lambda number: float(f"{number:.6g}"))


@given(st.dictionaries(names, st.lists(st.tuples(ends, ends), min_size=1, max_size=3), max_size=4))
def test_ranges_come_back_from_an_address(ranges):
    assert read_ranges(write_ranges(ranges)) == ranges
