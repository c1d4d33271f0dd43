"""Which runs people wrote about since the index was made: `index/annotated.jsonl`, one line per change.

The lines are hints and no truth. The index remembers up to where it had read them, by length and
checksum (its mark); where the file is another than it was, every run is looked at again.
"""

import contextlib
import os
import threading
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cnnlab.files import read_bytes
from cnnlab.runs.lines import append_lines, parse_lines

FILE = "annotated.jsonl"
NOTHING = b"0-00000000"


@dataclass(frozen=True)
class Notices:
    """The file as it was at one moment; two looks in between which nothing was written give the same object."""

    stamp: tuple[int, ...]
    data: bytes

    @property
    def mark(self) -> bytes:
        """What an index keeps that has read all of it."""
        return _mark(self.data)

    def since(self, mark: bytes | None) -> frozenset[str] | None:
        """Return the runs that were written about after `mark`; None where nobody can tell."""
        length = int((mark or NOTHING).partition(b"-")[0])
        if _mark(self.data[:length]) != (mark or NOTHING):
            return None
        lines = parse_lines(self.data[length:])
        return frozenset(name for line in lines for name in line.get("runs", ()) if isinstance(name, str))


_lock = threading.Lock()
_known: dict[Path, Notices] = {}


def notice(index_dir: Path, run_ids: Sequence[str]) -> None:
    """Tell every reader that these runs were written about; call it after the writing."""
    index_dir.mkdir(parents=True, exist_ok=True)
    append_lines(index_dir / FILE, [{"runs": list(run_ids)}])


def read(index_dir: Path) -> Notices:
    """Return the file as it is now, by one look at it where nothing was written."""
    path = index_dir / FILE
    stamp: tuple[int, ...] = ()
    with contextlib.suppress(OSError):
        stat = os.stat(path)
        stamp = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
    known = _known.get(index_dir)
    if known and known.stamp == stamp:
        return known
    data = (read_bytes(path) or b"") if stamp else b""
    whole = data[: data.rfind(b"\n") + 1]  # a line that is being written is read at the next look
    notices = Notices(stamp, whole)
    with _lock:
        _known[index_dir] = notices
    return notices


def _mark(data: bytes) -> bytes:
    return f"{len(data)}-{zlib.crc32(data):08x}".encode()
