"""The forest plot: points with intervals, what is more than noise, and what is not known."""

import math

import numpy as np
from answered_runs import answered, grouped, single

from cnnlab.analysis.ablation import Effect
from cnnlab.analysis.comparison import compare
from cnnlab.analysis.significance import Difference
from cnnlab.plots.forest import differences_info, forest, forest_info, forest_summary

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


def test_runs_against_a_baseline_lead_to_their_runs():
    right = {"low": 500, "base": 700, "high": 900, "like": 700}
    found = compare(single(*[answered(name, np.arange(1000) < count) for name, count in right.items()]), 1)
    info = differences_info(found, 1)
    assert [(row.name, row.points, row.is_more_than_noise) for row in info.rows] == [
        ("low", -20, True),
        ("high", 20, True),
        ("like", 0, False),
    ]
    figure = forest(info)
    assert [trace.customdata for trace in figure.data] == [(0, 1), (2,)]
    assert info.members == (("low",), ("high",), ("like",))
    assert figure.layout.xaxis.title.text == "Difference from the baseline (points)"
    assert forest_summary(info).startswith(
        "2 of 3 runs are told apart from base; the largest difference is -20.00 points"
    )


def test_a_group_leads_to_all_its_runs():
    runs = [answered(f"{group}{seed}", np.arange(100) < 50 + seed, group=group) for group in "ab" for seed in range(2)]
    info = differences_info(compare(grouped(*runs)), 0, "group")
    assert info.members == (("b0", "b1"),)
    assert info.rows[0].n == 2
    assert forest_summary(info).startswith("0 of 1 group are told apart from a")
