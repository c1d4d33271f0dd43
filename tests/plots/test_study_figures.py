"""The charts of a study: numbers first, then what is drawn, then every way in which there is nothing yet."""

import math
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from study_trials import ACCURACY, AXES, KIND, MACS, RATE, made, rows_of

from cnnlab.analysis.trials import NOT_THERE, Axis, Goal, trials_of
from cnnlab.plots.study_contour import contour, contour_info
from cnnlab.plots.study_curves import curve_metric, study_curves, study_curves_info, study_curves_summary
from cnnlab.plots.study_parallel import kept_lines, parallel, parallel_info, parallel_summary
from cnnlab.plots.study_pareto import study_pareto, study_pareto_info
from cnnlab.plots.study_progress import best_so_far, best_so_far_info, best_so_far_summary
from cnnlab.plots.study_slices import round_numbers, slice_of, slices_info, slices_summary, ticks
from cnnlab.plots.study_timeline import timeline, timeline_info, timeline_summary
from cnnlab.runs.schema import METRICS, polars_schema

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
    figures = [slice_of(info, place) for place in range(3)]
    assert len({figure.layout.yaxis.range for figure in figures}) == 1
    assert figures[2].layout.xaxis.ticktext[0] == "–"
    assert figures[1].layout.xaxis.title.text == "&lt;optimizer&gt;"
    assert figures[1].data[0].hovertext[0].endswith("&lt;optimizer&gt; sgd")
    assert [trace.name for trace in figures[0].data] == ["completed", "best"]
    assert slices_summary(info).endswith("without a value are at the left end of momentum (5).")
    assert slices_summary(slices_info(made(0), ACCURACY)) == "No trial has a validation accuracy yet."


@pytest.mark.parametrize(
    ("axis", "numbers"),
    [
        (RATE, [1e-4, 1e-3, 1e-2, 1e-1]),
        (Axis("x", "x", (), 0.0, 1.0), [0, 0.25, 0.5, 0.75, 1]),
        (Axis("x", "x", (), 8, 32, 8), [8, 16, 24, 32]),
        (Axis("x", "x", (), 1, 100, 1), [25, 50, 75, 100]),
        (Axis("x", "x", (), 3.0, 3.0), [3]),
        (Axis("x", "x", (), 3, 13, 1), [5, 10]),
        (Axis("x", "x", (), 1, 40, 1, is_log=True), [1, 2, 5, 10, 20, 40]),
        (Axis("x", "x", (), 0.001, 0.05, None, is_log=True), [0.001, 0.002, 0.005, 0.01, 0.02, 0.05]),
        (Axis("x", "x", (), 1e-8, 1.0, None, is_log=True), [1e-8, 1e-6, 1e-4, 1e-2, 1]),
        (Axis("x", "x", (), 0.0061, 0.0087, None, is_log=True), [0.0061, 0.0087]),
        (Axis("x", "x", (), 0.00123456, 0.1, None, is_log=True), [0.002, 0.005, 0.01, 0.02, 0.05, 0.1]),
    ],
)
def test_axes_have_round_numbers(axis, numbers):
    assert round_numbers(axis) == pytest.approx(numbers)


def test_a_short_logarithmic_axis_has_its_ends():
    assert round_numbers(Axis("x", "x", (), 2.0, 8.0, None, True)) == pytest.approx([2, 5, 8])
    assert ticks(Axis("x", "x", (), 100.0, 20000.0, None, True))[1] == ["100", "300", "1000", "3000", "10000", "20000"]


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


def test_the_longest_name_on_an_axis_has_room_to_its_left():
    names = ("lenet5", "lenet5_1998x")
    info = parallel_info(made(8))
    axis = Axis("architecture.name", "architecture", names)
    wide = parallel(replace(info, axes=(*info.axes[:2], axis)))
    assert wide.layout.margin.l >= 12 * 7
    assert wide.data[0].dimensions[2].ticktext[1:] == names, "neither is cut"


def test_a_diverged_trial_does_not_flatten_the_colours():
    goal = Goal("val_loss", False)
    rows = rows_of(20).with_columns(
        objectives=pl.Series([f'{{"val_loss": {1e6 if place == 3 else place / 20}}}' for place in range(20)])
    )
    (trace,) = parallel(parallel_info(trials_of(rows, AXES, (goal,)))).data
    assert trace.line.cmax < 2
    assert trace.line.reversescale is True


def test_ranges_keep_the_lines_that_pass_through_all_of_them():
    info = parallel_info(made(40))
    accuracy = info.results[:, 0]
    middle = float(np.median(accuracy))
    ranges = {"val_accuracy": [(0.0, middle)], "training.optimizer": [(0.5, 1.5)]}
    kept = kept_lines(info, ranges)
    assert kept.tolist() == ((accuracy <= middle) & (info.codes[:, 1] == 1)).tolist()
    either = kept_lines(info, {"training.optimizer": [(-0.5, 0.5), (0.5, 1.5)]})
    assert either.all()
    assert kept_lines(info, {}).all()
    (trace,) = parallel(info, ranges=ranges, order=["macs", "val_accuracy"]).data
    assert [one.name for one in trace.dimensions][:3] == ["macs", "val_accuracy", "training.learning_rate"]
    assert trace.dimensions[1].constraintrange == ((0.0, middle),)


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
    assert info.counts["best"] == info.counts["no result"] == 1
    assert all(np.isnan(values[4::5]).all() for values in info.y.values())
    figure = study_curves(info)
    assert len(figure.data) == len(info.x)
    assert figure.data[-1].name == f"best: {now.label(now.best())}"
    assert set(figure.data[-1].customdata.tolist()) == {now.best()}
    assert study_curves_summary(info).startswith("Validation accuracy of 9 runs, coloured by the validation accuracy")


def test_a_network_of_one_output_has_curves_under_its_name():
    named = curves(3).with_columns(output=pl.lit("label"))
    assert sum(study_curves_info(made(3), ACCURACY, named).counts.values()) == 3
    colour = Goal("val_accuracy/colour", True)
    assert study_curves_info(made(3), colour, named).is_empty


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
        parallel(parallel_info(now)),
        contour(contour_info(now, ACCURACY, RATE, KIND)),
        study_pareto(study_pareto_info(now, *now.goals[:2])),
        timeline(timeline_info(now)),
        study_curves(study_curves_info(now, ACCURACY, nothing)),
    ):
        assert not figure.data
        assert figure.layout.annotations[0].text
