"""Panels over one another, marks, axes, and lines that were thinned out for the browser."""

import itertools
import math

import numpy as np
import polars as pl
import pytest
from plot_frames import NAN, metrics, named

from cnnlab.analysis.curve_rows import Spent
from cnnlab.plots.curve_marks import marks_of
from cnnlab.plots.curve_panels import Panel, curve_numbers, curve_panels, curve_panels_info, curve_panels_summary
from cnnlab.plots.learning_curves import learning_curves, learning_curves_info, learning_curves_summary


def frame(**metrics_by_name):
    """One run 'a' with so many values of each metric on val, the learning rate on train."""
    return pl.concat(
        [
            metrics({"a": values}, name, split="train" if name == "learning_rate" else "val")
            for name, values in metrics_by_name.items()
        ]
    )


@pytest.fixture
def panels():
    rows = frame(loss=[2.0, 1.0, 1.5], accuracy=[0.1, 0.5, 0.4], learning_rate=[0.2, 0.1, 0.0])
    infos = {name: learning_curves_info(rows, name) for name in ("loss", "accuracy", "learning_rate")}
    return [Panel(infos["loss"]), Panel(infos["accuracy"]), Panel(infos["learning_rate"], is_small=True)]


def test_all_panels_share_the_axis_to_the_right(panels):
    figure = curve_panels(curve_panels_info(panels))
    assert [trace.yaxis for trace in figure.data if trace.customdata is not None] == ["y", "y2", "y3"]
    assert {trace.xaxis for trace in figure.data} == {None}
    assert figure.layout.xaxis.anchor == "y3"
    domains = [figure.layout[name].domain for name in ("yaxis", "yaxis2", "yaxis3")]
    assert domains[0][1] == 1
    assert domains[2][0] == pytest.approx(0)
    for above, below in itertools.pairwise(domains):
        assert above[0] > below[1], "panels do not lie over one another"
    assert [figure.layout[name].title.text for name in ("yaxis", "yaxis2", "yaxis3")] == [
        "Loss (cross-entropy)", "Accuracy (%)", "Learning rate",
    ]  # fmt: skip


def test_what_is_small_belongs_to_no_split(panels):
    figure = curve_panels(curve_panels_info(panels))
    assert [trace.line.dash for trace in figure.data if trace.yaxis == "y3"] == ["solid"]
    assert not named(figure, "train"), "the legend explains only lines that are drawn"


def test_each_panel_is_said_once(panels):
    assert curve_panels_summary(curve_panels_info(panels)) == (
        "Loss of 1 run; the lowest on val is 1. Accuracy of 1 run; the highest on val is 50.00 %. Below: learning rate."
    )


def test_outputs_have_panels_of_their_own():
    rows = pl.concat([metrics({"a": [1.0]}, output="left"), metrics({"a": [2.0]}, output="right")])
    panels = [Panel(learning_curves_info(rows, output=name), name) for name in ("left", "right")]
    info = curve_panels_info(panels)
    assert curve_panels(info).layout.yaxis2.title.text == "Loss (cross-entropy)<br>of right"
    assert curve_panels_summary(info) == (
        "left: Loss of 1 run; the lowest on val is 1. right: Loss of 1 run; the lowest on val is 2."
    )
    assert curve_numbers(info)["output"].to_list() == ["left", "right"]


def test_logarithms_tell_what_they_cannot_show():
    rows = frame(error=[0.5, 0.0], learning_rate=[0.1, 0.0])
    panels = [Panel(learning_curves_info(rows, "error")), Panel(learning_curves_info(rows, "learning_rate"), "", True)]
    info = curve_panels_info(panels, is_log_x=True, is_log_y=True)
    figure = curve_panels(info)
    assert (figure.layout.xaxis.type, figure.layout.yaxis.type, figure.layout.yaxis2.type) == ("log", "log", None)
    assert figure.layout.xaxis.range is None
    assert curve_panels_summary(info).endswith("On logarithmic axes 1 point at 0 or below is not drawn.")


