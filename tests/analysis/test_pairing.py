"""On which images networks can be compared, and why not."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from answered_runs import answered, unanswered
from hypothesis import given
from hypothesis import strategies as st

from cnnlab.analysis.pairing import NO_ANSWERS, answered_run, share, shared_text

IDS = [f"image-{place}" for place in range(60)]
ALL = "1" * 60
ROW = {"run_id": "a", "group_id": "g", "dataset": "pets", "dataset_version": "v1", "main_output": "label"}
RESULT = {"test": {"label": {}}, "outputs": {"label": ["cat", "dog"]}, "test_time": "flip"}


def test_the_same_images_in_another_order_are_joined_by_name():
    first = answered("a", "110100" * 10, IDS, labels=[0, 1, 0, 1, 0, 1] * 10)
    other = answered("b", "110100" * 10, IDS[::-1], labels=[1, 0, 1, 0, 1, 0] * 10)
    found = share([first, other])
    assert found.is_right[1].tolist() == found.is_right[0].tolist()[::-1]
    assert found.sample_ids.to_list() == IDS
    assert (found.left_out, found.refused, found.num_images) == ({}, {}, 60)


def test_other_versions_are_compared_on_what_they_share():
    first = answered("a", "10" * 30, IDS)
    other = answered("b", "1" * 50, [*IDS[20:], *[f"new-{place}" for place in range(10)]], version="v2")
    found = share([first, other])
    assert found.sample_ids.to_list() == IDS[20:]
    assert found.left_out == {"a": 20, "b": 10}
    assert found.is_right.tolist() == [[True, False] * 20, [True] * 40]


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (answered("b", ALL, IDS, dataset="birds"), "it stands on the data set birds, not on pets"),
        (replace(answered("b", ALL, IDS), output="colour"), "it answers colour, not label"),
        (answered("b", ALL, IDS, classes=("cat", "dog", "fish")),
         "it chooses among other classes: 3 classes, not 2; only it knows fish"),
        (answered("b", ALL, IDS, classes=("cat", "fish")),
         "it chooses among other classes: 2 classes, not 2; only it knows fish"),
        (answered("b", ALL, IDS, classes=("cat",)),
         "it chooses among other classes: 1 class, not 2; it does not know dog"),
        (answered("b", ALL, [f"new-{place}" for place in range(60)]),
         "it was tested on different images: none of them is shared"),
        (answered("b", "1" * 29, IDS[:29]), "it shares only 29 of 60 test images with the others"),
        (answered("b", ALL, IDS, labels=[1] * 60),
         "it shares only 0 of 60 test images with the others; 60 more have another label in its version of the data"),
        (answered("b", "1" * 30, IDS[:30], labels=[1] + [0] * 29),
         "it shares only 29 of 60 test images with the others; 1 more has another label in its version of the data"),
        (replace(answered("b", ALL, IDS, dataset="pets_corrected"), corrected_from="birds"),
         "it stands on the data set pets_corrected, not on pets"),
        (unanswered("b"), "not tested yet"),
    ],
)  # fmt: skip
def test_what_would_be_unfair_is_refused_with_its_reason(other, reason):
    found = share([answered("a", ALL, IDS), other, answered("c", ALL, IDS)])
    assert found.refused == {"b": reason}
    assert found.run_ids == ("a", "c")  # the others go on without it
    assert found.num_images == 60


def test_a_correction_is_compared_on_the_images_that_have_the_same_label_in_both():
    first = answered("a", "10" * 30, IDS)
    made = answered("b", "1" * 59, IDS[1:], labels=[1, 1] + [0] * 57, dataset="pets_corrected")
    for runs in ([first, replace(made, corrected_from="pets")], [replace(made, corrected_from="pets"), first]):
        found = share(runs)
        assert found.sample_ids.to_list() == IDS[3:]
        assert (found.refused, found.left_out, found.relabelled) == ({}, {"a": 1}, 2)
        assert found.is_right[[run.run_id for run in runs].index("a")].sum() == 28
    assert share([first, made]).refused == {"b": "it stands on the data set pets_corrected, not on pets"}


def test_an_image_with_another_label_in_one_of_three_is_left_out_of_all():
    runs = [answered("a", ALL, IDS), answered("b", ALL, IDS, labels=[1] + [0] * 59), answered("c", ALL, IDS)]
    found = share(runs)
    assert (found.run_ids, found.num_images, found.relabelled) == (("a", "b", "c"), 59, 1)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (answered("b", ALL, IDS), ""),
        (answered("b", "1" * 58, IDS[2:]),
         "Compared on the 58 test images that all of them share; also tested on others: A (2 more)."),
        (answered("b", ALL, IDS, labels=[1] + [0] * 59),
         "Compared on the 59 test images that all of them share; left out: 1 image that has another label in one of "
         "them."),
        (answered("b", "1" * 58, IDS[2:], labels=[1, 1] + [0] * 56),
         "Compared on the 56 test images that all of them share; left out: 2 images that have another label in one "
         "of them; also tested on others: A (2 more)."),
    ],
)  # fmt: skip
def test_on_which_images_runs_are_compared_in_words(other, said):
    assert shared_text(share([answered("a", ALL, IDS), other]), {"a": "A", "b": "B"}) == said


def test_classes_in_another_order_are_the_same_classes():
    first = answered("a", ALL, IDS, labels=[0, 1] * 30)
    other = answered("b", ALL, IDS, labels=[1, 0] * 30, classes=("dog", "cat"))
    assert not share([first, other]).refused
    assert share([first, replace(other, answers=replace(other.answers, classes=("cat", "dog")))]).refused


def test_one_odd_run_does_not_take_the_images_from_the_others():
    whole, odd = answered("a", "1" * 200), answered("odd", "1" * 40)
    found = share([whole, odd, answered("b", "1" * 200)])
    assert found.run_ids == ("a", "b")
    assert found.refused == {"odd": "it shares only 40 of 200 test images with the others"}
    assert share([whole, odd]).num_images == 40  # two of them may well be compared on few


def test_few_images_are_enough_where_all_are_shared():
    assert share([answered("a", "101"), answered("b", "011")]).num_images == 3


def test_nobody_was_tested():
    found = share([unanswered("a"), unanswered("b")])
    assert (found.run_ids, found.num_images) == ((), 0)
    assert found.refused == {"a": "not tested yet", "b": "not tested yet"}


@given(st.permutations(range(40)), st.integers(30, 40))
def test_joining_keeps_who_is_right_where(order, kept):
    rng = np.random.default_rng(0)
    right = rng.random(40) < 0.5
    chosen = order[:kept]
    found = share([answered("a", right), answered("b", right[chosen], [f"image-{place}" for place in chosen])])
    assert found.num_images == kept
    assert (found.is_right[0] == found.is_right[1]).all()


def test_a_run_of_the_store_with_its_answers():
    frame = pl.DataFrame({"sample_id": ["x", "y", "z"], "label": [0, 1, 1], "predicted": [0, 0, None]},
                         schema_overrides={"label": pl.Int32, "predicted": pl.Int32})  # fmt: skip
    found = answered_run(ROW, RESULT, lambda *_: frame)
    assert found.answers.is_right.tolist() == [True, False, False]  # what is not a number is wrong
    assert (found.answers.classes, found.views, found.group_id) == (("cat", "dog"), "flip", "g")
    assert found.origin == "pets"
    assert answered_run(ROW, RESULT, lambda *_: frame, {("pets", "v1"): "animals"}).origin == "animals"
    assert answered_run(ROW, RESULT, lambda *_: frame, {("pets", "v2"): "animals"}).origin == "pets"


def nobody(*asked):
    raise AssertionError(f"{asked} was read")


def test_why_a_run_has_no_answers():
    assert answered_run(ROW, None, nobody).reason == "not tested yet"
    assert answered_run({**ROW, "state": "cancelled"}, None, nobody).reason == "cancelled before its test"
    assert answered_run(ROW | {"main_output": None}, None, nobody).answers is None
    assert answered_run(ROW | {"main_output": "colour"}, RESULT, nobody).reason == "it did not learn the output colour"
    empty = pl.DataFrame({"sample_id": [], "label": [], "predicted": []})
    assert answered_run(ROW, RESULT, lambda *_: empty).reason == NO_ANSWERS
