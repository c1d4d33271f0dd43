"""The work of one decoder process: read some files, decode them, write their pixels to their rows.

`serve()` is such a process: it takes pickled calls on standard input and answers on standard output.
Not a `multiprocessing` pool: its workers outlive a killed parent and stop its exit, while these end
with the pipe. Imports NumPy and simplejpeg alone, because starting counts; Pillow comes with the first
file that needs it.
"""

import contextlib
import hashlib
import io
import os
import pickle
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import InitVar, dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from cnnlab.datasets.channels import channel_sums
from cnnlab.datasets.plain_jpeg import decode_jpeg_into, measure_plain
from cnnlab.datasets.reading import Files, ImageBombError, Reader, UnreadableError
from cnnlab.errors import ImportRefusedError

# A quarter of the second-level cache of a small core.
BLOCK_BYTES = 2**18


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
        sizes: Width and height of each file, `(n, 2)`.
        total: Sum per channel, and `squares` of the squares; zeros where not asked for.
        surprise: An image is not as was guessed; the pass is void.
        bomb: Position and description of an image that is refused.
    """

    sizes: np.ndarray
    channels: InitVar[int]
    hashes: list[str] = field(default_factory=list)
    failures: list[tuple[int, str]] = field(default_factory=list)
    remarks: Counter[str] = field(default_factory=Counter)
    total: np.ndarray = field(init=False)
    squares: np.ndarray = field(init=False)
    surprise: bool = False
    bomb: tuple[int, str] | None = None

    def __post_init__(self, channels: int) -> None:
        self.total, self.squares = np.zeros(channels, np.int64), np.zeros(channels, np.int64)


@dataclass
class Measured:
    """Width, height and greyness per file; 0, 0, 0 where the header is broken."""

    sizes: np.ndarray
    bomb: tuple[int, str] | None = None


def measure_files(files: Files) -> Measured:
    """Read the headers of `files`."""
    result = Measured(np.zeros((len(files.places), 3), np.int32))
    with Reader(files) as reader, _Care() as care:
        for index in range(len(files.places)):
            try:
                data = reader.read(index)
                result.sizes[index] = measure_plain(data) or care.decoder().measure(data)
            except ImageBombError as error:
                result.bomb = (index, str(error))
                return result
            except Exception:
                continue  # decoding says what is wrong with it
    return result


def decode_files(files: Files, target: Target, first_row: int, with_sums: bool) -> Decoded:
    """Decode `files` into the rows from `first_row` of `target`."""
    count, shape = len(files.places), target.shape
    size = int(np.prod(shape))
    result = Decoded(np.tile(np.array([shape[1], shape[0]], np.int32), (count, 1)), channels=shape[2])
    # A block is written and summed up while it is still in the core's cache: half the time of one large array.
    length = max(1, BLOCK_BYTES // size)
    block = np.empty((length, *shape), np.uint8)
    with Reader(files) as reader, open(target.path, "rb+", buffering=0) as output, _Care() as care:
        output.seek(target.offset + first_row * size)
        for start in range(0, count, length):
            rows = block[: min(length, count - start)]
            if not _decode_block(rows, reader, care, start, target, result):
                return result
            if with_sums:
                total, squares = channel_sums(rows)
                result.total += total
                result.squares += squares
            _write(output, rows)
    return result


def _decode_block(rows: np.ndarray, reader: Reader, care: "_Care", start: int, target: Target, result: Decoded) -> bool:
    """Decode the files from `start` into `rows`; False where the pass is to end."""
    may_be_plain = not target.must_be_grey
    for index, row in enumerate(rows, start):
        try:
            data = reader.read(index)
            result.hashes.append(hashlib.sha256(data).hexdigest())
            is_done = may_be_plain and decode_jpeg_into(row, data)
            if not is_done and not _decode_with_care(care.decoder(), row, data, target, result, index):
                result.surprise = True
                return False
        except ImageBombError as error:
            result.bomb = (index, str(error))
            return False
        except Exception as error:  # a decoder may raise anything at a broken file
            _note_failure(result, index, error)
            row[:] = 0
    return True


def _decode_with_care(
    decoder: ModuleType, row: np.ndarray, data: bytes, target: Target, result: Decoded, index: int
) -> bool:
    """Decode whatever it is and bring it to size; False where it breaks what was guessed."""
    if target.must_be_grey and not decoder.measure(data)[2]:
        return False
    at_least = 2 * max(target.shape[:2]) if target.how else 0
    picture = decoder.decode(data, target.shape[2], at_least)
    if not target.how and picture.pixels.shape[:2] != target.shape[:2]:
        return False
    row[:] = decoder.fit(picture.pixels, target.shape[0], target.shape[1], target.how)
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


def _write(output: io.FileIO, rows: np.ndarray) -> None:
    # Writing is twice as fast as a memory map here: no page fault per 4 kB.
    view = rows.reshape(-1).data
    while view:
        view = view[output.write(view) :]


class _Care:
    """`cnnlab.datasets.decode`, from the first file that needs it to the end of a pass."""

    def __enter__(self) -> "_Care":
        self._stack = contextlib.ExitStack()
        self._decoder: ModuleType | None = None
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def decoder(self) -> ModuleType:
        if self._decoder is None:
            from cnnlab.datasets import decode

            self._stack.enter_context(_patient_pillow())
            self._decoder = decode
        return self._decoder


@contextlib.contextmanager
def _patient_pillow() -> Iterator[None]:
    """Let Pillow neither warn nor stop at large images: `decode` has its own limit, checked before any pixel."""
    from PIL import Image

    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of corrupt EXIF and the like; what matters is raised
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def list_files(source: Path) -> Any:
    """Return the `cnnlab.datasets.archive.Listing` of a source, or the error that refuses it."""
    from cnnlab.datasets.archive import list_source

    try:
        return list_source(source)
    except ImportRefusedError as error:
        return error


CALLS: dict[str, Callable[..., Any]] = {"list": list_files, "measure": measure_files, "decode": decode_files}


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
