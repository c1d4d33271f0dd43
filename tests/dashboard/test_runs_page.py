"""The table of all runs: what it finds, shows and sorts, and what can be done with the chosen runs."""

import json

import polars as pl
import pytest
from made_runs import make_run
from page_text import said
from picked import column, do, rows, shown
from streamlit.testing.v1 import AppTest

from cnnlab.runs import annotations, queries
from cnnlab.runs.schema import SUMMARY, polars_schema
from cnnlab.runs.views import View, keep_view, view_names
from dashboard import runs_data
from dashboard.components import groups_table, runs_columns
from dashboard.components.picking_table import Row


def told(page: AppTest) -> str:
    return " ".join(caption.value for caption in page.caption)


def asked(page: AppTest, name: str) -> str:
    value = page.query_params.get(name, "")
    return value[0] if isinstance(value, list) else value


def tags_of(store, run_id: str) -> dict:
    row = queries.summaries(store).filter(run_id=run_id).row(0, named=True)
    return {name: row[name] for name in ("name", "notes", "tags", "is_starred", "is_archived")}


# === What is shown ===


def test_no_runs_says_what_to_do(open_page):
    page = open_page("runs")
    assert "**No runs yet**" in [markdown.value for markdown in page.markdown]
    assert not page.get("bidi_component")


def test_every_state_has_a_row_with_what_is_known(open_page, store):
    states = ["completed", "failed", "running", "queued", "cancelled", "lost"]
    made = {make_run(store.root, state=state): state for state in states}
    page = open_page("runs")
    found = {row["ids"][0]: cells for row, cells in zip(shown(page)["rows"], rows(page), strict=True)}
    assert {run_id: cells["state"].split()[-1].lower() for run_id, cells in found.items()} == made
    by_state = {state: found[run_id] for run_id, state in made.items()}
    done = by_state["completed"]
    assert (done["test_accuracy"], done["interval"]) == ("90.0 %", "85.1 to 93.4 %")
    assert (done["num_params"], done["macs"], done["epochs_of"]) == ("61,706", "417 k", "4 / 4")
    assert (done["train_s"], done["seed"], done["tags"]) == ("6.0 s", "0", [])
    assert (by_state["failed"]["test_accuracy"], by_state["failed"]["interval"]) == (None, None)


def test_filters_and_queries_stand_in_the_address(open_page, store):
    make_run(store.root, architecture={"name": "resnet"}, name="deep one")
    make_run(store.root, name="small one", accuracy=0.8)
    make_run(store.root, name="bad one", state="failed")
    assert column(open_page("runs", arch="resnet"), "name") == ["deep one"]
    assert column(open_page("runs", state="failed"), "name") == ["bad one"]
    assert column(open_page("runs", q="SMALL one"), "name") == ["small one"]
    assert column(open_page("runs", q="accuracy>85% arch=resnet,vgg"), "name") == ["deep one"]
    assert column(open_page("runs", q="blocks_per_stack>1 or accuracy=missing"), "name") == ["bad one", "deep one"]


def test_a_query_that_finds_nothing_says_which_part(open_page, store):
    make_run(store.root, name="one")
    page = open_page("runs", q="arch=lenet5 blocks_per_stack>20")
    assert page.info[0].value == "No run matches. Clear the search or a filter."
    said = told(page).replace("\\", "")
    assert "blocks_per_stack>20: no run alone. No run has architecture.parameters.blocks_per_stack." in said
    assert "arch\\=lenet5\\: 1 run alone\\." in told(page)
    assert not page.get("bidi_component")


def test_a_query_is_checked_as_it_is_typed(open_page, store):
    make_run(store.root, name="one")
    make_run(store.root, name="two")
    page = open_page("runs", q="one")
    assert column(page, "name") == ["one"]
    page.text_input(key="q").set_value("one accurcy>").run()
    assert "lacks a value" in said(page)
    assert column(page, "name") == ["one"]  # what it was when it could be read
    page.text_input(key="q").set_value("one accurcy>0.5").run()
    assert "Unknown field 'accurcy'\\. Did you mean 'accuracy'?" in said(page)
    page.text_input(key="q").set_value("accuracy>0.5").run()
    assert len(rows(page)) == 2
    assert "Unknown field" not in said(page)


