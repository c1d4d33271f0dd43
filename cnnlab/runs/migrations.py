"""Old stores are opened by today's code; a store from tomorrow is refused with a clear sentence.

Runs are never rewritten. When `SCHEMA_VERSION` is raised from n to n + 1, a function that
turns what version n wrote into what today's readers expect goes into `UPGRADES[n]`, and a
small store of version n stays under `tests/stores/`.
"""

from collections.abc import Callable
from typing import Any

from cnnlab.errors import StoreError
from cnnlab.runs.schema import SCHEMA_VERSION

# From the version it reads: takes and returns the content of `run.json` with `schema_version` raised by one.
UPGRADES: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}


def check_version(version: object, subject: str) -> int:
    """Return the version, or raise `StoreError` for what only a later CNN Lab can read."""
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise StoreError(
            f"{subject} has the schema version {version!r}. Expected a number from 1 to {SCHEMA_VERSION}. "
            "Restore the folder from a copy, or delete it."
        )
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"{subject} was written with schema version {version}. This CNN Lab reads up to {SCHEMA_VERSION}. "
            "Update CNN Lab to open it."
        )
    return version


def upgrade(run: dict[str, Any], subject: str) -> dict[str, Any]:
    """Return `run.json` as the current version would have written it."""
    version = check_version(run.get("schema_version"), subject)
    while version < SCHEMA_VERSION:
        run = UPGRADES[version](run)
        version = run["schema_version"]
    return run
