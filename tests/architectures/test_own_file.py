"""A network from a file of one's own: built, copied into the run, refused in words, and never run by a page."""

import hashlib
from pathlib import Path

import keras
import numpy as np
import pytest
from made_info import info

from cnnlab.architectures.catalogue import ARCHITECTURES, LOCAL
from cnnlab.architectures.own_files import kept, recorded, refuse_own_file
from cnnlab.commands.text import as_command
from cnnlab.config import RunConfig, config_from_dict, config_from_yaml
from cnnlab.errors import ConfigError
from cnnlab.inspector.questions import costs as ask_costs
from cnnlab.inspector.questions import inspect as ask_inspect
from cnnlab.training.models import build_network

FEATURES = """
from keras import layers

def build_features(images, width=4):
    return layers.Conv2D(width, 3, name="mine")(images)
"""
WHOLE = """
import keras

def build(input_shape, num_classes):
    images = keras.Input(input_shape)
    x = keras.layers.Flatten()(images)
    return keras.Model(images, keras.layers.Dense(num_classes, activation="softmax")(x))
"""


@pytest.fixture
def write(tmp_path):
    def write_one(source: str, name: str = "net.py") -> Path:
        path = tmp_path / name
        path.write_text(source, encoding="utf-8")
        return path

    return write_one


def own(path, size=16, **parameters) -> RunConfig:
    return config_from_dict(
        {
            "architecture": {"name": "own_file", "parameters": {"path": str(path), **parameters}},
            "data": {"dataset": "made", "image_size": size},
        }
    )


def built(path, size=16, channels=3, outputs=None, **parameters) -> keras.Model:
    return build_network(own(path, size, **parameters), info(channels=channels, outputs=outputs))


def pixels(count=2, size=16, channels=3) -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 255, (count, size, size, channels)).astype("float32")


def saved(tmp_path, answer, shape=(16, 16, 3)) -> Path:
    images = keras.Input(shape)
    path = tmp_path / "saved.keras"
    keras.Model(images, answer(images)).save(path)
    return path


def test_features_of_a_python_file_get_a_dense_output(write):
    model = built(write(FEATURES), settings={"width": 6})
    assert model.output.shape == (None, 10)
    assert model.get_layer("mine").filters == 6
    assert model.layers[1].name == "normalise"
    model = built(write(FEATURES), outputs={"shape": ("a", "b"), "colour": ("c", "d", "e")})
    assert {name: logits.shape for name, logits in model.output.items()} == {"shape": (None, 2), "colour": (None, 3)}


def test_a_whole_network_of_a_python_file_answers_itself(write):
    model = built(write(WHOLE))
    logits = np.asarray(model(pixels()))
    # Softmax of the logits is what the file's network says: a share per class.
    np.testing.assert_allclose(np.exp(logits).sum(axis=1), 1, rtol=1e-4)
    model = built(write(WHOLE), outputs={"shape": ("a", "b"), "colour": ("c", "d", "e")})
    assert {name: logits.shape for name, logits in model.output.items()} == {"shape": (None, 2), "colour": (None, 3)}


def test_a_saved_network_takes_pixels_and_answers_itself_or_gives_features(tmp_path):
    def ten(images):
        return keras.layers.Dense(10)(keras.layers.GlobalAveragePooling2D()(images))

    path = saved(tmp_path, ten)
    model = built(path)
    expected = keras.models.load_model(path)(pixels())
    np.testing.assert_allclose(np.asarray(model(pixels())), np.asarray(expected), rtol=1e-5)
    model.save(tmp_path / "again.keras")
    again = keras.models.load_model(tmp_path / "again.keras")
    np.testing.assert_allclose(np.asarray(again(pixels())), np.asarray(expected), rtol=1e-5)
    assert built(path, outputs={"label": ("a", "b", "c")}).output.shape == (None, 3)
    assert built(saved(tmp_path, keras.layers.Conv2D(7, 3))).output.shape == (None, 10)


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("x = 1", "builds no network. Expected def build_features(images, **settings) or def build("),
        ("\n\nraise RuntimeError('no')", "fails in line 3: RuntimeError: no. Expected def build_features"),
        ("def build_features(:", "SyntaxError"),
        ("def build_features(images):\n    return images[:, 0]", "build_features gives (None, 16, 3). Expected one"),
        ("def build_features(images):\n    return 3", "build_features gives int. Expected one tensor of features"),
        ("def build(shape, classes):\n    return 3", "build returned int. Expected a keras.Model. Return the model."),
        ("def build_features(images):\n    pass", "build_features gives NoneType. Expected one tensor of features"),
    ],
)
def test_a_python_file_that_builds_nothing_is_said(write, source, sentence):
    with pytest.raises(ConfigError) as error:
        built(write(source))
    assert sentence in str(error.value)


