"""Curves: which points, which gaps, which colours."""

import json
import math

import numpy as np
import polars as pl
import pytest
from plot_frames import NAN, metrics, named

from cnnlab.analysis.intervals import student
from cnnlab.plots.learning_curves import learning_curves, learning_curves_info, learning_curves_summary
from cnnlab.plots.palette import CATEGORICAL, with_alpha


def test_one_run_is_one_colour_with_a_line_style_per_split():
    frame = pl.concat([metrics({"a": [2.0, 1.0]}, split="train"), metrics({"a": [2.5, 1.5]})])
    info = learning_curves_info(frame)
    assert [(curve.split, curve.y.tolist()) for curve in info.curves] == [("train", [2.0, 1.0]), ("val", [2.5, 1.5])]
    figure = learning_curves(info)
    drawn = [trace for trace in figure.data if trace.customdata is not None]
    assert {trace.line.color for trace in drawn} == {CATEGORICAL[0]}
    assert len({trace.line.dash for trace in drawn}) == 2
    assert [trace.name for trace in figure.data if trace.showlegend is not False] == ["train", "val"]


def test_several_runs_have_the_colours_of_their_order():
    frame = metrics({"a": [1.0], "b": [2.0]})
    figure = learning_curves(learning_curves_info(frame, run_ids=["b", "a"], names={"a": "A", "b": "B"}))
    assert (named(figure, "B")[0].line.color, named(figure, "A")[0].line.color) == CATEGORICAL[:2]


def test_a_click_leads_to_the_run():
    frame = metrics({"a": [1.0, 2.0], "b": [2.0, 3.0]})
    info = learning_curves_info(frame, run_ids=["b", "a"])
    point = named(learning_curves(info), "a")[0]
    assert point.customdata.dtype == np.int16
    assert {info.members[index] for index in point.customdata} == {("a",)}
    assert "markers" in point.mode, "a bare line cannot be clicked"


@pytest.mark.parametrize("missing", [None, NAN])
def test_a_missing_value_is_a_gap_and_is_said(missing):
    info = learning_curves_info(metrics({"a": [1.0, missing, 3.0]}), names={"a": "net"})
    assert info.curves[0].y == pytest.approx([1.0, NAN, 3.0], nan_ok=True)
    assert info.gaps == {"a": 1}
    assert "gaps where the value is not a number: net (1 point)" in learning_curves_summary(info)
    assert learning_curves(info).data[0].connectgaps is None


def test_a_run_that_is_all_nan_is_not_dropped():
    info = learning_curves_info(metrics({"a": [NAN, NAN]}))
    assert len(info.curves) == 1
    assert info.gaps == {"a": 2}
    json.loads(learning_curves(info).to_json())
    assert learning_curves_summary(info) == ("Loss of 1 run; gaps where the value is not a number: a (2 points).")


def test_a_run_without_points_is_listed_with_the_reason():
    info = learning_curves_info(metrics({"a": [1.0]}), run_ids=["new", "a"], names={"new": "fresh"})
    assert info.not_shown == {"new": "no loss yet"}
    assert info.curves[0].index == 1, "colours stay as if it were shown"
    assert learning_curves_summary(info).endswith("not shown: fresh (no loss yet).")
    assert learning_curves_summary(info).startswith("Loss of 1 run;"), "what is not shown is not counted"
    over = learning_curves_info(metrics({"a": [1.0]}), run_ids=["new", "a"], reasons={"new": "it has no loss"})
    assert learning_curves_summary(over).endswith("not shown: new (it has no loss).")


def test_beyond_the_colours_a_symbol_tells_runs_apart():
    figure = learning_curves(learning_curves_info(metrics({f"r{place}": [1.0] for place in range(10)})))
    first, ninth = named(figure, "r0")[0], named(figure, "r8")[0]
    assert first.line.color == ninth.line.color
    assert (first.marker.symbol, ninth.marker.symbol) == ("circle", "square")
    assert ninth.marker.size > first.marker.size


def test_a_group_is_called_with_its_n():
    rows = metrics({"a": [1.0, 2.0], "b": [3.0, NAN], "c": [1.0, 1.5]})
    info = learning_curves_info(rows, groups={"a": "g", "b": "g", "c": "h"}, names={"g": "net", "h": "solo"})
    assert [trace.name for trace in learning_curves(info).data if trace.customdata is not None] == [
        "net, n = 2", "solo, n = 1",
    ]  # fmt: skip
    assert "the lowest on val is 1 (solo, n = 1)" in learning_curves_summary(info)


@pytest.mark.parametrize(("x", "expected"), [("epoch", [1, 2]), ("step", [10, 20]), ("elapsed_s", [2, 4])])
def test_what_runs_to_the_right(x, expected):
    assert learning_curves_info(metrics({"a": [1.0, 2.0]}), x=x).curves[0].x.tolist() == expected


def test_elapsed_time_is_shown_in_the_unit_that_fits():
    long = metrics({"a": [1.0] * 100}).with_columns(elapsed_s=pl.col("elapsed_s") * 200)
    figure = learning_curves(learning_curves_info(long, x="elapsed_s"))
    assert figure.layout.xaxis.title.text == "Elapsed time (h)"
    assert max(figure.data[0].x) == pytest.approx(100 * 2 * 200 / 3600)


