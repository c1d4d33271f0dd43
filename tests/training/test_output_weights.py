"""How the losses of several outputs are weighed: against NumPy, in training, and in words."""

import keras
import numpy as np
import pytest

from cnnlab.config import config_from_dict
from cnnlab.datasets.storage import open_dataset
from cnnlab.errors import ConfigError
from cnnlab.settings.heads import HeadsConfig
from cnnlab.training.evaluation import Answers, losses_and_accuracies
from cnnlab.training.head_rates import head_layers, head_multipliers
from cnnlab.training.losses import build_loss
from cnnlab.training.model import AUXILIARY_WEIGHT, TrainingModel
from cnnlab.training.models import build_networks
from cnnlab.training.optimizers import build_optimizer
from cnnlab.training.output_weights import LearntWeights, build_output_weights
from cnnlab.training.recorder import NullRecorder
from cnnlab.training.trainer import train

pytestmark = pytest.mark.training

CLASSES = {"shape": 3, "colour": 2}
RNG = np.random.default_rng(0)
IMAGES = RNG.uniform(0, 255, (4, 5)).astype(np.float32)
TARGETS = {name: np.eye(count, dtype=np.float32)[RNG.integers(0, count, 4)] for name, count in CLASSES.items()}


def training_model(heads: HeadsConfig, *, with_auxiliary: bool = False) -> TrainingModel:
    """One dense layer per output on five numbers, and one more each as auxiliary heads."""
    inputs = keras.Input((5,))
    logits = {name: keras.layers.Dense(count)(inputs / 255) for name, count in CLASSES.items()}
    network = keras.Model(inputs, logits)
    further = {name: [keras.layers.Dense(count)(inputs / 255)] for name, count in CLASSES.items()}
    companion = keras.Model(inputs, {"logits": logits, "auxiliary": further}) if with_auxiliary else None
    losses = {name: build_loss() for name in CLASSES}
    weights = build_output_weights(heads, list(CLASSES))
    return TrainingModel(network, None, CLASSES, losses, companion, weights)


def cross_entropy(targets, logits) -> float:
    """In NumPy, from the definition."""
    logits = np.asarray(logits, np.float64)
    log_shares = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return float(-(targets * log_shares).sum(axis=1).mean())


def losses_of(model: TrainingModel) -> dict[str, float]:
    answers = model.network(IMAGES)
    return {name: cross_entropy(TARGETS[name], answers[name]) for name in CLASSES}


def measured_by(model: TrainingModel) -> dict[str, float]:
    return {name: float(value) for name, value in model(IMAGES, TARGETS, training=True).items()}


def test_fixed_weights_weigh_the_sum():
    model = training_model(HeadsConfig(weights={"colour": 0.25}))
    expected, measured = losses_of(model), measured_by(model)
    assert measured["loss"] == pytest.approx(expected["shape"] + 0.25 * expected["colour"], rel=1e-5)
    assert measured["colour/loss"] == pytest.approx(expected["colour"], rel=1e-5)  # itself without its weight
    assert "colour/weight" not in measured


def test_an_auxiliary_head_is_weighed_as_its_output():
    model = training_model(HeadsConfig(weights={"shape": 3.0}), with_auxiliary=True)
    answers = model.with_auxiliary(IMAGES)
    parts = {
        name: cross_entropy(TARGETS[name], answers["logits"][name])
        + AUXILIARY_WEIGHT * cross_entropy(TARGETS[name], answers["auxiliary"][name][0])
        for name in CLASSES
    }
    assert measured_by(model)["loss"] == pytest.approx(3 * parts["shape"] + parts["colour"], rel=1e-5)


def test_learnt_weights_begin_with_the_plain_sum_and_follow_the_formula():
    model = training_model(HeadsConfig(uncertainty_weighting=True))
    expected = losses_of(model)
    assert measured_by(model)["loss"] == pytest.approx(sum(expected.values()), rel=1e-5)
    logs = np.array([0.7, -1.2])
    model.output_weights.set_weights([logs])
    measured = measured_by(model)
    assert set(measured) == set(model.measures)  # what a compiled loop makes room for
    by_hand = sum(np.exp(-s) * loss + s / 2 for s, loss in zip(logs, expected.values(), strict=True))
    assert measured["loss"] == pytest.approx(by_hand, rel=1e-5)
    assert measured["shape/weight"] == pytest.approx(np.exp(-0.7), rel=1e-6)
    assert measured["colour/weight"] == pytest.approx(np.exp(1.2), rel=1e-6)


def test_the_weight_of_a_loss_that_stays_becomes_one_over_twice_it():
    weights = LearntWeights(["a", "b"])
    optimizer = keras.optimizers.SGD(0.5)
    optimizer.build(weights.trainable_variables)
    for _ in range(200):
        # d/ds of exp(-s) L + s / 2, by hand: the layer's own weights stand in for exp(-s).
        shares = np.array([float(value) for value in weights.measured().values()])
        optimizer.apply([keras.ops.convert_to_tensor((0.5 - shares * [0.1, 2.0]).astype(np.float32))])
    assert [float(value) for value in weights.measured().values()] == pytest.approx([5.0, 0.25], rel=1e-3)


def test_weight_decay_leaves_the_learnt_weights_alone():
    config = config_from_dict({"training": {"optimizer": "sgd", "weight_decay": 0.5, "learning_rate": 1.0}})
    weights = LearntWeights(["a", "b"])
    weights.set_weights([np.array([1.0, -1.0])])
    optimizer = build_optimizer(config.training, 1.0)
    optimizer.build(weights.trainable_variables)
    optimizer.apply([keras.ops.zeros((2,))])
    np.testing.assert_array_equal(weights.get_weights()[0], [1.0, -1.0])


