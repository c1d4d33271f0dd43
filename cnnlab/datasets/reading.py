"""The bytes of files in a zip or a folder, checked against what the listing said of them.

Imports NumPy alone: decoders use it in their processes.
"""

import mmap
import os
import struct
import zlib
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

MAX_FILE_BYTES = 500 * 10**6

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
class Skipped:
    """A file that was left out, and why."""

    file: str
    reason: str


class ImageBombError(Exception):
    """An image claims more pixels than a memory holds."""


class UnreadableError(Exception):
    """The bytes of a member cannot be had."""


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