def test_rows_out_of_order_are_drawn_in_order():
    frame = metrics({"a": [1.0, 2.0, 3.0]}).reverse()
    assert learning_curves_info(frame).curves[0].y.tolist() == [1.0, 2.0, 3.0]


def test_all_outputs_together_come_first_and_one_can_be_chosen():
    frame = pl.concat(
        [metrics({"a": [1.0]}, output="left"), metrics({"a": [3.0]}), metrics({"a": [2.0]}, output="right")]
    )
    assert learning_curves_info(frame).curves[0].y.tolist() == [3.0]
    assert learning_curves_info(frame, output="right").curves[0].y.tolist() == [2.0]
    assert learning_curves_info(frame.filter(pl.col("output") != "")).curves[0].y.tolist() == [1.0]


def test_smoothing_keeps_the_raw_line_behind():
    info = learning_curves_info(metrics({"a": [1.0, 0.0, 1.0, 0.0]}), smoothing=0.5)
    assert info.curves[0].smooth == pytest.approx([1.0, 1 / 3, 5 / 7, 1 / 3])
    raw, smooth = learning_curves(info).data[:2]
    assert raw.y.tolist() == [1.0, 0.0, 1.0, 0.0]
    assert raw.line.color == with_alpha(CATEGORICAL[0], 0.35)
    assert "smoothed" in smooth.hovertemplate


def test_a_group_is_its_mean_with_interval_and_n():
    frame = metrics({"a": [0.8, 0.9], "b": [0.6, NAN], "c": [0.7, 0.8]}, metric="accuracy")
    groups = {"a": "g", "b": "g", "c": "g"}
    info = learning_curves_info(frame, "accuracy", groups=groups, names={"g": "net"})
    curve = info.curves[0]
    assert curve.y == pytest.approx([0.7, 0.85])
    assert curve.n.tolist() == [3, 2]
    for place, values in enumerate([[0.8, 0.6, 0.7], [0.9, 0.8]]):
        assert (curve.y[place], curve.low[place], curve.high[place]) == pytest.approx(student(values))
    assert info.members == (("a", "b", "c"),)
    assert info.gaps == {"b": 1}
    figure = learning_curves(info)
    band, line = figure.data[:2]
    assert band.fill == "toself"
    assert line.text == ("3 runs", "2 runs")
    assert "mean of %{text}" in line.hovertemplate
    assert "1 group (means with 95 % intervals)" in learning_curves_summary(info)


def test_a_group_takes_the_last_value_of_each_epoch():
    frame = metrics({"a": [1.0], "b": [3.0]})
    earlier = frame.with_columns(step=pl.lit(5, pl.Int64), value=pl.lit(100.0))
    info = learning_curves_info(pl.concat([frame, earlier]), groups={"a": "g", "b": "g"})
    assert info.curves[0].y.tolist() == [2.0]


def test_the_band_of_a_group_has_no_bridge_over_a_gap():
    frame = metrics({"a": [1.0, 1.0, NAN, 1.0, 1.0], "b": [2.0, 2.0, 2.0, 2.0, 2.0]})
    figure = learning_curves(learning_curves_info(frame, groups={"a": "g", "b": "g"}))
    assert [trace.x.tolist() for trace in figure.data if trace.fill == "toself"] == [[1, 2, 2, 1], [4, 5, 5, 4]]


def test_a_group_of_one_run_has_no_interval():
    info = learning_curves_info(metrics({"a": [1.0]}), groups={"a": "g"})
    assert math.isnan(info.curves[0].low[0])
    assert not [trace for trace in learning_curves(info).data if trace.fill == "toself"]


def test_the_axis_stands_still_while_the_curves_grow():
    early = learning_curves(learning_curves_info(metrics({"a": [1.0]})), epochs=50)
    late = learning_curves(learning_curves_info(metrics({"a": [1.0] * 50})), epochs=50)
    assert early.layout.xaxis.range == late.layout.xaxis.range
    assert early.layout.uirevision == late.layout.uirevision


def test_accuracy_is_percent_on_screen():
    figure = learning_curves(learning_curves_info(metrics({"a": [0.5]}, metric="accuracy"), "accuracy"))
    assert figure.layout.yaxis.title.text == "Accuracy (%)"
    assert figure.layout.yaxis.tickformat == ".0%"


def test_no_points_give_a_figure_that_says_so():
    info = learning_curves_info(metrics({}))
    assert info.is_empty
    assert learning_curves_summary(info) == "No loss is known yet."
    figure = learning_curves(info)
    assert not figure.data
    assert figure.layout.annotations[0].text == "No loss yet: the first point comes with the first epoch."


def test_summary_says_n_and_the_best():
    info = learning_curves_info(metrics({"a": [0.5, 0.9], "b": [0.6, 0.7]}, "accuracy"), "accuracy")
    assert learning_curves_summary(info) == "Accuracy of 2 runs; the highest on val is 90.00 % (a)."


def test_markup_in_a_name_is_shown_as_text():
    info = learning_curves_info(metrics({"a": [1.0], "b": [1.0]}), names={"a": "<b>x</b>"})
    assert named(learning_curves(info), "&lt;b&gt;x&lt;/b&gt;")


def test_thousands_of_points_stay_small_on_the_wire():
    info = learning_curves_info(metrics({"a": [1.0] * 5000}), x="step")
    assert info.curves[0].y.size == 5000
    assert len(learning_curves(info).to_json()) < 5000 * 40
