"""Where a data set is built before it appears: whole, or not at all.

Every builder has a folder of its own under `<store>/datasets/.building/`, named after its process;
a rename brings the finished data set to its place. What a killed process left is swept by the next.
"""

import contextlib
import os
import secrets
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from cnnlab.errors import DatasetError

# Left free beside what is written: a full disk breaks every run of this machine.
FREE_RESERVE_BYTES = 512 * 2**20
# Processes of another host, in a shared store, cannot be asked whether they live.
FOREIGN_STALE_S = 2 * 24 * 3600
POLL_S = 0.1


@contextlib.contextmanager
def workplace(store_root: Path, name: str, *, need_bytes: int) -> Iterator[Path]:
    """Give a temporary folder in the store; whatever is still there afterwards is deleted.

    Raises:
        DatasetError: the disk has no room for `need_bytes`.
    """
    root = _building_root(store_root)
    root.mkdir(parents=True, exist_ok=True)
    sweep(store_root)
    check_free_space(root, need_bytes, name)
    folder = root / _own_name(name)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):  # not empty: somebody else builds
            root.rmdir()


@contextlib.contextmanager
def alone(store_root: Path, name: str) -> Iterator[None]:
    """Wait until no other process is at work on `name`; a dead one does not count."""
    root = _building_root(store_root)
    lock = root / f"{name}.lock"
    while not _take(lock):
        with contextlib.suppress(OSError):  # the owner may be taking it away just now
            if any(_is_stale(owner) for owner in list(lock.iterdir())):
                shutil.rmtree(lock, ignore_errors=True)
        time.sleep(POLL_S)
    try:
        yield
    finally:
        shutil.rmtree(lock, ignore_errors=True)
        with contextlib.suppress(OSError):  # not empty
            root.rmdir()


def _take(lock: Path) -> bool:
    mine = lock.parent / _own_name("waiting")
    # A folder that already holds its owner's name is moved there: no lock is ever without an owner.
    (mine / _own_name("owner")).mkdir(parents=True)
    try:
        os.rename(mine, lock)
    except OSError:
        shutil.rmtree(mine, ignore_errors=True)
        return False
    return True


def check_free_space(folder: Path, need_bytes: int, name: str) -> None:
    """Refuse what would fill the disk; raises `DatasetError`."""
    free = shutil.disk_usage(folder).free
    if need_bytes + FREE_RESERVE_BYTES > free:
        raise DatasetError(
            f"Data set {name!r} needs {_size(need_bytes)}, and the disk of the store has {_size(free)} free. "
            f"{_size(FREE_RESERVE_BYTES)} must stay free. Delete old data sets or runs, or choose a smaller image size."
        )


def publish(folder: Path, target: Path) -> bool:
    """Move a finished `folder` to `target`; return False where an equal one was there before."""
    for attempt in range(3):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.rename(folder, target)
            return True
        except OSError:
            if (target / "dataset.json").exists():
                return False
            if attempt == 2:
                raise
            # What lies there is no data set (its dataset.json comes last), or the parent was just deleted.
            shutil.rmtree(target, ignore_errors=True)
    raise AssertionError("unreachable")


def discard(store_root: Path, folder: Path) -> None:
    """Delete a published data set: out of sight by one rename, then file by file."""
    root = _building_root(store_root)
    root.mkdir(parents=True, exist_ok=True)
    doomed = root / _own_name("deleted")
    with contextlib.suppress(FileNotFoundError):
        os.rename(folder, doomed)
        shutil.rmtree(doomed, ignore_errors=True)
    for parent in (folder.parent, root):
        with contextlib.suppress(OSError):  # not empty
            parent.rmdir()


def sweep(store_root: Path) -> None:
    """Delete the unfinished folders of processes that are dead."""
    root = _building_root(store_root)
    for folder in list(root.iterdir()) if root.is_dir() else []:
        if _is_stale(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _is_stale(folder: Path) -> bool:
    try:
        _, host, pid, created, _ = folder.name.split("~")
        if host == _host():
            # A process id alone proves nothing: ids are used again.
            return abs(psutil.Process(int(pid)).create_time() - float(created)) > 1
        return time.time() - folder.stat().st_mtime > FOREIGN_STALE_S
    except psutil.NoSuchProcess:
        return True
    except (ValueError, OSError, psutil.Error):
        return False


def _own_name(name: str) -> str:
    process = psutil.Process()
    return f"{name}~{_host()}~{process.pid}~{process.create_time():.2f}~{secrets.token_hex(4)}"


def _building_root(store_root: Path) -> Path:
    return store_root / "datasets" / ".building"


def _host() -> str:
    return "".join(char if char.isalnum() or char in "-." else "-" for char in socket.gethostname())


def _size(size_bytes: float) -> str:
    for unit in ("B", "kB", "MB"):
        if size_bytes < 1000:
            return f"{size_bytes:.0f} {unit}"
        size_bytes /= 1000
    return f"{size_bytes:,.1f} GB"
