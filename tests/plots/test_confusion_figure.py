"""The matrix as a figure."""

import numpy as np
import polars as pl
import pytest

from cnnlab.analysis.intervals import wilson
from cnnlab.plots.confusion import ANNOTATED_CLASSES, confusion, confusion_info, confusion_summary

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


def test_counts_stand_in_their_cells_and_zeros_are_blank():
    heatmap = confusion(confusion_info(predictions(PAIRS), NAMES)).data[0]
    assert heatmap.z.tolist() == [[1, 0, 2], [0, 0, 0], [0, 0, 1]]
    assert [list(row) for row in heatmap.text] == [["1", "", "2"], ["", "", ""], ["", "", "1"]]


def test_shares_of_each_row_with_the_counts_in_the_hover_text():
    figure = confusion(confusion_info(predictions(PAIRS), NAMES), "shares")
    heatmap = figure.data[0]
    assert heatmap.z[0] == pytest.approx([1 / 3, 0, 2 / 3])
    assert np.isnan(heatmap.z[1]).all(), "a class without images has no shares"
    assert list(heatmap.text[0]) == ["33", "", "67"]
    assert heatmap.customdata[0] == [1, 0, 2]
    assert heatmap.zmax == 1
    assert figure.layout.xaxis.title.text == "Predicted class (cells: % of the true class)"


def test_a_share_is_never_rounded_to_none_or_all():
    pairs = [(0, 0)] * 999 + [(0, 1)]
    heatmap = confusion(confusion_info(predictions(pairs), NAMES), "shares").data[0]
    assert list(heatmap.text[0]) == [">99", "<1", ""]


@pytest.mark.parametrize("num_classes", [2, ANNOTATED_CLASSES, ANNOTATED_CLASSES + 1, 120])
def test_from_two_to_many_classes(num_classes):
    names = [f"class {place}" for place in range(num_classes)]
    info = confusion_info(predictions([(place, place) for place in range(num_classes)]), names)
    figure = confusion(info)
    assert figure.data[0].z.shape == (num_classes, num_classes)
    assert (figure.data[0].texttemplate is not None) == (num_classes <= ANNOTATED_CLASSES)
    assert (figure.data[0].showscale) == (num_classes > ANNOTATED_CLASSES)
    assert figure.layout.yaxis.scaleanchor == "x", "square"
    assert figure.layout.yaxis.autorange == "reversed", "the first class is on top"
    figure.to_json()


def test_classes_of_one_name_stay_apart():
    figure = confusion(confusion_info(predictions([(0, 1)]), ("x", "x", "<b>")))
    assert list(figure.data[0].x) == ["x", "x (2)", "&lt;b&gt;"]


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
