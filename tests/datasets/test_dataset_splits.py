import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlab.datasets.splits import SPLITS, check_classes, stratified_split
from cnnlab.errors import DatasetError

LABELS = st.lists(st.integers(0, 5), min_size=1, max_size=300).map(np.array)
FRACTIONS = st.fixed_dictionaries({"val": st.floats(0.01, 0.5), "test": st.floats(0.01, 0.4)})


@settings(deadline=None)
@given(LABELS, FRACTIONS, st.integers(0, 2**31 - 1))
def test_every_class_gives_its_share_and_keeps_one_for_train(labels, fractions, seed):
    splits = stratified_split(labels, fractions, seed)
    assert set(splits) <= set(SPLITS)
    for label in np.unique(labels):
        mine = splits[labels == label]
        assert np.sum(mine == "train") >= 1
        for split, fraction in fractions.items():
            count = np.sum(mine == split)
            assert count <= max(1, fraction * len(mine) + 0.5)
            if len(mine) >= 20:
                assert abs(count - fraction * len(mine)) <= 1


@settings(deadline=None)
@given(LABELS, FRACTIONS, st.integers(0, 2**31 - 1))
def test_the_same_seed_splits_alike(labels, fractions, seed):
    first, second = stratified_split(labels, fractions, seed), stratified_split(labels, fractions, seed)
    assert (first == second).all()


def test_another_seed_splits_otherwise():
    labels = np.repeat([0, 1], 100)
    assert (stratified_split(labels, {"val": 0.2}, 0) != stratified_split(labels, {"val": 0.2}, 1)).any()


def test_a_split_of_today_stays_for_ever():
    splits = stratified_split(np.zeros(10, int), {"val": 0.2, "test": 0.2}, seed=7)
    assert " ".join(splits) == "val val train train train test train test train train"


def test_three_images_of_a_class_reach_all_splits():
    splits = stratified_split(np.zeros(3, int), {"val": 0.1, "test": 0.2}, seed=0)
    assert sorted(splits) == ["test", "train", "val"]


def test_a_class_missing_from_a_split_is_named():
    with pytest.raises(DatasetError) as error:
        check_classes(np.array(["train", "train", "val", "val", "test"]), np.array([0, 1, 0, 1, 0]), ["cat", "dog"])
    assert str(error.value) == (
        "Class 'dog' has no image in the split 'test'. Every split needs every class. "
        "Add images of it there (three per class at least), or leave the class out of all splits."
    )
