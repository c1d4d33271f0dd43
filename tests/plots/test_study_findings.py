"""What a study learnt, drawn: map of two hyperparameters, importance, Pareto front; and the lesson on searches."""

import math
from dataclasses import replace

import numpy as np
import pytest
from study_trials import ACCURACY, KIND, MACS, MOMENTUM, RATE, made

from cnnlab.analysis.importance import Estimate, Importance, ParameterImportance, importance
from cnnlab.analysis.search_lesson import LANDSCAPES, SEARCHES
from cnnlab.analysis.trials import Goal
from cnnlab.plots.search_lesson import best_of_searches, search_ground, search_lesson_info, search_lesson_summary
from cnnlab.plots.study_contour import contour, contour_info, contour_summary
from cnnlab.plots.study_importance import importance_bars, importance_info, importance_summary
from cnnlab.plots.study_pareto import study_pareto, study_pareto_info, study_pareto_summary

# ---- map of two ----


def test_the_map_rises_where_the_trials_do():
    info = contour_info(made(120), ACCURACY, RATE, KIND)
    assert info.expected.shape == (2, 32)
    assert info.expected[0, 28] > info.expected[0, 3] + 0.15
    assert (info.expected[1] > info.expected[0]).all()
    figure = contour(info)
    assert len(figure.data[1].x) == 120
    assert max(figure.data[1].marker.size) == 13
    assert "and <optimizer> adam" in contour_summary(info)


def test_trials_without_one_of_the_two_are_no_points():
    info = contour_info(made(40), ACCURACY, RATE, MOMENTUM)
    assert info.places.tolist() == list(range(0, 40, 2))


def test_the_map_needs_two_and_some_trials():
    assert "Choose two different" in contour_summary(contour_info(made(20), ACCURACY, RATE, RATE))
    few = contour_info(made(4), ACCURACY, RATE, KIND)
    assert contour_summary(few) == "A map takes 10 completed trials at least; there are 4 so far."
    assert not contour(few).data


# ---- importance ----


def test_importance_of_a_real_study_names_the_leader():
    now = made(80)
    found = importance([axis.label for axis in now.axes], now.codes(), now.objective(ACCURACY), now.measures())
    info = importance_info(found, ACCURACY.label)
    assert info.rows[0][0] == "learning rate"
    figure = importance_bars(info)
    assert [trace.name for trace in figure.data] == ["alone (fANOVA)", "in all (permutation)"]
    assert figure.data[0].y[0] == "learning rate"
    assert "learning rate alone explains" in importance_summary(info)
    assert "From 80 trials" in importance_summary(info)


def test_bars_and_words_of_importance():
    found = Importance(
        (ParameterImportance("a", Estimate(0.5, 0.3, 0.7), Estimate(-0.1, -0.2, 0.1)),),
        (("a", "b", Estimate(0.2, 0.1, 0.3)),),
        Estimate(0.1, -0.2, 0.3),
        31,
    )
    info = importance_info(found, "val loss")
    fanova, permutation = importance_bars(info).data
    assert fanova.error_x.arrayminus[0] == pytest.approx(0.2)
    assert (permutation.x[0], permutation.error_x.arrayminus[0]) == (0, 0)
    assert importance_summary(info) == (
        "Of what val loss varies over the space, a alone explains 50 % (30 to 70 %); only together: a with b 20 %. "
        "From 31 trials; the forests reach R² 0.10 on trials left out, which is too little to go by. "
        "Intervals: 95 % of the resamples of the trials."
    )


@pytest.mark.parametrize(
    ("n", "sentence"),
    [
        (3, "Importance takes 10 trials with a result at least; there are 3 so far."),
        (30, "All 30 trials have the same val loss: nothing explains what does not vary."),
    ],
)
def test_why_there_is_no_importance(n, sentence):
    nothing = Estimate(math.nan, math.nan, math.nan)
    info = importance_info(Importance((), (), nothing, n), "val loss")
    assert importance_summary(info) == sentence
    assert not importance_bars(info).data


# ---- two objectives ----


def test_the_front_is_drawn_from_one_end_to_the_other():
    now = made(20, "failed")
    info = study_pareto_info(now, *now.goals[:2])
    assert list(info.front) == sorted(now.front(*now.goals[:2]), key=lambda place: now.objective(MACS)[place])
    figure = study_pareto(info)
    assert [trace.name for trace in figure.data] == ["beaten by another", "on the front", "Pareto front"]
    assert sorted(figure.data[1].customdata.tolist()) == sorted(info.front)
    assert (np.diff(figure.data[2].y) >= 0).all()
    assert study_pareto_summary(info).startswith("Of 19 completed trials, ")


def test_axes_say_their_unit_and_write_small_numbers_as_they_are():
    now = made(12, goals=(ACCURACY, Goal("latency_ms", False), MACS))
    now = replace(now, results=tuple({**one, "latency_ms": 0.1 * place} for place, one in enumerate(now.results, 1)))
    figure = study_pareto(study_pareto_info(now, now.goals[0], now.goals[1]))
    assert figure.layout.xaxis.title.text == "Latency of one image (ms), lower is better"
    assert (figure.layout.xaxis.tickformat, figure.layout.yaxis.tickformat) == (".4~g", ".3~p")
    other = study_pareto_info(now, now.goals[2], now.goals[1])
    assert study_pareto(other).layout.yaxis.tickformat == ".3~s"
    assert list(other.front) == sorted(now.front(MACS, now.goals[1]), key=lambda place: other.x[place])


# ---- the lesson ----


def test_the_lesson_is_drawn_for_each_search():
    info = search_lesson_info(LANDSCAPES["One hill"], budget=9, shown=4, seed=0, seeds=3)
    assert [len(search_ground(info, search).data[1].x) for search in SEARCHES] == [4, 4, 4]
    sizes = search_ground(info, "grid").data[1].marker.size
    assert sizes.tolist().index(15) == int(np.argmax(info.runs["grid"].values[:4]))
    assert [trace.name for trace in best_of_searches(info).data if trace.name] == ["random", "grid", "Bayesian"]
    assert search_lesson_summary(info).startswith("Best after 4 trials: random ")