def test_the_numbers_are_all_points_thinned_out_or_not():
    values = np.random.default_rng(0).standard_normal(5000).tolist()
    values[77] = NAN
    info = curve_panels_info([Panel(learning_curves_info(metrics({"a": values}), x="step", smoothing=0.5))])
    table = curve_numbers(info)
    assert table.height == 5000
    assert table["value"].is_nan().sum() == 1
    assert table["smoothed"].null_count() == 1
    assert table.columns == ["metric", "run", "split", "step", "value", "smoothed", "n"]
    drawn = [trace for trace in curve_panels(info).data if trace.x is not None and trace.x[0] is not None]
    assert all(len(trace.x) < 4100 for trace in drawn)
    raw = drawn[0]
    assert np.nanmax(raw.y) == pytest.approx(np.nanmax(values))
    assert np.isnan(raw.y).sum() == 1, "the gap is still there"


def test_smoothing_is_of_all_points_not_of_those_drawn():
    values = np.random.default_rng(1).standard_normal(30_000)
    info = learning_curves_info(metrics({"a": values.tolist()}), x="step", smoothing=0.99)
    drawn = next(trace for trace in learning_curves(info).data if trace.customdata is not None)
    assert drawn.y[-1] == pytest.approx(info.curves[0].smooth[-1], rel=1e-5)


def test_an_epoch_is_smoothed_by_as_much_as_its_steps():
    steps = metrics({"a": [1.0, 0.0] * 10}, split="train").with_columns(step=pl.col("epoch").cast(pl.Int64))
    val = metrics({"a": [1.0, 0.0]})  # ten steps apart
    info = learning_curves_info(pl.concat([steps, val]), x="step", smoothing=0.9, is_by_step=True)
    of_val = next(curve for curve in info.curves if curve.split == "val")
    assert of_val.smooth[1] == pytest.approx(0.9**10 / (1 + 0.9**10))


def test_a_group_by_steps_is_a_mean_of_each_step():
    rows = metrics({"a": [1.0, 2.0], "b": [3.0, NAN]}).with_columns(epoch=pl.lit(1, pl.Int32))
    info = learning_curves_info(rows, x="step", groups={"a": "g", "b": "g"}, is_by_step=True)
    assert info.curves[0].y.tolist() == [2.0, 2.0]
    assert info.curves[0].n.tolist() == [2, 1]


def test_the_interval_of_a_group_is_that_of_its_smoothed_runs():
    rows = metrics({"a": [0.0, 2.0, 0.0, 2.0], "b": [2.0, 0.0, 2.0, 0.0]})
    groups = {"a": "g", "b": "g"}
    raw, calm = (learning_curves_info(rows, groups=groups, smoothing=smoothing).curves[0] for smoothing in (0.0, 0.9))
    assert raw.y.tolist() == calm.y.tolist() == [1.0] * 4
    assert calm.smooth.tolist() == pytest.approx([1.0] * 4)
    assert (calm.high - calm.low)[-1] < (raw.high - raw.low)[-1] / 3


@pytest.mark.parametrize(
    ("spent", "reason"),
    [({}, "its operations are not known"), ({"a": Spent(8, None, "its images grow")}, "its images grow")],
)
def test_a_run_whose_operations_are_not_known_is_listed(spent, reason):
    spent = {**spent, "b": Spent(8, 100)}
    info = learning_curves_info(metrics({"a": [1.0], "b": [1.0]}), x="operations", spent=spent)
    assert info.not_shown == {"a": reason}
    assert info.curves[0].x.tolist() == [10 * 8 * 100 * 3]
    assert f"not shown: a ({reason})" in learning_curves_summary(info)


def test_an_infinite_loss_is_a_gap_and_spoils_no_mean():
    info = learning_curves_info(metrics({"a": [1.0, math.inf, 1.0]}), smoothing=0.9)
    assert info.gaps == {"a": 1}
    assert info.curves[0].smooth == pytest.approx([1.0, NAN, 1.0], nan_ok=True)


