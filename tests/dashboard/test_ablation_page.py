"""Plan an ablation, follow it, read its table; and every way in which there is none."""

import polars as pl
import pytest
from ablation_making import make_ablation
from page_text import said

from cnnlab.runs.ablations import list_ablations

pytestmark = pytest.mark.usefixtures("queue")


def unescaped(app) -> str:
    return said(app).replace("\\", "")


def table(app) -> pl.DataFrame:
    return pl.from_pandas(app.dataframe[0].value)


def test_no_ablation_yet(open_page):
    app = open_page("ablation")
    assert "**No ablation yet**" in said(app)
    assert "Tick a change, or type one." in app.info[0].value
    assert "queue" not in {button.key for button in app.button}


def test_ticked_and_typed_changes_are_queued(open_page, store):
    app = open_page("ablation")
    app.checkbox(key="ablation.tick.label smoothing").check()
    app.text_area(key="ablation.typed").set_value("longer = training.epochs=30").run()
    assert table(app)["Variant"].to_list() == ["baseline", "label smoothing", "longer"]
    command = next(block.value for block in app.code if "cnnlab ablate" in block.value)
    assert "--change 'label smoothing=training.label_smoothing=0.1' --change longer=training.epochs=30" in command
    app.slider(key="ablation.seeds").set_value(2).run()
    assert app.button(key="queue").label == "Queue 6 runs"
    app.button(key="queue").click().run()
    assert not app.exception
    (made,) = list_ablations(store)
    assert [len(group) for group in made.run_ids] == [2, 2, 2]
    assert app.query_params["ablation"] == made.ablation_id
    assert "0 of 6 runs done" in app.get("progress")[0].proto.text


def test_changes_one_after_another_in_an_order(open_page):
    app = open_page("ablation")
    app.checkbox(key="ablation.tick.label smoothing").check()
    app.checkbox(key="ablation.tick.flip left-right").check()
    app.toggle(key="ablation.cumulative").set_value(True).run()
    assert table(app)["Variant"].to_list() == ["baseline", "+ label smoothing", "+ flip left-right"]
    app.multiselect[0].set_value(["flip left-right", "label smoothing"]).run()
    assert table(app)["Variant"].to_list() == ["baseline", "+ flip left-right", "+ label smoothing"]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("faster", "The change 'faster' cannot be read."),
        ("a=training.epochs=20", "Change 'a' changes nothing"),
        ("a=training.epoch=3", "Did you mean 'epochs'?"),
    ],
)
def test_a_wrong_change_is_said(open_page, typed, sentence):
    app = open_page("ablation")
    app.text_area(key="ablation.typed").set_value(typed).run()
    assert sentence in app.error[0].value.replace("\\", "")
    assert "queue" not in {button.key for button in app.button}


def test_a_run_as_baseline(open_page, make_run):
    run_id = make_run(training={"epochs": 7, "label_smoothing": 0.1}, name="mine")
    app = open_page("ablation", **{"from": run_id})
    assert app.selectbox(key="ablation.run").value == run_id
    assert "7 epochs" in unescaped(app)
    assert "ablation.tick.no label smoothing" in {box.key for box in app.checkbox}


def test_what_is_ticked_outlives_a_look_at_another_page(open_page):
    app = open_page("ablation")
    app.checkbox(key="ablation.tick.label smoothing").check().run()
    app.switch_page("app_pages/queue.py").run()
    app.switch_page("app_pages/ablation.py").run()
    assert app.checkbox(key="ablation.tick.label smoothing").value


def test_the_table_of_an_ended_ablation(open_page, store):
    made = make_ablation(store, name="mine")
    app = open_page("ablation", ablation=made.ablation_id)
    shown = table(app)
    assert shown["Verdict"].to_list() == ["", "more than noise", "may be noise"]
    assert shown["Effect (points)"].to_list() == ["–", "+5.00", "+0.67"]
    assert shown["n"].to_list() == ["3 of 3"] * 3
    assert "1 of 2 changes is more than noise; the largest effect is +5.00 points (smooth labels" in unescaped(app)
    assert "3 seeds per variant, 200 test images of digits, version 0123456789ab." in unescaped(app)
    assert "after Holm's correction over all 2 changes" in unescaped(app)
    assert len(app.get("plotly_chart")) == 1
    assert len([one for one in app.get("page_link") if one.proto.label.startswith("Seed ")]) == 9


def test_one_seed_says_what_it_cannot_tell(open_page, store):
    made = make_ablation(store, accuracies=((0.8,), (0.95,), (0.8,)), seeds=1)
    app = open_page("ablation", ablation=made.ablation_id)
    assert "One seed tells two networks apart, not two settings" in unescaped(app)
    assert table(app)["Effect (points)"].to_list()[1] == "+15.00"


def test_runs_that_failed_are_told(open_page, store):
    made = make_ablation(store, state="failed")
    app = open_page("ablation", ablation=made.ablation_id)
    assert "0 of 9 runs have a result; 9 failed." in app.warning[0].value
    assert "no run of smooth labels has a result" in table(app)["Verdict"].to_list()


def test_cancel_asks_first(open_page, store, queue):
    app = open_page("ablation")
    app.checkbox(key="ablation.tick.label smoothing").check()
    app.slider(key="ablation.seeds").set_value(1).run()
    app.button(key="queue").click().run()
    app.button(key="cancel").click().run()
    assert queue.entries()
    app.button(key="confirm_yes").click().run()
    (made,) = list_ablations(store)
    assert not app.exception
    assert not [entry for entry in queue.entries() if entry.state == "queued"]
    assert store.read_status(made.run_ids[1][0]).state == "cancelled"


def test_delete_asks_and_can_be_undone(open_page, store):
    made = make_ablation(store)
    app = open_page("ablation", ablation=made.ablation_id)
    app.button(key="delete").click().run()
    assert list_ablations(store)
    app.button(key="confirm_yes").click().run()
    assert list_ablations(store) == []
    assert "This ablation was deleted. Its runs are still there." in app.info[0].value
    app.button(key=f"restore_{made.ablation_id}").click().run()
    assert [one.ablation_id for one in list_ablations(store)] == [made.ablation_id]


def test_an_unknown_ablation_is_said(open_page):
    app = open_page("ablation", ablation="../runs")
    assert "Unknown ablation '../runs'." in app.error[0].value.replace("\\", "")


def test_the_way_back_to_the_list(open_page, store):
    made = make_ablation(store, name="mine")
    app = open_page("ablation", ablation=made.ablation_id)
    assert app.title[0].value == "mine"
    app.button(key="back").click().run()
    assert app.title[0].value == "Ablation"
    assert "ablation" not in app.query_params


def test_the_list_links_each(open_page, store):
    made = make_ablation(store, name="mine")
    app = open_page("ablation")
    rows = pl.from_pandas(app.dataframe[-1].value)
    assert rows["Name"].to_list() == ["mine"]
    assert rows["Ablation"].to_list() == [f"/ablation?ablation={made.ablation_id}"]
