"""Archives that mean harm are refused with a sentence, and nothing of them stays."""

import io
import os
import stat
import struct
import tarfile
import zipfile
import zlib

import pytest
from pictures import class_files, image_bytes, leftovers, write_folder, write_zip

from cnnlab.datasets import archive, decode
from cnnlab.datasets.importing import import_images
from cnnlab.errors import ImportRefusedError


def refused(source, tmp_path):
    """Return the sentence with which `source` is refused, after looking that nothing is left of it."""
    before = sorted(path for path in tmp_path.rglob("*"))
    store = tmp_path / "store"
    with pytest.raises(ImportRefusedError) as error:
        import_images(source, store, "mine")
    assert leftovers(store) == []
    assert [path for path in sorted(tmp_path.rglob("*")) if store not in (path, *path.parents)] == before
    return str(error.value)


@pytest.mark.parametrize(
    "name", ["../evil.png", "cat/../../evil.png", "..\\evil.png", "cat/..", "../cat/1.png", "__MACOSX/../../x.png"]
)
def test_paths_that_lead_outside(tmp_path, name):
    text = refused(write_zip(tmp_path / "a.zip", {**class_files(), name: image_bytes(1)}), tmp_path)
    shown = name.replace("\\", "/")
    assert text == (
        f"'a.zip' holds a path that leads outside, {shown!r}. Nothing was imported. "
        "Make it again from inside the folder."
    )


@pytest.mark.parametrize("name", ["/etc/evil.png", "C:/evil.png", "c:\\evil.png", "//server/share/evil.png"])
def test_absolute_paths(tmp_path, name):
    text = refused(write_zip(tmp_path / "a.zip", {**class_files(), name: image_bytes(1)}), tmp_path)
    assert text.startswith("'a.zip' holds an absolute path, ")


def test_symbolic_links_in_a_zip(tmp_path):
    path = write_zip(tmp_path / "a.zip", class_files())
    link = zipfile.ZipInfo("cat/link.png")
    link.create_system = 3
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as file:
        file.writestr(link, "/etc/passwd")
    assert refused(path, tmp_path) == (
        "'a.zip' holds a symbolic link, 'cat/link.png'. Nothing was imported. Put the files themselves in its place."
    )


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")
@pytest.mark.parametrize("target", ["/etc/hostname", "..", "cat/000.png"])
def test_symbolic_links_in_a_folder(tmp_path, target):
    folder = write_folder(tmp_path / "a", class_files())
    (folder / "cat" / "link.png").symlink_to(target)
    assert refused(folder, tmp_path).startswith("'a' holds a symbolic link, 'cat/link.png'.")


@pytest.mark.parametrize("name", ["more.zip", "cat/more.ZIP", "cat/more.tar.gz", "cat/more.7z"])
def test_nested_archives(tmp_path, name):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as file:
        file.writestr("cat/1.png", image_bytes(1))
    text = refused(write_zip(tmp_path / "a.zip", {**class_files(), name: inner.getvalue()}), tmp_path)
    assert text == f"'a.zip' holds another archive, {name!r}. Nothing was imported. Unpack it and import the folder."


def test_a_zip_bomb_by_its_ratio(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "RATIO_FREE_BYTES", 10**6)
    text = refused(write_zip(tmp_path / "a.zip", {**class_files(), "cat/bomb.bmp": bytes(5 * 10**6)}), tmp_path)
    assert text.startswith("'a.zip' is a zip bomb: ")
    assert "more than 200 times as many. Nothing was imported. Import another file" in text


