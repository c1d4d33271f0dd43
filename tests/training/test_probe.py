"""The look at the layers: right numbers, on both backends, and no part in the training."""

import keras
import numpy as np
import pytest

from cnnlab.config import config_from_dict
from cnnlab.datasets.storage import open_dataset
from cnnlab.training import loop
from cnnlab.training.control import Control, PausedError
from cnnlab.training.engines.base import build_engine
from cnnlab.training.losses import build_loss
from cnnlab.training.model import TrainingModel
from cnnlab.training.probe import Probe, probe_rows
from cnnlab.training.recorder import NullRecorder
from cnnlab.training.trainer import Context, train
from cnnlab.training.watching import watched_layers

pytestmark = pytest.mark.training


class Looks(NullRecorder):
    """Keeps what the looks found and what went wrong."""

    def __init__(self):
        self.looks, self.events = {}, []

    def probe(self, epoch, step, rows):
        self.looks[epoch] = rows

    def event(self, name, **fields):
        self.events.append(name)


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


@pytest.fixture
def short_epochs(monkeypatch):
    """However slow the machine is, looks come after epochs 1, 2, 4 and the last; and chunks are short."""
    monkeypatch.setattr("cnnlab.training.probe.SHORT_EPOCH_S", float("inf"))
    monkeypatch.setattr("cnnlab.training.trainer.longest_chunk", lambda: 2)


def config(**values):
    """A small network with everything that has a state of its own: statistics, dropout, random augmentation."""
    layers = [
        {"kind": "conv", "filters": 4, "stride": 2}, "batch_norm", {"kind": "activation", "function": "relu"},
        {"kind": "dropout", "rate": 0.3}, {"kind": "conv", "filters": 6, "stride": 2}, "global_average_pool",
    ]  # fmt: skip
    return config_from_dict(
        {
            "data": {"image_size": 8},
            "architecture": {"name": "layers", "parameters": {"layers": layers}},
            "augmentation": "shift(0.1)",
            "training": {"epochs": 5, "batch_size": 256, "seed": 3},
            **values,
        }
    )


