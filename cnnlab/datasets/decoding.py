"""The work of one decoder process: read some files, decode them, write their pixels to their rows.

`serve()` is such a process: it takes pickled calls on standard input and answers on standard output.
Not a `multiprocessing` pool: its workers outlive a killed parent and stop its exit, while these end
with the pipe. Imports NumPy, Pillow and simplejpeg alone, because starting counts.
"""

import hashlib
import mmap
import os
import pickle
import struct
import sys
import warnings
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from cnnlab.datasets.channels import channel_sums
from cnnlab.datasets.decode import ImageBombError, decode, decode_jpeg_into, fit, measure

_LOCAL_HEADER = struct.Struct("<4s22xHH")


@dataclass(frozen=True)
class Files:
    """Some files of a source: members of a zip, or paths below a folder.

    Attributes:
        places: As in `cnnlab.datasets.archive.Listing`, for these files alone.
        paths: Empty for a zip.
    """

    source: str
    is_zip: bool
    places: np.ndarray
    paths: list[str]


@dataclass(frozen=True)
class Target:
    """Where the pixels go: `shape` (height, width, channels) per image, from `offset` bytes in `path`.

    Attributes:
        how: Of `fit`; "" where every image must have this very size.
        must_be_grey: A coloured image ends the pass, because grey was only guessed.
    """

    path: str
    offset: int
    shape: tuple[int, int, int]
    how: str
    must_be_grey: bool


@dataclass
class Decoded:
    """What became of a chunk; positions count within the chunk.

    Attributes:
        surprise: An image is not as was guessed; the pass is void.
        bomb: Position and description of an image that is refused.
    """

    hashes: list[str] = field(default_factory=list)
    sizes: np.ndarray | None = None
    failures: list[tuple[int, str]] = field(default_factory=list)
    remarks: Counter[str] = field(default_factory=Counter)
    total: np.ndarray | None = None
    squares: np.ndarray | None = None
    surprise: bool = False
    bomb: tuple[int, str] | None = None


@dataclass
class Measured:
    """Width, height and greyness per file; 0, 0, 0 where the header is broken."""

    sizes: np.ndarray
    bomb: tuple[int, str] | None = None


class UnreadableError(Exception):
    """The bytes of a member cannot be had."""


def measure_files(files: Files) -> Measured:
    """Read the headers of `files`."""
    result = Measured(np.zeros((len(files.places), 3), np.int32))
    with Reader(files) as reader, _patient_pillow():
        for index in range(len(files.places)):
            try:
                result.sizes[index] = measure(reader.read(index))
            except ImageBombError as error:
                result.bomb = (index, str(error))
                return result
            except Exception:
                continue  # decoding says what is wrong with it
    return result


def decode_files(files: Files, target: Target, first_row: int, with_sums: bool) -> Decoded:
    """Decode `files` into the rows from `first_row` of `target`."""
    count, shape = len(files.places), target.shape
    pixels = np.empty((count, *shape), np.uint8)
    result = Decoded(sizes=np.empty((count, 2), np.int32))
    assert result.sizes is not None
    result.sizes[:] = shape[1], shape[0]
    with Reader(files) as reader, _patient_pillow():
        for index in range(count):
            row = pixels[index]
            try:
                data = reader.read(index)
                result.hashes.append(hashlib.sha256(data).hexdigest())
                if (target.must_be_grey or not decode_jpeg_into(row, data)) and not _decode_with_care(
                    row, data, target, result, index
                ):
                    result.surprise = True
                    return result
            except ImageBombError as error:
                result.bomb = (index, str(error))
                return result
            except Exception as error:  # a decoder may raise anything at a broken file
                _note_failure(result, index, error)
                row[:] = 0
    if with_sums:
        result.total, result.squares = channel_sums(pixels)
    _write(target.path, target.offset + first_row * int(np.prod(shape)), pixels)
    return result


