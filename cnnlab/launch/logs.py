"""The log of a run: what its trainer prints, bounded.

The trainer writes into `log.txt` itself, so its last words are there even when its parent
dies. Beyond the cap the parent moves what is there to `log.1.txt` and empties the file.
"""

import contextlib
import os
from pathlib import Path

CAP_BYTES = 10 * 2**20


def log_path(run_dir: Path) -> Path:
    return run_dir / "log.txt"


def log_tail(run_dir: Path, lines: int = 200) -> str:
    """Return the last lines of the log, those just before a rotation included; empty without one."""
    tail = _tail(log_path(run_dir), lines)
    if len(tail) < lines:
        tail = _tail(run_dir / "log.1.txt", lines - len(tail)) + tail
    return "\n".join(tail)


def _tail(path: Path, lines: int) -> list[str]:
    try:
        with open(path, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 400 * lines))
            return file.read().decode(errors="replace").splitlines()[-lines:]
    except OSError:
        return []


def rotate(run_dir: Path, cap_bytes: int = CAP_BYTES) -> None:
    """Move the log aside once it is larger than the cap; the trainer goes on appending to the same file."""
    path = log_path(run_dir)
    with contextlib.suppress(OSError), open(path, "rb+") as file:
        if os.fstat(file.fileno()).st_size <= cap_bytes:
            return
        import shutil  # late: it would bring the decompressors into every parent

        with open(run_dir / "log.1.txt", "wb") as older:
            shutil.copyfileobj(file, older)
        file.truncate(0)