def test_columns_are_any_setting_or_number_in_the_order_of_the_address(open_page, store):
    make_run(store.root, training={"batch_size": 32, "epochs": 4})
    make_run(store.root, training={"batch_size": 64, "epochs": 4}, state="running")
    page = open_page("runs", columns="training.batch_size,result.test.label.accuracy,decay_all,size,nonsense")
    columns = shown(page)["columns"]
    assert [one["id"] for one in columns] == [
        "name", "training.batch_size", "result.test.label.accuracy", "tricks.decay_all", "disk_bytes"
    ]  # fmt: skip
    assert [one["is_right"] for one in columns] == [False, True, True, False, True]
    assert columns[1]["title"] == "Batch size"
    live, done = rows(page)
    assert (live["training.batch_size"], live["result.test.label.accuracy"], live["disk_bytes"]) == ("64", None, None)
    assert (done["training.batch_size"], done["result.test.label.accuracy"]) == ("32", "90.0 %")
    assert done["tricks.decay_all"] in ("yes", "no")
    assert done["disk_bytes"].endswith("kB")
    assert "Unknown field 'nonsense'" in page.warning[0].value


def test_a_click_on_a_header_sorts_all_runs(open_page, store):
    for seed in range(60):
        make_run(store.root, accuracy=0.5 + seed / 200, training={"epochs": 1, "seed": seed})
    page = open_page("runs")
    assert "1 to 50 of 60 runs" in told(page)
    newest = column(page, "seed")
    do(page, {"kind": "sort", "column": "test_accuracy"})
    assert asked(page, "sort") == "-test_accuracy"
    assert column(page, "seed") == [str(seed) for seed in range(59, 9, -1)]
    assert (shown(page)["sort"], shown(page)["is_descending"]) == ("test_accuracy", True)
    do(page, {"kind": "sort", "column": "test_accuracy"})
    assert column(page, "seed") == [str(seed) for seed in range(50)]
    do(page, {"kind": "sort", "column": "test_accuracy"})
    assert "sort" not in page.query_params
    assert column(page, "seed") == newest
    page = open_page("runs", sort="lr")
    page.session_state["page"] = 2
    assert len(rows(page.run())) == 10
    assert shown(page)["sort"] == ""  # sorted by what is not shown


def test_an_order_nobody_knows_is_said(open_page, store):
    make_run(store.root)
    page = open_page("runs", sort="-nonsense")
    assert "Unknown field 'nonsense'" in page.warning[0].value
    assert len(rows(page)) == 1


def test_groups_show_mean_interval_and_n(open_page, store):
    for seed, accuracy in enumerate((0.9, 0.92, 0.94)):
        make_run(store.root, accuracy=accuracy, training={"epochs": 4, "seed": seed})
    make_run(store.root, state="failed", training={"epochs": 4, "seed": 3})
    make_run(store.root, accuracy=0.5, training={"epochs": 5})
    page = open_page("runs", view="Groups", sort="mean")
    assert column(page, "mean") == ["50.0 %", "92.0 %"]
    assert column(page, "n") == ["1", "3"]
    assert column(page, "runs") == ["1", "4"]
    assert column(page, "interval") == [None, "87.0 to 97.0 %"]
    assert column(page, "seeds") == ["0", "0, 1, 2, 3"]
    assert column(page, "against_best") == [None, None]  # one seed has nothing to be judged by
    assert "A group of one run has no interval over seeds, so it is not told apart from the best" in told(page)
    do(page, {"kind": "tick", "ids": shown(page)["rows"][1]["ids"], "is_on": True})
    assert "5 of 5 runs, 4 chosen" in told(page)
    assert [row["chosen"] for row in shown(page)["rows"]] == [0, 1]
    do(page, {"kind": "open", "id": shown(page)["rows"][1]["open"]})
    assert page.text_input(key="q").value.startswith("group=")
    assert len(rows(page)) == 4


def test_groups_mark_ties_with_the_best(open_page, store):
    for epochs, accuracies in ((2, (0.9, 0.92)), (3, (0.89, 0.92)), (4, (0.5, 0.52))):
        for seed, accuracy in enumerate(accuracies):
            make_run(store.root, accuracy=accuracy, training={"epochs": epochs, "seed": seed})
    make_run(store.root, accuracy=0.99, version="bbbbbbbbbbbb", training={"epochs": 2})  # of other data
    page = open_page("runs", view="Groups", sort="-mean")
    assert column(page, "against_best") == [None, "best", "tied with it", "behind"]


# === Choosing ===


def test_link_chooses_rows_and_compare_takes_them_along(open_page, store):
    first, second = make_run(store.root), make_run(store.root)
    make_run(store.root)
    page = open_page("runs", runs=f"{first},{second},gone")
    assert "3 of 3 runs, 2 chosen" in told(page)
    assert sum(row["chosen"] for row in shown(page)["rows"]) == 2
    page.button(key="compare_chosen").click().run()
    assert page.title[0].value == "Compare"
    assert set(page.query_params["runs"].split(",")) == {first, second}


