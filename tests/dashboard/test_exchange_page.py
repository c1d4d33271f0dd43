"""Import and export on the page of runs, and the page of a run that another tool trained."""

import json
from pathlib import Path

import pytest
from made_runs import make_run
from streamlit.testing.v1 import AppTest

from cnnlab.exchange.exporting import export_runs
from cnnlab.exchange.importing import import_runs
from cnnlab.files import write_json
from dashboard import data, runs_data
from dashboard.components import data_jobs, exchange_jobs
from dashboard.components.exchange_mapping import shown_names

STORES = Path(__file__).parents[1] / "exchange" / "stores"


@pytest.fixture
def started(monkeypatch):
    """Start no process; return the commands that would run."""
    commands = []
    monkeypatch.setattr(data_jobs, "start", lambda _root, _name, title, words, _folder: commands.append((title, words)))
    return commands


def told(page):
    return " ".join(text.value for text in (*page.markdown, *page.caption, *page.error, *page.info, *page.warning))


def ended_job(store, name, result, error=""):
    """Leave what a job leaves that has ended."""
    folder = store.root / "cache" / "exchange" / "jobs" / "job"
    folder.mkdir(parents=True)
    record = {"name": name, "title": "A title", "is_quiet": False, "pid": 1, "created": None, "started_at": 2e9}
    write_json(folder / "job.json", record)
    (folder / "result.json").write_text(json.dumps(result) if result else "")
    (folder / "progress.jsonl").write_text(error)
    return folder


def test_export_starts_with_the_chosen_runs_and_format(open_page, store, started):
    first, second = make_run(store.root), make_run(store.root)
    page = open_page("runs", runs=f"{first},{second}")
    page.radio(key="export_format").set_value("mlflow").run()
    page.checkbox(key="export_models").check().run()
    page.button(key="export_start").click().run()
    assert not page.exception
    ((title, words),) = started
    assert title == "Export of 2 runs: MLflow"
    ids = Path(words[words.index("--ids") + 1]).read_text().split()
    assert sorted(ids) == sorted([first, second])
    assert words[words.index("--format") + 1] == "mlflow"
    assert words[words.index("--to") + 1].endswith("cnnlab-mlflow-2-runs.zip")
    assert {"--predictions", "--models", "--json", "--progress-json"} <= set(words)


def test_without_a_choice_there_is_nothing_to_export(open_page, store):
    make_run(store.root)
    page = open_page("runs")
    assert not [radio for radio in page.radio if radio.key == "export_format"]


def test_an_ended_export_is_offered_for_download(open_page, store, tmp_path):
    run_id = make_run(store.root)
    done = export_runs(store, [run_id], tmp_path / "x.zip", "csv")
    ended_job(store, exchange_jobs.EXPORT, done.to_dict())
    page = open_page("runs")
    assert "**A title** is ready" in told(page)
    page.button(key="dismiss_job").click().run()
    assert "is ready" not in told(page)


def test_an_export_too_large_for_a_browser_says_where_it_lies(open_page, store):
    result = {"path": "/somewhere/x.zip", "size_bytes": 2 * 10**9, "runs": 1, "format": "csv"}
    ended_job(store, exchange_jobs.EXPORT, result)
    page = open_page("runs")
    assert "too much for a browser" in told(page)
    assert [code.value for code in page.code] == ["/somewhere/x.zip"]


@pytest.fixture
def form():
    """The content of the dialog: a dialog itself is closed by the next run of a page that is tested."""

    def script():
        from dashboard.components.exchange_import import import_form

        import_form()

    page = AppTest.from_function(script, default_timeout=60).run()
    assert not page.exception
    return page


def test_the_button_opens_the_import(open_page):
    page = open_page("runs")
    page.button(key="import_runs").click().run()
    assert not page.exception
    assert "Event files of TensorBoard" in told(page)