def test_validation_weighs_as_training_does():
    shares = np.array([[0.5, 0.5], [0.25, 0.75]], np.float32)
    answers = {name: Answers(np.array([0, 0], np.int32), shares) for name in ("a", "b")}
    one = float(-np.log([0.5, 0.25]).mean())
    assert losses_and_accuracies(answers)["loss"] == pytest.approx(2 * one)
    assert losses_and_accuracies(answers, {"b": 0.1})["loss"] == pytest.approx(1.1 * one)


class Rows(NullRecorder):
    """Keeps what is told of each epoch."""

    def __init__(self):
        self.rows = []

    def metrics(self, rows):
        self.rows += rows


@pytest.fixture(scope="module")
def shapes(tmp_path_factory):
    parameters = {"count": 200, "size": 16, "noise": 0.0}
    return open_dataset(tmp_path_factory.mktemp("store"), "shapes", parameters=parameters)


def shapes_config(heads=None, **training):
    values = {"epochs": 2, "batch_size": 64, "learning_rate": 0.005, **training}
    return config_from_dict({"data": {"dataset": "shapes", "image_size": 16}, "training": values, "heads": heads or {}})


def test_the_learnt_weights_are_told_of_each_epoch(shapes):
    kept = Rows()
    train(shapes_config({"uncertainty_weighting": True}), shapes, kept)
    found = {(row["epoch"], row["output"]): row["value"] for row in kept.rows if row["metric"] == "weight"}
    assert set(found) == {(epoch, output) for epoch in (1, 2) for output in ("shape", "colour")}
    assert all(value > 0 for value in found.values())
    assert len(set(found.values())) > 2  # they move
    assert {row["split"] for row in kept.rows if row["metric"] == "weight"} == {"train"}


def test_an_output_that_weighs_nearly_nothing_is_hardly_learnt(shapes):
    one_sided = train(shapes_config({"weights": {"shape": 1e-6}}, epochs=4), shapes)
    losses = {name: score["loss"] for name, score in one_sided.result()["val"].items()}
    plain = train(shapes_config(epochs=4), shapes)
    assert losses["shape"] > plain.result()["val"]["shape"]["loss"]


@pytest.mark.parametrize("architecture", ["lenet5", "squeezenet", "googlenet"])
def test_every_layer_of_a_head_is_known(shapes, architecture):
    config = config_from_dict({"data": {"dataset": "shapes"}, "architecture": {"name": architecture}})
    networks = build_networks(config, shapes.info)
    both = networks[1] or networks[0]
    owners = {name: head_layers(both, name) for name in CLASSES}
    ends = {name: [layer for layer in found if layer == f"{name}_logits"] for name, found in owners.items()}
    assert ends == {name: [f"{name}_logits"] for name in CLASSES}
    # Without the heads of one output nothing is left that tells its classes apart.
    num_classes = len(shapes.info.outputs["shape"])
    layers = {layer.name: layer for layer in both.layers}
    known = {*owners["shape"], *owners["colour"]}
    assert not [name for name in layers if name.startswith(("shape_", "colour_")) and name not in known]
    assert layers["shape_logits"].output.shape[-1] == num_classes
    assert set(head_multipliers({"shape": 0.0}, networks)) == {
        id(variable) for name in owners["shape"] for variable in layers[name].trainable_variables
    }


def test_a_head_with_rate_zero_stays_as_it_began(shapes):
    frozen = train(shapes_config({"rates": {"colour": 0}}, epochs=1), shapes).network
    again = train(shapes_config({"rates": {"colour": 0}}, epochs=2), shapes).network
    still, moved = (
        [
            np.array_equal(*pair)
            for pair in zip(*(net.get_layer(layer).get_weights() for net in (frozen, again)), strict=True)
        ]
        for layer in ("colour_logits", "shape_logits")
    )
    assert all(still)
    assert not any(moved)


@pytest.mark.parametrize(
    ("heads", "sentence"),
    [
        ({"weights": {"colour": 0}}, r"heads\.weights\.colour=0 is out of range\. Expected a number in \(0, 1000\]\."),
        ({"rates": {"colour": -1}}, r"heads\.rates\.colour=-1 is out of range\. Expected a number in \[0, 100\]\."),
        (
            {"weights": {"colour": 2}, "uncertainty_weighting": True},
            r"are both given\. Expected one of them: .* Leave the weights out, or switch uncertainty_weighting off\.$",
        ),
    ],
)
def test_weights_that_cannot_be_are_refused(heads, sentence):
    with pytest.raises(ConfigError, match=sentence):
        config_from_dict({"heads": heads})


@pytest.mark.parametrize(
    ("heads", "outputs", "sentence"),
    [
        (
            {"weights": {"color": 2}},
            ["shape", "colour"],
            r"^heads\.weights names 'color', which is no output of this run\. Did you mean 'colour'\?$",
        ),
        ({"rates": {"hue": 2}}, ["shape"], r"^heads\.rates names 'hue', .* Expected one of: shape\.$"),
        (
            {"uncertainty_weighting": True},
            ["label"],
            r"the run learns 'label' only\. .* Switch it off, or learn more outputs of the data set\.$",
        ),
    ],
)
def test_outputs_that_the_run_does_not_learn_are_named(heads, outputs, sentence):
    with pytest.raises(ConfigError, match=sentence):
        HeadsConfig(**heads).check_outputs(outputs)