def test_groups_are_compared_as_groups(open_page, store):
    runs = [make_run(store.root, training={"epochs": 1, "seed": seed}) for seed in (1, 2)]
    page = open_page("runs", view="Groups", runs=",".join(runs))
    page.button(key="compare_chosen").click().run()
    assert page.title[0].value == "Compare"
    assert page.toggle(key="mean").value


def test_choice_survives_a_filter_that_hides_it(open_page, store):
    hidden = make_run(store.root, name="hidden")
    make_run(store.root, name="seen")
    page = open_page("runs", runs=hidden, q="seen")
    assert "1 of 2 runs, 1 chosen, 1 of them hidden by the filters" in told(page)
    assert page.query_params["runs"] == hidden
    do(page, {"kind": "tick", "ids": shown(page)["rows"][0]["ids"], "is_on": True})
    assert "2 chosen, 1 of them hidden" in told(page)
    page.button(key="choose_none").click().run()
    assert "chosen" not in told(page)


def test_what_is_done_at_once_counts_once_each(open_page, store):
    ids = [make_run(store.root) for _ in range(3)]
    page = open_page("runs")
    ticks = [{"kind": "tick", "ids": [run_id], "is_on": True} for run_id in ids]
    do(page, *ticks, {"kind": "tick", "ids": ids[:1], "is_on": False})
    assert set(page.session_state["chosen_runs"]) == set(ids[1:])
    assert shown(page)["done"] == 4
    component = page.get("bidi_component")[0].proto
    states = page._tree.get_widget_states()
    again = [{"number": 1, "session": shown(page)["session"], **ticks[0]}]
    again += [{"number": 9, "session": "of another server", **ticks[0]}]
    states.widgets.add(id=component.id, json_value=json.dumps({"outbox": again}))
    page._run(states)
    assert set(page.session_state["chosen_runs"]) == set(ids[1:])


def test_all_that_was_found_can_be_chosen(open_page, store):
    for seed in range(3):
        make_run(store.root, training={"seed": seed, "epochs": 1})
    page = open_page("runs", q="seed>0")
    page.button(key="choose_all").click().run()
    assert "2 of 3 runs, 2 chosen" in told(page)
    assert not [one for one in page.button if one.key == "choose_all"]


def test_a_click_on_a_name_opens_the_run(open_page, store):
    run_id = make_run(store.root, name="this one")
    page = do(open_page("runs"), {"kind": "open", "id": run_id})
    assert page.title[0].value == "this one"
    assert asked(page, "run") == run_id


# === What people say ===


def test_a_star_and_a_tag_in_the_table(open_page, store):
    run_id = make_run(store.root)
    annotations.annotate(store, [run_id], annotations.change(add_tags=["baseline"]))
    make_run(store.root)
    page = do(open_page("runs"), {"kind": "star", "id": run_id, "is_on": True})
    assert tags_of(store, run_id)["is_starred"]
    assert sorted(row["starred"] for row in shown(page)["rows"]) == [False, True]
    do(page, {"kind": "tag", "tag": "baseline"})
    assert page.text_input(key="q").value == "tag=baseline"
    assert len(rows(page)) == 1


def test_archived_runs_are_hidden_until_asked_for_and_it_can_be_undone(open_page, store):
    away, kept = make_run(store.root, name="away"), make_run(store.root, name="kept")
    page = open_page("runs", runs=away)
    page.button(key="archive_chosen").click().run()
    assert tags_of(store, away)["is_archived"]
    assert column(page, "name") == ["kept"]
    assert "1 run archived\\." in said(page)
    assert column(open_page("runs", q="archived"), "name") == ["away"]
    assert set(column(open_page("runs", archived="true"), "name")) == {"away", "kept"}
    page.button(key="undo").click().run()
    assert set(column(page, "name")) == {"away", "kept"}
    assert not tags_of(store, away)["is_archived"]
    assert kept in store.run_ids()


def test_stars_of_several_runs_and_back(open_page, store):
    first, second = make_run(store.root), make_run(store.root)
    annotations.annotate(store, [first], annotations.change(is_starred=True))
    page = open_page("runs", runs=f"{first},{second}")
    page.button(key="star_chosen").click().run()
    assert tags_of(store, second)["is_starred"]
    page.button(key="undo").click().run()
    assert tags_of(store, first)["is_starred"]  # it had one before
    assert not tags_of(store, second)["is_starred"]


