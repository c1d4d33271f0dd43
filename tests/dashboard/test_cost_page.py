"""'Accuracy and cost': what is shown of whom, what is left out and why, the address, clicks, and measuring."""

import json
from datetime import UTC, datetime
from types import SimpleNamespace

import polars as pl
import pytest
from made_runs import make_run
from page_text import said

from cnnlab.plots.points import run_points
from cnnlab.plots.published import published_points
from cnnlab.published.imagenet import load_imagenet
from cnnlab.runs.inference import write_inference
from dashboard.components import clicks, cost_charts, cost_subjects, data_jobs, measuring
from dashboard.components.clicks import clicked

ROW = {
    "n": 200, "median_s": 0.002, "p10_s": 0.001, "p90_s": 0.004, "images_per_s": 500.0, "memory_bytes": 2**20,
    "hardware": "a processor, 2 cores", "versions": "Python 3.11.7, keras 3.15.1, tensorflow 2.21.0",
    "measured_at": datetime(2026, 1, 1, tzinfo=UTC),
}  # fmt: skip


def measured(store, run_id):
    write_inference(store.run_dir(run_id), [{"batch_size": size, **ROW} for size in (1, 2, 4)])


def alts(page) -> list[str]:
    """What the charts say to who cannot see them."""
    return [chart.proto.alt for chart in page.get("plotly_chart")]


# ---- what is shown ----


def test_an_empty_store_says_what_to_do_and_shows_the_published_numbers(open_page):
    page = open_page("cost")
    assert "**No tested run yet**" in said(page)
    assert page.selectbox(key="cost_data").value == cost_subjects.IMAGENET
    assert len(page.get("plotly_chart")) == 3
    assert "of 77 networks: best EfficientNet_V2_L with 85.81 %" in alts(page)[0]
    assert "MobileNet_V2 (parameters are not known)" in alts(page)[0]
    assert "docs.pytorch.org/vision/stable/models.html), copied 2026-11-22" in said(page)
    assert "n = 50,000 validation images" in said(page)


def test_runs_without_a_test_are_no_subject(open_page, store):
    make_run(store.root, state="failed")
    assert "**No tested run yet**" in said(open_page("cost"))


def test_own_runs_are_shown_with_intervals_and_front(open_page, store):
    make_run(store.root, accuracy=0.9, name="small")
    make_run(store.root, accuracy=0.95, name="large", macs=5_000_000, training={"epochs": 4, "learning_rate": 0.01})
    page = open_page("cost")
    assert page.selectbox(key="cost_data").value == "digits/0123456789ab/label"
    assert len(page.get("plotly_chart")) == 3
    assert "best large with 95.00 % (95 % interval 91.04 to 97.26 %, n = 200 images, Wilson)" in alts(page)[0]
    assert "On the Pareto front, from the cheapest up (2 points of 2): small, large." in alts(page)[0]
    assert page.query_params["data"] == "digits/0123456789ab/label"


def test_seeds_are_one_point_unless_asked_otherwise(open_page, store):
    for seed in range(3):
        make_run(store.root, accuracy=0.9 + seed / 50, training={"epochs": 4, "seed": seed}, name="net")
    page = open_page("cost")
    assert "of 3 runs in 1 group: net with 92.00 %" in alts(page)[0]
    assert "mean of n = 3 runs, Student's t" in alts(page)[0]
    page.toggle(key="grouped").set_value(False).run()
    assert "of 3 runs: best net · seed 2 with 94.00 %" in alts(page)[0]


def test_who_is_left_out_is_listed_with_the_reason(open_page, store):
    make_run(store.root, name="fine")
    make_run(store.root, name="uncounted", macs=None, training={"epochs": 4, "learning_rate": 0.01})
    make_run(store.root, state="failed", name="broken")
    make_run(store.root, state="queued", name="waiting")
    page = open_page("cost")
    (expander,) = page.expander
    assert expander.label == "Left out of some charts: 3 of 4"
    assert dict(pl.from_pandas(expander.dataframe[0].value).rows()) == {
        "uncounted": "operations were not counted",
        "broken": "no test accuracy, failed",
        "waiting": "no test accuracy, queued",
    }
    # Bars of accuracy need no costs.
    assert "2 bars" in alts(page)[1]


def test_data_sets_versions_and_outputs_are_never_mixed(open_page, store):
    make_run(store.root, accuracy=0.9)
    make_run(store.root, accuracy=0.8, training={"epochs": 4, "seed": 1})
    make_run(store.root, accuracy=0.7, version="ffffffffffff")
    page = open_page("cost", data="digits/ffffffffffff/label")
    assert page.selectbox(key="cost_data").value == "digits/ffffffffffff/label"
    assert page.selectbox(key="cost_data").options == [
        "digits, version 0123456789ab (2 tested runs)",
        "digits, version ffffffffffff (1 tested run)",
        "ImageNet, published",
    ]
    assert "of 1 run in 1 group" in alts(page)[0]


