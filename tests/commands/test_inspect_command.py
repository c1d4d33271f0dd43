"""`inspect` on networks of the catalogue, of keras.applications and from files."""

import json

import keras
import pytest
from keras import layers

from cnnlab.__main__ import run
from cnnlab.analysis.networks import without_weights


@pytest.fixture
def call(capsys):
    """Run `inspect`; return exit code, standard output and standard error."""

    def _call(*arguments: str) -> tuple[int, str, str]:
        code = run(["inspect", *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return _call


@pytest.fixture
def saved(tmp_path):
    """A small saved model with a nested one, for images of any height and width."""
    inner_in = keras.Input((None, None, 3))
    inner = keras.Model(inner_in, layers.Conv2D(4, 3, name="conv")(inner_in), name="inner")
    images = keras.Input((None, None, 3), name="images")
    pooled = layers.GlobalAveragePooling2D(name="pool")(inner(images))
    network = keras.Model(images, layers.Dense(2, name="logits")(pooled))
    path = tmp_path / "model.keras"
    network.save(path)
    return path


def test_one_document_of_a_network_of_the_catalogue(call):
    arguments = ["lenet5", "-p", "pooling=average", "--input-shape", "32,32,1", "--num-classes", "10", "--json"]
    code, out, err = call(*arguments, "--memory-gib", "2", "--batch-size", "64", "--optimizer", "sgd")
    document = json.loads(out)
    assert code == 0
    assert err == ""
    assert (document["num_params"], document["macs"]) == (61_706, 416_520)
    assert (document["receptive_field_px"], document["effective_stride_px"]) == (16, 4)
    assert document["last_feature_map"] == "s4"
    assert document["activation_bytes"] == sum(row["activation_bytes"] for row in document["layers"])
    assert "multiply-accumulates of one image" in document["conventions"]["macs"]
    rows = {row["name"]: row for row in document["layers"]}
    assert rows["s2"]["kind"] == "AveragePooling2D"
    assert rows["c3"]["macs_share"] == pytest.approx(240_000 / 416_520)
    assert rows["c3"]["formulas"][2] == {
        "what": "parameters", "letters": "(F*F*D1)*K + K", "numbers": "(5*5*6)*16 + 16", "value": 2416,
    }  # fmt: skip
    assert rows["logits"]["sees_whole_image"] is True
    memory = document["memory"]
    assert (memory["budget_source"], memory["budget_bytes"]) == ("--memory-gib", 2 * 2**30)
    assert memory["is_estimated"] is True
    assert memory["peak_bytes"] == 61_706 * 4 * 2 + 64 * (
        memory["kept_bytes_per_image"] + memory["moving_bytes_per_image"]
    )
    assert memory["largest_batch_size"] & (memory["largest_batch_size"] - 1) == 0


def test_a_network_of_keras_applications_with_its_own_settings(call):
    code, out, _ = call("keras.applications:MobileNetV2", "-p", "alpha=0.35", "--input-shape", "96x96x3", "--json")
    document = json.loads(out)
    assert code == 0
    with without_weights():
        own_count = keras.applications.MobileNetV2(weights=None, alpha=0.35, input_shape=(96, 96, 3)).count_params()
    assert (document["input_shape"], document["num_params"]) == ([96, 96, 3], own_count)
    assert document["not_counted"] == []
    # Without a shape it has its own, or the usual one where it leaves its sides open.
    assert json.loads(call("keras.applications:MobileNetV3Small", "--json")[1])["input_shape"] == [224, 224, 3]


def test_people_get_tables_and_the_conventions(call):
    code, out, err = call("resnet", "-p", "blocks_per_stack=1", "--formulas")
    assert code == 0
    lines = {line.split()[0]: line for line in out.splitlines() if line.strip()}
    assert "unaligned" in lines["stack2_block1_add"]
    assert lines["stem_conv"].split()[1] == "(Conv2D;"  # its formulas come after its row
    assert "parameters: (F*F*D1)*K = (3*3*3)*16 = 432" in out
    assert "padding height 0+1, width 0+1" in out
    assert "FLOPs are twice the MACs." in err


def test_a_file_is_counted_as_it_was_saved(call, saved):
    code, out, _ = call(str(saved), "--input-shape", "9,8,3", "--json")
    document = json.loads(out)
    assert code == 0
    rows = {row["name"]: row for row in document["layers"]}
    assert rows["inner/conv"]["macs"] == 7 * 6 * 4 * 27
    assert document["num_params"] == 4 * 27 + 4 + 4 * 2 + 2
    open_sides = json.loads(call(str(saved), "--json")[1])
    assert open_sides["input_shape"] == [None, None, 3]
    assert open_sides["not_counted"] == ["inner/conv"]
    assert "any x any x 3" in call(str(saved))[1]


def test_an_h5_file_is_read_too(call, tmp_path):
    images = keras.Input((8, 8, 1))
    keras.Model(images, layers.Conv2D(2, 3)(images)).save(tmp_path / "old.h5")
    document = json.loads(call(str(tmp_path / "old.h5"), "--json")[1])
    assert (document["num_params"], document["macs"]) == (20, 6 * 6 * 2 * 9)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("resnt",), "Unknown architecture 'resnt'. Did you mean 'resnet'?"),
        (("keras.applications:VGG61",), "Unknown network of keras.applications 'VGG61'. Did you mean 'VGG"),
        (("no.keras",), "No file 'no.keras'. Expected a model saved by Keras. Check the path."),
        (("resnet", "-p", "widht=3"), "Unknown setting 'widht' for architecture 'resnet'. Did you mean 'width'?"),
        (("resnet", "-p", "width"), "-p 'width' cannot be read. Expected name=value"),
        (("resnet", "--input-shape", "32,32"), "--input-shape '32,32' cannot be read. Expected height, width and"),
        (("resnet", "--input-shape", "0,32,3"), "--input-shape '0,32,3' cannot be read."),
        (("resnet", "--input-shape", "4,4,3"), "--input-shape 4,4,3 is too small for 'resnet'. Expected a height"),
        (("keras.applications:VGG16", "--input-shape", "8,8,3"), "'keras.applications:VGG16' cannot be built for"),
        (("keras.applications:VGG16", "-p", "weights=imagenet"), "-p weights=... is not needed: costs do not depend"),
        (("keras.applications:VGG16", "-p", "wdth=3"), "'keras.applications:VGG16' cannot be built: VGG16() got an"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(call, arguments, sentence):
    code, out, err = call(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith(sentence)
    assert err.count("\n") == 1


def test_bad_files_are_refused_in_words(call, saved, tmp_path):
    images = keras.Input((4, 4, 1))
    keras.Model(images, layers.Lambda(lambda x: x + 1)(images)).save(tmp_path / "code.keras")
    (tmp_path / "text.keras").write_text("not a model")
    (tmp_path / "text.h5").write_text("not a model")
    keras.Model(images, layers.Flatten()(images)).save_weights(tmp_path / "some.weights.h5")

    class Own(layers.Layer):
        """A class that nobody else has."""

        def call(self, inputs):
            return inputs

    keras.Model(images, Own()(images)).save(tmp_path / "own.keras")
    expected = {
        "code.keras": "holds a Lambda layer or function, whose code would run on opening. Expected layers whose",
        "text.keras": "cannot be read as a model: ",
        "text.h5": "cannot be read as a model: ",
        "some.weights.h5": "cannot be read as a model: ",
        "own.keras": "holds a class that is not known here: ",
    }
    for name, words in expected.items():
        code, out, err = call(str(tmp_path / name))
        assert (code, out) == (2, ""), name
        assert err.startswith(f"{str(tmp_path / name)!r} {words}"), name
        assert err.count("\n") == 1, name
    assert call(str(saved), "--input-shape", "9,9,1")[2].startswith("--input-shape 9,9,1 does not fit ")
    assert call(str(saved), "--num-classes", "3")[2].startswith("--num-classes does not apply to the file ")
    assert call(str(saved), "-p", "width=3")[2].startswith("-p does not apply to the file ")