def test_tags_are_given_and_taken_and_it_can_be_undone(open_page, store):
    first, second = make_run(store.root), make_run(store.root)
    annotations.annotate(store, [first], annotations.change(add_tags=["old", "own"]))
    annotations.annotate(store, [second], annotations.change(add_tags=["old"]))
    page = open_page("runs", runs=f"{first},{second}")
    assert "Some have also: own." in told(page)
    box = next(one for one in page.multiselect if one.label == "Tags of all of them")
    assert box.value == ["old"]
    box.set_value(["Own"]).run()
    assert not page.exception
    assert (tags_of(store, first)["tags"], tags_of(store, second)["tags"]) == (["own"], ["own"])
    assert "2 runs tagged own and no longer tagged old\\." in said(page)
    page.button(key="undo").click().run()
    assert set(tags_of(store, first)["tags"]) == {"own", "old"}
    assert tags_of(store, second)["tags"] == ["old"]


def test_names_and_notes_are_written_and_what_others_wrote_is_told(open_page, store):
    run_id = make_run(store.root, name="old name", notes="from the form")
    page = open_page("runs", runs=run_id)
    page.button(key="edit_chosen").click().run()
    assert (page.text_input(key="edit_name").value, page.text_area(key="edit_notes").value) == (
        "old name", "from the form"
    )  # fmt: skip
    annotations.annotate(store, [run_id], annotations.change(notes="somebody else"))
    page.text_input(key="edit_name").set_value("new name")
    page.text_area(key="edit_notes").set_value("mine")
    page.button(key="save_edit").click().run()
    assert not page.exception
    found = tags_of(store, run_id)
    assert (found["name"], found["notes"]) == ("new name", "mine")
    told_of_others = [toast.value.replace("\\", "") for toast in page.toast]
    assert any("meanwhile changed the notes to 'somebody else'" in text for text in told_of_others)
    page.button(key="undo").click().run()
    found = tags_of(store, run_id)
    assert (found["name"], found["notes"]) == ("old name", "somebody else")


# === Deleting ===


def test_delete_asks_first_with_what_it_takes(open_page, store):
    gone = make_run(store.root, name="gone")
    page = open_page("runs", runs=gone)
    page.button(key="delete_chosen").click().run()
    question = next(text.value for text in page.markdown if text.value.startswith("gone: "))
    assert "kB on disk. They move to the store's trash, which keeps them for 30 days" in question
    assert store.run_ids() == [gone]
    page.button(key="confirm_yes").click().run()
    assert store.run_ids() == []
    assert store.trash_ids() == [gone]
    assert "1 run in the trash\\." in said(page)
    page.button(key="undo").click().run()
    assert store.run_ids() == [gone]
    assert not page.exception


def test_running_runs_are_not_deleted(open_page, store):
    busy = make_run(store.root, state="running", name="busy")
    page = open_page("runs", runs=busy)
    page.button(key="delete_chosen").click().run()
    assert "cancel these first" in page.warning[0].value
    assert store.run_ids() == [busy]


def test_the_trash_shows_what_it_takes_and_is_emptied_on_request(open_page, store):
    first, second = make_run(store.root), make_run(store.root)
    kept = make_run(store.root)
    for run_id in (first, second):
        store.delete_run(run_id)
    page = open_page("runs")
    assert "stays here for 30 days" in told(page)
    page.multiselect(key="trash_chosen").set_value([first]).run()
    page.button(key="trash_restore").click().run()
    assert store.run_ids() == sorted([first, kept])
    page.button(key="trash_empty").click().run()
    assert any("1 run, " in text.value and "gone for good" in text.value for text in page.markdown)
    page.button(key="confirm_yes").click().run()
    assert store.trash_ids() == []
    assert not page.exception


# === Views ===


def test_the_view_called_default_is_shown_at_first_and_others_are_kept(open_page, store):
    make_run(store.root, name="one", architecture={"name": "resnet"})
    make_run(store.root, name="two")
    keep_view(store, "default", View("arch=resnet", ("seed", "name"), "-seed"))
    page = open_page("runs")
    assert column(page, "name") == ["one"]
    assert asked(page, "q") == "arch=resnet", "who is sent the address sees something else"
    assert [one["id"] for one in shown(page)["columns"]] == ["name", "seed"]
    assert len(rows(open_page("runs", q=""))) in (1, 2)
    assert column(open_page("runs", sort="name"), "name") == ["one", "two"]  # the address asks for something
    page.text_input(key="q").set_value("two").run()
    next(one for one in page.text_input if one.label.startswith("Keep what")).set_value("Mine")
    next(one for one in page.button if one.label == "Keep").click().run()
    assert view_names(store) == ["Mine", "default"]
    page.button(key="view.default").click().run()
    assert page.text_input(key="q").value == "arch=resnet"
    page.button(key="forget.Mine").click().run()
    assert view_names(store) == ["default"]