def test_an_output_of_its_own_is_a_subject_of_its_own():
    frame = pl.DataFrame(
        {
            "run_id": ["a", "b", "c"],
            "dataset": ["shapes"] * 3,
            "dataset_version": ["v", "v", None],
            "main_output": ["shape", "colour", None],
            "test_accuracy": [0.9, 0.8, None],
            "created_at": [1, 2, 3],
        }
    )
    found = cost_subjects.subjects(frame)
    assert [one.key for one in found] == ["shapes/v/colour", "shapes/v/shape"]
    assert cost_subjects.runs_of(frame, found[1])["run_id"].to_list() == ["a", "c"], "c has no version yet"
    assert cost_subjects.titles(found)["shapes/v/shape"] == "shapes, output shape (1 tested run)"


# ---- the address ----


def test_everything_stands_in_the_address(open_page, store):
    make_run(store.root)
    page = open_page("cost", x="Parameters", axis="Linear", front="false", behind="true", grouped="false")
    figure = json.loads(page.get("plotly_chart")[0].proto.spec)
    assert figure["layout"]["xaxis"]["title"]["text"] == "Parameters"
    assert figure["layout"]["xaxis"]["type"] == "linear"
    assert "Pareto" not in alts(page)[0]
    assert "Behind, pale: 77 published networks on ImageNet." in alts(page)[0]
    assert "in 1 group" not in alts(page)[0]


def test_the_published_view_has_an_address(open_page, store):
    make_run(store.root)
    page = open_page("cost", data=cost_subjects.IMAGENET, weights="All")
    assert "of 112 networks: best ViT_H_14 SWAG_E2E_V1 with 88.55 %" in alts(page)[0]
    assert "Inference" not in said(page)


def test_a_link_to_what_is_gone_says_so(open_page, store):
    make_run(store.root)
    page = open_page("cost", data="digits/gone/label")
    assert "No tested run of digits/gone/label is in this store" in page.warning[0].value.replace("\\", "")
    assert page.selectbox(key="cost_data").value == "digits/0123456789ab/label"


def test_the_menu_changes_the_address(open_page, store):
    make_run(store.root)
    page = open_page("cost")
    page.selectbox(key="cost_data").set_value(cost_subjects.IMAGENET).run()
    assert not page.exception
    assert page.query_params["data"] == cost_subjects.IMAGENET
    page.selectbox(key="cost_data").set_value("digits/0123456789ab/label").run()
    assert page.query_params["data"] == "digits/0123456789ab/label"
    assert len(page.get("plotly_chart")) == 3


# ---- clicks, numbers ----


def event(**point):
    return SimpleNamespace(selection=SimpleNamespace(points=[point] if point else []))


@pytest.mark.parametrize(
    ("happened", "index"),
    [(event(), None), (event(customdata=3), 3), (event(customdata=[2, 0]), 2), (event(customdata=-1), None),
     (event(x=1), None), (event(customdata=[]), None)],
)  # fmt: skip
def test_what_was_clicked(happened, index):
    assert clicked(happened) == index


def test_a_point_opens_its_run_and_a_group_its_comparison(monkeypatch):
    opened = []
    monkeypatch.setattr(clicks, "go", lambda page, **query: opened.append((page, query)))
    clicks.open_runs(("a", "b"))
    assert opened == [("compare", {"runs": "a,b"})]
    opened.clear()
    clicks.open_runs(("a",))
    assert opened[0] == ("run", {"run": "a"})
    opened.clear()
    clicks.open_clicked(event(customdata=1), ["a", ("b", "c")])
    assert opened == [("compare", {"runs": "b,c"})]


def test_the_numbers_to_download(open_page, store):
    make_run(store.root, accuracy=0.9, name="net", num_params=50_000)
    frame = run_points(cost_subjects_frame(store))
    table = cost_charts.numbers_table(frame, {})
    (row,) = table.rows(named=True)
    assert (row["name"], row["accuracy"], row["num_params"], row["n_images"]) == ("net", 0.9, 50_000, 200)
    assert row["percent_per_million_params"] == pytest.approx(1800)
    assert row["run_ids"] == store.run_ids()[0]
    published = cost_charts.numbers_table(published_points(load_imagenet()), {})
    assert published.height == 114
    assert "run_ids" not in published.columns
    assert published.filter(name="MobileNet_V2 V1")["percent_per_million_params"].to_list() == [None]
    assert "Download the numbers (CSV)" in [button.proto.label for button in open_page("cost").get("download_button")]


def cost_subjects_frame(store):
    from cnnlab.runs import queries

    return queries.summaries(store)


# ---- inference ----


