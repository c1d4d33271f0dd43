"""A zip of runs becomes a folder that is gone afterwards: what would fill the disk or land elsewhere is refused."""

import shutil
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from cnnlab.exchange.found import ImportRunsError

MOST_FILES = 200_000
MOST_BYTES = 50 * 10**9
# Event files and texts are compressed to a twentieth at best; a bomb to a thousandth.
MOST_RATIO = 200
RATIO_FREE_BYTES = 100 * 10**6
_COPY_BYTES = 1 << 20
_MAGIC = b"PK\3\4"


@contextmanager
def unpacked(path: Path, workplace: Path) -> Iterator[Path]:
    """Give the content of a zip as a folder below `workplace`, which is deleted at the end.

    Raises:
        ImportRunsError: it is no zip, or is unsafe.
    """
    workplace.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="unpacked-", dir=workplace))
    try:
        try:
            _check_end(path)
            with zipfile.ZipFile(path) as archive:
                _check(path, archive)
                inside = folder / path.stem  # runs are named after the folder that they lie in
                inside.mkdir()
                for member in archive.infolist():
                    _extract(path, archive, member, inside)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
            raise _refused(path, f"cannot be read as a zip ({error})", "Make the zip again") from None
        yield _only_folder(inside)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def is_zip(path: Path) -> bool:
    """Return whether a file is a zip, as a model of Keras is too, or once was to be one."""
    if not path.is_file():
        return False
    try:
        with open(path, "rb") as file:
            begins = file.read(len(_MAGIC)) == _MAGIC
    except OSError:  # whatever opens it next says why
        begins = False
    return begins or path.suffix.lower() == ".zip" or zipfile.is_zipfile(path)


def _check_end(path: Path) -> None:
    """Refuse what lacks the list of files with which a zip ends."""
    if zipfile.is_zipfile(path):
        return
    with open(path, "rb") as file:
        begins = file.read(len(_MAGIC))
    if begins == _MAGIC:
        reason = "is cut or damaged: the list of files with which a zip ends is missing"
    else:
        reason = "is no zip, whatever its name says" if begins else "is empty: it has 0 bytes"
    raise _refused(path, reason, "Copy or make the zip again")


def _check(path: Path, archive: zipfile.ZipFile) -> None:
    members = archive.infolist()
    size, stored = sum(one.file_size for one in members), sum(one.compress_size for one in members)
    if len(members) > MOST_FILES:
        raise _refused(path, f"holds more than {MOST_FILES:,} files", "Import a part of it")
    if size > MOST_BYTES:
        raise _refused(path, f"unpacks to {size / 1e9:.0f} GB", "Import a part of it")
    if size > RATIO_FREE_BYTES and size > MOST_RATIO * max(stored, 1):
        raise _refused(path, f"unpacks to {size // max(stored, 1):,} times its size", "Import the folder itself")
    for member in members:
        name = PurePosixPath(member.filename.replace("\\", "/"))
        if name.is_absolute() or ".." in name.parts or ":" in (name.parts or ("",))[0]:
            raise _refused(path, f"holds a file that would land elsewhere, {member.filename!r}", "Make the zip again")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise _refused(path, f"holds a symbolic link, {member.filename!r}", "Put the files in its place")


def _extract(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path) -> None:
    target = folder / member.filename.replace("\\", "/")
    if member.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    left = member.file_size
    with archive.open(member) as source, open(target, "wb") as file:
        while piece := source.read(_COPY_BYTES):
            left -= len(piece)
            if left < 0:
                raise _refused(path, "unpacks to more than it says", "Make the zip again")
            file.write(piece)


def _only_folder(folder: Path) -> Path:
    """Return the one folder that an archive holds, so that runs are named as where they come from."""
    inside = [entry for entry in folder.iterdir() if entry.name != "__MACOSX"]
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else folder


def _refused(path: Path, reason: str, way_out: str) -> ImportRunsError:
    return ImportRunsError(f"{path.name!r} {reason}. Expected a zip of runs. {way_out}.")
