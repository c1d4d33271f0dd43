"""Bubbles: area, intervals, groups, and who is not shown and why."""

import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plot_frames import NAN, named, summaries

from cnnlab.analysis.intervals import student_share, wilson
from cnnlab.plots.bubble_sizes import LARGEST_BUBBLE_PX, diameter_px, log_ticks, si, size_reference, size_steps
from cnnlab.plots.bubbles import bubbles, bubbles_info, bubbles_summary
from cnnlab.plots.palette import CATEGORICAL

TWO = ({"name": "small", "num_params": 10_000}, {"name": "large", "num_params": 90_000, "architecture": "resnet"})


def areas(figure):
    return [trace for trace in figure.data if trace.marker.sizemode == "area" and trace.xaxis != "x2"]


@settings(deadline=None)
@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=8))
def test_area_is_proportional_to_parameters(params):
    figure = bubbles(bubbles_info(summaries(*({"num_params": number} for number in params))))
    drawn = areas(figure)
    sizeref = {trace.marker.sizeref for trace in figure.data if trace.marker.sizemode == "area"}
    assert sizeref == {size_reference(max(params))}, "the legend of sizes has the same scale"
    assert all(trace.marker.sizemin is None for trace in drawn)
    sizes = sorted(size for trace in drawn for size in np.atleast_1d(trace.marker.size))
    assert sizes == sorted(params)
    square_px = [diameter_px(size, size_reference(max(params))) ** 2 / size for size in sizes]
    assert square_px == pytest.approx([LARGEST_BUBBLE_PX**2 / max(params)] * len(params))


def test_both_charts_have_the_same_areas_and_differ_in_x():
    frame = summaries(*TWO)
    params, macs = bubbles(bubbles_info(frame)), bubbles(bubbles_info(frame, "macs"))
    assert [t.marker.size.tolist() for t in areas(params)] == [t.marker.size.tolist() for t in areas(macs)]
    assert [t.x.tolist() for t in areas(params)] == [[10_000], [90_000]]
    assert [t.x.tolist() for t in areas(macs)] == [[400_000], [400_000]]
    assert params.layout.xaxis.type == macs.layout.xaxis.type == "log"
    assert macs.layout.xaxis.title.text == "Operations (multiply-accumulates for one image)"


def test_intervals_are_those_of_wilson():
    info = bubbles_info(summaries({}))
    row = info.table.row(0, named=True)
    assert (row["low"], row["high"], row["interval"]) == (*wilson(324, 360), "wilson")
    dot = next(trace for trace in bubbles(info).data if trace.error_y.array is not None)
    assert dot.error_y.array[0] == pytest.approx(wilson(324, 360)[1] - 0.9)
    assert dot.error_y.arrayminus[0] == pytest.approx(0.9 - wilson(324, 360)[0])


def test_without_n_a_run_is_shown_without_an_interval():
    info = bubbles_info(summaries({"test_correct": None}))
    assert info.table["low"].to_list() == [None]
    assert "no interval: n is not known" in bubbles(info).data[0].hovertext[0]
    json.loads(bubbles(info).to_json())


def test_who_is_not_shown_and_why():
    frame = summaries(
        {"name": "fine"},
        {"name": "uncounted", "macs": None},
        {"name": "unsized", "num_params": None},
        {"name": "running", "state": "running", "test_accuracy": None},
        {"name": "broken", "test_accuracy": NAN},
    )
    info = bubbles_info(frame, "macs")
    assert info.table["label"].to_list() == ["fine"]
    assert info.not_shown == {
        "run1": "operations were not counted",
        "run2": "parameters are not known",
        "run3": "no test accuracy, running",
        "run4": "its test accuracy is not a number",
    }
    assert bubbles_info(frame).table["label"].to_list() == ["fine", "uncounted"]
    assert bubbles_summary(info) == (
        "Top-1 accuracy on test against operations for one image, of 1 run: fine with 90.00 % "
        "(95 % interval 86.47 to 92.69 %, n = 360 images, Wilson); not shown: "
        "uncounted (operations were not counted), unsized (parameters are not known), "
        "running (no test accuracy, running), broken (its test accuracy is not a number)."
    )


def test_two_runs_of_one_size_are_both_named():
    runs = ({"name": "the first of these two"}, {"name": "the other of these two", "test_accuracy": 0.91})
    info = bubbles_info(summaries(*runs))
    figure = bubbles(info, colour_by="run")
    texts = [trace for trace in figure.data if trace.mode == "text"]
    assert {text for trace in texts for text in trace.text} == set(info.table["label"])
    ends = {trace.textposition[0]: trace.y[0] for trace in texts}
    assert ends["top center"] == info.table["high"][1]
    assert ends["bottom center"] == info.table["low"][0]
    assert all(trace.legendgroup for trace in texts), "hidden with its run"


