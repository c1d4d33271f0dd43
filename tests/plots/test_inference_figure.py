"""Inference against batch size: each measure by hand, who is missing, and machines kept apart."""

import json
from datetime import UTC, datetime

import polars as pl
import pytest

from cnnlab.plots.inference import TITLES, inference, inference_info, inference_summary
from cnnlab.runs.schema import INFERENCE, polars_schema

CPU = "a processor, 2 cores"
KERAS = "Python 3.11.7, keras 3.15.1, tensorflow 2.21.0"


def measured(*rows):
    """Rows of the store; what is not given is as below."""
    usual = {
        "run_id": "run0",
        "batch_size": 1,
        "n": 200,
        "median_s": 0.002,
        "p10_s": 0.001,
        "p90_s": 0.004,
        "images_per_s": 500.0,
        "memory_bytes": 2**20,
        "gpu_memory_bytes": None,
        "hardware": CPU,
        "versions": KERAS,
        "load_1min": 0.5,
        "measured_at": datetime(2026, 1, 1, 12, 30, tzinfo=UTC),
    }
    return pl.DataFrame([{**usual, **row} for row in rows], schema=polars_schema(INFERENCE), orient="row")


FOUR = {"batch_size": 4, "median_s": 0.004, "p10_s": 0.002, "p90_s": 0.008, "images_per_s": 1000.0}


@pytest.mark.parametrize(
    ("measure", "values", "low", "high"),
    [
        ("image_ms", [2.0, 1.0], [1.0, 0.5], [4.0, 2.0]),
        ("batch_ms", [2.0, 4.0], [1.0, 2.0], [4.0, 8.0]),
        ("images_per_s", [500.0, 1000.0], [250.0, 500.0], [1000.0, 2000.0]),
        ("memory", [1.0, 1.0], [None, None], [None, None]),
    ],
)
def test_each_measure_by_hand(measure, values, low, high):
    table = inference_info(measured({}, FOUR), measure).table
    assert table["batch_size"].to_list() == [1, 4]
    assert table["value"].to_list() == pytest.approx(values)
    for name, expected in (("low", low), ("high", high)):
        assert table[name].to_list() == (pytest.approx(expected) if expected[0] is not None else expected)


def test_each_run_has_a_line_and_a_click_leads_to_it():
    info = inference_info(
        measured({"run_id": "b"}, {"run_id": "a"}), run_ids=["a", "b"], names={"a": "net", "b": "net"}
    )
    figure = inference(info)
    assert [trace.name for trace in figure.data] == ["net #1", "net #2"]
    assert [info.members[trace.customdata[0]] for trace in figure.data] == ["a", "b"]
    assert list(figure.layout.xaxis.tickvals) == [1]


def test_hover_says_all_numbers_with_n_machine_versions_and_date():
    text = inference(inference_info(measured(FOUR), names={"run0": "<b>net"})).data[0].hovertext[0]
    assert text == (
        "<b>&lt;b&gt;net</b>, batch of 4<br>4 ms a batch [2, 8], median of n = 200 calls, 10 to 90 %<br>"
        f"1 ms an image, 1,000 images/s<br>memory grew by 1 MiB<br>{CPU}<br>{KERAS}<br>"
        "2026-01-01 12:30 UTC, load of the machine 0.5"
    )


def test_the_summary_says_on_what_and_who_is_missing():
    info = inference_info(measured({}, FOUR), "images_per_s", run_ids=["run0", "other"], names={"run0": "net"})
    assert inference_summary(info) == (
        "Throughput (images per second) of 1 run at batch sizes 1 to 4: highest 1,000 by net at 4 (median of n = 200 "
        f"calls, 10 to 90 %: 500 to 2,000). Measured on {CPU} with {KERAS}, load of the machine up to 0.5; "
        "not shown: other (not measured yet)."
    )


def test_machines_and_versions_are_lines_of_their_own():
    frame = measured({}, {"hardware": "a GPU", "median_s": 0.0001, "gpu_memory_bytes": 3 * 2**20})
    info = inference_info(frame, names={"run0": "net"})
    assert info.labels == (f"net · {CPU}", "net · a GPU")
    assert info.members == ("run0", "run0")
    on_gpu = inference_info(frame, "gpu_memory", names={"run0": "net"})
    assert on_gpu.table["value"].to_list() == [3.0]


def test_what_was_not_measured_is_said_and_not_zero():
    frame = measured({"memory_bytes": None})
    info = inference_info(frame, "memory", names={"run0": "net"})
    assert info.is_empty
    assert inference_summary(info) == "Nothing was measured of these runs yet: net (memory could not be measured)."
    assert inference_info(frame, "gpu_memory").not_shown == {"run0": "no GPU computed"}
    assert inference(info).layout.annotations[0].text.startswith("No line to draw")
    nothing = inference_info(measured().clear(), run_ids=["x"])
    assert inference_summary(nothing) == "Nothing was measured of these runs yet: x (not measured yet)."


@pytest.mark.parametrize("measure", TITLES)
@pytest.mark.parametrize("scale", ["log", "linear"])
def test_every_measure_can_be_drawn(measure, scale):
    frame = measured({"gpu_memory_bytes": 5}, {**FOUR, "gpu_memory_bytes": 7})
    figure = inference(inference_info(frame, measure), scale=scale)
    assert figure.layout.yaxis.title.text == TITLES[measure]
    assert figure.layout.yaxis.type == scale
    json.loads(figure.to_json())
