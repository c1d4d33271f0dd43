"""The little of the protobuf wire format that event files need: fields in, fields out.

Source: https://protobuf.dev/programming-guides/encoding/. A message is a run of fields, each a key
`number << 3 | kind` and a value: kind 0 a varint, 1 eight bytes, 2 a length and so many bytes, 5 four bytes.
Unknown fields are passed over, as the format asks. Groups (kinds 3 and 4) are refused: nobody writes them here.
"""

import math
import struct
from collections.abc import Iterator

VARINT, EIGHT, BYTES, FOUR = 0, 1, 2, 5

_DOUBLE, _FLOAT = struct.Struct("<d"), struct.Struct("<f")


class WireError(ValueError):
    """These bytes are no message."""


def fields(data: bytes, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield number, kind, and of a varint its value and 0, of anything else where its bytes begin and end."""
    while start < end:
        key = data[start]
        if key < 128:  # nearly always, and a call costs more than all else here
            start += 1
        else:
            key, start = varint(data, start, end)
        kind = key & 7
        if kind == VARINT:
            value, start = varint(data, start, end)
            yield key >> 3, VARINT, value, 0
            continue
        if kind == BYTES:
            size = data[start] if start < end else 128
            if size < 128:
                start += 1
            else:
                size, start = varint(data, start, end)
        elif kind in (EIGHT, FOUR):
            size = 8 if kind == EIGHT else 4
        else:
            raise WireError(f"kind {kind}")
        if start + size > end:
            raise WireError("cut off")
        yield key >> 3, kind, start, start + size
        start += size


def varint(data: bytes, start: int, end: int) -> tuple[int, int]:
    """Return an unsigned number and where it ends."""
    value = shift = 0
    while start < end:
        byte = data[start]
        start += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, start
        shift += 7
        if shift > 63:
            raise WireError("a number of more than 64 bits")
    raise WireError("cut off")


def signed(value: int) -> int:
    """Return a varint as the signed 64-bit number that it stands for."""
    value &= (1 << 64) - 1
    return value - (1 << 64) if value >> 63 else value


def double_at(data: bytes, start: int) -> float:
    """Return the float64 that begins there."""
    return float(_DOUBLE.unpack_from(data, start)[0])


def float_at(data: bytes, start: int) -> float:
    """Return the float32 that begins there."""
    return float(_FLOAT.unpack_from(data, start)[0])


def text_at(data: bytes, start: int, end: int) -> str:
    """Return the text of some bytes; what is no UTF-8 is marked, never an error."""
    return data[start:end].decode("utf-8", errors="replace")


def put_varint(number: int, value: int) -> bytes:
    """Return a field that holds an integer."""
    return _varint(number << 3 | VARINT) + _varint(value & ((1 << 64) - 1))


def put_double(number: int, value: float) -> bytes:
    """Return a field that holds a float64."""
    return _varint(number << 3 | EIGHT) + _DOUBLE.pack(value)


def put_float(number: int, value: float) -> bytes:
    """Return a field that holds a float32; what is too large for one becomes infinite."""
    try:
        content = _FLOAT.pack(value)
    except OverflowError:
        content = _FLOAT.pack(math.copysign(math.inf, value))
    return _varint(number << 3 | FOUR) + content


def put_bytes(number: int, value: bytes | str) -> bytes:
    """Return a field that holds bytes, text or a message."""
    content = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | BYTES) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
