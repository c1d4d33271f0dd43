"""The short ways through a listing come to what the long ways come to."""

import itertools
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import class_files, image_bytes, write_folder, write_zip

from cnnlab.datasets import archive
from cnnlab.datasets.archive import list_source
from cnnlab.datasets.folders import folder_runs
from cnnlab.datasets.plain_listing import all_plain
from cnnlab.errors import ImportRefusedError

PARTS = ["a", "b", "a0", "a.b", ".", "..", ".x", "__MACOSX", "C:", "", "é", "x\ny", "1.jpg", "2.PNG", "n.txt"]
PART = st.sampled_from(PARTS)
NAMES = st.lists(st.lists(PART, min_size=1, max_size=4).map("/".join), max_size=8)


@given(st.lists(st.lists(st.sampled_from(["a", "b", "a0", "1.jpg", "!"]), min_size=1, max_size=4).map("/".join)))
def test_runs_are_the_folders_of_neighbours(names):
    names = sorted(set(names))
    runs = folder_runs(names)
    assert [row for run in runs for row in range(run.start, run.stop)] == list(range(len(names)))
    assert all(names[row].rpartition("/")[0] == run.folder for run in runs for row in range(run.start, run.stop))


def test_a_folder_without_sub_folders_is_one_run():
    names = sorted(f"{folder}/{number}.jpg" for folder in ("a", "a0", "b/c") for number in range(30))
    assert [(run.folder, run.stop - run.start) for run in folder_runs(names)] == [("a", 30), ("a0", 30), ("b/c", 30)]


def listed(source):
    """Return what a listing holds, or the sentence that refuses it."""
    try:
        listing = list_source(source)
    except ImportRefusedError as error:
        return str(error)
    return listing.names, listing.places.tolist(), listing.paths, listing.skipped, listing.ignored


@settings(max_examples=150, deadline=None)
@given(names=NAMES, sizes=st.lists(st.integers(0, 2), min_size=8, max_size=8))
def test_one_look_at_all_names_finds_what_a_look_at_each_finds(tmp_path_factory, names, sizes):
    path = tmp_path_factory.mktemp("names") / "a.zip"
    with zipfile.ZipFile(path, "w") as file:
        for name, size in zip(dict.fromkeys(names), itertools.cycle(sizes), strict=False):
            file.writestr(zipfile.ZipInfo(name or "x"), b"" if name.endswith("/") else bytes(size))
    short = listed(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(archive, "all_plain", lambda *_: None)
        assert short == listed(path)


@pytest.mark.parametrize("kind", ["zip", "folder"])
def test_ordinary_sources_take_the_short_way(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(archive, "_look_at_each", None)
    files = class_files()
    if kind == "folder":
        assert list_source(write_folder(tmp_path / "a", files)).names == sorted(files)
        return
    path = write_zip(tmp_path / "a.zip", files)
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("cat/", b"")  # as most tools write for a folder
    assert list_source(path).names == sorted(files)


@pytest.mark.parametrize(
    "odd", ["cat/.x.png", "x.png", "cat/x.txt", "é/x.png", "__MACOSX/x.png", "a//x.png", "C:/x.png"]
)
def test_whatever_is_odd_takes_the_long_way(odd):
    names = ["cat/1.png", "dog/1.png"]
    assert all_plain(names, np.array([5, 5]), {}) == {"cat/1.png": 0, "dog/1.png": 1}
    assert all_plain([*names, odd], np.array([5, 5, 5]), {}) is None
    assert all_plain(names, np.array([5, 0]), {}) is None
    assert all_plain(names, np.array([5, 5]), {1: "is encrypted"}) is None


def test_a_name_that_holds_the_mark_of_an_entry(tmp_path):
    files = {**class_files(), "cat/PK\1\2.png": image_bytes(1)}
    assert list_source(write_zip(tmp_path / "a.zip", files)).names == sorted(files)