def test_measured_runs_are_shown_at_once(open_page, store):
    first, second = make_run(store.root, name="first"), make_run(store.root, name="second")
    measured(store, first)
    page = open_page("cost")
    assert page.multiselect(key="cost_runs").value == [first]
    assert "1 run at batch sizes 1 to 4: lowest 0.5 by first at 4 (median of n = 200 calls" in alts(page)[3]
    assert "Measured on a processor, 2 cores with Python 3.11.7" in alts(page)[3]
    page.multiselect(key="cost_runs").set_value([first, second]).run()
    assert page.query_params["runs"] == f"{first},{second}"
    assert "not shown: second (not measured yet)" in alts(page)[3]


def test_a_link_names_the_runs_and_the_measure(open_page, store):
    first, second = make_run(store.root, name="first"), make_run(store.root, name="second")
    measured(store, first)
    page = open_page("cost", runs=first, measured="Throughput", measured_axis="Linear")
    assert "highest 500 by first at 1" in alts(page)[3]
    page = open_page("cost", runs=second)
    assert "Nothing was measured of these runs yet. Press the button above." in said(page)
    assert not page.button(key="measure").disabled


def test_nothing_to_measure_without_a_choice(open_page, store):
    make_run(store.root)
    page = open_page("cost")
    assert page.button(key="measure").disabled
    assert "Choose runs to see how fast they answer" in said(page)


def test_the_button_starts_the_command(open_page, store, monkeypatch):
    run = make_run(store.root)
    started = []
    monkeypatch.setattr(measuring, "start", lambda root, runs: started.append((root, runs)))
    open_page("cost", runs=run).button(key="measure").click().run()
    assert started == [(store.root, [run])]


# ---- the child process ----


@pytest.fixture
def fake_measure(tmp_path, monkeypatch):
    """Make `python -m cnnlab measure` say what a test wants."""

    def make(code: str):
        (tmp_path / "fake_measure.py").write_text(code, encoding="utf-8")
        real = data_jobs.start
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))

        def start(root, name, title, arguments, **values):
            assert arguments[:2] == ["cnnlab", "measure"]
            assert arguments[-2:] == ["--json", "--progress-json"]
            return real(root, name, title, ["fake_measure", *arguments[2:]], **values)

        monkeypatch.setattr(data_jobs, "start", start)

    return make


def ended(store):
    """The only measurement, once its process has ended."""
    import time

    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        (job,) = measuring.jobs(store.root)
        if not job.is_running:
            return job
        time.sleep(0.05)
    raise AssertionError("the measurement did not end")


@pytest.mark.processes
def test_a_measurement_that_went_well_leaves_no_trace(open_page, store, fake_measure):
    run = make_run(store.root)
    fake_measure('import json; print(json.dumps({"runs": [{"run_id": "x", "rows": [1], "stopped": ""}]}))')
    measuring.start(store.root, [run])
    assert measuring.complaints(ended(store)) == []
    page = open_page("cost", runs=run)
    assert measuring.jobs(store.root) == []
    assert not page.error
    assert data_jobs.jobs(store.root) == [], "it is no import of a data set"


@pytest.mark.processes
def test_a_measurement_that_failed_says_why_until_it_is_dismissed(open_page, store, fake_measure):
    run = make_run(store.root)
    fake_measure("import sys; sys.stderr.write('No run here. Choose another.'); sys.exit(2)")
    measuring.start(store.root, [run])
    assert measuring.complaints(ended(store)) == ["No run here. Choose another."]
    page = open_page("cost", runs=run)
    assert page.error[0].value.replace("\\", "") == "No run here. Choose another."
    next(button for button in page.button if button.label == "Dismiss").click().run()
    assert not page.error
    assert measuring.jobs(store.root) == []


@pytest.mark.processes
def test_a_running_measurement_shows_its_progress_and_can_be_cancelled(open_page, store, fake_measure):
    run = make_run(store.root)
    fake_measure(
        "import json, sys, time\n"
        'sys.stderr.write(json.dumps({"stage": "measuring", "done": 3, "total": 7}) + "\\n"); sys.stderr.flush()\n'
        "time.sleep(600)"
    )
    measuring.start(store.root, [run])
    try:
        page = open_page("cost", runs=run)
        assert page.button(key="measure").disabled, "two at once would disturb each other"
        assert "**Measuring 1 run**" in said(page)
        next(button for button in page.button if button.label == "Cancel").click().run()
        assert not ended(store).is_running
        assert measuring.complaints(ended(store)) == ["Cancelled."]
    finally:
        for job in measuring.jobs(store.root):
            data_jobs.cancel(job)


def test_runs_that_stopped_early_are_told():
    job = SimpleNamespace(
        error="", result={"runs": [{"run_id": "a", "stopped": ""}, {"run_id": "b", "stopped": "Memory is full."}]}
    )
    assert measuring.complaints(job) == ["b: Memory is full."]