def test_columns_are_moved_and_chosen(open_page, store):
    make_run(store.root)
    page = open_page("runs", columns="name,seed,state")
    do(page, {"kind": "move", "column": "state", "to": 1})
    assert asked(page, "columns") == "name,state,seed"
    page.multiselect(key="columns_name,state,seed").set_value(
        ["name", "seed", "learning_rate", "training.momentum"]
    ).run()
    chosen = ["name", "seed", "learning_rate", "training.momentum"]
    assert [one["id"] for one in shown(page)["columns"]] == chosen
    page.switch_page("app_pages/home.py").run()
    page.switch_page("app_pages/runs.py").run()
    assert [one["id"] for one in shown(page)["columns"]] == chosen, "not kept over a look at another page"
    page.button(key="usual_columns").click().run()
    assert "columns" not in page.query_params
    page.switch_page("app_pages/home.py").run()
    page.switch_page("app_pages/runs.py").run()
    assert "columns" not in page.query_params


# === SQL ===


def test_sql_is_asked_in_the_background_and_its_runs_can_be_chosen(open_page, store):
    good = make_run(store.root, accuracy=0.95)
    make_run(store.root, accuracy=0.5)
    page = open_page("runs", view="SQL", sql="select run_id, tags from runs where test_accuracy > 0.9")
    page.button(key="sql_ask").click().run()
    page.session_state["sql_asked"].result()
    page.run()
    assert page.dataframe[-1].value["run_id"].to_list() == [good]
    page.button(key="sql_choose").click().run()
    assert page.session_state["chosen_runs"] == [good]
    assert shown(page)["rows"]
    assert not page.exception


def test_sql_that_is_wrong_says_so(open_page, store):
    make_run(store.root)
    page = open_page("runs", view="SQL", sql="copy runs to 'x'")
    page.button(key="sql_ask").click().run()
    with pytest.raises(Exception, match="COPY is not for reading"):
        page.session_state["sql_asked"].result()
    page.run()
    assert "COPY is not for reading" in page.error[0].value


# === The parts ===


def test_ten_thousand_runs_are_grouped_found_and_sorted():
    one = {
        "run_id": "r", "name": "n", "state": "completed", "dataset": "digits", "architecture": "lenet5",
        "test_accuracy": 0.9, "num_params": 1, "seed": 0, "group_id": "g", "dataset_version": "v", "tags": [],
        "is_starred": False, "is_archived": False,
    }  # fmt: skip
    made = [one | {"run_id": f"run-{i:05d}", "seed": i, "test_accuracy": i / 10_000} for i in range(10_000)]
    runs = pl.DataFrame(made, schema=polars_schema(SUMMARY), orient="row")
    groups = groups_table.groups_of(runs)
    assert groups.frame["num_runs"].to_list() == [10_000]
    row = groups_table.group_row(groups, groups.frame.row(0, named=True), {"run-00003"})
    assert row.chosen == 2
    assert row.cells[-1].endswith("and 9980 more")


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("train_s", 75.0, "1 min 15 s"), ("test_loss", 0.123456, "0.1235"), ("test_loss", float("nan"), "NaN"),
        ("num_params", 1_234_567, "1,234,567"), ("disk_bytes", 12_300_000, "12.3 MB"), ("is_starred", True, "yes"),
        ("notes", "two\nlines", "two lines"), ("training.momentum", 0.9, "0.9"), ("seed", 12_345, "12,345"),
        ("serious_findings", 2, "⚠ 2"), ("augmentation", "", None), ("tags", ["a"], ["a"]),
        ("architecture.parameters.pooling", "max", "max"), ("test_accuracy", None, None),
    ],
)  # fmt: skip
def test_cells_read_as_people_read(name, value, text):
    assert runs_columns.cells([runs_columns.run_column(name)], {name: value}) == [text]


def test_rows_are_what_the_browser_needs():
    row = Row(["a"], "a", [None], 0, "a", "/run?run=a")
    assert json.dumps(vars(row))
    assert runs_data.MOST_KEPT > 0
