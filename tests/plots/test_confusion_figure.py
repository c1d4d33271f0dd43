"""The matrix as a figure."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from plot_frames import cell_texts

from cnnlab.analysis.intervals import student, wilson
from cnnlab.plots.confusion import confusion, confusion_info, confusion_numbers, confusion_summary
from cnnlab.plots.square import ANNOTATED_CLASSES, CELL_CLASSES, NAMED_CLASSES

NAMES = ("cat", "deer", "dog")


def predictions(pairs, output="label", split="test"):
    labels, predicted = zip(*pairs, strict=True) if pairs else ((), ())
    columns = {"label": pl.Series(labels, dtype=pl.Int32), "predicted": pl.Series(predicted, dtype=pl.Int32)}
    return pl.DataFrame(columns).with_columns(split=pl.lit(split), output=pl.lit(output))


PAIRS = [(0, 0), (0, 2), (0, 2), (2, 2)]


def test_numbers():
    info = confusion_info(predictions(PAIRS), NAMES)
    assert info.matrix.tolist() == [[1, 0, 2], [0, 0, 0], [0, 0, 1]]
    assert (info.correct, info.n, info.accuracy, info.low, info.high) == (2, 4, 0.5, *wilson(2, 4))


def test_only_the_split_and_output_asked_for():
    frame = pl.concat([predictions(PAIRS), predictions([(1, 1)], split="val"), predictions([(2, 1)], output="second")])
    assert confusion_info(frame, NAMES).n == 4
    assert confusion_info(frame, NAMES, split="val").matrix[1, 1] == 1
    assert confusion_info(frame, NAMES, output="second").matrix[2, 1] == 1


def cells_of(figure):
    """Return the cell of each point that can be clicked, with its count."""
    return {int(point[0]): int(point[1]) for point in figure.data[-1].customdata}


def test_counts_stand_in_their_cells_and_zeros_are_blank():
    figure = confusion(confusion_info(predictions(PAIRS), NAMES))
    assert figure.data[0].z.tolist() == [[1, 0, 2], [0, 0, 0], [0, 0, 1]]
    assert cell_texts(figure) == [["1", "", "2"], ["", "", ""], ["", "", "1"]]


def test_shares_of_each_row_with_the_counts_in_the_hover_text():
    figure = confusion(confusion_info(predictions(PAIRS), NAMES), "rows")
    heatmap, points = figure.data[0], figure.data[-1]
    assert heatmap.z[0] == pytest.approx([1 / 3, 0, 2 / 3])
    assert np.isnan(heatmap.z[1]).all(), "a class without images has no shares"
    assert cell_texts(figure)[0] == ["33", "", "67"]
    assert points.customdata[2] == pytest.approx([2, 2, 2 / 3])
    assert heatmap.zmax == 1
    assert figure.layout.xaxis.title.text == "Predicted class (cells: % of the true class)"


def test_shares_of_each_column():
    heatmap = confusion(confusion_info(predictions(PAIRS), NAMES), "columns").data[0]
    assert heatmap.z[:, 2] == pytest.approx([2 / 3, 0, 1 / 3])
    assert np.isnan(heatmap.z[:, 1]).all(), "a class that is never predicted has no shares"


def test_without_the_diagonal_mistakes_have_the_whole_scale():
    pairs = [(0, 0)] * 50 + [(0, 2)] * 2
    heatmap = confusion(confusion_info(predictions(pairs), NAMES), has_diagonal=False).data[0]
    assert heatmap.z.tolist() == [[0, 0, 2], [0, 0, 0], [0, 0, 0]]
    assert heatmap.zmax == 2


def test_a_share_is_never_rounded_to_none_or_all():
    pairs = [(0, 0)] * 999 + [(0, 1)]
    figure = confusion(confusion_info(predictions(pairs), NAMES), "rows")
    assert cell_texts(figure)[0] == [">99", "<1", ""]


@pytest.mark.parametrize("num_classes", [2, ANNOTATED_CLASSES, ANNOTATED_CLASSES + 1, 120, CELL_CLASSES + 1])
def test_from_two_to_many_classes(num_classes):
    names = [f"class {place}" for place in range(num_classes)]
    info = confusion_info(predictions([(place, place) for place in range(num_classes)]), names)
    figure = confusion(info)
    assert (figure.data[0].type == "heatmap") == (num_classes <= CELL_CLASSES), "very small cells are points alone"
    if num_classes <= CELL_CLASSES:
        assert figure.data[0].z.shape == (num_classes, num_classes)
        assert (figure.data[0].texttemplate is not None) == (num_classes <= ANNOTATED_CLASSES)
        assert figure.data[0].showscale == (num_classes > ANNOTATED_CLASSES)
    assert len(cells_of(figure)) == (num_classes**2 if num_classes <= NAMED_CLASSES else num_classes)
    assert figure.layout.yaxis.scaleanchor == "x", "square"
    assert figure.layout.yaxis.range == (num_classes - 0.5, -0.5), "the first class is on top"
    figure.to_json()


@pytest.mark.parametrize("num_classes", [3, 60, CELL_CLASSES + 3])
def test_points_lead_to_their_cells_in_any_order(num_classes):
    names = [str(place) for place in range(num_classes)]
    info = confusion_info(predictions([(0, 2), (0, 2), (1, 0)]), names)
    figure = confusion(info, "rows", order=np.arange(num_classes)[::-1])
    assert {cell: n for cell, n in cells_of(figure).items() if n} == {2: 2, num_classes: 1}
    points = figure.data[-1]
    place = list(cells_of(figure)).index(2)
    assert (int(points.y[place]), int(points.x[place])) == (num_classes - 1, num_classes - 3)
    assert figure.layout.xaxis.labelalias["0"] == str(num_classes - 1)


def test_a_chosen_cell_is_marked_where_the_order_put_it():
    info = confusion_info(predictions(PAIRS), NAMES)
    (shape,) = confusion(info, order=np.array([2, 0, 1]), chosen=(0, 2)).layout.shapes
    assert (shape.x0, shape.x1, shape.y0, shape.y1) == (-0.5, 0.5, 0.5, 1.5)


def test_a_thousand_classes_travel_light():
    rng = np.random.default_rng(0)
    labels = np.arange(10_000) % 1000
    guesses = np.where(rng.random(10_000) < 0.75, labels, rng.integers(0, 1000, 10_000))
    info = confusion_info(predictions(list(zip(labels, guesses, strict=True))), [f"class {n}" for n in range(1000)])
    assert len(confusion(info, "rows").to_json()) < 300_000


def test_classes_of_one_name_stay_apart():
    figure = confusion(confusion_info(predictions([(0, 1)]), ("x", "x", "<b>")))
    assert [figure.layout.xaxis.labelalias[str(place)] for place in range(3)] == ["x", "x (2)", "&lt;b&gt;"]


def test_the_empty_cell_has_the_page_s_side_of_the_scale():
    info = confusion_info(predictions(PAIRS), NAMES)
    light, dark = confusion(info).data[0].colorscale, confusion(info, is_dark=True).data[0].colorscale
    assert light[0][1] == "#f4f8fb"
    assert dark[0][1] == "#16202b"


def test_summary_of_the_matrix():
    assert confusion_summary(confusion_info(predictions(PAIRS), NAMES)) == (
        "Confusion matrix of 4 images of test in 3 classes: 50.00 % right (95 % interval 15.00 to 85.00 %); "
        "most often cat is taken for dog (2 times)."
    )
    assert confusion_summary(confusion_info(predictions([(0, 0)]), NAMES)).endswith(
        "(95 % interval 20.65 to 100.00 %)."
    )


def test_several_runs_have_means_in_their_cells_and_an_interval_over_runs():
    runs = [predictions([(0, 0)] * right + [(0, 1)] * (10 - right)) for right in (9, 8, 7)]
    frame = pl.concat(run.with_columns(run_id=pl.lit(f"run {place}")) for place, run in enumerate(runs))
    info = confusion_info(frame, NAMES)
    assert (info.num_runs, info.n, info.correct) == (3, 30, 24)
    assert (info.low, info.high) == pytest.approx((student([0.9, 0.8, 0.7])[1], 1.0)), "an accuracy is at most 1"
    assert confusion_summary(info) == (
        "Confusion matrix of 30 answers of test in 3 classes, mean of 3 runs: 80.00 % right (95 % interval over "
        "runs 55.16 to 100.00 %); most often cat is taken for deer (2 times a run)."
    )
    figure = confusion(info)
    assert cell_texts(figure)[0] == ["8", "2", ""]
    assert figure.layout.xaxis.title.text == "Predicted class (cells: images, mean of 3 runs)"
    assert figure.data[-1].hovertemplate.endswith("images: %{customdata[1]} in all 3 runs<extra></extra>")
    assert cell_texts(confusion(replace(info, matrix=np.array([[29, 1, 0], [0, 0, 0], [0, 0, 0]]))))[0] == [
        "9.7", "0.3", "",
    ]  # fmt: skip
    same = pl.concat([runs[0].with_columns(run_id=pl.lit(name)) for name in "ab"])
    assert np.isnan(confusion_info(same, NAMES).low), "two runs that agree prove nothing"


def test_the_numbers_are_the_cells_that_are_not_empty():
    assert confusion_numbers(confusion_info(predictions(PAIRS), NAMES)).rows() == [
        ("cat", "cat", 1, 1 / 3, 1.0), ("cat", "dog", 2, 2 / 3, 2 / 3), ("dog", "dog", 1, 1.0, 1 / 3),
    ]  # fmt: skip


def test_without_predictions_both_say_so():
    info = confusion_info(predictions([]), NAMES)
    assert info.is_empty
    assert np.isnan(info.accuracy)
    assert confusion_summary(info) == "No predictions on test are known yet."
    assert confusion(info).layout.annotations[0].text.startswith("No predictions on test yet")


def test_images_without_an_answer_are_said_and_stand_in_no_cell():
    frame = pl.DataFrame(
        {"split": ["test"] * 3, "output": ["label"] * 3, "label": [0, 1, 1], "predicted": [0, None, 1]},
        schema_overrides={"predicted": pl.Int32},
    )
    info = confusion_info(frame, ["x", "y"])
    assert info.matrix.tolist() == [[1, 0], [0, 1]]
    assert (info.n, info.unanswered) == (2, 1)
    assert "1 image without an answer left out" in confusion_summary(info)
