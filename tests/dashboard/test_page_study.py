"""A study on its page: every view, live and at rest, what its buttons do, and every way in which there is none."""

import os

import polars as pl
import pytest
from made_studies import make_study
from page_text import said

from cnnlab.analysis.trials import NOT_THERE
from cnnlab.runs.studies import studies, study, study_dir
from cnnlab.runs.study_status import StudyStatus, ask, read_asked, write_status
from dashboard import study_data
from dashboard.components.study_space import cell_counts, space_table
from dashboard.components.study_table import trials_table

pytestmark = pytest.mark.usefixtures("queue", "questions")
TWO = {"objectives": ["val_accuracy", "macs"], "algorithm": {"name": "nsga2"}}


def unescaped(app) -> str:
    return said(app).replace("\\", "")


def metrics_of(app) -> dict[str, str]:
    return {metric.label.replace("\\", ""): metric.value for metric in app.metric}


def test_a_study_at_rest(open_page, store):
    made = make_study(store, 12, ("stopped", "failed"), has_runs=True, name="Rates", reason="All 12 trials were made.")
    app = open_page("study", study=made.study_id)
    assert app.title[0].value == "Rates"
    assert "random search over 4 settings of lenet5 on digits · val_accuracy max" in unescaped(app)
    assert "All 12 trials were made." in app.info[0].value.replace("\\", "")
    numbers = metrics_of(app)
    assert numbers["Trials ended"] == "12 of 40"
    assert (numbers["Running"], numbers["Stopped early"], numbers["Failed"]) == ("0", "1", "1")
    assert len(app.get("plotly_chart")) == 2
    assert "11 trials of 12 with a validation accuracy" in unescaped(app)
    assert "Validation accuracy of 12 runs" in unescaped(app)
    assert {button.key for button in app.button} >= {"resume", "delete", "train_best", "add_trials"}
    assert "stop" not in {button.key for button in app.button}


@pytest.mark.parametrize(
    ("view", "sentence", "charts"),
    [
        ("Hyperparameters", "40 completed trials over learning rate, optimizer, batch size, momentum", 6),
        ("Importance", "From 40 trials; the forests reach R²", 1),
        ("Trade-off", "Of 40 completed trials,", 1),
        ("Timeline", "40 completed, on 2 workers", 1),
        ("Trials", "Tick trials in the first column", 0),
        ("Space", "", 0),
    ],
)
def test_every_view(open_page, store, view, sentence, charts):
    made = make_study(store, 40, **TWO)
    app = open_page("study", study=made.study_id, view=view)
    text = unescaped(app)
    assert all(part in text for part in sentence.split(", ")), text
    assert len(app.get("plotly_chart")) == charts


def test_of_three_objectives_two_are_chosen(open_page, store):
    three = {"objectives": ["val_accuracy", "macs", "val_loss"], "algorithm": {"name": "nsga2"}}
    app = open_page("study", study=make_study(store, 8, **three).study_id, view="Trade-off")
    assert "in both validation accuracy and MACs of one image" in unescaped(app)
    app.selectbox(key="pair").set_value("macs,val_loss").run()
    assert "in both MACs of one image and validation loss" in unescaped(app)


def test_hyperband_says_that_its_trials_are_unlike(open_page, store):
    made = make_study(store, 8, algorithm={"name": "hyperband"}, budget={"epochs": 9})
    app = open_page("study", study=made.study_id, view="Importance")
    assert "Trials of Hyperband end after 1, 3 or 9 epochs" in unescaped(app)


def test_a_view_of_two_objectives_needs_two(open_page, store):
    made = make_study(store, 4)
    app = open_page("study", study=made.study_id, view="Space")
    assert "Trade-off" not in app.segmented_control(key="view").options


def test_a_study_without_trials_says_so_everywhere(open_page, store):
    made = make_study(store, 0, state="running", is_alive=True, is_compact=False)
    for view in ("Progress", "Hyperparameters", "Importance", "Timeline", "Trials", "Space"):
        app = open_page("study", study=made.study_id, view=view)
        assert metrics_of(app)["Best validation accuracy"] == "–"


def test_the_table_is_best_first_with_what_has_no_result_behind(store):
    made = make_study(store, 6, ("failed", "running", "waiting"), is_compact=False)
    now = study_data.trials(made)
    order = [*now.ranking(), *(place for place in range(now.n) if place not in now.ranking())]
    table = trials_table(now, order)
    accuracies = table["Validation accuracy"].to_list()
    assert accuracies[:3] == sorted(accuracies[:3], reverse=True)
    assert accuracies[3:] == [None] * 3
    assert table["Status"].to_list()[3:] == ["✕ Failed", "▶ Running", "… Waiting"]
    assert "Learning rate" in table.columns
    assert table["Duration"].drop_nulls().to_list() == [9.0] * 4


def test_how_much_of_the_space_was_seen(store):
    made = make_study(store, 30)
    now = study_data.trials(made)
    table = {row["Field"]: row for row in space_table(made, now).to_dicts()}
    assert table["training.batch_size"]["Seen"] == "100 %"
    assert sum(table["training.learning_rate"]["Where the trials were"]) == 30
    assert table["training.momentum"]["Trials without it"] > 0
    assert table["training.learning_rate"]["Range"].startswith("float(0.0001, 0.1, log)")
    axis = next(axis for axis in now.axes if axis.path == "training.batch_size")
    assert cell_counts(axis, now.codes()[:0, 0]) == [0, 0, 0]
    momentum = next(place for place, axis in enumerate(now.axes) if axis.path == "training.momentum")
    assert (now.codes()[:, momentum] == NOT_THERE).sum() == table["training.momentum"]["Trials without it"]


