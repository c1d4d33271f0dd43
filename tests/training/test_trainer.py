"""Training on small real data: it learns, repeats itself and says why it cannot go on."""

from pathlib import Path

import keras
import numpy as np
import pytest

from cnnlab.config import config_from_dict
from cnnlab.datasets.storage import Dataset, open_dataset
from cnnlab.errors import ConfigError, TrainingError
from cnnlab.training import equipment
from cnnlab.training.recorder import NullRecorder
from cnnlab.training.trainer import is_out_of_memory, train

pytestmark = pytest.mark.training


class Kept(NullRecorder):
    """A recorder that keeps everything in lists."""

    def __init__(self):
        self.rows, self.told, self.events, self.losses = [], [], [], []

    def metrics(self, rows):
        self.rows += rows

    def progress(self, values):
        self.told.append(values)

    def steps(self, epoch, first_step, measured, rates, elapsed_s):
        assert len(rates) == len(measured["loss"])
        assert first_step == len(self.losses) + 1
        self.losses += measured["loss"].tolist()

    def event(self, name, **fields):
        self.events.append(name)


@pytest.fixture(scope="module")
def digits(tmp_path_factory) -> Dataset:
    """The real digits, in a store of this module."""
    return open_dataset(tmp_path_factory.mktemp("store"), "digits")


@pytest.fixture(scope="module")
def shapes(tmp_path_factory) -> Dataset:
    """A few generated shapes."""
    parameters = {"count": 200, "size": 16, "noise": 0.0}
    return open_dataset(tmp_path_factory.mktemp("store"), "shapes", parameters=parameters)


def config(**values):
    """A config of 16 px LeNet-5, which trains quickest."""
    training = {"epochs": 2, "batch_size": 128, **values.pop("training", {})}
    return config_from_dict({"data": {"image_size": 16, **values.pop("data", {})}, "training": training, **values})


def test_it_learns_and_reports_each_epoch_once(digits):
    kept = Kept()
    trained = train(config(), digits, kept)
    scores = trained.result()["test"]["label"]
    assert scores["accuracy"] > 0.3  # chance is 0.1
    assert scores["n"] == digits.info.counts["test"]
    assert trained.ended.kept_epoch == 2  # without early stopping the last weights stay
    assert scores["correct"] == round(scores["accuracy"] * scores["n"])
    found = {(row["epoch"], row["split"], row["output"], row["metric"]) for row in kept.rows}
    assert len(found) == len(kept.rows) == 2 * 8
    assert {(1, "val", "label", "accuracy"), (2, "train", "", "learning_rate")} <= found
    assert kept.events == ["training_started", "first_batch", "evaluating"]
    last = kept.told[-1]
    steps = digits.info.counts["train"] // 128  # whole batches
    assert (last["epoch"], last["batch"], last["batches"]) == (2, steps, steps)
    assert len(kept.losses) == 2 * steps


def test_the_same_seed_gives_the_same_numbers_and_another_does_not(digits):
    augmented = {"augmentation": "shift(0.1)|mixup(0.2)", "training": {"epochs": 1}}
    first, again = (train(config(**augmented), digits).network.get_weights() for _ in range(2))
    other = train(config(augmentation="shift(0.1)|mixup(0.2)", training={"epochs": 1, "seed": 1}), digits)
    assert all(np.array_equal(one, two) for one, two in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other.network.get_weights()[0])


def test_two_outputs_are_learnt_at_once_and_one_can_be_chosen(shapes):
    both = train(config(data={"dataset": "shapes"}, training={"epochs": 1}), shapes)
    assert list(both.result()["test"]) == ["shape", "colour"]
    one = train(config(data={"dataset": "shapes", "outputs": ["colour"]}, training={"epochs": 1}), shapes)
    assert list(one.result()["test"]) == ["colour"]
    assert one.result()["main_output"] == "colour"


def test_an_output_that_the_data_lack_is_named(digits):
    with pytest.raises(ConfigError, match=r"Data set 'digits' has no output 'shape'\. Expected some of: label\."):
        train(config(data={"outputs": ["shape"]}), digits)