def test_a_group_is_one_bubble_with_students_interval():
    frame = summaries(
        {"name": "net", "group_id": "g", "test_accuracy": 0.8},
        {"name": "net", "group_id": "g", "test_accuracy": 0.9},
        {"name": "net", "group_id": "g", "test_accuracy": None, "state": "failed"},
        {"name": "other", "group_id": "h"},
    )
    info = bubbles_info(frame, is_grouped=True)
    first, second = info.table.rows(named=True)
    assert (first["accuracy"], first["low"], first["high"]) == pytest.approx(student_share([0.8, 0.9]))
    assert (first["label"], first["interval"], first["n_runs"]) == ("net", "student", 2)
    assert (second["interval"], second["n_runs"]) == ("wilson", 1)
    assert info.members == (("run0", "run1", "run2"), ("run3",))
    assert info.not_shown == {"run2": "no test accuracy, failed"}
    assert "of 3 runs in 2 groups" in bubbles_summary(info)
    trace = bubbles(info, colour_by="run").data[0]
    assert "mean of n = 2 runs" in trace.hovertext[0]
    assert trace.name == "net, n = 2"


def test_a_click_leads_to_the_run_though_others_are_not_shown():
    info = bubbles_info(summaries({"test_accuracy": None}, {"name": "shown"}))
    for trace in bubbles(info).data[:2]:
        assert trace.customdata.dtype == np.int32
        assert info.members[trace.customdata[0]] == ("run1",)


def test_colours_by_run_count_those_not_shown_too():
    frame = summaries({"test_accuracy": None}, {"name": "shown"})
    dot = named(bubbles(bubbles_info(frame), colour_by="run"), "shown")[-1]
    assert dot.marker.color == CATEGORICAL[1]


def test_the_legend_is_of_architectures_or_runs():
    info = bubbles_info(summaries(*TWO))

    def legend(figure):
        return [trace.name for trace in figure.data if trace.showlegend is not False]

    assert legend(bubbles(info)) == ["lenet5", "resnet"]
    assert legend(bubbles(info, colour_by="run")) == ["small", "large"]


def test_runs_of_one_name_are_numbered():
    info = bubbles_info(summaries({"name": "net"}, {"name": "net"}))
    assert info.table["label"].to_list() == ["net #1", "net #2"]


def test_hover_names_the_run_as_it_is_called():
    text = bubbles(bubbles_info(summaries({"name": "<i>net"}))).data[0].hovertext[0]
    assert text.startswith("<b>&lt;i&gt;net</b> (lenet5)<br>top-1 90.00 % [86.47, 92.69]")
    assert "60,000 parameters<br>400,000 operations (MACs)" in text


def test_no_bubble_gives_a_figure_that_says_so():
    info = bubbles_info(summaries({"test_accuracy": None, "name": "x"}))
    assert info.is_empty
    assert bubbles_summary(info) == (
        "No run has both a test accuracy and counted costs: x (no test accuracy, completed)."
    )
    assert bubbles(info).layout.annotations[0].text.startswith("No bubble to draw")
    assert bubbles_summary(bubbles_info(summaries({}).clear())) == "No run has both a test accuracy and counted costs."


def test_of_many_runs_all_areas_are_one_trace():
    info = bubbles_info(summaries(*({"name": f"run {place}"} for place in range(13))))
    figure = bubbles(info, colour_by="run")
    areas, names, *dots, _ = figure.data
    assert len(dots) == 13
    assert names.mode == "text"
    assert list(areas.marker.line.color) == [trace.marker.color for trace in dots]
    assert list(areas.customdata) == [trace.customdata[0] for trace in dots]
    assert len(bubbles(bubbles_info(summaries(*TWO)), colour_by="run").data) == 2 * 2 + 1


def test_a_thousand_runs_can_be_drawn():
    info = bubbles_info(summaries(*({"num_params": 1000 + place} for place in range(1000))))
    figure = bubbles(info)
    assert info.table.height == 1000
    assert len(figure.data) == 3, "one architecture is two traces, and the legend of sizes"
    assert not any(figure.data[0].text)


@settings(deadline=None)
@given(st.integers(1, 10**10))
def test_size_steps_are_round_and_none_is_larger_than_the_largest(largest):
    steps = size_steps(largest)
    assert steps == sorted(set(steps))
    assert 1 <= len(steps) <= 3
    assert largest / 2.5 <= steps[-1] <= largest
    assert all(str(step).rstrip("0") in {"1", "2", "5"} for step in steps)


@settings(deadline=None)
@given(st.floats(0, 10), st.floats(0.5, 6))
def test_ticks_are_few_and_within_the_axis(low, width):
    ticks = log_ticks(low, low + width)
    assert 1 <= len(ticks) <= 9
    assert all(low <= np.log10(tick) <= low + width for tick in ticks)


def test_numbers_with_a_letter():
    assert [si(number) for number in (500, 20_000, 1_500_000, 2 * 10**9)] == ["500", "20 k", "1.5 M", "2 G"]


def test_table_types_do_not_depend_on_the_rows():
    assert bubbles_info(summaries({}).clear()).table.schema == bubbles_info(summaries({})).table.schema
    assert bubbles_info(summaries({})).table.schema["accuracy"] == pl.Float64