def _decode_with_care(row: np.ndarray, data: bytes, target: Target, result: Decoded, index: int) -> bool:
    """Decode whatever it is and bring it to size; False where it breaks what was guessed."""
    if target.must_be_grey and not measure(data)[2]:
        return False
    at_least = 2 * max(target.shape[:2]) if target.how else 0
    picture = decode(data, target.shape[2], at_least)
    if not target.how and picture.pixels.shape[:2] != target.shape[:2]:
        return False
    row[:] = fit(picture.pixels, target.shape[0], target.shape[1], target.how)
    assert result.sizes is not None
    result.sizes[index] = picture.width, picture.height
    result.remarks.update(picture.remarks)
    return True


def _note_failure(result: Decoded, index: int, error: Exception) -> None:
    if len(result.hashes) == index:
        result.hashes.append("")
    if isinstance(error, UnreadableError):
        reason = str(error)
    else:
        text = " ".join(str(error).split())[:120] or type(error).__name__
        # Pillow names the buffer it was given, which tells nobody anything.
        text = "not an image, or broken" if text.startswith("cannot identify image file") else text
        reason = f"cannot be read as an image ({text})"
    result.failures.append((index, reason))


def _write(path: str, offset: int, pixels: np.ndarray) -> None:
    # Writing is twice as fast as a memory map here: no page fault per 4 kB.
    with open(path, "rb+", buffering=0) as file:
        file.seek(offset)
        view = pixels.reshape(-1).data
        while view:
            view = view[file.write(view) :]


class Reader:
    """The bytes of some files, checked against what the listing said of them."""

    def __init__(self, files: Files):
        self._files = files
        self._places: list[list[int]] = files.places.tolist()
        self._file: BinaryIO | None = None
        self._map: mmap.mmap | None = None

    def __enter__(self) -> "Reader":
        if self._files.is_zip:
            self._file = open(self._files.source, "rb")
            self._map = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
        return self

    def __exit__(self, *_: object) -> None:
        if self._map is not None and self._file is not None:
            self._map.close()
            self._file.close()

    def read(self, index: int) -> bytes:
        """Return the bytes of one file; raises `UnreadableError`."""
        if self._map is None:
            return self._read_path(index)
        # zipfile's own read costs as much as decoding a small JPEG: 12 microseconds, this 2.
        offset, stored, size, method, crc = self._places[index]
        try:
            mark, name_length, extra_length = _LOCAL_HEADER.unpack_from(self._map, offset)
        except struct.error:
            raise UnreadableError("is missing from the zip: the file is cut off") from None
        start = offset + 30 + name_length + extra_length
        data = self._map[start : start + stored]
        if mark != b"PK\3\4" or len(data) != stored:
            raise UnreadableError("is missing from the zip: the file is damaged or cut off")
        if method:
            try:
                inflater = zlib.decompressobj(-15)
                data = inflater.decompress(data, size + 1)  # never more than it claims
            except zlib.error:
                raise UnreadableError("is damaged in the zip: it cannot be unpacked") from None
        if len(data) != size or zlib.crc32(data) != crc:
            raise UnreadableError("is damaged in the zip: its checksum does not fit")
        return data

    def _read_path(self, index: int) -> bytes:
        try:
            with open(os.path.join(self._files.source, self._files.paths[index]), "rb") as file:
                return file.read()
        except OSError as error:
            raise UnreadableError(f"cannot be opened ({error.strerror})") from None


class _patient_pillow:  # noqa: N801
    """Let Pillow neither warn nor stop at large images: `decode` has its own limit, checked before any pixel."""

    def __enter__(self) -> None:
        self._limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        self._warnings = warnings.catch_warnings()
        self._warnings.__enter__()
        warnings.simplefilter("ignore")  # of corrupt EXIF and the like; what matters is raised

    def __exit__(self, *args: Any) -> None:
        Image.MAX_IMAGE_PIXELS = self._limit
        self._warnings.__exit__(*args)


CALLS: dict[str, Callable[..., Any]] = {"measure": measure_files, "decode": decode_files}


def serve() -> None:
    """Answer calls until the pipe ends."""
    calls, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    while True:
        try:
            name, arguments = pickle.load(calls)
        except EOFError:
            return
        pickle.dump(CALLS[name](*arguments), answers, protocol=pickle.HIGHEST_PROTOCOL)
        answers.flush()
