"""What a zip or a folder holds, listed before anything of it is decoded.

Nothing is ever unpacked to disk: members are read from the archive and decoded in memory. What
points outside, hides another archive or would fill the machine is refused as a whole.
"""

import os
import stat
import unicodedata
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import numpy as np

from cnnlab.datasets.plain_listing import IMAGE_SUFFIXES, all_plain, is_ignored
from cnnlab.datasets.reading import MAX_FILE_BYTES, Skipped
from cnnlab.datasets.zip_directory import read_directory
from cnnlab.errors import ImportRefusedError

MAX_FILES = 2_000_000
MAX_TOTAL_BYTES = 200 * 10**9
# Photographs are compressed already; flat drawings as BMP reach about this.
MAX_RATIO = 200
# Below this no ratio does any harm.
RATIO_FREE_BYTES = 100 * 10**6

ARCHIVE_SUFFIXES = frozenset(".zip .tar .tgz .tbz2 .txz .gz .bz2 .xz .zst .7z .rar .jar .cab .iso".split())  # noqa: SIM905


@dataclass
class Listing:
    """The image files of a source, as parallel lists sorted by name, and what was left out.

    Attributes:
        names: Paths with '/' below the root of the source, in Unicode's composed form.
        places: What a reader needs per file: for a zip `(header offset, stored bytes, bytes, method,
            crc)`, for a folder the bytes alone; int64 `(n, 5)`.
        paths: The names as they are on disk, for a folder; empty for a zip.
        ignored: How many hidden files and folders, and litter of operating systems.
    """

    source: Path
    is_zip: bool
    names: list[str]
    places: np.ndarray
    paths: list[str]
    skipped: list[Skipped] = field(default_factory=list)
    ignored: int = 0


def list_source(source: Path) -> Listing:
    """List a zip or a folder.

    Raises:
        ImportRefusedError: it is neither, cannot be read, or is unsafe; the sentence says which.
    """
    if source.is_dir():
        return _sort_out(source, False, _scan_folder(source))
    if not source.exists():
        raise ImportRefusedError(
            f"There is no file or folder {str(source)!r}. Expected a zip or a folder. Check the path."
        )
    return _sort_out(source, True, _scan_zip(source))


@dataclass
class _Members:
    """All members of a source, parallel to each other; `places` as in `Listing`."""

    names: list[str]
    places: np.ndarray
    is_link: np.ndarray
    troubles: dict[int, str]
    ignored: int = 0


def _scan_zip(source: Path) -> _Members:
    try:
        directory = read_directory(source)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise ImportRefusedError(
            f"{source.name!r} cannot be read as a zip ({error}). Expected a zip file or a folder with one sub-folder "
            "per class. Unpack other archives first and import the folder, or download the file again."
        ) from None
    columns = directory.columns
    _check_totals(source, columns)
    method, flags, kind = columns[:, 3], columns[:, 5], columns[:, 6] & 0o170000
    troubles: dict[int, str] = {}
    for row in np.flatnonzero((method != zipfile.ZIP_STORED) & (method != zipfile.ZIP_DEFLATED)):
        troubles[int(row)] = f"is compressed by method {method[row]}; make the zip again with ordinary 'deflate'"
    for row in np.flatnonzero(flags & 1):
        troubles[int(row)] = "is encrypted; make the zip again without a password"
    names = directory.names
    if any("\\" in name for name in names):  # some tools of Windows
        names = [name.replace("\\", "/") for name in names]
    return _Members(names, columns[:, :5], kind == stat.S_IFLNK, troubles)


def _scan_folder(root: Path) -> _Members:
    members = _Members([], np.zeros((0, 5), np.int64), np.zeros(0, bool), {})
    sizes: list[int] = []
    are_links: list[bool] = []
    pending = [""]
    while pending:
        folder = pending.pop()
        with os.scandir(root / folder) as entries:
            for entry in entries:
                name = f"{folder}{entry.name}"
                is_link = entry.is_symlink() or _is_junction(entry)
                if not is_link and entry.is_dir(follow_symlinks=False):
                    if is_ignored(entry.name):
                        members.ignored += 1
                    else:
                        pending.append(f"{name}/")
                    continue
                status = entry.stat(follow_symlinks=False)
                if not is_link and not stat.S_ISREG(status.st_mode):
                    members.troubles[len(sizes)] = "is no ordinary file"
                members.names.append(name)
                are_links.append(is_link)
                sizes.append(status.st_size)
    members.places = np.zeros((len(sizes), 5), np.int64)
    members.places[:, 2] = sizes
    members.is_link = np.array(are_links, bool)
    return members


def _is_junction(entry: "os.DirEntry[str]") -> bool:
    return bool(getattr(entry, "is_junction", lambda: False)())  # Windows, from Python 3.12


