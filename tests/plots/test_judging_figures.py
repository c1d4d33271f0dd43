"""Classes, rankings, top-k, calibration and thresholds as figures, of one run, of several and of groups of seeds."""

import numpy as np
import polars as pl
import pytest
from judging_figures import NAMES, by_class, by_confidence, by_rank, by_threshold, overlays
from made_answers import made_answers
from plot_frames import cell_texts, named
from scipy import stats

from cnnlab.analysis.answers import Answers
from cnnlab.analysis.class_scores import scores_of_matrix
from cnnlab.analysis.ranking import FALSE_ALARMS
from cnnlab.analysis.top_k import top_k as top_k_of
from cnnlab.plots import per_class, precision_recall, reliability, roc, selective, top_k
from cnnlab.plots.overlays import Line, Overlay, combined, images_text, numbers_of
from cnnlab.plots.ranked_curves import areas_table

NOTHING = Answers(np.zeros(0, np.int64), np.zeros((0, 4), np.float32))


def matrix_overlay(matrix, names=NAMES, key="a"):
    return Overlay(key, f"run {key}", (scores_of_matrix(np.array(matrix), names[: len(matrix)]),))


# ---- overlays ----


def test_one_run_keeps_its_own_interval():
    y, low, high, runs = combined([[0.5, np.nan]], [[0.4, np.nan]], [[0.7, np.nan]])
    assert (y[0], low[0], high[0]) == (0.5, 0.4, 0.7)
    assert runs.tolist() == [1, 0]


def test_several_runs_have_students_interval_within_zero_and_one():
    values = [[0.9, 0.99, 0.5], [0.8, 0.90, np.nan], [0.85, 0.99, np.nan]]
    y, low, high, runs = combined(values, values, values)
    assert (low[0], high[0]) == pytest.approx(stats.t.interval(0.95, 2, 0.85, stats.sem([0.9, 0.8, 0.85])))
    assert high[1] == 1
    assert (y[2], runs[2], low[2], high[2]) == (0.5, 1, 0.5, 0.5), "one seed keeps its own interval"


def test_seeds_that_agree_have_the_interval_of_their_images():
    same = matrix_overlay([[9, 1, 0], [0, 12, 0], [0, 0, 8]])
    group = Overlay("a", "net", same.results * 3)
    for measure in per_class.MEASURES:
        one, three = (per_class.per_class_info([shown], measure=measure).lines[0] for shown in (same, group))
        assert three.runs.tolist() == [3, 3, 3]
        for end in ("y", "low", "high"):
            assert getattr(three, end) == pytest.approx(getattr(one, end))
        assert (three.low < three.high).all()


def test_numbers_are_null_where_nothing_is_known():
    gap = np.array([np.nan])
    line = Line("a", "run a", np.array([1.0]), np.array([0.5]), gap, gap, np.array([1]))
    assert numbers_of([line], "k", "accuracy").row(0) == ("run a", 1.0, 0.5, None, None, 1)
    assert numbers_of([], "k", "accuracy").is_empty()


# ---- classes ----


def test_bars_of_one_run_from_the_lowest_up():
    info = per_class.per_class_info([matrix_overlay([[9, 1, 0], [3, 7, 0], [0, 0, 0]])], measure="recall")
    assert info.class_names == ("deer", "cat", "dog")
    (bars,) = per_class.per_class(info).data
    assert bars.x == pytest.approx([0.7, 0.9, np.nan], nan_ok=True)
    assert bars.error_x.array == pytest.approx([info.lines[0].high[0] - 0.7, info.lines[0].high[1] - 0.9, 0])
    assert "95 % interval" in bars.customdata[0]
    assert per_class.per_class_summary(info) == (
        "Recall of 3 classes over 20 images, 95 % intervals over images: mean 80.0 %, lowest 70.0 % (deer); never "
        "predicted, so without precision: dog; without images, so without recall: dog."
    )


@pytest.mark.parametrize(
    ("order", "names"),
    [("lowest", ["deer", "dog", "cat"]), ("highest", ["cat", "dog", "deer"]), ("class", ["cat", "deer", "dog"]),
     ("spread", ["dog", "cat", "deer"])],
)  # fmt: skip
def test_orders_of_the_classes(order, names):
    first = matrix_overlay([[10, 0, 0], [6, 4, 0], [0, 0, 10]])
    second = matrix_overlay([[9, 1, 0], [6, 4, 0], [8, 0, 2]], key="b")
    info = per_class.per_class_info([first, second], measure="recall", order=order)
    assert list(info.class_names) == names