def test_import_looks_first_and_starts_when_told(form, store, started):
    page = form
    page.segmented_control(key="import_runs_from").set_value("On the server").run()
    page.text_input(key="import_runs_path").set_value(str(STORES / "mlflow-3.17.2.zip")).run()
    assert not page.exception
    assert "**MLflow: 2 runs.**" in told(page)
    assert {"first", "second"} <= set(told(page).replace(",", "").split())
    assert "Deleted in MLflow, so left out: 1 run" in told(page).replace("\\", "")
    assert "Settings of the runs: batch_size, lr, nested/depth" in told(page).replace("\\", "")
    page.selectbox(key="import_runs_steps").set_value("epochs").run()
    page.button(key="import_runs_start").click().run()
    ((title, words),) = started
    assert title == f"Import of {STORES / 'mlflow-3.17.2.zip'}"
    assert words[:3] == ["cnnlab", "import-runs", str(STORES / "mlflow-3.17.2.zip")]
    assert "--steps=epochs" in words
    assert not store.runs_dir.exists()  # nothing was imported by looking


def test_import_says_what_is_wrong_with_a_path(form, tmp_path):
    page = form
    page.segmented_control(key="import_runs_from").set_value("On the server").run()
    page.text_input(key="import_runs_path").set_value(str(tmp_path / "nothing")).run()
    assert "There is no file or folder" in page.error[0].value


def test_an_ended_import_says_what_came_and_what_did_not(open_page, store):
    imported = import_runs(store, STORES / "keras-tuner")
    result = imported.to_dict() | {"skipped": [{"run": "x", "reason": "Damaged."}], "notes": ["A note."]}
    result |= {"troubles": {"a": ["loss: 1 line left out"]}, "remarks": {"a": ["In percent."], "b": ["In percent."]}}
    ended_job(store, exchange_jobs.IMPORT, result | {"newer_than": {"a": ["b"]}})
    page = open_page("runs")
    assert "3 runs imported from Keras Tuner; 1 run left out" in told(page)
    assert "A note" in told(page)
    assert "2 runs: In percent" in told(page).replace("\\", "")
    assert "a: loss: 1 line left out" in told(page).replace("\\", "")
    assert "Something of 1 run could not be read" in next(box.label for box in page.expander).replace("\\", "")
    assert "Of 1 run an earlier state is in the store too" in told(page)
    page.button(key="compare_job").click().run()
    assert page.title[0].value == "Compare"
    assert sorted(page.query_params["runs"].split(",")) == sorted(imported.imported)


def shown_ids(page):
    """Return the runs that the query of the page finds."""
    return set(runs_data.found(data.summaries(), page.text_input(key="q").value, has_archived=False)["run_id"])


def test_imported_runs_are_shown_where_a_search_hides_them(open_page, store):
    make_run(store.root)
    imported = import_runs(store, STORES / "keras-tuner")
    ended_job(store, exchange_jobs.IMPORT, imported.to_dict())
    page = open_page("runs", q="architecture=lenet5", state="queued")
    assert "1 of 4 runs" in told(page)
    page.button(key="show_job").click().run()
    assert not page.exception
    assert page.multiselect(key="state").value == []
    assert "3 of 4 runs" in told(page)
    assert shown_ids(page) == set(imported.imported)
    page.button(key="compare_job")  # still there


def test_more_imported_runs_than_a_query_holds_are_chosen_among_those_of_their_tool(open_page, store, monkeypatch):
    monkeypatch.setattr(exchange_jobs, "MOST_CHARACTERS", 50)
    make_run(store.root)
    imported = import_runs(store, STORES / "keras-tuner")
    import_runs(store, STORES / "keras-csvlogger.csv")
    ended_job(store, exchange_jobs.IMPORT, imported.to_dict())
    page = open_page("runs", q="architecture=lenet5")
    page.button(key="show_job").click().run()
    assert not page.exception
    assert "3 of 5 runs, 3 chosen" in told(page)
    assert shown_ids(page) == set(imported.imported)


