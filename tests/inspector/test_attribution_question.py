"""Where a trained network looked, asked of the inspector: what comes back, and what is refused."""

import keras
import numpy as np
import pytest
from keras import layers
from made_runs import make_run

from cnnlab.datasets.storage import open_dataset
from cnnlab.errors import ConfigError, DatasetError
from cnnlab.inspector import attribution_questions
from cnnlab.inspector.client import CALCULATED
from cnnlab.inspector.questions import get_kind
from cnnlab.runs.store import Store


@pytest.fixture
def digits():
    return open_dataset(Store().root, "digits")


def run_with(digits, *parts) -> str:
    """A run that was tested on digits, whose network stretches them to 32 px."""
    store = Store()
    made = make_run(store.root, version=digits.info.version)
    keras.Sequential([keras.Input((32, 32, 1)), *parts, layers.Dense(10)]).save(store.run_dir(made) / "model.keras")
    return made


@pytest.fixture
def convolutional(digits):
    return run_with(digits, layers.Conv2D(3, 5, strides=4, name="only"), layers.Flatten())


def ask(run_id, ids, **arguments):
    classes = arguments.pop("classes", list(range(len(ids))))
    return get_kind("attribution")(
        Store().root, run_id=run_id, split="test", sample_ids=ids, classes=classes, **arguments
    )


def test_grad_cam_where_it_applies(digits, convolutional):
    ids = digits.sample_ids("test")[:3]
    answer = ask(convolutional, ids)
    assert answer.keep
    assert (answer.value["method"], answer.value["layer"], answer.value["reason"]) == ("grad_cam", "only", "")
    assert len(answer.value["maps"]) == 3
    for one in answer.value["maps"]:
        values = np.array(one["values"])
        assert values.shape == (7, 7)
        assert 0 <= values.min() <= values.max() <= 1
        assert 0 <= one["probability"] <= 1


def test_occlusion_where_it_is_asked_for_or_grad_cam_does_not_apply(digits, convolutional):
    ids = digits.sample_ids("test")[:2]
    asked = ask(convolutional, ids, method="occlusion").value
    assert (asked["method"], asked["reason"]) == ("occlusion", "")
    assert np.array(asked["maps"][0]["values"]).shape == (32, 32)
    assert asked["maps"][0]["probability"] == pytest.approx(ask(convolutional, ids).value["maps"][0]["probability"])
    dense = run_with(digits, layers.Flatten())
    fallen_back = ask(dense, ids).value
    assert fallen_back["method"] == "occlusion"
    assert fallen_back["reason"] == "The network has no convolution whose map decides alone."
    with pytest.raises(ConfigError, match=r"^Grad-CAM does not apply here\. .* Ask for occlusion instead\.$"):
        ask(dense, ids, method="grad_cam")


def test_images_that_there_is_no_time_for_are_told_and_asked_again(digits, convolutional, monkeypatch):
    monkeypatch.setattr(attribution_questions, "SECONDS", -1.0)
    answer = ask(convolutional, digits.sample_ids("test")[:2], method="occlusion")
    assert answer.value["maps"] == [None, None]
    assert not answer.keep


@pytest.mark.parametrize(
    ("count", "arguments", "sentence"),
    [
        (25, {}, r"^25 images and 25 classes are asked for\. Expected one class for each of 1 to 24 images\."),
        (2, {"classes": [1]}, r"^2 images and 1 classes are asked for\."),
        (1, {"method": "lime"}, r"^method='lime' is unknown\. Expected one of: auto, grad_cam, occlusion\."),
    ],
)
def test_what_cannot_be_asked_is_refused(digits, convolutional, count, arguments, sentence):
    with pytest.raises(ConfigError, match=sentence):
        ask(convolutional, digits.sample_ids("test")[:count], **arguments)


def test_images_that_are_gone_are_said_with_the_way_out(digits, convolutional):
    with pytest.raises(
        DatasetError, match=r"^Image 'nobody' is not in the split 'test' of data set 'digits', version "
    ):
        ask(convolutional, ["nobody"])
    gone = make_run(Store().root, version="0123456789ab")
    with pytest.raises(DatasetError, match=r"data set 'digits', version 0123456789ab\..*Make it again from the cat"):
        ask(gone, digits.sample_ids("test")[:1])


def test_it_is_asked_of_the_process_that_calculates():
    assert "attribution" in CALCULATED
