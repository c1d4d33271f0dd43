"""The curves of a comparison: their settings stand in the address, and each does what it says."""

import json

import numpy as np
import polars as pl
import pytest
from made_runs import make_run

from cnnlab.runs.steps import append_steps, step_line
from dashboard import curve_data
from dashboard.components.compare.curve_words import ACROSS as WORDS
from dashboard.components.compare.curves import ACROSS


@pytest.fixture
def run(store):
    return make_run(store.root, name="net")


@pytest.fixture
def run_with_steps(store, run):
    """Twenty steps in each of its four epochs."""
    for epoch in range(1, 5):
        line = {"loss": np.full(20, 1.0 / epoch), "label/loss": np.full(20, 1.0), "label/accuracy": np.full(20, 0.5)}
        append_steps(store.run_dir(run), [step_line(epoch, 20 * epoch - 19, line, np.full(20, 0.1), 1.5 * epoch)])
    return run


def drawn(page) -> dict:
    """The figure."""
    return json.loads(page.get("plotly_chart")[0].proto.spec)


def titles(page) -> list[str]:
    layout = drawn(page)["layout"]
    return [layout[name]["title"]["text"] for name in sorted(layout) if name.startswith("yaxis")]


def told(page) -> str:
    return " ".join(caption.value for caption in page.caption).replace("\\", "")


def test_the_whole_view_stands_in_the_address(open_page, run_with_steps):
    query = {"metric": ["Loss", "Error"], "splits": ["val"], "below": ["Learning rate"], "x": "Images seen"}
    toggles = {"steps": "true", "logx": "true", "logy": "true", "marks": "false"}
    page = open_page("compare", runs=run_with_steps, part="Curves", smoothing="0.5", **query, **toggles)
    assert page.button_group(key="metric").value == ["loss", "error"]
    assert page.select_slider(key="smoothing").value == 0.5
    assert page.selectbox(key="x").value == "images"
    assert [page.toggle(key=name).value for name in toggles] == [True, True, True, False]
    assert titles(page) == ["Loss (cross-entropy)", "Error (%)", "Learning rate"]
    layout = drawn(page)["layout"]
    assert (layout["xaxis"]["type"], layout["yaxis"]["type"]) == ("log", "log")
    assert layout["xaxis"]["title"]["text"] == "Images seen in training"


def test_single_steps_replace_the_epochs_of_training_only(open_page, store, run_with_steps):
    other = make_run(store.root, name="kept no steps")
    page = open_page("compare", runs=f"{run_with_steps},{other}", part="Curves", marks="false")
    assert max(lengths(page)) == 4
    page.toggle(key="steps").set_value(True).run()
    assert not page.exception
    assert sorted(lengths(page)) == [4, 4, 4, 80]


def lengths(page) -> list[int]:
    """Points of each line that can be clicked; arrays come as base64 of float32."""
    traces = [trace for trace in drawn(page)["data"] if "customdata" in trace]
    return [len(trace["y"]["bdata"]) * 3 // 4 // 4 for trace in traces]


def test_without_steps_there_is_no_choice_of_them(open_page, run):
    page = open_page("compare", runs=run, part="Curves")
    assert "steps" not in [toggle.key for toggle in page.toggle]


@pytest.mark.parametrize("across", ["images", "operations"])
def test_what_was_spent(open_page, store, run, across):
    running = make_run(store.root, state="running", name="live")
    page = open_page("compare", runs=f"{run},{running}", part="Curves", x=ACROSS[across])
    is_known = across == "images"
    assert ("not shown" not in told(page)) is is_known
    assert ("not known" in told(page)) is not is_known


def test_what_a_step_takes(run):
    (spent,) = curve_data.spent([{"run_id": run, "batch_size": 64, "macs": 416_520}]).values()
    assert (spent.batch_size, spent.macs) == (64, 416_520)


def test_growing_images_have_no_one_count_of_operations(store):
    run = make_run(
        store.root,
        architecture={"name": "resnet"},
        data={"image_size": 32},
        tricks={"start_size_share": 0.5, "growing_share": 0.5},
    )
    (spent,) = curve_data.spent([{"run_id": run, "batch_size": 64, "macs": 1}]).values()
    assert spent.macs is None
    assert "its images grow" in spent.reason


def test_an_early_stop_is_read_from_the_journal(store, run):
    assert curve_data.ended([run]) == {run: ""}
    path = store.run_dir(run) / "events.jsonl"
    with path.open("a") as file:
        file.write(json.dumps({"event": "evaluating", "reason": "early_stopping"}) + "\n")
    assert curve_data.ended([run]) == {run: "early_stopping"}


def test_each_output_has_curves_of_its_own(open_page, make_run):
    runs = [make_run(data={"dataset": "shapes"}) for _ in range(2)]
    page = open_page("compare", runs=",".join(runs), part="Curves", output="All together", of=["shape", "colour"])
    assert titles(page) == ["Loss (cross-entropy)<br>of shape", "Loss (cross-entropy)<br>of colour"]
    assert "of" not in [
        group.key for group in open_page("compare", runs=runs[0], part="Curves", output="shape").button_group
    ]


def test_how_to_read_it_fits_the_settings(open_page, run):
    page = open_page("compare", runs=run, part="Curves", smoothing="0.9", x="Operations spent")
    page.session_state["curves_how"] = True
    page.run()
    said = " ".join(text.value for text in page.markdown)
    assert WORDS["operations"] in said
    assert "each counting 0.9 of the next" in said
    assert "star" in said
    assert "mean of the seeds" not in said


def test_each_axis_has_words():
    assert WORDS.keys() == ACROSS.keys()


def test_what_goes_along_is_offered_where_it_was_measured(open_page, run, monkeypatch):
    measured = curve_data.metrics([run])
    first = measured.filter(pl.col("metric") == "learning_rate")
    also = [
        first.with_columns(metric=pl.lit(metric), output=pl.lit(output), value=pl.lit(0.5))
        for metric, output in (("weight", "shape"), ("weight", "colour"), ("gradient_norm", ""))
    ]
    monkeypatch.setattr(curve_data, "metrics", lambda _run_ids: pl.concat([measured, *also]))
    page = open_page("compare", runs=run, part="Curves", below=["Weight of colour", "Gradient norm"])
    offered = page.button_group(key="below").options
    assert offered == ["Learning rate", "Gradient norm", "Weight of colour", "Weight of shape"]
    assert titles(page) == ["Loss (cross-entropy)", "Gradient norm (L2)", "Weight in the loss<br>of colour"]
    assert told(page).startswith("Loss of 1 run; the lowest on val is")
    assert "Below: gradient norm, weight in the loss of colour." in told(page)