def test_a_setting_that_the_function_lacks_is_said(write):
    with pytest.raises(ConfigError, match="unexpected keyword argument 'depth'"):
        built(write(FEATURES), settings={"depth": 3})


def test_a_saved_network_that_does_not_fit_is_said(tmp_path, write):
    path = saved(tmp_path, keras.layers.Flatten())
    with pytest.raises(ConfigError) as error:
        built(path, size=20, channels=1)
    assert str(error.value) == (
        f"{str(path)!r} takes 16x16x3, and the images are 20x20x1. Expected one input of that shape. "
        "Set the image size, or take images with as many channels."
    )
    with pytest.raises(ConfigError, match="cannot be loaded in safe mode"):
        built(write("not a model", "broken.keras"))


def test_a_lambda_is_not_loaded(tmp_path):
    path = saved(tmp_path, lambda images: keras.layers.Flatten()(keras.layers.Lambda(lambda x: x + 1)(images)))
    with pytest.raises(ConfigError, match="cannot be loaded in safe mode"):
        built(path)


def test_other_files_and_no_file_are_refused(tmp_path):
    with pytest.raises(ConfigError) as error:
        own("net.txt")
    assert str(error.value) == (
        "path='net.txt' is no network. Expected a file that ends in .py or .keras. Give the path of one."
    )
    with pytest.raises(ConfigError, match=r"^path is missing for architecture 'own_file'\. Add it as 'path: value'\.$"):
        config_from_dict({"architecture": {"name": "own_file"}})
    with pytest.raises(ConfigError, match=r"No file .*gone.py' can be read \(No such file or directory\)"):
        recorded(own(tmp_path / "gone.py"))


def test_the_file_is_recorded_when_submitted_and_copied_when_started(write, tmp_path):
    path = write(FEATURES)
    config = recorded(own(path))
    assert config.architecture.parameters["path"] == str(path)
    assert config.architecture.parameters["sha256"] == hashlib.sha256(FEATURES.encode()).hexdigest()
    assert config_from_yaml(config.to_yaml()) == config
    run_dir = tmp_path / "run"
    run_dir.mkdir()
    inside = kept(config, run_dir)
    assert (run_dir / "own_model.py").read_text(encoding="utf-8") == FEATURES
    path.write_text("changed", encoding="utf-8")
    assert kept(config, run_dir) == inside  # another attempt takes the copy
    assert build_network(inside, info()).get_layer("mine").filters == 4
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(ConfigError, match=r"is not the file that the config means: its SHA-256 is \w{12}, not "):
        kept(config, other)
    with pytest.raises(ConfigError, match="leave sha256 out"):
        recorded(config)


def test_other_configs_are_left_alone(tmp_path):
    config = RunConfig()
    assert recorded(config) is config
    assert kept(config, tmp_path) is config
    refuse_own_file(config)


def test_pages_neither_list_nor_run_files(write, tmp_path):
    assert not set(LOCAL) & set(ARCHITECTURES)
    marker = tmp_path / "was_run"
    config = own(write(f"open({str(marker)!r}, 'w')"))
    with pytest.raises(ConfigError, match="Pages run no files"):
        refuse_own_file(config)
    with pytest.raises(ConfigError, match="Pages run no files"):
        ask_costs(tmp_path, config=config.to_dict())
    with pytest.raises(ConfigError, match="Unknown architecture 'own_file'"):
        ask_inspect(
            tmp_path,
            architecture="own_file",
            parameters=config.architecture.parameters,
            input_shape=(16, 16, 3),
            num_classes=10,
        )
    assert not marker.exists()


def test_the_command_names_the_file():
    assert as_command(own("my net.py", settings={"width": 8}), "train") == (
        "python -m cnnlab train --dataset made --image-size 16 --architecture own_file "
        "--param 'path=my net.py' --param 'settings={width: 8}'"
    )