def test_a_zip_bomb_by_its_total(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MAX_TOTAL_BYTES", 1000)
    text = refused(write_zip(tmp_path / "a.zip", class_files()), tmp_path)
    assert text.startswith("'a.zip' unpacks to 0 GB, more than 0 GB. Nothing was imported.")


def test_a_zip_bomb_of_members_that_overlap(tmp_path):
    path = write_zip(tmp_path / "a.zip", {**class_files(2), "cat/big.png": image_bytes(3, (64, 64))})
    content = path.read_bytes()
    directory = content.rindex(b"PK\5\6")
    start, size = (
        struct.unpack_from("<L", content, directory + 16)[0],
        struct.unpack_from("<L", content, directory + 12)[0],
    )
    entries = content[start : start + size]
    last = entries[entries.rindex(b"PK\1\2") :]
    # The same member under ever new names: one piece of data counted many times.
    copies = b"".join(last.replace(b"cat/big.png", f"cat/{index:03d}.png".encode()) for index in range(100))
    end = bytearray(content[directory:])
    struct.pack_into("<HH", end, 8, entries.count(b"PK\1\2") + 100, entries.count(b"PK\1\2") + 100)
    struct.pack_into("<L", end, 12, size + len(copies))
    path.write_bytes(content[:start] + entries + copies + bytes(end))
    assert refused(path, tmp_path).startswith("'a.zip' is a zip bomb: its members overlap.")


def test_a_member_larger_than_it_says_is_skipped_and_never_unpacked_whole(tmp_path):
    path = write_zip(tmp_path / "a.zip", {**class_files(), "cat/liar.png": bytes(10**6)})
    content = bytearray(path.read_bytes())
    for mark, at in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        name_at = 30 if mark == b"PK\3\4" else 46
        start = content.find(mark)
        while start >= 0:
            if content[start + name_at : start + name_at + 12] == b"cat/liar.png":
                struct.pack_into("<L", content, start + at, 100)
            start = content.find(mark, start + 4)
    path.write_bytes(content)
    info = import_images(path, tmp_path / "store", "mine")
    assert [(item.file, item.reason) for item in info.skipped] == [
        ("cat/liar.png", "is damaged in the zip: its checksum does not fit")
    ]


def test_an_image_bomb(tmp_path):
    def chunk(kind, data):
        return struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))

    header = struct.pack(">LLBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    bomb = (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )
    text = refused(write_zip(tmp_path / "a.zip", {**class_files(), "dog/bomb.png": bomb}), tmp_path)
    assert text == (
        "'a.zip' holds an image bomb, 'dog/bomb.png': 30,000 x 30,000 pixels, more than 80 million. "
        "Nothing was imported. Remove that file, or make it smaller."
    )


def test_an_image_bomb_that_the_first_looks_missed(tmp_path, monkeypatch):
    monkeypatch.setattr(decode, "MAX_PIXELS", 100)
    monkeypatch.setattr("cnnlab.datasets.import_steps.PROBED_FILES", 2)
    files = {**class_files(20), "cat/010.png": image_bytes(1, (20, 20), kind="JPEG")}
    assert "holds an image bomb, 'cat/010.png': 20 x 20 pixels" in refused(
        write_zip(tmp_path / "a.zip", files), tmp_path
    )


def test_a_process_that_lists_refuses_in_the_same_words(tmp_path, monkeypatch):
    path = write_zip(tmp_path / "a.zip", {**class_files(), "../evil.png": image_bytes(1)})
    here = refused(path, tmp_path)
    monkeypatch.setattr("cnnlab.datasets.importing.BYTES_WORTH_PROCESSES", 0)
    monkeypatch.setattr("cnnlab.datasets.pool.usable_cores", lambda: 2)
    monkeypatch.setattr("cnnlab.datasets.import_steps.list_files", None)
    assert refused(path, tmp_path) == here


def test_too_many_files(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MAX_FILES", 5)
    text = refused(write_zip(tmp_path / "a.zip", class_files()), tmp_path)
    assert text == "'a.zip' holds more than 5 files. Nothing was imported. Import a part of it."


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\5\6" + bytes(10), b"PK\3\4" + bytes(100)])
def test_what_is_no_zip(tmp_path, content):
    (tmp_path / "a.zip").write_bytes(content)
    text = refused(tmp_path / "a.zip", tmp_path)
    assert text.startswith("'a.zip' cannot be read as a zip (")
    assert text.endswith("Unpack other archives first and import the folder, or download the file again.")


def test_a_tar_says_that_a_zip_or_a_folder_is_expected(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as file:
        file.add(write_folder(tmp_path / "b", class_files()), "b")
    assert "Expected a zip file or a folder with one sub-folder per class." in refused(tmp_path / "a.tar", tmp_path)


def test_a_zip_cut_off_in_the_middle(tmp_path):
    content = write_zip(tmp_path / "a.zip", class_files(20)).read_bytes()
    (tmp_path / "a.zip").write_bytes(content[: len(content) // 2])
    assert refused(tmp_path / "a.zip", tmp_path).startswith("'a.zip' cannot be read as a zip (")


def test_encrypted_members_are_listed(tmp_path):
    path = write_zip(tmp_path / "a.zip", {**class_files(), "zoo.png": image_bytes(1)})
    content = bytearray(path.read_bytes())
    content[content.rindex(b"PK\1\2") + 8] |= 1
    path.write_bytes(content)
    info = import_images(path, tmp_path / "store", "mine")
    assert [item.reason for item in info.skipped] == ["is encrypted; make the zip again without a password"]


def test_an_unusual_compression_is_listed(tmp_path):
    path = write_zip(tmp_path / "a.zip", class_files())
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("cat/x.png", image_bytes(1), zipfile.ZIP_LZMA)
    info = import_images(path, tmp_path / "store", "mine")
    assert [item.reason for item in info.skipped] == [
        "is compressed by method 14; make the zip again with ordinary 'deflate'"
    ]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are of Unix")
def test_a_named_pipe_in_a_folder_is_listed_and_never_opened(tmp_path):
    folder = write_folder(tmp_path / "a", class_files())
    os.mkfifo(folder / "cat" / "pipe.png")
    info = import_images(folder, tmp_path / "store", "mine")
    assert [(item.file, item.reason) for item in info.skipped] == [("cat/pipe.png", "is no ordinary file")]


@pytest.mark.skipif(os.name == "nt" or os.uname().sysname == "Darwin", reason="names of any bytes are of Linux")
def test_a_name_of_any_bytes_in_a_folder_is_listed(tmp_path):
    folder = write_folder(tmp_path / "a", class_files())
    with open(os.fsencode(folder / "cat") + b"/\xff.png", "wb") as file:
        file.write(image_bytes(1))
    info = import_images(folder, tmp_path / "store", "mine")
    assert [(item.file, item.reason) for item in info.skipped] == [
        ("cat/\\udcff.png", "has a name that is not valid Unicode; rename it")
    ]


def test_an_archive_in_a_folder_is_listed(tmp_path):
    folder = write_folder(tmp_path / "a", {**class_files(), "more.zip": b"x"})
    info = import_images(folder, tmp_path / "store", "mine")
    assert [(item.file, item.reason) for item in info.skipped] == [("more.zip", "is an archive; unpack it first")]
