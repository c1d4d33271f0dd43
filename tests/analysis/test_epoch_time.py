"""The estimate of an epoch's time: the nearest runs there are, and none where there are none."""

import pytest

from cnnlab.analysis.epoch_time import EpochTime, epoch_time


def run(architecture: str = "lenet5", macs: int | None = 1000, images_per_s: float | None = 100.0):
    return {"architecture": architecture, "macs": macs, "images_per_s": images_per_s}


def test_the_same_network_is_taken_as_it_is():
    runs = [run(images_per_s=100), run(images_per_s=200), run(images_per_s=50), run("resnet", 1000, 1)]
    assert epoch_time(runs, "lenet5", 1005, 1000) == EpochTime(10.0, 3, "same")


def test_another_size_of_it_is_scaled_by_its_work():
    assert epoch_time([run(), run("resnet", 2000, 1)], "lenet5", 4000, 1000) == EpochTime(40.0, 1, "family")


def test_other_networks_come_last():
    assert epoch_time([run("vgg", 500, 100)], "lenet5", 1000, 1000) == EpochTime(20.0, 1, "others")


@pytest.mark.parametrize(
    ("runs", "macs", "images"),
    [([], 1000, 10), ([run(macs=None)], 1000, 10), ([run(images_per_s=None)], 1000, 10), ([run()], None, 10),
     ([run()], 1000, None), ([run(images_per_s=0.0)], 1000, 10)],
)  # fmt: skip
def test_nothing_is_guessed(runs, macs, images):
    assert epoch_time(runs, "lenet5", macs, images) is None