def test_the_best_the_last_and_the_early_stop_are_marked():
    rows = metrics({"a": [2.0, 1.0, 1.5], "b": [3.0, 2.0, NAN]})
    info = learning_curves_info(pl.concat([rows, metrics({"a": [0.1]}, split="train")]))
    marks = marks_of(info.curves, "loss", {"a": "early_stopping", "b": "epochs"}, info.members)
    assert [(mark.kind, mark.curve.key, mark.place) for mark in marks] == [
        ("best", "a", 1), ("stopped", "a", 2), ("best", "b", 1), ("last", "b", 1),
    ]  # fmt: skip
    figure = learning_curves(info, marks=marks)
    (stop,) = [trace for trace in named(figure, "stopped early") if trace.customdata is not None]
    assert stop.text == ("<b>a</b><br>stopped early on val: the validation loss fell no more<br>1.5",)
    assert info.members[stop.customdata[0]] == ("a",), "a click on a mark leads to its run"


def test_the_best_accuracy_is_the_highest_and_scalars_have_none():
    info = learning_curves_info(metrics({"a": [0.2, 0.9, 0.5]}, "accuracy"), "accuracy")
    assert marks_of(info.curves, "accuracy", {}, info.members)[0].place == 1
    assert marks_of(info.curves, "learning_rate", {}, info.members) == ()


def test_a_run_of_gaps_only_has_no_mark():
    info = learning_curves_info(metrics({"a": [NAN]}))
    assert marks_of(info.curves, "loss", {}, info.members) == ()


@pytest.mark.parametrize(
    ("ended", "kind", "reason"),
    [
        ({"c": "early_stopping"}, "stopped", "the validation loss fell no more"),
        ({"a": "early_stopping", "b": "early_stopping"}, "stopped", "all 2 runs, the validation loss fell no more"),
        ({"a": "early_stopping"}, "last", ""),
    ],
)
def test_a_group_is_stopped_where_all_of_its_runs_are(ended, kind, reason):
    key = "solo" if "c" in ended else "pair"
    rows = metrics({"a": [2.0, 1.0], "b": [3.0, 2.0], "c": [1.0, 0.5]})
    info = learning_curves_info(rows, groups={"a": "pair", "b": "pair", "c": "solo"})
    (end,) = [
        mark for mark in marks_of(info.curves, "loss", ended, info.members)
        if mark.curve.key == key and mark.kind != "best"
    ]  # fmt: skip
    assert (end.kind, end.reason) == (kind, reason)


def test_the_legend_names_the_runs_first_and_has_a_row_for_each():
    many = {f"r{place}": [1.0] for place in range(6)}
    figures = [
        curve_panels(curve_panels_info([Panel(learning_curves_info(metrics(one)))])) for one in (many, {"a": [1.0]})
    ]
    assert figures[0].layout.legend.maxheight >= figures[1].layout.legend.maxheight + 6 * 20
    assert figures[0].layout.height - figures[1].layout.height == 6 * 20
    (val,) = named(figures[0], "val")
    assert val.legendrank > 1000, "plotly's own rank, that of the runs"


@pytest.mark.parametrize(
    ("values", "ticks"), [([1.0, 0.5], (None, 3)), ([1.0, 0.1], ("D2", None)), ([1.0, NAN, 0.0, 1e-9], (2, None))]
)
def test_a_logarithmic_axis_has_few_ticks(values, ticks):
    info = curve_panels_info([Panel(learning_curves_info(metrics({"a": values})))], is_log_x=True, is_log_y=True)
    layout = curve_panels(info).layout
    assert (layout.yaxis.dtick, layout.yaxis.nticks) == ticks
    assert layout.yaxis.tickformat == "~g", "digits between decades are written in full"


def test_many_curves_have_few_markers_each():
    many = {f"r{place}": [1.0] * 100 for place in range(40)}
    figure = learning_curves(learning_curves_info(metrics(many)))
    assert {trace.marker.maxdisplayed for trace in figure.data if trace.customdata is not None} == {10}


def test_nothing_to_draw_says_so():
    info = curve_panels_info([Panel(learning_curves_info(metrics({}), run_ids=["a"]))])
    assert info.is_empty
    assert info.members == (("a",),)
    assert curve_panels_summary(info) == "No loss is known yet."
    assert curve_panels(info).layout.annotations
    assert curve_numbers(info).is_empty()
