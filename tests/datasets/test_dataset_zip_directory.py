"""The fast reader of zip directories says what zipfile says, or leaves it to zipfile."""

import contextlib
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pictures import class_files, write_zip

from cnnlab.datasets.importing import import_images
from cnnlab.datasets.zip_directory import read_any, read_directory, read_ordinary
from cnnlab.errors import DatasetError

NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=12)
MEMBERS = st.dictionaries(NAMES, st.tuples(st.binary(max_size=200), st.sampled_from([0, 8])), max_size=8)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(MEMBERS)
def test_both_readers_agree(tmp_path_factory, members):
    path = tmp_path_factory.mktemp("zip") / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, (data, method) in members.items():
            archive.writestr(name, data, method)
    fast, slow = read_ordinary(path), read_any(path)
    assert fast is not None
    assert fast.names == slow.names == list(members)
    assert (fast.columns == slow.columns).all()
    assert fast.columns[:, 2].tolist() == [len(data) for data, _ in members.values()]


def test_members_without_the_utf8_flag_are_decoded_alike(tmp_path):
    path = write_zip(tmp_path / "a.zip", {"Käfer/1.png": b"x"})
    content = path.read_bytes()
    for encoded in ("Käfer".encode(), "K\x84fer".encode("latin-1")):  # as macOS writes it, and as DOS did
        other = content.replace("Käfer".encode(), encoded.ljust(6, b"_"))
        at_local, at_central = other.find(b"PK\3\4") + 7, other.find(b"PK\1\2") + 9
        other = bytes(b & ~8 if index in (at_local, at_central) else b for index, b in enumerate(other))
        path.write_bytes(other)
        fast = read_ordinary(path)
        assert fast is not None
        assert fast.names == read_any(path).names
        assert fast.names[0].startswith("Käfer")


@pytest.mark.parametrize("how", ["comment", "prefix", "zip64"])
def test_an_unusual_zip_is_left_to_zipfile_and_imported(tmp_path, how):
    files = class_files()
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            with archive.open(name, "w", force_zip64=how == "zip64") as member:
                member.write(data)
        if how == "comment":
            archive.comment = b"made by hand"
    if how == "prefix":
        path.write_bytes(b"#!/bin/sh\n" + path.read_bytes())
    if how != "zip64":  # written for sizes that were not known, its directory is ordinary
        assert read_ordinary(path) is None
    assert read_directory(path).names == list(files)
    assert import_images(path, tmp_path / "store", "mine").num_images == len(files)


@settings(max_examples=60, deadline=None)
@given(position=st.integers(0, 400), value=st.integers(0, 255))
def test_a_flipped_byte_never_does_more_than_skip_or_refuse(tmp_path_factory, position, value):
    folder = tmp_path_factory.mktemp("flip")
    path = write_zip(folder / "a.zip", class_files(3))
    content = bytearray(path.read_bytes())
    content[-1 - position % len(content)] = value
    path.write_bytes(content)
    with contextlib.suppress(DatasetError):
        assert 4 <= import_images(path, folder / "store", "mine").num_images <= 6
