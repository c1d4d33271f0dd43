"""Folders named 'red_shirt' become several columns of labels."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pictures import class_files, write_folder, write_zip

from cnnlab.__main__ import run
from cnnlab.datasets.columns import output_names, split_columns
from cnnlab.datasets.importing import ImportOptions, import_images
from cnnlab.datasets.storage import open_dataset
from cnnlab.errors import ConfigError, DatasetError, ImportRefusedError
from cnnlab.parameters import check

SPLIT = {"split_names": "_", "outputs": "colour, article"}
# 'blue_hat' is missing: a combination may be.
CLASSES = ("red_shirt", "red_hat", "blue_shirt")


def imported(tmp_path, files):
    store = tmp_path / "store"
    import_images(write_zip(tmp_path / "mine.zip", files), store, "mine", ImportOptions(**SPLIT))
    return open_dataset(store, "mine")


def test_each_image_has_a_label_per_column(tmp_path):
    dataset = imported(tmp_path, class_files(8, classes=CLASSES))
    assert dataset.info.outputs == {"colour": ("blue", "red"), "article": ("hat", "shirt")}
    assert dataset.info.main_output == "colour"
    for split in ("train", "val", "test"):
        labels = dataset.labels(split)
        for place, name in enumerate(dataset.sample_ids(split)):
            colour, article = name.split("/")[0].split("_")
            assert dataset.info.outputs["colour"][labels["colour"][place]] == colour
            assert dataset.info.outputs["article"][labels["article"][place]] == article


def test_a_rare_combination_may_be_missing_from_a_split(tmp_path):
    files = class_files(8, classes=CLASSES) | class_files(1, classes=("blue_hat",))
    dataset = imported(tmp_path, files)
    assert "blue_hat/000.png" in dataset.sample_ids("train")


def test_a_class_that_is_missing_from_a_split_is_an_error(tmp_path):
    files = class_files(8, classes=CLASSES) | class_files(1, classes=("green_hat",))
    with pytest.raises(DatasetError, match=r"^Class 'green' has no image in the split 'val'\. "):
        imported(tmp_path, files)


def test_another_split_of_the_same_files_is_another_version(tmp_path):
    source = write_folder(tmp_path / "mine", class_files(8, classes=CLASSES))
    whole = import_images(source, tmp_path / "store", "mine")
    parts = import_images(source, tmp_path / "store", "mine", ImportOptions(**SPLIT))
    assert whole.version != parts.version
    assert whole.outputs == {"label": ("blue_shirt", "red_hat", "red_shirt")}


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("hat", r"^Class 'hat' splits at '_' into 1 part, not into 2 parts \(colour, article\)\. .* other outputs\.$"),
        ("dark_red_hat", r"^Class 'dark_red_hat' splits at '_' into 3 parts, not into 2 parts"),
        ("red_", r"^Class 'red_' splits at '_' into 2 parts, some of them empty, not into"),
    ],
)
def test_a_class_with_other_parts_is_named(tmp_path, name, sentence):
    with pytest.raises(ImportRefusedError, match=sentence):
        imported(tmp_path, class_files(6, classes=(*CLASSES, name)))
    assert not list((tmp_path / "store").rglob("dataset.json"))


def test_an_output_with_one_class_is_refused(tmp_path):
    with pytest.raises(ImportRefusedError, match=r"^Output 'article' has one class only, 'hat'\. "):
        imported(tmp_path, class_files(6, classes=("red_hat", "blue_hat")))


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"split_names": "_"}, r"names no outputs\. .* separated by commas, such as 'colour,article'\.$"),
        ({"split_names": "_", "outputs": "colour"}, r"names 1 output\. Expected"),
        ({"outputs": "colour,article"}, r"is given without split_names\. .* Give both, or leave both out\.$"),
        ({"split_names": "_", "outputs": "colour,split"}, r"^'split' cannot name an output here\. "),
        ({"split_names": "_", "outputs": "a,a"}, r"^'a' cannot name an output here\. Expected different names"),
    ],
)
def test_half_a_request_is_refused(values, sentence):
    with pytest.raises(ConfigError, match=sentence):
        check(ImportOptions, values, "the import")


PART = st.text(alphabet="abcé -", min_size=1, max_size=4).filter(lambda part: part.strip() == part)


@given(st.sets(st.tuples(PART, PART), min_size=2, max_size=12))
def test_joining_the_columns_gives_the_names_back(pairs):
    names = sorted("_".join(pair) for pair in pairs)
    if len({first for first, _ in pairs}) < 2 or len({second for _, second in pairs}) < 2:
        with pytest.raises(ImportRefusedError, match="has one class only"):
            split_columns(names, "_", "a,b")
        return
    columns = split_columns(names, "_", "a,b")
    for place, name in enumerate(names):
        parts = [columns.outputs[output][columns.numbers[output][place]] for output in ("a", "b")]
        assert "_".join(parts) == name


def test_names_of_outputs():
    assert output_names(" colour, article,") == ("colour", "article")


def test_the_command_splits(tmp_path, capsys):
    source = write_folder(tmp_path / "mine", class_files(8, classes=CLASSES))
    options = ["--split-names", "_", "--outputs", "colour,article"]
    assert run(["datasets", "import", str(source), "--name", "mine", *options, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["outputs"] == {"colour": ["blue", "red"], "article": ["hat", "shirt"]}
