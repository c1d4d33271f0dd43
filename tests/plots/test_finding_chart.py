"""The small charts of the doctor: what is marked, what has no place on a logarithmic axis."""

import math

from cnnlab.doctor.finding import Chart, Series
from cnnlab.plots.finding_chart import finding_chart, finding_chart_summary


def test_a_line_with_a_mark_and_a_limit():
    lines = (Series("train", (1, 2, 3), (2.0, math.nan, 1.0)), Series("val", (1, 2, 3), (2.0, 3.0, None)))
    figure = finding_chart(Chart("lines", "Epoch", "Loss", lines, mark=(2.0, "lowest"), limit=(1.5, "chance")))
    assert [trace.name for trace in figure.data] == ["train", "val"]
    assert list(figure.data[0].y) == [2.0, None, 1.0]
    mark, limit = figure.layout.shapes
    assert (mark.x0, limit.y0) == (2.0, 1.5)
    assert {note.text for note in figure.layout.annotations} == {"lowest", "chance"}


def test_a_zero_on_a_logarithmic_axis_is_said():
    bars = (Series("Gradient norm", ("conv<1>", "conv<1>", "dense"), (0.0, 1e-8, 1.0)),)
    chart = Chart("bars", "Layers", "Gradient norm", bars, is_log=True)
    figure = finding_chart(chart)
    assert figure.layout.yaxis.type == "log"
    assert list(figure.data[0].x) == ["conv&lt;1&gt;", "conv&lt;1&gt; (2)", "dense"]
    assert list(figure.data[0].y) == [None, 1e-8, 1.0]
    assert [note.text for note in figure.layout.annotations] == ["0"]
    assert finding_chart_summary(chart) == "Gradient norm over layers; Gradient norm: 0 to 1 in 3 places."


def test_nothing_known_is_drawn_too():
    chart = Chart("bars", "Layers", "Gradient norm", (Series("a", ("x",), (None,)),), is_log=True)
    assert list(finding_chart(chart).data[0].y) == [None]
    assert finding_chart_summary(chart).endswith("a: no number in 1 places.")
