"""A `.keras` file that somebody uploads is counted in safe mode, and nothing of it stays."""

import os
import time
import zipfile

import keras
import pytest
from keras import layers

from cnnlab.errors import ConfigError
from cnnlab.inspector import uploads
from cnnlab.inspector.client import Inspector
from cnnlab.inspector.network_questions import inspect_file
from cnnlab.inspector.uploads import uploaded


@pytest.fixture
def saved(tmp_path):
    """Give the content of the file of a network."""

    def save(network: keras.Model) -> bytes:
        path = tmp_path / "saved.keras"
        network.save(path)
        return path.read_bytes()

    return save


def network(*body: keras.Layer, shape=(8, 8, 3)) -> keras.Model:
    x = images = keras.Input(shape)
    for layer in body:
        x = layer(x)
    return keras.Model(images, x)


def ask(store, content: bytes, title: str = "mine.keras", side_px: int = 16):
    with uploaded(store, content, ".keras") as file:
        return inspect_file(store, file=file, title=title, sha256="", side_px=side_px).value


def test_it_is_counted_as_the_explorer_counts(tmp_path, saved):
    body = (layers.Conv2D(4, 3, name="conv"), layers.Flatten(), layers.Dense(2, name="logits"))
    found = ask(tmp_path, saved(network(*body)))
    assert found["input_shape"] == [8, 8, 3]
    assert found["num_params"] == (3 * 3 * 3 * 4 + 4) + (6 * 6 * 4 * 2 + 2)
    assert found["macs"] == 6 * 6 * 3 * 3 * 3 * 4 + 6 * 6 * 4 * 2
    assert found["not_counted"] == []
    conv = next(layer for layer in found["layers"] if layer["name"] == "conv")
    assert (conv["settings"]["kernel"], conv["receptive_field_px"]) == ([3, 3], 3)
    assert found["training_memory"]["weights_bytes"] == 4 * found["num_params"]


def test_sides_that_are_open_become_the_chosen_one(tmp_path, saved):
    content = saved(network(layers.Conv2D(1, 3, padding="same"), layers.GlobalMaxPooling2D(), shape=(None, None, 1)))
    found = ask(tmp_path, content, side_px=20)
    assert found["input_shape"] == [20, 20, 1]
    assert found["macs"] == 20 * 20 * 9


def test_a_network_of_vectors_is_counted_too(tmp_path, saved):
    found = ask(tmp_path, saved(network(layers.Dense(3), shape=(5,))))
    assert (found["input_shape"], found["macs"]) == ([5], 15)


def test_code_and_unknown_classes_are_refused(tmp_path, saved):
    @keras.saving.register_keras_serializable(package="elsewhere")
    class Foreign(layers.Layer):
        def call(self, inputs):
            return inputs

    cases = {
        "'mine.keras' holds a Lambda layer or function, whose code would run on opening.": saved(
            network(layers.Lambda(lambda x: x + 1))
        ),
        "'mine.keras' holds a class that is not known here:": saved(network(Foreign())),
    }
    del keras.saving.get_custom_objects()["elsewhere>Foreign"]
    for sentence, content in cases.items():
        with pytest.raises(ConfigError) as caught:
            ask(tmp_path, content)
        assert str(caught.value).startswith(sentence)
        assert str(caught.value).endswith((" save the model again.", " Save the model again with such layers."))


def test_what_is_no_model_is_refused(tmp_path):
    with pytest.raises(ConfigError) as caught:
        ask(tmp_path, b"not a model")
    assert str(caught.value) == (
        "'mine.keras' cannot be read as a model: it is no .keras file. Expected a whole model, as model.save() writes "
        "it. Save it again under a name that ends in .keras."
    )
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("picture.png", b"")
    with pytest.raises(ConfigError, match=r"^'mine.keras' cannot be read as a model: .* not the weights alone\.$"):
        ask(tmp_path, (tmp_path / "other.zip").read_bytes())


def test_a_file_that_grows_beyond_the_memory_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(uploads, "MOST_UNPACKED_BYTES", 2**20)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.weights.h5", bytes(2**21))
    with pytest.raises(ConfigError) as caught:
        ask(tmp_path, (tmp_path / "bomb.zip").read_bytes())
    assert str(caught.value) == (
        "'mine.keras' takes 2 MiB unpacked. Expected at most 1. Count it on the command line, with "
        "'python -m cnnlab inspect FILE'."
    )


@pytest.mark.parametrize("name", ["gone.keras", "../answers/x.json", "/etc/hostname"])
def test_no_other_file_is_reached(tmp_path, name):
    with pytest.raises(ConfigError, match=r"^The uploaded file is gone\. .* Upload it again\.$"):
        inspect_file(tmp_path, file=name, title="x", sha256="", side_px=8)


def test_nothing_stays_and_what_a_killed_process_left_goes_at_the_next(tmp_path):
    folder = tmp_path / "cache" / "inspector" / "uploads"
    with uploaded(tmp_path, b"1", ".keras") as file:
        assert (folder / file).read_bytes() == b"1"
        os.rename(folder / file, folder / "left.keras")
    long_ago = time.time() - uploads.LEFT_BEHIND_S - 1
    os.utime(folder / "left.keras", (long_ago, long_ago))
    with uploaded(tmp_path, b"2", ".keras") as file:
        assert [path.name for path in folder.iterdir()] == [file]
    assert list(folder.iterdir()) == []


def test_the_same_content_is_opened_once_whatever_its_name(tmp_path, monkeypatch):
    inspector, sent = Inspector(tmp_path, backend="tensorflow"), []

    def exchange(kind, arguments, *_):
        sent.append((kind, uploads.uploaded_path(tmp_path, arguments["file"]).read_bytes(), arguments["title"]))
        return {"value": {"macs": 1}, "keep": True}

    monkeypatch.setattr(inspector, "_exchange", exchange)
    for content, title in ((b"one", "a.keras"), (b"one", "b.keras"), (b"two", "a.keras")):
        assert inspector.ask_about_file(content, title, side_px=8) == {"macs": 1}
    assert sent == [("inspect_file", b"one", "a.keras"), ("inspect_file", b"two", "a.keras")]