def test_an_import_that_failed_says_why(open_page, store):
    ended_job(store, exchange_jobs.IMPORT, None, "'x' holds no runs of MLflow. Expected others.\n")
    assert "holds no runs of MLflow" in open_page("runs").error[0].value


def test_names_in_the_preview_are_as_they_will_become():
    from cnnlab.exchange.importing import NameSeen
    from cnnlab.exchange.names import Target

    rows = shown_names([
        NameSeen("acc", 2, 1200, 10.0, 92.5, Target("val", "accuracy", "digit", True)),
        NameSeen("junk", 1, 1, float("nan"), float("nan"), None),
    ]).rows()  # fmt: skip
    assert rows == [
        ("acc", "val", "digit", "accuracy", True, "1,200", "10 to 92.5"),
        ("junk", "left out", "", "junk", False, "1", "NaN to NaN"),
    ]


@pytest.mark.parametrize("source", ["tensorboardx", "mlflow-3.17.2.zip", "keras-tuner", "keras-csvlogger.csv"])
def test_an_imported_run_has_a_page_of_its_own(open_page, store, source):
    report = import_runs(store, STORES / source)
    for run_id in (report.imported[0], report.imported[-1]):
        page = open_page("run", run=run_id)
        text = told(page)
        assert "Imported just now from" in text
        assert "Nobody knows how to train this run here" in text
        assert "`None`" not in text  # what Streamlit shows of a line that is an expression
        assert {button.key for button in page.button} >= {"delete"}
        assert not {"clone", "retry", "use_as_source"} & {button.key for button in page.button}


def test_a_run_that_counts_no_epochs_is_shown_across_steps(open_page, store):
    (run_id,) = import_runs(store, STORES / "tensorboardx").imported
    page = open_page("run", run=run_id)
    assert page.segmented_control(key="x").value == "step"
    assert "epochs, so they are counted by the validations" in told(page)


def test_why_a_trial_failed_is_said_by_the_tool(open_page, store):
    report = import_runs(store, STORES / "keras-tuner")
    page = open_page("run", run=report.imported[2])
    assert "Out of memory." in [code.value for code in page.code]
    assert "The tool kept no numbers of this run" in told(page)


def test_imported_runs_are_compared_with_our_own(open_page, store, tmp_path):
    """In every part of the page, also with a test accuracy of which nobody knows over how many images."""
    (tmp_path / "a.csv").write_text("run,epoch,loss,val_acc,test_acc\nx,1,2,0.5,\nx,2,1,0.75,0.7\n")
    imported = import_runs(store, tmp_path / "a.csv").imported
    imported += import_runs(store, STORES / "keras-tuner").imported
    own = make_run(store.root)
    page = open_page("compare", runs=",".join([*imported, own]))
    assert "Trained with another tool" in told(page)
    assert "(None" not in told(page)
    assert "another tool trained it, and its answers to images are not known" in told(page)
    parts = page.segmented_control(key="part").options
    assert {"Overview", "Curves", "Settings"} <= set(parts)
    for part in parts:
        page.segmented_control(key="part").set_value(part).run()
        assert not page.exception, part
        if part == "Settings":
            settings = page.dataframe[0].value
            assert "parameters.units" in set(settings["Setting"])
            assert "–" in set(settings.iloc[:, -1])


@pytest.mark.parametrize(
    ("page", "query"), [("runs", {"view": "Groups"}), ("home", {}), ("cost", {}), ("tune", {}), ("ablation", {})]
)
def test_no_page_stumbles_over_imported_runs(open_page, store, page, query):
    make_run(store.root)
    for source in ("tensorboardx", "mlflow-3.17.2.zip", "keras-tuner"):
        import_runs(store, STORES / source)
    open_page(page, **query)


def test_forms_offer_runs_with_a_config_alone(open_page, store):
    own = make_run(store.root)
    import_runs(store, STORES / "keras-tuner")
    page = open_page("ablation")
    offered = [box for box in page.selectbox if box.key and box.key.endswith(".run")]
    for box in offered:
        assert len(box.options) == 1
    assert own in store.run_ids()
