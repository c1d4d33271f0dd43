"""The directory of a zip: what its members are called and where they lie.

`zipfile` reads any zip and makes one object per member, which for 60,000 small images takes a third
as long as decoding them. An ordinary directory is read here as one table; whatever is unusual about
it (zip64, a comment, something before the zip) goes to `zipfile`.
"""

import contextlib
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

_END = struct.Struct("<4s4H2LH")
_MARK = 0x02014B50  # 'PK', 1, 2
_HEADER = np.dtype(
    {
        "names": ["system", "flags", "method", "crc", "stored", "size", "lengths", "external", "offset"],
        "formats": ["u1", "<u2", "<u2", "<u4", "<u4", "<u4", "(3,)<u2", "<u4", "<u4"],
        "offsets": [5, 8, 10, 16, 20, 24, 28, 38, 42],
        "itemsize": 46,  # then the name, an extra field and a comment, of these lengths
    }
)
_COLUMNS = ("offset", "stored", "size", "method", "crc", "flags", "mode")
_UTF8, _UNIX, _ZIP64 = 0x800, 3, 0xFFFFFFFF


@dataclass(frozen=True)
class ZipDirectory:
    """The members of a zip.

    Attributes:
        columns: int64 `(n, 7)`: header offset, stored bytes, bytes, method, crc, flags and Unix mode (0: none).
    """

    names: list[str]
    columns: np.ndarray


def read_directory(path: Path) -> ZipDirectory:
    """Read the directory of a zip; raises what `zipfile` raises where it is broken."""
    return read_ordinary(path) or read_any(path)


def read_ordinary(path: Path) -> ZipDirectory | None:
    """Read an ordinary directory fast; None where it is another."""
    data = _directory_bytes(path)
    if data is None:
        return None
    starts = np.flatnonzero(_windows(data, np.dtype("<u4")) == _MARK)
    starts = starts[starts <= len(data) - _HEADER.itemsize]
    table = _windows(data, _HEADER)[starts]
    ends = starts + _HEADER.itemsize + table["lengths"].sum(1, dtype=np.int64)
    # Every entry begins where the one before ends; else one of the marks found is a part of a name.
    if not (np.append(0, ends) == np.append(starts, len(data))).all():
        return None
    largest = max(table[name].max(initial=0) for name in ("stored", "size", "offset"))
    if largest == _ZIP64:
        return None
    names = _names(data, starts + _HEADER.itemsize, table["lengths"][:, 0], table["flags"])
    if "\0" in "".join(names):
        return None
    mode = np.where(table["system"] == _UNIX, table["external"] >> 16, 0)
    columns = [mode if name == "mode" else table[name] for name in _COLUMNS]
    return ZipDirectory(names, np.column_stack(columns).astype(np.int64))


def read_any(path: Path) -> ZipDirectory:
    """Read any directory by `zipfile`."""
    with zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
    rows = [
        (
            info.header_offset, info.compress_size, info.file_size, info.compress_type, info.CRC, info.flag_bits,
            info.external_attr >> 16 if info.create_system == _UNIX else 0,
        )
        for info in infos
    ]  # fmt: skip
    names = [info.orig_filename.partition("\0")[0] for info in infos]
    names = [
        name if name.isascii() or info.flag_bits & _UTF8 else _decode(name.encode("cp437"), info.flag_bits)
        for name, info in zip(names, infos, strict=True)
    ]
    return ZipDirectory(names, np.array(rows, np.int64).reshape(len(rows), len(_COLUMNS)))


def _directory_bytes(path: Path) -> bytes | None:
    with open(path, "rb") as file:
        length = file.seek(0, 2)
        if length < _END.size:
            return None
        file.seek(length - _END.size)
        mark, disk, first_disk, here, count, size, offset, comment = _END.unpack(file.read(_END.size))
        is_ordinary = mark == b"PK\5\6" and not disk and not first_disk and here == count and not comment
        if not is_ordinary or offset + size + _END.size != length:
            return None
        file.seek(offset)
        return file.read(size)


def _windows(data: bytes, kind: np.dtype) -> np.ndarray:
    """Return what a `kind` is at every single byte of `data`, without a copy."""
    return np.ndarray((max(0, len(data) - kind.itemsize + 1),), kind, data, strides=(1,))


def _names(data: bytes, starts: np.ndarray, lengths: np.ndarray, flags: np.ndarray) -> list[str]:
    text = data.decode("latin-1")
    names = [text[start:stop] for start, stop in zip(starts.tolist(), (starts + lengths).tolist(), strict=True)]
    if "".join(names).isascii():
        return names
    return [
        name if name.isascii() else _decode(name.encode("latin-1"), flag)
        for name, flag in zip(names, flags.tolist(), strict=True)
    ]


def _decode(raw: bytes, flags: int) -> str:
    if raw.isascii():
        return raw.decode("ascii")
    if not flags & _UTF8:
        # macOS writes UTF-8 without saying so; by the standard it would be code page 437.
        with contextlib.suppress(UnicodeDecodeError):
            return raw.decode("utf-8")
        return raw.decode("cp437")
    return raw.decode("utf-8")
