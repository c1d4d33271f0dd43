"""The bag of tricks in whole trainings and in numbers of its own."""

import keras
import numpy as np
import pytest

from cnnlab.config import TrainingConfig, TricksConfig, config_from_dict
from cnnlab.datasets.storage import open_dataset
from cnnlab.settings.trick_notes import OF_TRICKS
from cnnlab.training.averages import WeightAverages
from cnnlab.training.class_weights import balanced, effective_number, weights_of_outputs
from cnnlab.training.engines.base import Chunk, build_engine
from cnnlab.training.losses import build_loss
from cnnlab.training.model import TrainingModel
from cnnlab.training.optimizers import build_optimizer
from cnnlab.training.rates import learning_rates
from cnnlab.training.trainer import train

pytestmark = pytest.mark.training


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    return open_dataset(tmp_path_factory.mktemp("store"), "digits")


def config(tricks=None, **training):
    return config_from_dict(
        {
            "data": {"image_size": 16},
            "training": {"epochs": 1, "batch_size": 128, **training},
            "tricks": tricks or {},
        }
    )


# ---- numbers ----


def test_balanced_weights_by_hand():
    np.testing.assert_allclose(balanced(np.array([6, 3, 0, 1])), [10 / 18, 10 / 9, 0, 10 / 3], rtol=1e-6)


def test_weights_by_effective_number_by_hand():
    counts, beta = np.array([100, 10, 0]), 0.9
    seen = np.array([(1 - beta**100) / (1 - beta), (1 - beta**10) / (1 - beta)])
    wanted = (1 / seen) * 2 / (1 / seen).sum()
    np.testing.assert_allclose(effective_number(counts, beta), [*wanted, 0], rtol=1e-6)
    np.testing.assert_allclose(effective_number(counts, 0.0), [1, 1, 0])
    ratio = effective_number(np.array([20, 10]), 1 - 1e-9)
    assert ratio[1] / ratio[0] == pytest.approx(2, rel=1e-6)  # near 1: as balanced


def test_each_output_has_weights_of_its_own():
    labels = {"one": np.array([0, 0, 1]), "two": np.array([1, 1, 1])}
    tricks = TricksConfig(class_weights="balanced")
    found = weights_of_outputs(tricks, labels, {"one": 2, "two": 2})
    np.testing.assert_allclose(found["one"], [0.75, 1.5])
    np.testing.assert_allclose(found["two"], [0, 1])
    assert weights_of_outputs(TricksConfig(), labels, {"one": 2, "two": 2}) == {"one": None, "two": None}


def test_the_rate_grows_with_the_batch():
    training = TrainingConfig(learning_rate=0.1, batch_size=512, schedule="constant", epochs=1)
    assert learning_rates(training, 2, TricksConfig(scale_rate_from_batch=256)).tolist() == [0.2, 0.2]
    assert learning_rates(training, 2, TricksConfig()).tolist() == [0.1, 0.1]


def test_the_focal_loss_of_mixed_targets_by_hand():
    targets = np.array([[0.75, 0.25, 0.0]], "float32")
    p = np.array([[0.5, 0.3, 0.2]])
    weights = np.array([1.0, 2.0, 0.5], "float32")
    found = build_loss(0.0, 2.0, weights)(targets, np.log(p).astype("float32"))
    wanted = -(0.75 * 0.5**2 * np.log(0.5) + 2.0 * 0.25 * 0.7**2 * np.log(0.3))
    assert float(found) == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("gamma", [0.5, 2.0])
def test_the_slope_of_the_focal_loss_is_finite_where_the_network_is_sure(gamma):
    import tensorflow as tf

    logits = tf.Variable([[200.0, 0.0], [0.0, 200.0]])
    with tf.GradientTape() as tape:
        loss = build_loss(0.0, gamma)(tf.constant([[1.0, 0.0], [1.0, 0.0]]), logits)
    assert np.isfinite(tape.gradient(loss, logits).numpy()).all()


def test_weight_decay_spares_biases_and_normalisation_unless_all_decay():
    names = ("kernel", "bias", "gamma", "beta", "log_variances")
    variables = [keras.Variable(1.0, name=name) for name in names]
    training = TrainingConfig(weight_decay=0.1)
    for tricks, decayed in ((TricksConfig(), {"kernel"}), (TricksConfig(decay_all=True), set(names[:4]))):
        optimizer = build_optimizer(training, 0.1, tricks)
        assert {variable.name for variable in variables if optimizer._use_weight_decay(variable)} == decayed


def test_float16_clips_gradients_after_they_are_scaled_back():
    training = TrainingConfig(optimizer="sgd", momentum=0.0, nesterov=False, precision="float16")
    optimizer = build_optimizer(training, 1.0, TricksConfig(clip_norm=0.5))
    weight = keras.Variable(np.zeros(2, "float32"))
    optimizer.build([weight])
    scale = float(optimizer.scale_loss(1.0))
    optimizer.apply([keras.ops.convert_to_tensor(np.array([3.0, 4.0], "float32") * scale)], [weight])
    np.testing.assert_allclose(weight.numpy(), [-0.3, -0.4], rtol=1e-5)


# ---- batch normalisation ----


