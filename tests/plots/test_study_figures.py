"""The charts of a study: numbers first, then what is drawn, then every way in which there is nothing yet."""

import math

import numpy as np
import polars as pl
import pytest

from cnnlab.analysis.importance import Estimate, Importance, ParameterImportance, importance
from cnnlab.analysis.trials import NOT_THERE, Axis, Goal, Trials, trials_of
from cnnlab.plots.search_lesson import best_of_searches, search_lesson, search_lesson_info, search_lesson_summary
from cnnlab.plots.study_contour import contour, contour_info, contour_summary
from cnnlab.plots.study_curves import curve_metric, study_curves, study_curves_info, study_curves_summary
from cnnlab.plots.study_importance import importance_bars, importance_info, importance_summary
from cnnlab.plots.study_parallel import parallel, parallel_info, parallel_summary
from cnnlab.plots.study_pareto import study_pareto, study_pareto_info, study_pareto_summary
from cnnlab.plots.study_progress import best_so_far, best_so_far_info, best_so_far_summary
from cnnlab.plots.study_slices import round_numbers, slices, slices_info, slices_summary, ticks
from cnnlab.plots.study_timeline import timeline, timeline_info, timeline_summary
from cnnlab.runs.schema import METRICS, TRIALS, polars_schema

RATE = Axis("training.learning_rate", "learning rate", (), 1e-4, 1e-1, None, True)
KIND = Axis("training.optimizer", "<optimizer>", ("sgd", "adam"))
MOMENTUM = Axis("training.momentum", "momentum", (), 0.0, 0.9)
AXES = (RATE, KIND, MOMENTUM)
ACCURACY, MACS = Goal("val_accuracy", True), Goal("macs", False)


def rows_of(count: int, first: tuple[str, ...] = ()) -> pl.DataFrame:
    """`count` trials on two workers, 10 s apart; accuracy grows with the learning rate and 0.1 with Adam."""
    random = np.random.default_rng(0)
    rows = []
    for number in range(count):
        status = first[number] if number < len(first) else "completed"
        rate, kind = 10 ** random.uniform(-4, -1), ("sgd", "adam")[number % 2]
        momentum = f', "training.momentum": {random.uniform(0, 0.9):.4f}' if kind == "sgd" else ""
        accuracy = 0.5 + 0.1 * math.log10(rate * 1e4) + 0.1 * (kind == "adam")
        at = f"2026-01-01T12:{10 * (number // 2) // 60 % 60:02d}:{10 * (number // 2) % 60:02d}+00:00"
        ended = at.replace("0+", "5+") if status != "running" else None
        rows.append(
            {
                "trial_id": f"{number:04d}", "number": number + 1, "status": status, "worker": f"worker{number % 2}",
                "values": f'{{"training.learning_rate": {rate}, "training.optimizer": "{kind}"{momentum}}}',
                "objectives": f'{{"val_accuracy": {accuracy}, "macs": {1000 * (1 + number % 5)}}}'
                if status in ("completed", "stopped") else None,
                "run_ids": [f"run{number}"], "started_at": None if status == "waiting" else at,
                "ended_at": None if status == "waiting" else ended,
                "reason": "<b>NaN</b>" if status == "failed" else None,
            }
        )  # fmt: skip
    names = dict.fromkeys(TRIALS.names)
    frame = pl.DataFrame([{**names, **row} for row in rows], infer_schema_length=None) if rows else None
    if frame is None:
        return pl.DataFrame(schema=polars_schema(TRIALS))
    return frame.with_columns(
        *(pl.col(name).cast(pl.String).str.to_datetime(time_zone="UTC") for name in ("started_at", "ended_at"))
    )


def made(count: int, *first: str, goals: tuple[Goal, ...] = (ACCURACY, MACS)) -> Trials:
    return trials_of(rows_of(count, first), AXES, goals)


# ---- best so far ----


