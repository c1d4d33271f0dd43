"""The table of all runs: filters, choice, delete and undo."""

import polars as pl
import pytest
from made_runs import make_run

from dashboard.components import runs_table


def table(page) -> pl.DataFrame:
    return pl.from_pandas(page.dataframe[0].value)


def told(page) -> str:
    return " ".join(caption.value for caption in page.caption)


def test_no_runs_says_what_to_do(open_page):
    page = open_page("runs")
    assert "**No runs yet**" in [markdown.value for markdown in page.markdown]
    assert not page.dataframe


def test_every_state_has_a_row_with_what_is_known(open_page, store):
    states = ["completed", "failed", "running", "queued", "cancelled", "lost"]
    for state in states:
        make_run(store.root, state=state)
    page = open_page("runs")
    rows = table(page)
    assert sorted(cell.split()[-1].lower() for cell in rows["Status"]) == sorted(states)
    done = rows.filter(pl.col("Status").str.contains("Completed")).to_dicts()[0]
    assert done["Test top-1"] == pytest.approx(90)
    assert done["95 % interval"] == "85.1 to 93.4 %"
    assert (done["Parameters"], done["MACs"], done["Epochs"]) == (61_706, 416_520, "4 / 4")
    failed = rows.filter(pl.col("Status").str.contains("Failed")).to_dicts()[0]
    assert failed["Test top-1"] is None
    assert failed["95 % interval"] is None


def test_filters_stand_in_the_address(open_page, store):
    make_run(store.root, architecture={"name": "resnet"}, name="deep one")
    make_run(store.root, name="small one")
    make_run(store.root, name="bad one", state="failed")
    assert table(open_page("runs", arch="resnet"))["Name"].to_list() == ["deep one"]
    assert table(open_page("runs", q="SMALL one"))["Name"].to_list() == ["small one"]
    assert table(open_page("runs", state="failed"))["Name"].to_list() == ["bad one"]
    page = open_page("runs", q="nothing like it")
    assert page.info[0].value == "No run matches the filters. Clear the search or a filter."


def test_groups_show_mean_interval_and_n(open_page, store):
    for seed, accuracy in enumerate((0.9, 0.92, 0.94)):
        make_run(store.root, accuracy=accuracy, training={"epochs": 4, "seed": seed})
    make_run(store.root, state="failed", training={"epochs": 4, "seed": 3})
    make_run(store.root, accuracy=0.5, training={"epochs": 5})
    rows = table(open_page("runs", view="Groups")).sort("Mean test top-1")
    assert rows["Mean test top-1"].to_list() == pytest.approx([50, 92])
    assert rows["n"].to_list() == [1, 3]
    assert rows["Runs"].to_list() == [1, 4]
    assert rows["95 % interval"].to_list() == [None, "87.0 to 97.0 %"]
    assert rows["Seeds"].to_list() == ["0", "0, 1, 2, 3"]
    assert rows["Best"].to_list() == [None, None]  # one seed has nothing to be judged by


def test_groups_mark_ties_with_the_best_and_open_into_their_runs(open_page, store):
    for epochs, accuracies in ((2, (0.9, 0.92)), (3, (0.89, 0.92)), (4, (0.5, 0.52))):
        for seed, accuracy in enumerate(accuracies):
            make_run(store.root, accuracy=accuracy, training={"epochs": epochs, "seed": seed})
    make_run(store.root, accuracy=0.99, version="bbbbbbbbbbbb", training={"epochs": 2})  # of other data
    rows = table(open_page("runs", view="Groups")).sort("Mean test top-1", descending=True)
    assert rows["Best"].to_list() == [None, "best", "tied with it", "behind"]
    assert rows["Open"][1].startswith("/compare?runs=2")
    assert rows["Open"][1].count("%2C") == 1


def test_link_chooses_rows_and_compare_takes_them_along(open_page, store):
    first, second = make_run(store.root), make_run(store.root)
    make_run(store.root)
    page = open_page("runs", runs=f"{first},{second},gone")
    assert "3 of 3 runs, 2 chosen" in told(page)
    page.button(key="compare_chosen").click().run()
    assert page.title[0].value == "Compare"
    assert set(page.query_params["runs"].split(",")) == {first, second}


def test_choice_survives_a_filter_that_hides_it(open_page, store):
    hidden = make_run(store.root, name="hidden")
    make_run(store.root, name="seen")
    page = open_page("runs", runs=hidden, q="seen")
    assert "1 of 2 runs, 1 chosen, 1 of them hidden by the filters" in told(page)
    assert page.query_params["runs"] == hidden


def test_delete_asks_first(open_page, store):
    gone = make_run(store.root, name="gone")
    page = open_page("runs", runs=gone)
    page.button(key="delete_chosen").click().run()
    assert any(text.value.startswith("gone. They move to the store's trash") for text in page.markdown)
    assert store.run_ids() == [gone]


def test_undo_brings_back_what_was_deleted(open_page, store):
    gone, kept = make_run(store.root, name="gone"), make_run(store.root, name="kept")
    page = open_page("runs")
    store.delete_run(gone)
    page.session_state["deleted_runs"] = [gone]
    page.run()
    assert store.run_ids() == [kept]
    page.button(key="undo_delete").click().run()
    assert store.run_ids() == sorted([gone, kept])
    assert "deleted_runs" not in page.session_state
    assert not page.exception


def test_running_runs_are_not_deleted(open_page, store):
    busy = make_run(store.root, state="running", name="busy")
    page = open_page("runs", runs=busy)
    page.button(key="delete_chosen").click().run()
    assert "cancel these first" in page.warning[0].value
    assert store.run_ids() == [busy]


def test_ten_thousand_rows_filter_and_show():
    one = {
        "run_id": "r", "name": "n", "state": "completed", "dataset": "digits", "architecture": "lenet5",
        "augmentation": "", "optimizer": "adam", "failure": None, "test_accuracy": 0.9, "test_correct": 90,
        "test_n": 100, "num_params": 1, "macs": None, "epochs_done": 3, "epochs": 4, "train_s": 1.0, "seed": 0,
        "created_at": None, "group_id": "g", "dataset_version": "v",
    }  # fmt: skip
    runs = pl.DataFrame([one | {"run_id": f"run-{i:05d}", "name": f"name {i % 7}", "seed": i} for i in range(10_000)])
    kept = runs_table.filter_runs(runs, "run-0004 adam", ["digits"], [], ["completed"])
    assert kept["run_id"].to_list() == [f"run-0004{i}" for i in range(10)]
    assert runs_table.shown_runs(runs).height == 10_000
    shown, members = runs_table.shown_groups(runs)
    assert shown["Runs"].to_list() == [10_000]
    assert len(members["g/v"]) == 10_000


def test_a_search_is_text_and_not_a_pattern():
    runs = pl.DataFrame({name: ["a.b"] for name in runs_table.SEARCHED})
    assert runs_table.filter_runs(runs, ".*").is_empty()
    assert runs_table.filter_runs(runs, "A.B").height == 1


def test_positions_follow_the_runs():
    assert runs_table.positions(["c", "a", "b"], ["a", "gone", "b"]) == [1, 2]