def normalised_model(**tricks):
    keras.utils.set_random_seed(1)
    images = keras.Input((4, 4, 1))
    x = keras.layers.BatchNormalization(momentum=0.5)(keras.layers.Conv2D(2, 3)(images))
    network = keras.Model(images, keras.layers.Dense(3)(keras.layers.Flatten()(x)))
    averages = WeightAverages(network, 0.5) if "averages" in tricks else None
    return TrainingModel(
        network, None, {"label": 3}, {"label": build_loss()}, averages=averages, sam_rho=tricks.get("sam_rho")
    )


def moving_means(model, steps):
    random = np.random.default_rng(0)
    chunk = Chunk(
        np.zeros((1, 6), np.int32),
        random.integers(0, 256, (1, 6, 4, 4, 1)).astype(np.uint8),
        {"label": np.arange(6, dtype=np.int32)[None] % 3},
    )
    training = TrainingConfig(optimizer="sgd", momentum=0.0, nesterov=False)
    engine = build_engine(model, build_optimizer(training, 1e-4))
    layer = next(layer for layer in model.network.layers if isinstance(layer, keras.layers.BatchNormalization))
    found = []
    for _ in range(steps):
        engine.train(chunk)
        found.append(layer.moving_mean.numpy())
    return layer, found


def test_moving_statistics_follow_the_first_of_the_two_passes():
    _, plain = moving_means(normalised_model(), 1)
    layer, sharp = moving_means(normalised_model(sam_rho=5.0), 1)
    np.testing.assert_allclose(sharp[0], plain[0], rtol=1e-5)
    assert layer.momentum == 0.5


def test_moving_statistics_are_averaged_as_weights_are():
    model = normalised_model(averages=True)
    layer, means = moving_means(model, 3)
    model.averages.swap(model.network)
    first = means[0] + 0.9 * (means[1] - means[0])
    np.testing.assert_allclose(layer.moving_mean.numpy(), first + 9 / 11 * (means[2] - first), rtol=1e-4)
    model.averages.swap(model.network)
    np.testing.assert_array_equal(layer.moving_mean.numpy(), means[2])


def test_averages_are_variables_that_are_not_trained_nor_saved(tmp_path):
    model = normalised_model(averages=True)
    plain = normalised_model()
    assert [v.shape for v in model.trainable_variables] == [v.shape for v in plain.trainable_variables]
    assert len(model.variables) == len(plain.variables) + len(plain.network.variables) + 1
    model.network.save(tmp_path / "network.keras")
    assert len(keras.models.load_model(tmp_path / "network.keras").variables) == len(plain.network.variables)


# ---- trainings ----


def test_the_kept_network_and_its_scores_are_of_the_averages(digits):
    noisy = {"learning_rate": 0.02, "schedule": "constant", "epochs": 2}
    plain, averaged = train(config(**noisy), digits), train(config({"ema_decay": 0.9}, **noisy), digits)
    differences = [
        np.abs(one - two).max()
        for one, two in zip(plain.network.get_weights(), averaged.network.get_weights(), strict=True)
    ]
    assert max(differences) > 1e-3
    assert averaged.result()["val"]["label"]["loss"] != plain.result()["val"]["label"]["loss"]
    logits = averaged.network(np.asarray(_val_images(digits)), training=False)
    probabilities = keras.ops.convert_to_numpy(keras.ops.softmax(logits))
    np.testing.assert_allclose(probabilities, averaged.answers["val"]["label"].probabilities, atol=1e-4)


def _val_images(digits):
    from cnnlab.datasets.resizing import images_at

    return images_at(digits, "val", 16).astype("float32")


def test_every_trick_together_still_learns(digits):
    tricks = {
        "scale_rate_from_batch": 64, "clip_norm": 5.0, "decay_all": True, "ema_decay": 0.95, "sam_rho": 0.02,
        "focal_gamma": 1.0, "class_weights": "balanced",
    }  # fmt: skip
    trained = train(config(tricks, epochs=6, weight_decay=1e-4, label_smoothing=0.1), digits)
    assert trained.result()["test"]["label"]["accuracy"] > 0.8


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_a_network_of_16_bits_learns_and_answers_alike_when_loaded(digits, tmp_path, precision):
    tricks = {"ema_decay": 0.9, "sam_rho": 0.02}
    trained = train(config(tricks, precision=precision, epochs=3, learning_rate=0.01), digits)
    assert trained.result()["test"]["label"]["accuracy"] > 0.6
    assert {weight.dtype for weight in trained.network.weights} == {"float32"}
    trained.network.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    images = _val_images(digits)[:32]
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(loaded(images)), keras.ops.convert_to_numpy(trained.network(images))
    )


def test_without_tricks_nothing_is_added_to_the_step():
    model = normalised_model()
    assert (model.teacher, model.averages, model.sam_rho) == (None, None, None)
    assert config().fingerprint() == config({}).fingerprint() == config({"focal_gamma": 0.0}).fingerprint()


def test_every_trick_has_a_sentence_a_source_and_a_time_to_use_it():
    fields = TricksConfig.model_fields
    for name, note in OF_TRICKS.items():
        assert name in fields
        assert fields[name].description == note.description
        assert all(text.endswith(".") for text in (note.does, note.helps))
        assert any(character.isdigit() for character in note.source), "no year"
