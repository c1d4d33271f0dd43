"""A training that was stopped goes on as if nothing had happened."""

import numpy as np
import pytest

from cnnlab.config import config_from_dict
from cnnlab.datasets.storage import open_dataset
from cnnlab.errors import TrainingError
from cnnlab.training.control import Control, PausedError
from cnnlab.training.recorder import NullRecorder
from cnnlab.training.trainer import Context, train

pytestmark = pytest.mark.training


class Rows(NullRecorder):
    """Keeps epochs and steps of all attempts."""

    def __init__(self):
        self.epochs, self.losses = [], {}

    def metrics(self, rows):
        self.epochs.append(rows[0]["epoch"])

    def steps(self, epoch, first_step, measured, rates, elapsed_s):
        self.losses |= {first_step + index: loss for index, loss in enumerate(measured["loss"].tolist())}


class PauseAt(Control):
    """Asks for a pause at the n-th look."""

    def __init__(self, look):
        super().__init__()
        self.left = look

    def is_pause_wanted(self):
        self.left -= 1
        return self.left == 0


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    return open_dataset(tmp_path_factory.mktemp("store"), "digits")


@pytest.fixture(autouse=True)
def short_chunks(monkeypatch):
    """Chunks of 4 steps: an epoch has several, so that it can be left in the middle."""
    monkeypatch.setattr("cnnlab.training.trainer.longest_chunk", lambda: 4)


def config(tricks=None, **training):
    values = {"epochs": 3, "batch_size": 64, "optimizer": "adam", "seed": 5, **training}
    return config_from_dict(
        {
            "data": {"image_size": 16},
            "architecture": {"name": "lenet5", "parameters": {"dropout": 0.3}},
            "augmentation": "crop(1)|shift(0.1)|mixup(0.2)",
            "training": values,
            "tricks": tricks or {},
        }
    )


TRICKS = {
    "ema_decay": 0.9, "sam_rho": 0.05, "clip_norm": 1.0, "focal_gamma": 1.0, "class_weights": "effective_number",
}  # fmt: skip


@pytest.mark.parametrize("tricks", [{}, TRICKS], ids=["plain", "tricks"])
def test_stopped_at_any_moment_it_ends_with_the_same_weights(digits, tmp_path, tricks):
    whole, parts = Rows(), Rows()
    expected = train(config(tricks), digits, whole)
    for look in (2, 6, 3):  # in the middle of an epoch, and between two
        with pytest.raises(PausedError):
            train(config(tricks), digits, parts, Context(tmp_path, PauseAt(look)))
    resumed = train(config(tricks), digits, parts, Context(tmp_path))
    assert parts.epochs == whole.epochs == [1, 2, 3]
    assert parts.losses == whole.losses
    for one, two in zip(expected.network.get_weights(), resumed.network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    assert resumed.result()["test"] == expected.result()["test"]


def test_learnt_weights_of_outputs_go_on(tmp_path):
    parameters = {"count": 200, "size": 16, "noise": 0.0}
    shapes = open_dataset(tmp_path / "store", "shapes", parameters=parameters)
    values = {
        "data": {"dataset": "shapes", "image_size": 16},
        "training": {"epochs": 2, "batch_size": 16},
        "heads": {"uncertainty_weighting": True},
    }
    whole, parts = Rows(), Rows()
    train(config_from_dict(values), shapes, whole)
    with pytest.raises(PausedError):
        train(config_from_dict(values), shapes, parts, Context(tmp_path, PauseAt(2)))
    train(config_from_dict(values), shapes, parts, Context(tmp_path))
    assert parts.losses == whole.losses


def test_growing_images_skipped_blocks_and_averaged_views_go_on_too(digits, tmp_path):
    asked = config_from_dict(
        {
            "data": {"image_size": 16},
            "architecture": {
                "name": "resnet",
                "parameters": {"blocks_per_stack": 1, "width": 4, "stochastic_depth": 0.5, "zero_init_last_norm": True},
            },
            "training": {"epochs": 2, "batch_size": 256, "seed": 5},
            "tricks": {"start_size_share": 0.5, "growing_share": 0.5, "test_time": "flip"},
        }
    )
    whole, parts = Rows(), Rows()
    expected = train(asked, digits, whole)
    with pytest.raises(PausedError):
        train(asked, digits, parts, Context(tmp_path, PauseAt(1)))  # in the middle of the small epoch
    resumed = train(asked, digits, parts, Context(tmp_path))
    assert parts.losses == whole.losses
    assert resumed.result()["test"] == expected.result()["test"]
    assert resumed.result()["plain"] == expected.result()["plain"]


@pytest.mark.parametrize("tricks", [{}, {"ema_decay": 0.8}], ids=["plain", "averaged"])
def test_the_best_epoch_is_remembered_over_a_pause(digits, tmp_path, tricks):
    rough = {"tricks": tricks, "epochs": 30, "early_stopping_epochs": 1, "learning_rate": 0.02}
    expected = train(config(**rough), digits)
    with pytest.raises(PausedError):
        train(config(**rough), digits, None, Context(tmp_path, PauseAt(7)))
    resumed = train(config(**rough), digits, None, Context(tmp_path))
    assert resumed.ended.reason == expected.ended.reason == "early_stopping"
    assert resumed.ended.kept_epoch == expected.ended.kept_epoch
    assert resumed.result()["val"] == expected.result()["val"]


def test_the_state_of_another_config_is_refused(digits, tmp_path):
    with pytest.raises(PausedError):
        train(config(), digits, None, Context(tmp_path, PauseAt(1)))
    with pytest.raises(TrainingError, match=r"of another config or an older version\. Train from the start\.$"):
        train(config(learning_rate=0.1), digits, None, Context(tmp_path))


def test_a_damaged_checkpoint_is_told(digits, tmp_path):
    (tmp_path / "training.npz").write_bytes(b"PK")
    with pytest.raises(TrainingError, match=r"^The checkpoint training\.npz cannot be read .*Train from the start\.$"):
        train(config(), digits, None, Context(tmp_path))


def test_a_time_budget_ends_the_training_with_the_best_weights(digits):
    rows = Rows()
    trained = train(config(epochs=1000, time_budget_minutes=1e-6), digits, rows)
    assert trained.ended.reason == "time_budget"
    assert rows.epochs == [1]  # the first epoch is always finished, so that there is something to keep
    assert trained.ended.kept_epoch == 1