def test_stop_asks_first(open_page, store):
    made = make_study(store, 3, state="running", is_alive=True, is_compact=False)
    app = open_page("study", study=made.study_id)
    app.button(key="stop").click().run()
    assert not read_asked(study_dir(store, made.study_id)).stop
    app.button(key="confirm_yes").click().run()
    assert not app.exception
    assert read_asked(study_dir(store, made.study_id)).stop


def test_an_interrupted_study_can_be_resumed(open_page, store, queue, monkeypatch):
    made = make_study(store, 3, state="running", is_compact=False)
    watched = []
    monkeypatch.setattr(queue, "look_after_study", watched.append)
    app = open_page("study", study=made.study_id)
    assert "resume" in {button.key for button in app.button}
    app.button(key="resume").click().run()
    assert watched == [study_dir(store, made.study_id)]


def test_more_trials_and_more_workers(open_page, store):
    made = make_study(store, 3, state="running", is_alive=True, is_compact=False)
    folder = study_dir(store, made.study_id)
    app = open_page("study", study=made.study_id)
    app.number_input(key="width").set_value(5).run()
    app.button(key="set_width").click().run()
    assert not app.exception
    assert read_asked(folder).width == 5
    ask(folder, stop=True)
    write_status(folder, StudyStatus(state="stopped", starts=1))
    app = open_page("study", study=made.study_id)
    app.number_input(key="more_trials").set_value(7).run()
    app.button(key="add_trials").click().run()
    assert read_asked(folder).trials == 47
    assert metrics_of(app)["Trials ended"] == "3 of 47"


def test_the_best_is_trained_again_with_other_seeds(open_page, store):
    made = make_study(store, 8, has_runs=True, name="mine")
    app = open_page("study", study=made.study_id)
    before = {run["run_id"] for run in store_runs(store)}
    app.button(key="train_best").click().run()
    assert not app.exception
    new = [run for run in store_runs(store) if run["run_id"] not in before]
    assert sorted(run["seed"] for run in new) == [1, 2, 3]
    now = study_data.trials(study(store, made.study_id))
    rate = now.values[now.best()]["training.learning_rate"]
    assert {store.read_config(run["run_id"]).training.learning_rate for run in new} == {rate}
    assert set(app.query_params["runs"].split(",")) == {run["run_id"] for run in new}


def store_runs(store) -> list[dict]:
    from cnnlab.runs import queries

    return queries.summaries(store).to_dicts()


def test_the_best_five_are_compared(open_page, store):
    made = make_study(store, 8, has_runs=True)
    app = open_page("study", study=made.study_id)
    now = study_data.trials(made)
    best = ",".join(study_data.first_run(now, place) for place in now.ranking()[:5])
    links = {link.proto.label: link.proto for link in app.get("page_link")}
    assert links["Compare the best 5"].query_string == f"runs={best.replace(',', '%2C')}"
    assert f"The best: {now.label(now.best())}".replace("-", "\\-") in {label.replace("\\", "") for label in links}


def test_delete_asks_and_can_be_undone(open_page, store):
    made = make_study(store, 3, name="mine")
    app = open_page("study", study=made.study_id)
    app.button(key="delete").click().run()
    assert studies(store)
    app.button(key="confirm_yes").click().run()
    assert studies(store) == []
    assert "This study was deleted. Its runs are still there." in app.info[0].value
    app.button(key=f"restore_{made.study_id}").click().run()
    assert [one.study_id for one in studies(store)] == [made.study_id]


def test_an_unknown_study_is_said(open_page):
    app = open_page("study", study="../runs")
    assert "Unknown study '../runs'." in app.error[0].value.replace("\\", "")


def test_the_list_of_studies(open_page, store):
    assert "**No study yet**" in said(open_page("study"))
    made = make_study(store, 6, name="mine")
    make_study(store, 2, state="running", is_compact=False)
    app = open_page("study")
    rows = pl.from_pandas(app.dataframe[0].value)
    assert sorted(rows["State"].to_list()) == ["completed", "interrupted"]
    mine = rows.filter(pl.col("Name") == "mine").to_dicts()[0]
    assert mine["Study"] == f"/study?study={made.study_id}"
    assert (mine["Trials"], mine["Searched"]) == (6, "learning rate, optimizer, momentum, batch size")
    assert mine["Best"].startswith("validation accuracy 9")


def test_a_live_study_moves_on(open_page, store):
    made = make_study(store, 5, ("running",), state="running", is_alive=True, is_compact=False)
    app = open_page("study", study=made.study_id)
    assert metrics_of(app)["Running"] == "1"
    from cnnlab.runs import trials

    trials.say(study_dir(store, made.study_id), "0000", status="failed", reason="out of memory")
    app.run()
    assert metrics_of(app)["Running"] == "0"
    assert metrics_of(app)["Failed"] == "1"


def test_many_trials(open_page, store):
    count = 1000 if os.environ.get("CNNLAB_SLOW_TESTS") else 250
    made = make_study(store, count, workers=8, budget={"trials": count})
    for view in ("Progress", "Hyperparameters", "Importance", "Timeline", "Trials", "Space"):
        app = open_page("study", study=made.study_id, view=view)
        assert metrics_of(app)["Trials ended"] == f"{count:,} of {count:,}"
