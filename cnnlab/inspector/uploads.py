"""Files that somebody uploaded, in the store's cache while the inspector looks at them."""

import contextlib
import os
import time
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path

from cnnlab.errors import ConfigError
from cnnlab.files import write_atomic

MOST_UPLOAD_MIB = 256
# Weights hardly shrink when packed: a file that becomes much larger than this holds something else.
MOST_UNPACKED_BYTES = 2 * MOST_UPLOAD_MIB * 2**20
# What a process that was killed left behind.
LEFT_BEHIND_S = 3600.0


@contextlib.contextmanager
def uploaded(store_root: Path, content: bytes, suffix: str) -> Iterator[str]:
    """Write `content` into the cache, give its name there, and remove it at the end."""
    folder = _folder(store_root)
    folder.mkdir(parents=True, exist_ok=True)
    _sweep(folder)
    path = folder / f"{uuid.uuid4().hex}{suffix}"
    try:
        write_atomic(path, content, durable=False)
        yield path.name
    finally:
        path.unlink(missing_ok=True)


def uploaded_path(store_root: Path, name: str) -> Path:
    """Return where an uploaded file lies; a question never reaches a file elsewhere.

    Raises:
        ConfigError: there is none of that name.
    """
    path = _folder(store_root) / name
    if Path(name).name != name or not path.is_file():
        raise ConfigError("The uploaded file is gone. Expected it in the store's cache. Upload it again.")
    return path


def check_archive(path: Path, title: str) -> None:
    """Refuse what is no `.keras` file, and one that would fill the memory when unpacked.

    Raises:
        ConfigError: with the file's `title`.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, OSError):
        raise ConfigError(
            f"{title!r} cannot be read as a model: it is no .keras file. Expected a whole model, as model.save() "
            "writes it. Save it again under a name that ends in .keras."
        ) from None
    if unpacked > MOST_UNPACKED_BYTES:
        raise ConfigError(
            f"{title!r} takes {unpacked / 2**20:,.0f} MiB unpacked. Expected at most {MOST_UNPACKED_BYTES // 2**20}. "
            "Count it on the command line, with 'python -m cnnlab inspect FILE'."
        )


def _folder(store_root: Path) -> Path:
    return store_root / "cache" / "inspector" / "uploads"


def _sweep(folder: Path) -> None:
    before = time.time() - LEFT_BEHIND_S
    with os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):  # another process sweeps too
                if entry.stat().st_mtime < before:
                    os.unlink(entry.path)
