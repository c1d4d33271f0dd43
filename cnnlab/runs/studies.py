"""Studies in the store: `<store>/studies/<study_id>/` says what is searched, how it stands and what was tried.

The runs of its trials are runs as any others; they say `study_id` and `trial_id`. One process, the
supervisor (`cnnlab.tuning.supervisor`), writes the status; what people ask for meanwhile are files in
`asked/`, which outlive every process. A deleted study waits in `studies/trash/`; its runs stay.
"""

import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cnnlab.errors import ConfigError, StoreError, UnknownNameError
from cnnlab.files import read_bytes, read_json, write_atomic, write_json
from cnnlab.runs import trials
from cnnlab.runs.schema import SCHEMA_VERSION
from cnnlab.runs.shelf import Shelf
from cnnlab.runs.store import Store
from cnnlab.runs.study_status import Asked, StudyStatus, is_at_work, read_asked, read_status, write_status
from cnnlab.settings.study import StudyConfig, study_from_yaml

if TYPE_CHECKING:
    import polars as pl

SHELF = Shelf("studies", "study", re.compile(r"\d{8}-\d{6}-study-[0-9a-f]{4}"))


@dataclass(frozen=True)
class Study:
    """What is known of a study, but for its trials (`read_trials`)."""

    study_id: str
    name: str
    created_at: str
    space_hash: str
    config: StudyConfig
    status: StudyStatus
    asked: Asked

    @property
    def width(self) -> int:
        """Return how many trials it is to train at a time."""
        return self.asked.width or self.config.workers

    @property
    def max_trials(self) -> int:
        """Return how many trials it may begin in all."""
        return self.asked.trials or self.config.trials


# === Making and finding ===


def create_study(store: Store, config: StudyConfig) -> Study:
    """Write a new study that nothing works on yet; `cnnlab.tuning.control.start_study` starts it.

    Raises:
        StoreError: the store cannot be written.
    """
    created = datetime.now(UTC)
    study_id = f"{created:%Y%m%d-%H%M%S}-study-{secrets.token_hex(2)}"
    identity = {
        "study_id": study_id,
        "name": config.title,
        "created_at": created.isoformat(timespec="milliseconds"),
        "space_hash": config.space_hash(),
        "schema_version": SCHEMA_VERSION,
    }
    folder = SHELF.path(store) / study_id
    try:
        (folder / "asked").mkdir(parents=True)
        write_atomic(folder / "study.yaml", config.to_yaml())
        write_status(folder, StudyStatus(width=config.workers, trials=config.trials))
        write_json(folder / "study.json", identity)  # last: with it the study is there
    except OSError as error:
        raise StoreError(
            f"The store {store.root} cannot be written: {error.strerror or error}. Expected a folder of yours with "
            "free space. Choose another with '--store'."
        ) from error
    return read_study(folder)


def studies(store: Store) -> list[Study]:
    """Return the studies that can be read, newest first."""
    found = []
    for study_id in reversed(study_ids(store)):
        try:
            found.append(study(store, study_id))
        except (StoreError, UnknownNameError):
            continue  # one damaged folder hides no other; asked for by its id, it says what is wrong
    return found


def study(store: Store, study_id: str) -> Study:
    """Return a study.

    Raises:
        UnknownNameError: there is none of that id.
        StoreError: its files cannot be read.
    """
    return read_study(study_dir(store, study_id))


def study_ids(store: Store) -> list[str]:
    """Return the ids of all studies, oldest first."""
    return SHELF.ids(store)


def study_dir(store: Store, study_id: str) -> Path:
    """Return the folder of a study.

    Raises:
        UnknownNameError: there is none of that id.
    """
    folder = SHELF.path(store) / study_id
    if SHELF.pattern.fullmatch(study_id) and (folder / "study.json").is_file():
        return folder
    raise UnknownNameError("study", study_id, study_ids(store))


def read_study(folder: Path) -> Study:
    """Return the study of a folder; raises `StoreError` where it cannot be read."""
    identity, text = read_json(folder / "study.json"), read_bytes(folder / "study.yaml")
    try:
        if not isinstance(identity, dict) or text is None:
            raise ValueError("study.json or study.yaml is missing or damaged")
        if int(identity["schema_version"]) > SCHEMA_VERSION:
            raise ValueError("a newer version of CNN Lab wrote it; update this one")
        return Study(
            study_id=str(identity["study_id"]),
            name=str(identity["name"]),
            created_at=str(identity["created_at"]),
            space_hash=str(identity["space_hash"]),
            config=study_from_yaml(text.decode()),
            status=read_status(folder),
            asked=read_asked(folder),
        )
    except (KeyError, TypeError, ValueError, ConfigError) as error:
        raise StoreError(
            f"The study {folder.name!r} cannot be read: {error}. Expected a folder that 'python -m cnnlab tune' "
            "wrote. Delete it, or repair its YAML."
        ) from error


def read_trials(store: Store, study_id: str) -> "pl.DataFrame":
    """Return one row per trial with the columns of `schema.TRIALS`, in the order of their numbers.

    `values` and `objectives` are JSON text.

    Raises:
        UnknownNameError: there is no such study.
    """
    return trials.frame(study_dir(store, study_id))


def trials_stamp(store: Store, study_id: str) -> tuple[int, ...]:
    """Return what changes whenever more is known of a trial of a study, for caches."""
    return trials.stamp(study_dir(store, study_id))


# === Deleting ===


def delete_study(store: Store, study_id: str) -> None:
    """Move a study to its trash; its runs stay where they are.

    Raises:
        StoreError: it is at work.
    """
    folder = study_dir(store, study_id)
    if is_at_work(folder, read_status(folder)):
        raise StoreError(
            f"The study {study_id!r} is running. Only one at rest can be deleted. "
            f"Stop it first with 'python -m cnnlab study stop {study_id}'."
        )
    SHELF.delete(store, study_id)


def restore_study(store: Store, study_id: str) -> None:
    """Bring a deleted study back."""
    SHELF.restore(store, study_id)


def deleted_studies(store: Store) -> list[str]:
    """Return the ids of the studies that can be brought back, oldest first."""
    return SHELF.deleted(store)
