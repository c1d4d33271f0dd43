"""The forest plot: points with intervals, what is more than noise, and what is not known."""

import math

from cnnlab.analysis.ablation import Effect
from cnnlab.analysis.significance import Difference
from cnnlab.plots.forest import forest, forest_info, forest_summary

BASE = Effect("baseline", 3, 3, 0.9, 0.89, 0.91)
SURE = Effect("<b>sure</b>", 3, 3, 0.95, 0.94, 0.96, "baseline", Difference(0.05, 0.03, 0.07, 0.001), 0.002, "welch")
NOISE = Effect("noise", 3, 3, 0.91, 0.8, 0.99, "baseline", Difference(0.01, -0.1, 0.12, 0.8), 0.8, "welch")
LATE = Effect("late", 0, 3, math.nan, math.nan, math.nan, "baseline", None, reason="late waits")
BARE = Effect(
    "bare", 2, 2, 0.9, 0.9, 0.9, "baseline", Difference(-0.2, math.nan, math.nan, math.nan), math.nan, "welch"
)


def test_numbers_in_points():
    info = forest_info([BASE, SURE, NOISE, LATE])
    assert [(row.name, round(row.points, 9), round(row.low, 9)) for row in info.rows] == [
        ("<b>sure</b>", 5, 3),
        ("noise", 1, -10),
    ]
    assert info.waiting == ("late",)
    assert forest_summary(info) == (
        "1 of 2 changes is more than noise; the largest effect is +5.00 points (<b>sure</b>, 95 % interval +3.00 to "
        "+7.00); not known yet: late."
    )


def test_sure_and_noise_look_different():
    figure = forest(forest_info([BASE, SURE, NOISE]))
    assert [trace.name for trace in figure.data] == ["more than noise", "may be noise"]
    assert [trace.marker.symbol for trace in figure.data] == ["square", "square-open"]
    assert figure.data[0].y == ("&lt;b&gt;sure&lt;/b&gt;",)
    assert figure.layout.yaxis.categoryarray == ("&lt;b&gt;sure&lt;/b&gt;", "noise")


def test_a_difference_without_interval_is_a_point():
    info = forest_info([BASE, BARE])
    figure = forest(info)
    assert figure.data[0].error_x.array == (0.0,)
    assert forest_summary(info) == "0 of 1 change are more than noise; the largest effect is -20.00 points (bare)."


def test_nothing_yet():
    info = forest_info([BASE, LATE])
    assert not forest(info).data
    assert forest_summary(info) == "No difference is known yet."
