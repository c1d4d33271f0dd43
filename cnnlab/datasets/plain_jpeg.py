"""The short way from a plain JPEG to pixels; what is anything else goes to `cnnlab.datasets.decode`.

Imports NumPy and simplejpeg alone: decoders start with it, and most meet nothing else.
"""

import numpy as np
import simplejpeg

# A larger picture is looked at with care: it may be a bomb.
MAX_PLAIN_PIXELS = 2**24

_plain_header = b"\0"  # of the last plain JPEG: the images of a set mostly share it, byte for byte


def is_jpeg(data: bytes) -> bool:
    """Return whether the bytes begin as a JPEG does, whatever the file is called."""
    return data[:3] == b"\xff\xd8\xff"


def measure_plain(data: bytes) -> tuple[int, int, bool] | None:
    """Return width, height and whether it is grey; None where the file needs more care.

    Raises:
        ValueError: the header is broken.
    """
    if not is_jpeg(data) or not _is_plain(data):
        return None
    height, width, space, _ = simplejpeg.decode_jpeg_header(data, strict=False)
    return None if int(width) * int(height) > MAX_PLAIN_PIXELS else (int(width), int(height), space == "Gray")


def decode_jpeg_into(row: np.ndarray, data: bytes) -> bool:
    """Decode straight into `row` `(height, width, channels)`; False where the file needs more care."""
    if not data.startswith(_plain_header) and not _is_plain(data):
        return False
    try:
        # The header is not read first, and a buffer of the wrong size is refused before decoding.
        pixels = simplejpeg.decode_jpeg(data, "GRAY" if row.shape[2] == 1 else "RGB", buffer=row)
    except ValueError:
        return False
    return bool(pixels.shape == row.shape)


def _is_plain(data: bytes) -> bool:
    """Return whether it has no EXIF, which may turn it, and no four components: there Pillow makes other colours."""
    if data.find(b"Exif\0\0") >= 0 or data.find(b"\0\x14\x08") >= 0:
        return False
    global _plain_header
    _plain_header = data[: _header_length(data)] or _plain_header
    return True


def _header_length(data: bytes) -> int:
    """Return the length of all that comes before the compressed pixels, 0 where that cannot be told.

    Source: ITU-T T.81, B.1.1.4: a segment is a marker of two bytes, its length in two bytes, its content.
    """
    start = 2
    while start + 4 <= len(data) and data[start] == 0xFF:
        start += 2 + int.from_bytes(data[start + 2 : start + 4])
        if data[start : start + 2] == b"\xff\xda":
            return start + 2
    return 0
