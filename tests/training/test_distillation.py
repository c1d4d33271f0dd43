"""Learning from an earlier run: who may be the teacher, what it is shown, and that it stays as it is."""

import keras
import numpy as np
import pytest

from cnnlab.config import TricksConfig, config_from_dict
from cnnlab.datasets.storage import open_dataset
from cnnlab.errors import ConfigError
from cnnlab.files import write_json
from cnnlab.runs.store import Store
from cnnlab.training.distillation import Teacher, answer_name, load_teacher
from cnnlab.training.losses import distillation_loss
from cnnlab.training.trainer import Context, train

pytestmark = pytest.mark.training

CLASSES = {"label": [str(digit) for digit in range(10)]}


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


def network(side=8, channels=1, classes=10):
    keras.utils.set_random_seed(2)
    images = keras.Input((side, side, channels))
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(8, 3)(keras.layers.Rescaling(1 / 255)(images)))
    return keras.Model(images, keras.layers.Dense(classes)(x))


def teacher_run(store, model=None, outputs=None):
    """Write a completed run as the worker leaves it, as far as a teacher needs it."""
    run_dir = store.create_run(config_from_dict({"name": "teacher"}))
    if model is not None:
        model.save(run_dir / "model.keras")
    write_json(run_dir / "result.json", {"outputs": outputs or CLASSES})
    return run_dir.name


def load(store, run_id, outputs=None, shape=(8, 8, 1)):
    return load_teacher(TricksConfig(distill_from=run_id), store, outputs or CLASSES, shape)


def test_the_loss_is_zero_for_equal_answers_and_as_by_hand_otherwise():
    teacher, student = np.array([[2.0, 0.0]], "float32"), np.array([[0.0, 2.0]], "float32")
    assert float(distillation_loss(teacher, teacher, 4.0)) == pytest.approx(0, abs=1e-6)
    p, q = (np.exp(row / 2) / np.exp(row / 2).sum() for row in (teacher[0], student[0]))
    assert float(distillation_loss(teacher, student, 2.0)) == pytest.approx(4 * (p * np.log(p / q)).sum(), rel=1e-5)


def test_the_teacher_sees_images_at_its_own_size(store):
    model = network(side=8)
    teacher = load(store, teacher_run(store, model), shape=(16, 16, 1))
    images = np.random.default_rng(0).uniform(0, 255, (3, 16, 16, 1)).astype("float32")
    small = keras.ops.image.resize(images, (8, 8), interpolation="bilinear", antialias=True)
    np.testing.assert_allclose(
        teacher.answers(images)[answer_name("label")], keras.ops.convert_to_numpy(model(small)), rtol=1e-5
    )


def test_a_teacher_of_several_outputs_teaches_those_that_are_learnt():
    images = keras.Input((4, 4, 1))
    x = keras.layers.Flatten()(images)
    both = keras.Model(images, {"shape": keras.layers.Dense(3)(x), "colour": keras.layers.Dense(2)(x)})
    answers = Teacher(both, ["colour"], 2.0, 0.5).answers(np.ones((1, 4, 4, 1), "float32"))
    assert {name: logits.shape for name, logits in answers.items()} == {"colour/teacher": (1, 2)}


@pytest.mark.parametrize(
    ("outputs", "sentence"),
    [
        ({"shape": ["a"]}, "has no output 'shape', its outputs are label. Expected a teacher of the same outputs."),
        ({"label": ["a", "b"]}, "has other classes for 'label': 10 (0, 1, 2, ...), not 2 (a, b). Expected the same"),
        ({"label": CLASSES["label"][::-1]}, "not 10 (9, 8, 7, ...). Expected the same classes in the same order."),
    ],
)
def test_other_classes_are_refused(store, outputs, sentence):
    with pytest.raises(ConfigError) as error:
        load(store, teacher_run(store, network()), outputs)
    assert sentence in str(error.value)


def test_other_channels_are_refused(store):
    with pytest.raises(ConfigError, match=r"takes images with 3 channels, these have 1\. .* Choose another run\.$"):
        load(store, teacher_run(store, network(channels=3)))


def test_a_run_without_a_network_or_no_run_is_said(store):
    with pytest.raises(ConfigError, match=r"has no trained network\. Expected a completed run\. Wait until"):
        load(store, teacher_run(store))
    with pytest.raises(ConfigError, match=r"^tricks\.distill_from is no run of this store\. No run 'gone' in"):
        load(store, "gone")


def test_a_broken_network_is_said(store):
    run_id = teacher_run(store, network())
    (store.run_dir(run_id) / "model.keras").write_bytes(b"PK")
    with pytest.raises(ConfigError, match=r"model\.keras' cannot be read as a model: .* Save it again"):
        load(store, run_id)


def test_the_student_comes_near_its_teacher_and_the_teacher_stays(store, tmp_path):
    digits = open_dataset(store.root, "digits")
    values = {"data": {"image_size": 16}, "training": {"epochs": 2, "batch_size": 64, "seed": 1}}
    taught = train(config_from_dict(values), digits)
    run_id = teacher_run(store, taught.network, {name: list(classes) for name, classes in taught.outputs.items()})
    before = (store.run_dir(run_id) / "model.keras").read_bytes()
    tricks = {"distill_from": run_id, "distill_weight": 1.0, "distill_temperature": 2.0}
    values = {**values, "augmentation": "shift(0.05)", "tricks": tricks}
    values["training"] = {**values["training"], "seed": 2, "epochs": 3}
    own = store.create_run(config_from_dict(values))
    student = train(config_from_dict(values), digits, context=Context(run_dir=own))
    agreement = np.mean(student.answers["test"]["label"].predicted == taught.answers["test"]["label"].predicted)
    assert agreement > 0.8  # it was shown no label
    assert student.costs.num_params == taught.costs.num_params
    student.network.save(tmp_path / "student.keras")
    assert len(keras.models.load_model(tmp_path / "student.keras").variables) == len(taught.network.variables)
    assert (store.run_dir(run_id) / "model.keras").read_bytes() == before
