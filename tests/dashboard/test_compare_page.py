"""Runs beside one another: the address, curves, differences, matrices, bubbles, and what is refused."""

from dataclasses import replace

import polars as pl
import pytest
from answered_runs import answered, unanswered
from made_runs import make_run

from cnnlab.files import read_json, write_json
from dashboard import data
from dashboard.components import comparing


@pytest.fixture
def make_run_of_two(make_run, store):
    """Make a run of 'shapes' with so many of ten test images right by output."""

    def make(**correct):
        run_id = make_run(data={"dataset": "shapes"})
        path = store.run_dir(run_id) / "result.json"
        result = read_json(path)
        for split in ("test", "val"):
            result[split] = {
                name: {"accuracy": right / 10, "loss": 0.2, "correct": right, "n": 10}
                for name, right in correct.items()
            }
        write_json(path, result)
        answers = store.run_dir(run_id) / "predictions.parquet"
        place = pl.int_range(pl.len()).over("split", "output")
        is_right = place < pl.col("output").replace_strict(correct, return_dtype=pl.Int64)
        predicted = pl.when(is_right).then("label").otherwise(1 - pl.col("label")).alias("predicted")
        pl.read_parquet(answers).with_columns(predicted).write_parquet(answers)
        data.refresh()
        return run_id

    return make


def summary(page) -> pl.DataFrame:
    """The table of the overview, of all tables the one with ranks or without."""
    frames = [pl.from_pandas(table.value) for table in page.dataframe]
    return next(frame for frame in frames if {"Test top-1", "Parameters"} <= set(frame.columns))


def told(page) -> str:
    return " ".join(element.value for element in [*page.caption, *page.warning])


def windows(page) -> dict:
    """What opens at the press of a button, by the words on it."""
    return {window.proto.popover.label: window for window in page.get("popover")}


def test_nothing_to_compare(open_page):
    assert "**Nothing to compare yet**" in [markdown.value for markdown in open_page("compare").markdown]


def test_no_run_chosen(open_page, store):
    make_run(store.root)
    assert "**No run chosen**" in [markdown.value for markdown in open_page("compare").markdown]


def test_link_shows_the_runs(open_page, store):
    first = make_run(store.root, accuracy=0.9, name="first")
    second = make_run(store.root, accuracy=0.95, name="second", training={"epochs": 4, "learning_rate": 0.01})
    page = open_page("compare", runs=f"{first},{second}")
    assert page.multiselect[0].value == [first, second]
    assert summary(page)["Test top-1"].to_list() == pytest.approx([90, 95])
    assert summary(page)["95 % interval"].to_list() == ["85.1 to 93.4 %", "91.0 to 97.3 %"]
    assert not page.exception
    differences = pl.from_pandas(open_page("compare", runs=f"{first},{second}", part="Settings").dataframe[0].value)
    assert differences["Setting"].to_list() == ["training.learning_rate"]
    assert differences.row(0)[1:] == ("0.002", "0.01")


@pytest.mark.parametrize(
    ("part", "charts"),
    [("Overview", 2), ("Curves", 1), ("Settings", 0), ("Confusion", 3), ("Images", 0)],
)
def test_each_part_stands_in_the_address(open_page, store, part, charts):
    runs = [make_run(store.root), make_run(store.root)]
    page = open_page("compare", runs=",".join(runs), part=part)
    assert page.segmented_control(key="part").value == part.lower()
    assert len(page.get("plotly_chart")) == charts


def test_menu_changes_the_address(open_page, store):
    first, second = make_run(store.root), make_run(store.root)
    page = open_page("compare", runs=first)
    page.multiselect[0].set_value([first, second]).run()
    assert page.query_params["runs"] == f"{first},{second}"
    assert page.multiselect[0].value == [first, second]


def test_menu_of_many_runs_leaves_room_for_the_numbers(open_page, store):
    runs = [make_run(store.root) for _ in range(9)]
    page = open_page("compare", runs=",".join(runs))
    assert [menu.value for menu in windows(page)["9 runs"].multiselect] == [runs]
    page.multiselect[0].set_value(runs[:8]).run()
    assert not {"8 runs", "9 runs"} & set(windows(page))
    assert page.multiselect[0].value == runs[:8]
    assert page.query_params["runs"] == ",".join(runs[:8])


def test_unknown_runs_are_named_and_left_out(open_page, store):
    known = make_run(store.root)
    page = open_page("compare", runs=f"{known},nope")
    assert page.multiselect[0].value == [known]
    assert "Not in this store, so left out: nope." in page.warning[0].value
    assert page.query_params["runs"] == f"{known},nope"


def test_only_unknown_runs(open_page, store):
    make_run(store.root)
    page = open_page("compare", runs="../../etc,nope")
    assert not page.exception
    assert "nope" in page.warning[0].value


def test_different_data_versions_are_said(open_page, store):
    runs = [make_run(store.root, version=version) for version in ("aaaaaaaaaaaa", "bbbbbbbbbbbb")]
    page = open_page("compare", runs=",".join(runs))
    assert "different versions of the data set digits" in page.warning[0].value


def test_failed_and_running_runs_have_no_matrix_and_no_bubble(open_page, store):
    runs = [make_run(store.root, state=state) for state in ("failed", "running", "queued")]
    page = open_page("compare", runs=",".join(runs), part="Confusion")
    assert not page.exception
    assert "Not tested yet" in told(page)
    assert "Confusion matrices appear when the first of these runs has been tested." in told(page)