def test_the_staircase_is_of_completed_trials_in_the_order_of_their_ends():
    now = made(6, "stopped", "failed")
    info = best_so_far_info(now, ACCURACY)
    assert info.x.tolist() == [1, 2, 3, 4, 5]
    assert 1 not in info.places
    assert math.isnan(info.best[0])
    completed = [now.objective(ACCURACY)[place] for place in (2, 3, 4, 5)]
    assert info.best[-1] == max(completed)
    figure = best_so_far(info)
    assert [trace.name for trace in figure.data] == ["completed", "stopped early", "best so far"]
    assert figure.data[1].customdata.tolist() == [0]
    assert best_so_far_summary(info).startswith("5 trials of 6 with a validation accuracy; the best of the completed")


def test_the_least_is_the_best_of_a_cost():
    info = best_so_far_info(made(12), MACS)
    assert info.best[-1] == 1000
    assert "found as number 1 of these" in best_so_far_summary(info)


def test_time_is_counted_from_the_first_begin():
    info = best_so_far_info(made(40), ACCURACY, across="time")
    assert (info.x[0], info.x[2]) == (5, 15)  # two at a time, each for 5 s
    assert "(min)" in best_so_far(info).layout.xaxis.title.text


# ---- each against the objective ----


def test_slices_stand_where_values_are():
    now = made(10)
    info = slices_info(now, ACCURACY)
    assert info.codes.shape == (10, 3)
    assert (info.codes[1::2, 2] == NOT_THERE).all()
    figure = slices(info)
    assert len({trace.xaxis for trace in figure.data}) == 3
    assert figure.layout.xaxis3.ticktext[0] == "–"
    assert figure.layout.xaxis2.title.text == "&lt;optimizer&gt;"
    assert slices_summary(info).endswith("without a value are at the left end of momentum (5).")


@pytest.mark.parametrize(
    ("axis", "numbers"),
    [
        (RATE, [1e-4, 1e-3, 1e-2, 1e-1]),
        (Axis("x", "x", (), 0.0, 1.0), [0, 0.25, 0.5, 0.75, 1]),
        (Axis("x", "x", (), 8, 32, 8), [8, 16, 24, 32]),
        (Axis("x", "x", (), 1, 100, 1), [25, 50, 75, 100]),
        (Axis("x", "x", (), 3.0, 3.0), [3]),
    ],
)
def test_axes_have_round_numbers(axis, numbers):
    assert round_numbers(axis) == pytest.approx(numbers)


def test_a_short_logarithmic_axis_has_its_ends():
    assert round_numbers(Axis("x", "x", (), 2.0, 8.0, None, True)) == pytest.approx([2, 4, 8])


def test_choices_are_ticks_of_their_own():
    assert ticks(KIND) == ([0.0, 1.0], ["sgd", "adam"])


# ---- parallel coordinates ----


def test_a_line_per_completed_trial_through_axes_and_objectives():
    now = made(8, "stopped", "failed")
    info = parallel_info(now)
    assert info.places.tolist() == [2, 3, 4, 5, 6, 7]
    (trace,) = parallel(info).data
    assert [one.label for one in trace.dimensions] == [
        "learning rate", "&lt;optimizer&gt;", "momentum", "validation accuracy", "MACs of one image",
    ]  # fmt: skip
    assert trace.dimensions[2].ticktext[0] == "–"
    assert trace.line.reversescale is False
    assert parallel_summary(info).startswith("6 completed trials over")


def test_a_diverged_trial_does_not_flatten_the_colours():
    goal = Goal("val_loss", False)
    rows = rows_of(20).with_columns(
        objectives=pl.Series([f'{{"val_loss": {1e6 if place == 3 else place / 20}}}' for place in range(20)])
    )
    (trace,) = parallel(parallel_info(trials_of(rows, AXES, (goal,)))).data
    assert trace.line.cmax < 2
    assert trace.line.reversescale is True


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
    assert [trace.name for trace in figure.data] == ["fANOVA", "permutation"]
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
    info = study_pareto_info(now)
    assert list(info.front) == sorted(now.front(), key=lambda place: now.objective(MACS)[place])
    figure = study_pareto(info)
    assert [trace.name for trace in figure.data] == ["beaten in both", "on the front", "Pareto front"]
    assert sorted(figure.data[1].customdata.tolist()) == sorted(info.front)
    assert (np.diff(figure.data[2].y) >= 0).all()
    assert study_pareto_summary(info).startswith("Of 19 completed trials, ")


