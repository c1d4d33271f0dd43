"""The difference of two matrices, and the most frequent mistakes as bars."""

import numpy as np
import polars as pl
import pytest
from plot_frames import cell_texts

from cnnlab.analysis.intervals import student, wilson
from cnnlab.plots.confused_pairs import confused_pairs, confused_pairs_info, confused_pairs_summary
from cnnlab.plots.confusion import confusion_info
from cnnlab.plots.confusion_difference import (
    confusion_difference,
    confusion_difference_info,
    confusion_difference_numbers,
    confusion_difference_summary,
)
from cnnlab.plots.palette import SEQUENTIAL_DARK, SEQUENTIAL_LIGHT, diverging

NAMES = ("cat", "deer", "dog")


def predictions(*pairs, run_id="r"):
    labels, predicted = zip(*pairs, strict=True)
    frame = pl.DataFrame({"label": labels, "predicted": predicted}, schema={"label": pl.Int32, "predicted": pl.Int32})
    return frame.with_columns(split=pl.lit("test"), output=pl.lit("label"), run_id=pl.lit(run_id))


A = predictions((0, 0), (0, 1), (0, 1), (1, 1), (2, 2))
B = predictions((0, 0), (0, 0), (0, 1), (1, 1), (2, 1))


def difference(cells="counts", a=A, b=B):
    return confusion_difference_info(confusion_info(a, NAMES), confusion_info(b, NAMES), ("first", "second"), cells)


def test_b_minus_a_adds_up_to_nothing_and_is_centred_on_zero():
    info = difference()
    assert info.values.tolist() == [[1, -1, 0], [0, 0, 0], [0, 1, -1]]
    figure = confusion_difference(info)
    heatmap, points = figure.data[0], figure.data[-1]
    assert (heatmap.zmin, heatmap.zmax) == (-1, 1)
    assert cell_texts(figure)[0] == ["+1", "-1", ""]
    assert points.customdata[1].tolist() == [1, 3, -1], "cell, answers of both, difference"


def test_shares_of_a_class_without_images_are_unknown():
    info = difference("columns")
    assert np.isnan(info.values[:, 2]).all(), "B takes nothing for a dog"
    numbers = confusion_difference_numbers(info)
    assert numbers.row(-1) == ("dog", "dog", 1.0, None, None)


def test_groups_are_compared_by_their_mean():
    twice = pl.concat([B, B.with_columns(run_id=pl.lit("other"))])
    assert difference(b=twice).values.tolist() == difference().values.tolist()
    assert difference(b=twice).unit == "images, means over runs"
    assert "60.00 % (5 images, mean of 2 runs) of B (second)" in confusion_difference_summary(difference(b=twice))


def test_the_summary_names_the_largest_changes():
    assert confusion_difference_summary(difference()) == (
        "Confusion of B minus A on test: 60.00 % (5 images) of A (first) and 60.00 % (5 images) of B (second) are "
        "right; B takes more often dog for deer (+1 images), and less often cat for deer (-1 images)."
    )
    assert confusion_difference_summary(difference(b=A)).endswith("are right.")


def test_other_classes_are_refused():
    with pytest.raises(ValueError, match="different classes"):
        confusion_difference_info(confusion_info(A, NAMES), confusion_info(A, ("x", "y", "z")), ("a", "b"))


@pytest.mark.parametrize("is_dark", [False, True])
def test_the_middle_of_the_colours_is_the_page(is_dark):
    scale = diverging(is_dark, power=1.6)
    places = [place for place, _ in scale]
    assert places == sorted(places)
    assert places[0] == 0
    assert places[-1] == 1
    assert places == pytest.approx([1 - place for place in reversed(places)])
    assert dict(scale)[0.5] == (SEQUENTIAL_DARK if is_dark else SEQUENTIAL_LIGHT)[0]


def test_bars_of_one_run_have_wilson_s_interval():
    info = confused_pairs_info(A, NAMES)
    assert info.table.rows() == [("cat", "deer", 1, 2, 3, 2 / 3, *wilson(2, 3))]
    figure = confused_pairs(info)
    assert list(figure.data[0].y) == ["cat → deer"]
    assert figure.data[0].customdata.tolist() == [[1, 2, 3]]
    assert confused_pairs_summary(info) == (
        "2 mistakes of 1 kind on test; most often cat is taken for deer (2 times: 66.7 % of cat, n = 3, "
        "95 % interval 20.8 to 93.9 %)."
    )


def test_bars_of_a_group_have_an_interval_over_seeds_and_images():
    runs = [predictions(*[(0, 1)] * wrong, *[(0, 0)] * (10 - wrong), run_id=str(wrong)) for wrong in (3, 4, 5)]
    info = confused_pairs_info(pl.concat(runs), NAMES)
    row = info.table.row(0, named=True)
    assert (row["n"], row["of"], row["share"]) == (12, 30, 0.4)
    _, low, high = student([0.3, 0.4, 0.5])
    assert row["low"] < low
    assert row["high"] > high
    assert "n = 30, 95 % interval over seeds and images" in confused_pairs_summary(info)


def test_seeds_that_make_the_same_mistakes_have_the_interval_of_one():
    runs = [predictions(*[(0, 1)] * 3, *[(0, 0)] * 7, run_id=seed) for seed in "abc"]
    of_one, of_all = (confused_pairs_info(pl.concat(part), NAMES).table.row(0, named=True) for part in (runs[:1], runs))
    assert (of_all["low"], of_all["high"]) == pytest.approx((of_one["low"], of_one["high"]))
    assert of_one["low"] < 0.3 < of_one["high"]


def test_no_mistake_is_said():
    info = confused_pairs_info(predictions((0, 0), (1, 1)), NAMES)
    assert confused_pairs_summary(info) == "There is no mistake on test."
    assert confused_pairs(info).layout.annotations[0].text.startswith("No mistake")