def test_the_training_is_the_same_without_a_look(digits, monkeypatch):
    watched, blind = Looks(), Looks()
    one = train(config(), digits, watched)
    monkeypatch.setattr(loop.Loop, "_begin_probe", lambda self, _: setattr(self, "probe", None))
    two = train(config(), digits, blind)
    assert watched.looks
    assert not blind.looks
    for ours, theirs in zip(one.network.get_weights(), two.network.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.usefixtures("short_epochs")
def test_a_resumed_training_has_the_same_looks(digits, tmp_path):
    whole, parts = Looks(), Looks()
    train(config(), digits, whole)
    for look in (3, 4):
        with pytest.raises(PausedError):
            train(config(), digits, parts, Context(tmp_path, PauseAt(look)))
    train(config(), digits, parts, Context(tmp_path))
    assert sorted(whole.looks) == [1, 2, 4, 5]
    assert parts.looks == whole.looks
    assert "probe_failed" not in whole.events + parts.events


def test_a_look_that_fails_ends_no_training(digits, monkeypatch):
    def no_room(_):
        raise MemoryError("none left")

    monkeypatch.setattr(Probe, "look", no_room)
    kept = Looks()
    train(config(training={"epochs": 2, "batch_size": 256}), digits, kept)
    assert kept.events.count("probe_failed") == 1
    assert "evaluating" in kept.events


def by_hand():
    """Two dense layers of known weights on one image of two pixels, with a probe."""
    images = keras.Input((1, 2, 1), name="images")
    x = keras.layers.Flatten(name="flat")(images)
    x = keras.layers.Dense(3, activation="relu", name="hidden")(x)
    network = keras.Model(images, keras.layers.Dense(2, name="logits")(x))
    hidden, logits = network.get_layer("hidden"), network.get_layer("logits")
    hidden.kernel.assign([[1.0, -1.0, 0.5], [1.0, -1.0, 0.0]])
    logits.kernel.assign([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    model = TrainingModel(network, None, {"label": 2}, {"label": build_loss()})
    engine = build_engine(model, keras.optimizers.SGD(0.1))
    pixels = np.array([[[[1], [2]]]], np.uint8)
    return Probe(model, engine, pixels, {"label": np.array([1], np.int32)}, 1, 0), hidden


def test_the_numbers_by_hand():
    probe, hidden = by_hand()
    probe.begin(None, (0, 0))
    hidden.kernel.assign(hidden.kernel * 1.5)
    first, second = probe.look()
    # 1.5 * (3, -3, 0.5) after ReLU, then logits (4.5, 0): the label is the second class.
    wrong = 1 / (1 + np.exp(-4.5))
    assert (first["layer"], first["units"], first["dead_share"]) == ("hidden", 3, pytest.approx(1 / 3))
    assert first["activation_mean"] == pytest.approx((4.5 + 0.75) / 3)
    assert first["weight_change"] == pytest.approx(0.5)
    assert first["weight_norm"] == pytest.approx(1.5 * np.sqrt(4.25))
    # The gradient of the first unit is `wrong`, times the pixels (1, 2) and the bias's 1.
    assert first["gradient_norm"] == pytest.approx(wrong * np.sqrt(1 + 4 + 1), rel=1e-5)
    assert second["gradient_norm"] == pytest.approx(wrong * np.sqrt(2 * (4.5**2 + 0.75**2 + 1)), rel=1e-5)
    assert (second["units"], second["dead_share"], second["weight_change"]) == (None, None, 0.0)
    assert "call" not in vars(hidden)  # the layer is as it was
    assert probe.look()[0]["weight_change"] == 0.0


def test_a_frozen_layer_is_told():
    probe, hidden = by_hand()
    hidden.trainable = False
    first, second = probe.look()
    assert (first["is_frozen"], first["gradient_norm"], first["num_weights"]) == (True, None, 9)
    assert (second["is_frozen"], second["gradient_norm"] > 0) == (False, True)
    assert first["weight_change"] is None  # nothing was remembered to compare with


def test_layers_within_layers_have_rows():
    inner = keras.Sequential([keras.layers.Conv2D(2, 3), keras.layers.ReLU()], name="inner")
    images = keras.Input((8, 8, 1))
    network = keras.Model(images, keras.layers.Dense(2)(keras.layers.GlobalAveragePooling2D()(inner(images))))
    kinds = [(type(one.layer).__name__, len(one.variables), one.rectifies) for one in watched_layers(network)]
    assert sorted(kinds) == [("Conv2D", 2, False), ("Dense", 2, False), ("ReLU", 0, True)]


def test_large_images_come_as_many_as_in_a_step():
    assert len(probe_rows((5000, 32, 32, 3), 64, 0)) == 128
    assert len(probe_rows((5000, 224, 224, 3), 8, 0)) == 8
    assert len(probe_rows((5000, 224, 224, 3), 512, 0)) == 128
    assert len(probe_rows((50, 32, 32, 3), 64, 0)) == 50
    np.testing.assert_array_equal(probe_rows((5000, 32, 32, 3), 64, 1), probe_rows((5000, 32, 32, 3), 64, 1))


def test_a_look_takes_a_hundredth_of_an_epoch():
    probe, _ = by_hand()
    probe._cost_s = 0.05
    assert [epoch for epoch in range(1, 11) if probe.is_due(epoch, 10, 0.5)] == [1, 2, 4, 8, 10]
    assert not probe.is_due(3, 10, 4.9)
    assert probe.is_due(3, 10, 5.0)


def second_look():
    """What a look finds after the first layer has changed."""
    probe, hidden = by_hand()
    probe.begin(None, (0, 0))
    hidden.kernel.assign(hidden.kernel * 1.5)
    probe._engine.reload()
    return probe.look()


@pytest.mark.processes
def test_another_backend_sees_the_same(on_backend):
    there = on_backend("jax").ask(__file__, "second_look")
    for ours, theirs in zip(second_look(), there, strict=True):
        numbers = {name: value for name, value in ours.items() if isinstance(value, float)}
        assert {name: theirs[name] for name in numbers} == pytest.approx(numbers, rel=1e-5, abs=1e-7)
        assert {name: theirs[name] for name in ours if name not in numbers} == {
            name: value for name, value in ours.items() if name not in numbers
        }