# ---- who did what when ----


def test_lanes_of_workers():
    now = made(7, "failed", "running", "waiting", "stopped")
    info = timeline_info(now, now=1767268800.0 + 100)
    assert info.workers == ("worker0", "worker1")
    assert info.places.tolist() == [0, 1, 3, 4, 5, 6]
    assert info.counts == {"completed": 3, "stopped": 1, "running": 1, "failed": 1, "waiting": 1}
    assert info.end[1] == 100  # the running one goes on until now
    figure = timeline(info)
    assert {trace.name for trace in figure.data} == {"completed", "stopped early", "running", "failed"}
    assert "&lt;b&gt;NaN&lt;/b&gt;" in info.hovers[0]
    counted = "3 completed, 1 stopped early, 1 running, 1 failed, 1 waiting"
    assert timeline_summary(info).startswith(f"{counted}, on 2 workers")


# ---- all curves ----


def curves(count: int, epochs: int = 4) -> pl.DataFrame:
    rows = [
        {"run_id": f"run{run}", "epoch": epoch, "step": epoch, "split": split, "output": "", "metric": "accuracy",
         "value": run / count + epoch / 100, "elapsed_s": 1.0 * epoch}
        for run in range(count) for epoch in range(1, epochs + 1) for split in ("train", "val")
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=polars_schema(METRICS))


def test_curves_are_few_traces_with_gaps():
    now = made(9, "running")
    info = study_curves_info(now, ACCURACY, curves(9))
    assert sum(info.counts.values()) == 9
    assert info.counts["best"] == info.counts["no result yet"] == 1
    assert all(np.isnan(values[4::5]).all() for values in info.y.values())
    figure = study_curves(info)
    assert len(figure.data) == len(info.x)
    assert figure.data[-1].name == f"best: {now.label(now.best())}"
    assert set(figure.data[-1].customdata.tolist()) == {now.best()}
    assert study_curves_summary(info).startswith("Validation accuracy of 9 runs, coloured by the validation accuracy")


def test_a_thousand_curves_are_pixels():
    info = study_curves_info(made(1000), ACCURACY, curves(1000))
    assert {trace.type for trace in study_curves(info).data} == {"scattergl"}
    assert len(study_curves(info).data) == 5


@pytest.mark.parametrize(
    ("metric", "curve"),
    [
        ("val_accuracy", ("val", "accuracy", "")),
        ("train_loss", ("train", "loss", "")),
        ("val_accuracy/colour", ("val", "accuracy", "colour")),
        ("macs", ("val", "loss", "")),
        ("train_s", ("val", "loss", "")),
    ],
)
def test_which_curve_belongs_to_an_objective(metric, curve):
    assert curve_metric(Goal(metric, True)) == curve


# ---- nothing yet ----


def test_every_chart_says_why_it_is_empty():
    now = made(0)
    nothing = pl.DataFrame(schema=polars_schema(METRICS))
    for figure in (
        best_so_far(best_so_far_info(now, ACCURACY)),
        best_so_far(best_so_far_info(now, ACCURACY, across="time")),
        slices(slices_info(now, ACCURACY)),
        parallel(parallel_info(now)),
        contour(contour_info(now, ACCURACY, RATE, KIND)),
        study_pareto(study_pareto_info(now)),
        timeline(timeline_info(now)),
        study_curves(study_curves_info(now, ACCURACY, nothing)),
    ):
        assert not figure.data
        assert figure.layout.annotations[0].text


# ---- the lesson ----


def test_the_lesson_is_drawn_for_each_search():
    from cnnlab.analysis.search_lesson import LANDSCAPES

    info = search_lesson_info(LANDSCAPES["One hill"], budget=9, shown=4, seed=0, seeds=3)
    figure = search_lesson(info)
    assert [len(trace.x) for trace in figure.data[1::3]] == [4, 4, 4]
    assert [one.text for one in figure.layout.annotations[:3]] == ["random", "grid", "Bayesian"]
    assert [trace.name for trace in best_of_searches(info).data if trace.name] == ["random", "grid", "Bayesian"]
    assert search_lesson_summary(info).startswith("Best after 4 trials: random ")