def test_several_runs_are_points_side_by_side():
    info = per_class.per_class_info(overlays(by_class, 1, 1))
    first, second = per_class.per_class(info).data
    assert (first.name, second.name) == ("run a", "run b")
    assert second.y - first.y == pytest.approx(0.4), "side by side, within the row of a class"
    assert first.marker.color != second.marker.color


def test_more_runs_than_colours_are_a_table_of_numbers():
    first = overlays(by_class, 1)[0]
    many = [Overlay(str(place), f"run {place}", first.results) for place in range(20)]
    info = per_class.per_class_info(many)
    figure = per_class.per_class(info)
    assert {trace.type for trace in figure.data} == {"heatmap"}
    assert figure.data[0].z.shape == (4, 20)
    assert list(figure.data[0].x) == [f"run {place}" for place in range(20)]
    assert cell_texts(figure)[0][0] == f"{100 * info.lines[0].y[0]:.0f}"
    assert "95 % interval" in figure.data[0].customdata[0][0], "what points show as a line is said on hovering"
    assert figure.layout.height < 400
    alone = per_class.per_class(per_class.per_class_info(many[:8]))
    assert {trace.type for trace in alone.data} == {"scatter"}


def test_a_number_of_the_table_is_100_for_all_alone():
    names = [f"c{place}" for place in range(4)]
    nearly = np.diag([1000, 1000, 5, 5])
    nearly[0, 1] = 1
    many = [matrix_overlay(nearly, names, key=str(place)) for place in range(9)]
    figure = per_class.per_class(per_class.per_class_info(many, measure="recall", order="class"))
    assert [row[0] for row in cell_texts(figure)] == ["99", "100", "100", "100"]


def test_runs_of_one_colour_have_symbols_of_the_page():
    two = overlays(by_threshold, 1, 1)
    looks = {"a": "#112233", "b": "#112233"}, {"a": "circle", "b": "square"}
    figure = selective.selective(selective.selective_info(two, "coverage"), *looks)
    first, second = (trace for trace in figure.data if trace.fill is None)
    assert (first.mode, second.mode) == ("lines", "lines+markers")
    assert second.marker.symbol == "square"
    assert second.marker.maxdisplayed < 20, "a symbol now and then, not one at each of a hundred points"
    points = per_class.per_class(per_class.per_class_info(overlays(by_class, 1, 1)), *looks).data
    assert [trace.marker.symbol for trace in points] == ["circle", "square"]


def test_a_group_is_the_mean_of_its_seeds():
    grouped = overlays(by_class, 3)
    info = per_class.per_class_info(grouped, order="class")
    assert info.lines[0].y[0] == pytest.approx(np.mean([result.classes["f1"][0] for result in grouped[0].results]))
    assert "95 % intervals over seeds and images: " in per_class.per_class_summary(info)
    assert "mean of 3 runs" in per_class.per_class(info).data[0].customdata[0]


def test_networks_on_different_images_say_the_images_of_each():
    large, small = matrix_overlay([[8, 2], [1, 9]], key="a"), matrix_overlay([[3, 1], [0, 9]], key="b")
    info = per_class.per_class_info([large, small], order="class")
    assert "F1 of 2 classes over 20 images (run a) and 13 images (run b), 95 %" in per_class.per_class_summary(info)
    figure = per_class.per_class(info)
    assert list(figure.layout.yaxis.ticktext) == [f"{NAMES[0]} (4 to 10)", f"{NAMES[1]} (9 to 10)"]
    assert [trace.customdata[0].split("<br>")[0] for trace in figure.data] == [
        f"{NAMES[0]}, 10 images", f"{NAMES[0]}, 4 images"
    ]  # fmt: skip
    assert info.numbers()["images"].to_list() == [10, 10, 4, 9]
    group = Overlay("c", "group", (large.results[0], small.results[0]))
    assert images_text([group]) == "13 to 20 images (group)"
    assert images_text([large, large]) == "20 images"


def test_of_a_thousand_classes_the_first_are_drawn_and_all_are_in_the_table():
    names = [f"class {place}" for place in range(1_000)]
    info = per_class.per_class_info([matrix_overlay(np.eye(1_000, dtype=np.int64) * 3, names)])
    assert len(per_class.per_class(info).data[0].x) == per_class.MOST_CLASSES
    assert info.numbers().height == 1_000
    assert "drawn are the first 25 in this order, the table has all" in per_class.per_class_summary(info)


def test_classes_of_nothing():
    for given in ([], overlays(by_class, 1, n=0)):
        info = per_class.per_class_info(given)
        assert info.is_empty
        assert per_class.per_class_summary(info) == "No predictions are known yet."
        assert not per_class.per_class(info).data


