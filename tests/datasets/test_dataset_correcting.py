"""Marks of people, and the corrected version made from them."""

import json
import threading
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlab.__main__ import run
from cnnlab.config import config_from_dict
from cnnlab.datasets.correcting import correct_dataset, plan_correction
from cnnlab.datasets.marks import Mark, add_mark, read_journal, read_marks, undo_mark
from cnnlab.datasets.storage import Dataset, list_datasets, open_dataset
from cnnlab.datasets.writing import Content, write_dataset
from cnnlab.errors import DatasetError, UnknownNameError

CLASSES = {"label": ("cat", "dog"), "colour": ("red", "green", "blue")}
PER_SPLIT = 12


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A store with an imported set of two outputs."""
    path = tmp_path_factory.mktemp("store")
    make(path)
    return path


def make(root, name="pets"):
    num = 3 * PER_SPLIT
    content = Content(
        image_shape=(4, 4, 3),
        outputs=CLASSES,
        images=[np.random.RandomState(0).randint(0, 256, (num, 4, 4, 3)).astype(np.uint8)],
        splits=np.repeat(["train", "val", "test"], PER_SPLIT),
        labels={"label": np.arange(num) % 2, "colour": np.arange(num) % 3},
        sample_ids=[f"picture {row:02d}" for row in range(num)],
    )
    return write_dataset(root, name, content, {"title": "Pets", "source": "pets.zip", "parameters": {}})


def mark(row, verdict="wrong", output="label", **values):
    was = CLASSES[output][row % len(CLASSES[output])]
    label = CLASSES[output][(row + 1) % len(CLASSES[output])] if verdict == "wrong" else ""
    return Mark(f"picture {row:02d}", output, verdict, was, label, **values)


def put(root, *marks, name="pets"):
    (root / "datasets" / name / "marks.json").unlink(missing_ok=True)
    for one in marks:
        add_mark(root, name, one, CLASSES)


# ---- marks ----


def test_the_newest_mark_counts_and_undo_brings_back_the_one_before(root):
    put(root, mark(1, by="anna"), mark(1, "fine", by="bert"), mark(2, "remove"))
    assert {key[0]: one.verdict for key, one in read_marks(root, "pets").items()} == {
        "picture 01": "fine",
        "picture 02": "remove",
    }
    assert undo_mark(root, "pets").verdict == "remove"
    assert undo_mark(root, "pets").by == "bert"
    (left,) = read_marks(root, "pets").values()
    assert (left.verdict, left.label, left.by) == ("wrong", "cat", "anna")
    assert left.at
    assert undo_mark(root, "pets")
    assert undo_mark(root, "pets") is None


def test_a_mark_taken_back_is_none(root):
    put(root, mark(1), mark(1, "none"))
    assert read_marks(root, "pets") == {}
    assert len(read_journal(root, "pets")) == 2


def test_marks_of_several_people_at_once_are_all_kept(root):
    put(root)
    threads = [threading.Thread(target=add_mark, args=(root, "pets", mark(row), CLASSES)) for row in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read_marks(root, "pets")) == 4


@pytest.mark.parametrize("label", ["cow", "dog", ""])
def test_a_right_class_that_cannot_be_is_refused(root, label):
    with pytest.raises(DatasetError, match=r"cannot be the right class of 'picture 01'\..*Choose one of: cat, dog\.$"):
        add_mark(root, "pets", replace(mark(1), label=label), CLASSES)


def test_a_damaged_file_is_said_and_never_overwritten(root):
    path = root / "datasets" / "pets" / "marks.json"
    path.write_text('{"format": 99, "marks": []}')
    for ask in (lambda: read_marks(root, "pets"), lambda: add_mark(root, "pets", mark(1), CLASSES)):
        with pytest.raises(
            DatasetError, match=r"cannot be read\. Expected a file of format 1 that this program wrote\."
        ):
            ask()
    assert "99" in path.read_text()


# ---- corrections ----


def samples(info):
    return Dataset(info).samples()


KEYS = st.tuples(st.integers(0, 35), st.sampled_from(list(CLASSES)))


@settings(max_examples=12)
@given(st.dictionaries(KEYS, st.sampled_from(["wrong", "remove", "fine"]), max_size=6))
def test_the_corrected_set_differs_by_the_marks_and_by_nothing_else(tmp_path_factory, said):
    root = tmp_path_factory.mktemp("store")
    old = make(root)
    for (row, output), verdict in said.items():
        add_mark(root, "pets", mark(row, verdict, output), CLASSES)
    gone = {row for (row, _), verdict in said.items() if verdict == "remove"}
    changed = {key for key, verdict in said.items() if verdict == "wrong" and key[0] not in gone}
    if not gone and not changed:
        with pytest.raises(DatasetError, match=r"^No mark changes data set 'pets', version "):
            correct_dataset(root, "pets")
        return
    new = correct_dataset(root, "pets")
    kept = [row for row in range(36) if row not in gone]
    before, after = samples(old)[kept], samples(new)
    assert after.drop(CLASSES).equals(before.drop(CLASSES)), "ids, splits, sizes and hashes stay, in their order"
    for output, names in CLASSES.items():
        labels = before[output].to_list()
        for row in {row for row, of in changed if of == output}:
            labels[kept.index(row)] = (row + 1) % len(names)
        assert after[output].to_list() == labels
    pixels = [np.load(info.path / "pixels.npy") for info in (old, new)]
    assert np.array_equal(pixels[1], pixels[0][kept])
    assert new.version != old.version
    assert (new.name, new.title, new.source, new.image_shape) == (old.name, old.title, old.source, old.image_shape)
    assert new.facts["corrected_from"]["version"] == old.version
    assert len(new.facts["corrected_from"]["marks"]) == len(changed) + len(gone)
    train = pixels[1][: new.counts["train"]].reshape(-1, 3)
    assert new.channel_mean == pytest.approx(train.mean(axis=0))
    assert new.channel_std == pytest.approx(train.std(axis=0))


def test_the_plan_tells_and_changes_nothing(root):
    put(root, mark(1), mark(25, "remove"), mark(25, output="colour"), mark(2, "fine"))
    before = list_datasets(root)
    plan = plan_correction(root, "pets")
    assert [one.sample_id for one in plan.relabelled] == ["picture 01"], "a label of an image that goes stays as it is"
    assert [one.sample_id for one in plan.removed] == ["picture 25"]
    assert plan.counts == {"train": 12, "val": 12, "test": 11}
    assert list_datasets(root) == before


def test_marks_that_are_done_or_fit_no_more_change_nothing(tmp_path):
    make(tmp_path)
    put(
        tmp_path, mark(1), mark(2, "remove"), replace(mark(3), was="fish", label="cat"), replace(mark(4), sample_id="x")
    )
    new = correct_dataset(tmp_path, "pets")
    again = plan_correction(tmp_path, "pets")
    assert again.info.version == new.version, "the newest version is the one that is corrected next"
    assert ({one.sample_id for one in again.done}, again.num_changes) == ({"picture 01", "picture 02"}, 0)
    assert {one.sample_id for one in again.stale} == {"picture 03", "x"}


def test_a_class_without_an_image_in_a_split_is_refused(tmp_path):
    make(tmp_path)
    put(tmp_path, *(mark(row, "remove") for row in range(24, 36, 2)))
    with pytest.raises(DatasetError, match=r"^Class 'cat' has no image in the split 'test'\."):
        correct_dataset(tmp_path, "pets")
    assert len(list_datasets(tmp_path)) == 1
    assert not (tmp_path / "datasets" / ".building").exists()


def test_a_set_of_the_catalogue_keeps_its_name_to_itself(tmp_path):
    digits = open_dataset(tmp_path, "digits")
    sample_id, label = digits.sample_ids("test")[0], str(digits.labels("test")["label"][0])
    add_mark(tmp_path, "digits", Mark(sample_id, "label", "remove", label), digits.info.outputs)
    corrected = correct_dataset(tmp_path, "digits")
    assert (corrected.name, corrected.num_images) == ("digits_corrected", 1796)
    assert open_dataset(tmp_path, "digits").info.version == digits.info.version
    assert sample_id not in open_dataset(tmp_path, "digits_corrected").sample_ids("test")
    assert config_from_dict({"data": {"dataset": "digits_corrected"}}).data.dataset == "digits_corrected"
    with pytest.raises(DatasetError, match=r"^'mnist' is the name of a data set of the catalogue"):
        correct_dataset(tmp_path, "digits", target="mnist")


def test_without_removals_the_pixels_are_the_same_file(tmp_path):
    old = make(tmp_path)
    put(tmp_path, mark(1))
    new = correct_dataset(tmp_path, "pets")
    assert (new.path / "pixels.npy").samefile(old.path / "pixels.npy")


# ---- the commands ----


@pytest.fixture
def call(root, capsys):
    def _call(*words):
        code = run(["datasets", *words, "--store", str(root)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return _call


def test_marks_are_listed_and_taken_back(root, call):
    put(root, mark(1, by="anna"), mark(2, "remove"))
    code, out, _ = call("marks", "pets")
    assert code == 0
    assert "picture 01" in out
    assert "The label is wrong" in out
    taken = json.loads(call("marks", "pets", "--undo", "--json")[1])
    assert taken["undone"]["sample_id"] == "picture 02"
    assert [one["by"] for one in taken["marks"]] == ["anna"]
    assert "Taken back: picture 01 (label: dog): the label is wrong, it is cat." in call("marks", "pets", "--undo")[2]
    assert call("marks", "pets")[1].startswith("No marks of 'pets'. Make some on the page of a run")
    assert call("marks", "pats")[0] == 2


def test_a_correction_is_told_asked_for_and_made(tmp_path, capsys, monkeypatch):
    make(tmp_path)
    put(tmp_path, mark(1), mark(2, "remove"))
    words = ["datasets", "correct", "pets", "--store", str(tmp_path)]
    monkeypatch.setattr("typer.confirm", lambda _question: False)
    assert run(words) == 1
    assert "1 label changes and 1 image goes: 35 of 36 stay" in capsys.readouterr().out
    assert len(list_datasets(tmp_path)) == 1
    assert run([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["counts"] == {"train": 11, "val": 12, "test": 12}
    assert [one["sample_id"] for one in told["removed"]] == ["picture 02"]
    assert len(list_datasets(tmp_path)) == 2
    assert run(words) == 2
    assert "No mark changes data set 'pets'" in capsys.readouterr().err


def test_an_unknown_set_is_said(root):
    with pytest.raises(UnknownNameError):
        plan_correction(root, "pats")