def _sort_out(source: Path, is_zip: bool, members: _Members) -> Listing:
    """Keep the images, skip or ignore the rest, refuse what is unsafe."""
    if len(members.names) > MAX_FILES:
        _refuse(source, f"holds more than {MAX_FILES:,} files", "Import a part of it")
    if members.is_link.any():
        link = members.names[int(members.is_link.argmax())]
        _refuse(source, f"holds a symbolic link, {link!r}", "Put the files themselves in its place")
    listing = Listing(source, is_zip, [], members.places[:0], [], ignored=members.ignored)
    found = all_plain(members.names, members.places[:, 2], members.troubles) or _look_at_each(listing, members)
    listing.names = sorted(found)
    rows = np.fromiter(map(found.__getitem__, listing.names), np.int64, len(found))
    listing.places = members.places[rows]
    listing.paths = [] if is_zip else [members.names[row] for row in rows]
    listing.skipped.sort(key=lambda item: item.file)
    return listing


def _look_at_each(listing: Listing, members: _Members) -> dict[str, int]:
    """Return the row of each image; note what is skipped or ignored, refuse what is unsafe."""
    source, is_zip = listing.source, listing.is_zip
    found: dict[str, int] = {}
    is_ignored_in: dict[str, bool] = {}  # by folder: thousands of files share one
    sizes = members.places[:, 2]
    odd = {*members.troubles, *np.flatnonzero((sizes == 0) | (sizes > MAX_FILE_BYTES)).tolist()}
    for row, name in enumerate(members.names):
        folder, _, base = name.rpartition("/")
        if folder not in is_ignored_in:
            _check_safe(source, is_zip, name)
            is_ignored_in[folder] = any(map(is_ignored, folder.split("/"))) if folder else False
        # Nearly every file is plain: it passes by the one test here, and saves a tenth of the import.
        is_plain = folder and base[base.rfind(".") :].lower() in IMAGE_SUFFIXES and base[0] != "." and name.isascii()
        if is_plain and not is_ignored_in[folder] and row not in odd and name not in found:
            found[name] = row
            continue
        if base == ".." or not folder:
            _check_safe(source, is_zip, name)
        if not base:
            continue
        if is_ignored_in[folder] or is_ignored(base):
            listing.ignored += 1
            continue
        name = unicodedata.normalize("NFC", name)
        reason = _reason_to_skip(source, is_zip, name, base, int(sizes[row]), members.troubles.get(row))
        if not reason and found.setdefault(name, row) != row:
            reason = "has a name that is already taken"
        if reason:
            listing.skipped.append(Skipped(_printable(name), reason))
    return found


def _check_safe(source: Path, is_zip: bool, name: str) -> None:
    if not is_zip:
        return  # what a folder lists lies in it
    if ".." in name.split("/"):
        _refuse(source, f"holds a path that leads outside, {name!r}", "Make it again from inside the folder")
    if name.startswith("/") or (name[:1].isalpha() and name[1:2] == ":"):
        _refuse(source, f"holds an absolute path, {name!r}", "Make it again from inside the folder")


def _reason_to_skip(source: Path, is_zip: bool, name: str, base: str, size: int, trouble: str | None) -> str:
    dot = base.rfind(".")
    suffix = base[dot:].lower() if dot > 0 else ""
    if suffix not in IMAGE_SUFFIXES:
        if suffix not in ARCHIVE_SUFFIXES:
            return f"is not an image by its ending {suffix!r}" if suffix else "is not an image: it has no ending"
        if is_zip:
            _refuse(source, f"holds another archive, {name!r}", "Unpack it and import the folder")
        return "is an archive; unpack it first"
    if not name.isascii() and not _is_unicode(name):
        return "has a name that is not valid Unicode; rename it"
    if trouble:
        return trouble
    if size == 0:
        return "is empty"
    return f"is larger than {MAX_FILE_BYTES // 10**6} MB" if size > MAX_FILE_BYTES else ""


def _check_totals(source: Path, columns: np.ndarray) -> None:
    """Refuse a zip bomb by what the directory says; readers hold each member to it."""
    size = source.stat().st_size
    stored, total = int(columns[:, 1].sum()), int(columns[:, 2].sum())
    if stored > size:
        _refuse(source, "is a zip bomb: its members overlap", "Import another file")
    if total > RATIO_FREE_BYTES and total > MAX_RATIO * size:
        what = f"is a zip bomb: {size:,} bytes that unpack to {total:,}, more than {MAX_RATIO} times as many"
        _refuse(source, what, "Import another file, or unpack it yourself and import the folder")
    if total > MAX_TOTAL_BYTES:
        what = f"unpacks to {total // 10**9:,} GB, more than {MAX_TOTAL_BYTES // 10**9} GB"
        _refuse(source, what, "Import a part of it")


def _refuse(source: Path, what: str, way_out: str) -> NoReturn:
    raise ImportRefusedError(f"{source.name!r} {what}. Nothing was imported. {way_out}.")


def _is_unicode(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _printable(name: str) -> str:
    return name if _is_unicode(name) else name.encode("utf-8", "backslashreplace").decode()