# ---- ROC and precision-recall ----


def test_of_one_run_the_averages_and_the_worst_classes_are_drawn():
    given = overlays(by_rank, 1)
    info = roc.roc_info(given)
    worst = given[0].results[0].table.slice(2).sort("auc")["name"].to_list()
    assert [line.label for line in info.lines] == ["macro average", "micro average", *worst]
    figure = roc.roc(info)
    assert named(figure, "guessing (AUC 0.5)")[0].y[-1] == 1
    assert len(figure.data) == 7
    assert "area under the curve with 95 % intervals over images: macro average: 0." in roc.roc_summary(info)


def test_of_several_runs_one_curve_each():
    given = overlays(by_rank, 1, 2)
    info = roc.roc_info(given, [3])
    assert [line.label for line in info.lines] == ["run a", "run b"]
    assert info.lines[0].y == pytest.approx(given[0].results[0].recall[3])
    assert info.lines[1].y == pytest.approx(np.mean([result.recall[3] for result in given[1].results], axis=0))
    assert info.lines[1].area == pytest.approx(np.mean([result.table["auc"][3] for result in given[1].results]))
    bands = [trace for trace in roc.roc(info).data if trace.fill == "toself"]
    assert [band.legendgroup for band in bands] == ["b"], "seeds have a band, a single run has none"


def test_the_stretched_axis_begins_above_zero():
    figure = roc.roc(roc.roc_info(overlays(by_rank, 1)), is_log=True)
    assert figure.layout.xaxis.type == "log"
    assert figure.layout.xaxis.range[0] == -4
    assert FALSE_ALARMS[1] < 1e-4


def test_a_class_without_images_is_named():
    made = made_answers(100, 4)
    answers = Answers(np.where(made.labels == 3, 0, made.labels), made.probabilities)
    info = roc.roc_info([Overlay("a", "run a", (by_rank(answers),))], [2, 5])
    assert info.lacking == ("frog",)
    assert roc.roc_summary(info).endswith("no image, so no curve: frog.")


def test_average_precision_of_few_images_is_said_to_be_too_high():
    few = precision_recall.precision_recall_info(overlays(by_rank, 1, n=100))
    text = precision_recall.precision_recall_summary(few)
    assert f"The smallest class has {few.few} images: average precision of so few comes out too high." in text
    many = precision_recall.precision_recall_info(overlays(by_rank, 1, n=400))
    assert "too high" not in precision_recall.precision_recall_summary(many)
    assert precision_recall.precision_recall(many).data[0].line.shape == "vh"


def test_an_area_is_not_rounded_up_to_one():
    scores = np.linspace(0, 1, 400, dtype=np.float32)
    labels = (np.arange(400) >= 200).astype(np.int64)
    labels[[199, 200]] = labels[[200, 199]]
    perfect_but_one = Answers(labels, np.stack([1 - scores, scores], axis=1))
    info = roc.roc_info([Overlay("a", "run a", (by_rank_of_two(perfect_but_one),))], [3])
    assert info.lines[0].area == pytest.approx(1 - 1 / 200**2)
    assert roc.roc(info).data[-1].name.startswith("dog: 0.99997 (0.99")


def by_rank_of_two(answers):
    from cnnlab.analysis.ranking import ranking

    return ranking(answers, ["cat", "dog"])


def test_areas_of_all_classes_or_of_each_run():
    given = overlays(by_rank, 1)
    table = areas_table(given)
    assert table["curve"].to_list() == ["macro average", "micro average", *NAMES]
    assert table["auc_low"].to_list() == given[0].results[0].table["auc_low"].to_list()
    several = areas_table(overlays(by_rank, 1, 2), [0])
    assert several["curve"].to_list() == ["run a", "run b"]
    assert several["runs"].to_list() == [1, 2]
    assert areas_table([]).is_empty()


def test_rankings_of_nothing():
    for info in (roc.roc_info([]), roc.roc_info([Overlay("a", "run a", (by_rank(NOTHING),))])):
        assert info.is_empty
        assert roc.roc_summary(info).startswith("No ROC is known yet")
        assert not roc.roc(info).data
        assert not precision_recall.precision_recall(info).data


# ---- top-k ----


def test_top_k_is_told_for_1_and_5_where_that_says_something():
    info = top_k.top_k_info([Overlay("a", "run a", (top_k_of(made_answers(200, 8)),))])
    text = top_k.top_k_summary(info)
    assert "top-1 " in text
    assert " and top-5 " in text
    assert top_k.top_k(info).data[0].x.tolist() == list(range(1, 9))
    assert "top-5" not in top_k.top_k_summary(top_k.top_k_info(overlays(top_k_of, 1))), "of four classes"


