"""Real trainings with one fault each: its rule names it. Healthy ones raise no alarm."""

import os
import time
from collections.abc import Callable

import faulty_runs as faulty
import numpy as np
import pytest

from cnnlab.datasets.storage import open_dataset
from cnnlab.doctor.evidence import Evidence
from cnnlab.doctor.examine import examine
from cnnlab.training import equipment

pytestmark = pytest.mark.training


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def digits(root):
    return open_dataset(root, "digits")


def found(evidence: Evidence) -> list[str]:
    """Return the rules that found something, notes left out."""
    return [finding.rule for finding in examine(evidence).findings if finding.severity != "note"]


def test_a_learning_rate_a_hundred_times_too_high(root):
    assert "learning_rate_high" in found(faulty.trained(root, faulty.lenet(2, learning_rate=0.2)))


def test_a_learning_rate_a_hundred_times_too_low(root):
    assert found(faulty.trained(root, faulty.lenet(3, learning_rate=2e-5))) == ["learning_rate_low"]


def test_shuffled_labels(root, digits):
    shuffled = faulty.changed(digits, faulty.shuffle_labels)
    assert found(faulty.trained(root, faulty.lenet(5), shuffled)) == ["shuffled_labels"]


def test_dead_units(root):
    evidence = faulty.trained(root, faulty.lenet(2), prepare=faulty.sink_biases)
    assert found(evidence) == ["dead_relu"]


def test_frozen_layers(root):
    evidence = faulty.trained(root, faulty.lenet(3), prepare=faulty.freeze_first)
    assert found(evidence) == ["layers_not_learning"]
    assert examine(evidence).findings[0].numbers["layers"] == ["c1", "c3"]


def test_vanishing_gradients(root):
    assert found(faulty.trained(root, faulty.layers(*faulty.SIGMOIDS, *faulty.HEAD, size=8, epochs=2))) == [
        "vanishing_gradients"
    ]


def test_exploding_gradients(root):
    values = faulty.layers(*faulty.CONVS, *faulty.HEAD, size=8, epochs=1)
    assert "exploding_gradients" in found(faulty.trained(root, values, prepare=faulty.enlarge))


def test_overfitting(root, digits):
    few = faulty.changed(digits, faulty.keep_few(50))
    assert found(faulty.trained(root, faulty.lenet(30, batch_size=10), few)) == ["overfitting"]


def test_a_validation_of_training_images(root, digits):
    leaked = faulty.changed(digits, faulty.copy_train_into_val)
    assert found(faulty.trained(root, faulty.lenet(2), leaked))[0] == "leaked_validation"


def test_classes_never_predicted(root, digits):
    evidence = faulty.trained(root, faulty.lenet(4), faulty.changed(digits, faulty.make_rare([3, 7], 1)))
    assert "class_never_predicted" in found(evidence)
    finding = next(one for one in examine(evidence).findings if one.rule == "class_never_predicted")
    assert set(finding.numbers["classes"]) >= {"3", "7"}


def test_raw_pixels(root):
    strided = {"kind": "conv", "filters": 8, "stride": 4}
    values = faulty.layers(strided, *faulty.HEAD, epochs=1)
    assert "input_not_normalised" in found(faulty.trained(root, values, prepare=faulty.see_raw_pixels))


def test_a_feed_that_starves(root, monkeypatch):
    build = equipment._feed

    def slow_feed(*args, **kwargs):
        feed = build(*args, **kwargs)
        feed.augmentation = crawl
        return feed

    monkeypatch.setattr(equipment, "_feed", slow_feed)
    assert "starved_feed" in found(faulty.trained(root, faulty.lenet(3, batch_size=256)))


def crawl(images: np.ndarray, _random: np.random.Generator) -> np.ndarray:
    """Take far longer for a batch than its step does; the whole epoch is one chunk, so nothing overlaps."""
    time.sleep(0.15)
    return images


HEALTHY: dict[str, Callable[[int], dict]] = {
    "digits": lambda seed: {"training": {"seed": seed}},
    "shapes": lambda seed: {
        "data": {"dataset": "shapes", "parameters": {"count": 1200, "size": 16}, "image_size": 16},
        "training": {"epochs": 5, "seed": seed},
    },
    "resnet": lambda seed: {
        "data": {"image_size": 8},
        "architecture": {"name": "resnet", "parameters": {"blocks_per_stack": 1, "width": 8}},
        "training": {"epochs": 2, "batch_size": 128, "seed": seed},
    },
}


@pytest.mark.parametrize("seed", range(3) if os.environ.get("CNNLAB_SLOW_TESTS") else [0])
@pytest.mark.parametrize("name", HEALTHY)
def test_healthy_runs_raise_no_alarm(root, name, seed):
    evidence = faulty.trained(root, HEALTHY[name](seed))
    assert [finding.sentence for finding in examine(evidence).findings if finding.severity != "note"] == []
