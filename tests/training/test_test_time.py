"""Probabilities averaged over views, against NumPy."""

import numpy as np
import pytest

from cnnlab.config import config_from_dict
from cnnlab.datasets.storage import open_dataset
from cnnlab.settings.tricks import TricksConfig
from cnnlab.training.evaluation import BATCH_SIZE, evaluate, evaluate_views
from cnnlab.training.test_time import shifted, views_of
from cnnlab.training.trainer import train

IMAGES = np.random.default_rng(0).integers(0, 256, (BATCH_SIZE + 3, 6, 6, 2)).astype(np.uint8)
LABELS = {"label": np.arange(len(IMAGES), dtype=np.int32) % 3}
WEIGHTS = np.random.default_rng(1).normal(size=(6, 6, 2, 3))


def predict(images):
    return {"label": np.einsum("bhwc,hwck->bk", images / 255.0, WEIGHTS).astype(np.float32)}


def probabilities(images):
    powers = np.exp(predict(images)["label"].astype(np.float64))
    return powers / powers.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(("test_time", "count"), [("none", 1), ("flip", 2), ("shifts", 5), ("flip_and_shifts", 10)])
def test_the_first_view_is_the_image_and_all_differ(test_time, count):
    seen = [view(IMAGES) for view in views_of(TricksConfig(test_time=test_time, test_time_shift_px=2))]
    np.testing.assert_array_equal(seen[0], IMAGES)
    assert len({one.tobytes() for one in seen}) == len(seen) == count
    assert {one.shape for one in seen} == {IMAGES.shape}


def test_a_shift_moves_pixels_and_mirrors_the_border():
    row = np.arange(6, dtype=np.uint8).reshape(1, 1, 6, 1) + np.zeros((1, 6, 1, 1), np.uint8)
    assert shifted(row, 0, 2)[0, 0, :, 0].tolist() == [2, 1, 0, 1, 2, 3]
    assert shifted(row, 0, -2)[0, 0, :, 0].tolist() == [2, 3, 4, 5, 4, 3]
    assert shifted(row.swapaxes(1, 2), 1, 0)[0, :, 0, 0].tolist() == [1, 0, 1, 2, 3, 4]


def test_the_mean_is_of_probabilities_over_all_views():
    views = views_of(TricksConfig(test_time="flip_and_shifts"))
    padded = np.pad(IMAGES, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect")
    flipped = padded[:, :, ::-1]
    places = [(1, 1), (2, 1), (0, 1), (1, 2), (1, 0)]
    expected = np.mean(
        [probabilities(one[:, y : y + 6, x : x + 6]) for one in (padded, flipped) for y, x in places], axis=0
    )
    averaged, plain = evaluate_views(predict, IMAGES, LABELS, views)
    np.testing.assert_allclose(averaged["label"].probabilities, expected, rtol=1e-5)
    np.testing.assert_allclose(plain["label"].probabilities, probabilities(IMAGES), rtol=1e-5)
    np.testing.assert_array_equal(
        plain["label"].probabilities, evaluate(predict, IMAGES, LABELS)["label"].probabilities
    )


@pytest.mark.training
def test_the_result_says_which_views_and_what_the_images_as_they_are_give(tmp_path):
    digits = open_dataset(tmp_path, "digits")
    values = {"data": {"image_size": 16}, "training": {"epochs": 1, "batch_size": 128}}
    plain = train(config_from_dict(values), digits)
    averaged = train(config_from_dict({**values, "tricks": {"test_time": "shifts"}}), digits)
    assert plain.result()["test_time"] == "none"
    assert "plain" not in plain.result()
    result = averaged.result()
    assert result["test_time"] == "shifts"
    assert result["plain"] == {split: plain.result()[split] for split in ("val", "test")}
    assert result["test"]["label"]["loss"] != plain.result()["test"]["label"]["loss"]
    difference = averaged.answers["test"]["label"].probabilities - averaged.plain_answers["test"]["label"].probabilities
    assert np.abs(difference).max() > 1e-4