def test_ties_and_missing_answers_are_told():
    made = made_answers(50, 4)
    made.probabilities[0] = 0.25
    frame = top_k_of(Answers(made.labels, made.probabilities, left_out=3))
    text = top_k.top_k_summary(top_k.top_k_info([Overlay("a", "run a", (frame,))]))
    assert "in 1 image the true class shares its probability with another" in text
    assert text.endswith("3 images without an answer left out.")


def test_top_k_of_nothing():
    info = top_k.top_k_info([Overlay("a", "run a", (top_k_of(NOTHING),))])
    assert info.is_empty
    assert top_k.top_k_summary(info) == "No predictions are known yet."
    assert not top_k.top_k(info).data


# ---- reliability ----


def test_points_stand_where_the_bins_do():
    given = overlays(by_confidence, 1)
    info = reliability.reliability_info(given)
    bins = given[0].results[0].equal_width.bins
    assert info.lines[0].x == pytest.approx(bins["confidence"].to_numpy())
    assert info.lines[0].y == pytest.approx(bins["accuracy"].to_numpy())
    assert info.histograms[0].y.sum() == pytest.approx(1)
    figure = reliability.reliability(info)
    assert figure.data[0].name == "as sure as right"
    assert figure.data[2].yaxis == "y2"
    assert "expected calibration error" in reliability.reliability_summary(info)


@pytest.mark.parametrize("bins", ["equal_width", "equal_mass"])
def test_a_group_is_the_mean_of_each_bin(bins):
    given = overlays(by_confidence, 3)
    info = reliability.reliability_info(given, bins)
    last = [getattr(result, bins).bins.filter(pl.col("bin") == 14) for result in given[0].results]
    assert info.lines[0].y[-1] == pytest.approx(np.mean([table["accuracy"][0] for table in last]))
    errors = [getattr(result, bins).value for result in given[0].results]
    assert info.errors[0][0] == pytest.approx(np.mean(errors))
    assert "95 % intervals over seeds and images: " in reliability.reliability_summary(info)
    assert info.numbers()["runs"].max() == 3


def test_reliability_of_nothing():
    info = reliability.reliability_info([Overlay("a", "run a", (by_confidence(NOTHING),))])
    assert info.is_empty
    assert not reliability.reliability(info).data


# ---- thresholds ----


def test_over_the_threshold_accuracy_is_solid_and_coverage_dashed():
    info = selective.selective_info(overlays(by_threshold, 1))
    figure = selective.selective(info, mark=0.75)
    assert named(figure, "right among the answered")[0].line.dash is None
    assert named(figure, "answered")[0].line.dash == "dash"
    assert figure.layout.shapes[0].x0 == 0.75
    assert info.coverage[0].y[0] == 1, "at 0 all is answered"
    assert info.numbers().columns == ["curve", "threshold", "accuracy", "low", "high", "runs", "coverage"]


def test_over_the_share_answered_runs_are_compared():
    info = selective.selective_info(overlays(by_threshold, 1, 2), "coverage")
    assert info.coverage == ()
    assert [trace.name for trace in selective.selective(info).data if trace.fill is None] == ["run a", "run b"]
    text = selective.selective_summary(info)
    assert "95 % intervals over images, of groups over seeds and images: " in text
    assert "right when it answers all" in text
    assert "on the surest half" in text


def test_thresholds_of_nothing():
    info = selective.selective_info([Overlay("a", "run a", (by_threshold(NOTHING),))])
    assert info.is_empty
    assert selective.selective_summary(info) == "No predictions are known yet."
    assert not selective.selective(info).data


def test_many_entries_of_a_legend_do_not_take_the_height_of_the_plot():
    one = overlays(by_confidence, 1)[0]
    few, many = (
        reliability.reliability(
            reliability.reliability_info([Overlay(str(place), f"run {place}", one.results) for place in range(count)])
        ).layout
        for count in (2, 9)
    )
    assert many.height - few.height == 7 * 20
    assert many.legend.maxheight >= 10 * 20


def test_colours_of_the_page_are_kept():
    colours = {"a": "#112233", "b": "#445566"}
    two = overlays(by_threshold, 1, 1)
    figure = selective.selective(selective.selective_info(two[1:], "coverage"), colours)
    assert figure.data[-1].line.color == "#445566"
    tops = top_k.top_k(top_k.top_k_info(overlays(top_k_of, 1, 1)), colours)
    assert [trace.line.color for trace in tops.data] == ["#112233", "#445566"]
