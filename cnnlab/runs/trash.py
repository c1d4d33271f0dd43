"""What was deleted and can still be brought back: runs, studies and ablations, what they take and when they go.

Deleting moves a folder and costs no time; what is in the trash leaves it for good when somebody empties
it, or by itself `kept_days` after it was deleted, at the next submission, deletion or look of a page.
"""

import os
import secrets
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cnnlab.errors import ConfigError
from cnnlab.files import TEMPORARY_SUFFIX, size_of
from cnnlab.runs.ablations import SHELF as ABLATIONS
from cnnlab.runs.store import Store
from cnnlab.runs.studies import SHELF as STUDIES

VARIABLE = "CNNLAB_TRASH_DAYS"
# Longer than a holiday, shorter than a course.
KEPT_DAYS = 30.0
DAY_S = 86_400.0


@dataclass(frozen=True)
class Trashed:
    """One thing in the trash.

    Attributes:
        kind: `run`, `study` or `ablation`.
        deleted_at: Seconds since 1970.
    """

    kind: str
    id_: str
    path: Path
    deleted_at: float

    @property
    def disk_bytes(self) -> int:
        """What it takes on disk."""
        return size_of(self.path)


def contents(store: Store) -> list[Trashed]:
    """Return what is in the trash, the longest deleted first."""
    places = [("run", store.trash_dir, store.trash_ids())]
    places += [(shelf.kind, shelf.trash(store), shelf.deleted(store)) for shelf in (STUDIES, ABLATIONS)]
    found = []
    for kind, folder, ids in places:
        for id_ in ids:
            try:
                found.append(Trashed(kind, id_, folder / id_, os.stat(folder / id_).st_mtime))
            except OSError:  # somebody else emptied it meanwhile
                continue
    return sorted(found, key=lambda one: one.deleted_at)


def empty_trash(store: Store, things: Sequence[Trashed] | None = None) -> int:
    """Delete for good what is in the trash, or some of it, and return the bytes that became free.

    Raises:
        StoreError: the store cannot be written.
    """
    freed = 0
    for one in contents(store) if things is None else things:
        freed += one.disk_bytes
        # Renamed first: what is half gone must not look as if it could come back.
        going = one.path.with_name(f".{one.id_}.{secrets.token_hex(4)}{TEMPORARY_SUFFIX}")
        with store.writing():
            try:
                os.rename(one.path, going)
            except FileNotFoundError:
                continue
            shutil.rmtree(going)
    return freed


def sweep_trash(store: Store) -> int:
    """Delete for good what has been in the trash for `kept_days`, and return how many things that were."""
    days = kept_days()
    if not days:
        return 0
    old = [one for one in contents(store) if time.time() - one.deleted_at > days * DAY_S]
    empty_trash(store, old)
    return len(old)


def kept_days() -> float:
    """Return for how many days the trash keeps what was deleted; 0 for ever, as the variable may say.

    Raises:
        ConfigError: the variable says no number.
    """
    text = os.environ.get(VARIABLE, "")
    try:
        days = float(text) if text.strip() else KEPT_DAYS
    except ValueError:
        days = -1.0
    if not 0 <= days < float("inf"):
        raise ConfigError(f"{VARIABLE}={text!r} cannot be used. Expected a number of days, 0 for ever. Change it.")
    return days