def test_a_loss_that_is_no_number_ends_the_run_and_its_epoch_is_kept(digits):
    kept = Kept()
    # Kernels are multiplied by -9 in each step: certain to overflow, on any machine.
    wild = {"optimizer": "sgd", "learning_rate": 10.0, "schedule": "constant", "weight_decay": 1.0, "epochs": 9}
    with pytest.raises(TrainingError, match="loss became") as error:
        train(config(training=wild), digits, kept)
    assert error.value.kind == "nan_loss"
    assert not np.isfinite([row["value"] for row in kept.rows if row["metric"] == "loss"]).all()


def test_early_stopping_goes_back_to_the_best_epoch(digits):
    kept = Kept()
    rough = {"epochs": 30, "early_stopping_epochs": 1, "optimizer": "adam", "learning_rate": 0.02}
    trained = train(config(training=rough), digits, kept)
    losses = [row["value"] for row in kept.rows if (row["split"], row["output"], row["metric"]) == ("val", "", "loss")]
    assert trained.ended.epochs_done == len(losses) < 30
    assert trained.ended.best_epoch == trained.ended.kept_epoch == 1 + int(np.argmin(losses))
    assert trained.answers["val"]["label"].scores()["loss"] == pytest.approx(min(losses), abs=1e-3)


def test_a_full_memory_is_told_apart(digits, monkeypatch):
    def no_room(*_):
        raise MemoryError("Unable to allocate 90 GiB")

    monkeypatch.setattr(equipment, "build_networks", no_room)
    with pytest.raises(TrainingError) as error:
        train(config(), digits)
    assert error.value.kind == "out_of_memory"
    assert str(error.value) == "MemoryError: Unable to allocate 90 GiB"


def test_what_backends_say_when_memory_is_full():
    class ResourceExhaustedError(Exception):
        pass

    assert is_out_of_memory(ResourceExhaustedError("OOM when allocating tensor"))
    assert is_out_of_memory(RuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 1 bytes."))
    assert is_out_of_memory(RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"))
    assert not is_out_of_memory(ValueError("the shapes do not fit"))


def test_a_saved_network_answers_raw_pixels(digits, tmp_path):
    trained = train(config(training={"epochs": 1}), digits)
    trained.network.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    from cnnlab.datasets.resizing import images_at

    pixels = images_at(digits, "test", 16)[:50]
    answers = np.asarray(loaded.predict(pixels, verbose=0)).argmax(axis=1)
    assert (answers == trained.answers["test"]["label"].predicted[:50]).all()


@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", "adam", "adamw", "adagrad"])
def test_each_optimizer_makes_the_loss_smaller(digits, optimizer):
    kept = Kept()
    train(config(training={"optimizer": optimizer, "weight_decay": 1e-4, "learning_rate": 0.005}), digits, kept)
    losses = [
        row["value"] for row in kept.rows if (row["split"], row["output"], row["metric"]) == ("train", "", "loss")
    ]
    assert losses[1] < losses[0]


def test_images_of_another_size_are_resized_once(digits):
    from cnnlab.datasets.resizing import images_at

    assert images_at(digits, "val", 8).shape[1:] == (8, 8, 1)
    resized = images_at(digits, "val", 20)
    assert resized.shape == (digits.info.counts["val"], 20, 20, 1)
    files = sorted((Path(digits.info.path) / "resized").glob("20px-val*"))
    assert [file.name for file in files] == ["20px-val.npy"]


def test_answers_that_are_no_numbers_are_refused(digits):
    from cnnlab.training.evaluation import check_answers, evaluate, losses_and_accuracies

    def broken(images):
        return {"label": np.full((len(images), 10), np.nan, np.float32)}

    answers = evaluate(broken, digits.images("val"), digits.labels("val"))
    assert np.isnan(losses_and_accuracies(answers)["loss"])
    with pytest.raises(TrainingError, match=r"^The network's answers for 'label' are no numbers any more\.$"):
        check_answers(answers)