def test_seeds_of_a_group_can_be_averaged(open_page, store):
    runs = [make_run(store.root, accuracy=0.9 + seed / 50, training={"epochs": 4, "seed": seed}) for seed in range(3)]
    page = open_page("compare", runs=",".join(runs))
    page.toggle(key="mean").set_value(True).run()
    assert not page.exception
    assert "3 runs in 1 group" in told(page)


def test_everything_speaks_of_the_chosen_output(open_page, make_run_of_two):
    runs = [make_run_of_two(shape=9, colour=5), make_run_of_two(shape=8, colour=10)]
    page = open_page("compare", runs=",".join(runs))
    assert page.segmented_control(key="output").options == ["shape", "colour", "All together"]
    assert summary(page)["Test top-1"].to_list() == pytest.approx([90, 80])
    linked = open_page("compare", runs=",".join(runs), output="colour")
    assert summary(linked)["Test top-1"].to_list() == pytest.approx([50, 100])
    assert summary(linked)["95 % interval"].to_list()[1] == "72.2 to 100.0 %"
    linked = open_page("compare", runs=",".join(runs), output="colour", part="Confusion")
    drawn = " ".join(chart.proto.spec for chart in linked.get("plotly_chart"))
    assert '"green"' in drawn  # the matrices have the classes of that output


def test_a_run_without_the_output_has_no_numbers_of_it(open_page, store, make_run_of_two):
    page = open_page("compare", runs=f"{make_run_of_two(shape=9, colour=5)},{make_run(store.root)}", output="colour")
    assert summary(page)["Test top-1"].to_list()[1] is None
    assert "Did not learn the output colour: lenet5 on digits" in told(page).replace("\\", "")


def test_many_runs_show_a_limited_number_of_matrices(open_page, store):
    runs = [make_run(store.root, training={"epochs": 2, "seed": seed}) for seed in range(9)]
    page = open_page("compare", runs=",".join(runs), part="Confusion")
    assert not page.exception
    assert "Shown for the first 6 of 9" in told(page)


def row(**values) -> dict:
    known = {"run_id": "20260101-000000-a-b-1234", "name": "a", "seed": 0, "dataset": "digits", "test_accuracy": 0.9}
    return known | {"dataset_version": "v1"} | values


def test_warnings_in_words():
    assert comparing.warnings([row(), row()]) == []
    assert comparing.warnings([row(test_accuracy=None)]) == [
        "Not tested yet, so without test accuracy: a · seed 0 · 1234."
    ]
    assert comparing.warnings(
        [row(test_accuracy=None, state="cancelled"), row(test_accuracy=None, state="queued")]
    ) == [
        "Not tested yet, so without test accuracy: a · seed 0 · 1234.",
        "Without test accuracy: a · seed 0 · 1234 (cancelled before its test).",
    ]
    # A queued run has no version yet: that is no difference.
    assert not comparing.has_other_data([row(), row(dataset_version=None)])
    assert comparing.has_other_data([row(), row(dataset_version="v2")])
    assert comparing.has_other_data([row(), row(dataset="shapes", dataset_version=None)])


OLD = "These runs saw different versions of the data set pets: v1, v2. "
DIFFERENCE = " A difference in a curve may come from the data."
WAY_OUT = " To compare them, choose runs of one version, or train one again on the version of another."
NEW_IDS = [f"new-{place}" for place in range(60)]
ONE = answered("a", "1" * 60)


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ([answered("b", "1" * 60)], []),
        ([replace(unanswered("b"), version="None")], []),
        ([answered("b", "1" * 60, dataset="birds")],
         ["These runs stand on different data sets (pets, birds). Their accuracies answer different questions: compare "
          "curves and costs, not top-1."]),
        ([answered("b", "1" * 60, version="v2")],
         [f"{OLD}All were tested on the same 60 test images.{DIFFERENCE}"]),
        ([answered("b", "1" * 50, version="v2")],
         [f"{OLD}They are compared on the 50 test images that all of them share under the same label; what shows each "
          f"run by itself speaks of all its test images.{DIFFERENCE}"]),
        ([answered("b", "1" * 60, NEW_IDS, version="v2")],
         [f"{OLD}They are not compared (it was tested on different images: none of them is shared): each is shown on "
          f"its own test images.{WAY_OUT}{DIFFERENCE}"]),
        ([answered("b", "1" * 60, NEW_IDS, version="v2"), answered("c", "1" * 60)],
         [f"{OLD}1 of 3 does not share enough test images with the others, so not all are compared: the overview says "
          f"which and why.{WAY_OUT}{DIFFERENCE}"]),
        ([replace(unanswered("b"), version="v2")],
         [f"{OLD}When they are tested, they are compared on the test images that they share.{DIFFERENCE}"]),
        ([replace(answered("b", "1" * 60, dataset="fixed"), corrected_from="pets")],
         ["These runs stand on a data set and on what was corrected from it: pets, fixed. All were tested on the same "
          f"60 test images.{DIFFERENCE}"]),
    ],
)  # fmt: skip
def test_other_data_in_words(others, said):
    assert comparing.data_warnings([ONE, *others]) == said
