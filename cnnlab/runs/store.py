"""The store: a folder with one folder per run, complete without any server.

One process writes a run (`RunWriter`), any number read it. Nothing here locks.
"""

import contextlib
import difflib
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cnnlab.config import RunConfig, config_from_yaml
from cnnlab.errors import RunNotFoundError, StoreError
from cnnlab.files import TEMPORARY_SUFFIX, is_temporary, read_bytes, read_json, write_atomic, write_json
from cnnlab.runs.lines import read_lines, unpack
from cnnlab.runs.migrations import upgrade
from cnnlab.runs.origin import is_foreign, not_ours, origin_of
from cnnlab.runs.schema import SCHEMA_VERSION
from cnnlab.runs.status import RunStatus, settle

VARIABLE = "CNNLAB_STORE"
# Also what keeps an address such as `?run=../..` inside the store.
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_LEFTOVER_AGE_S = 3600.0
_TAIL_BYTES = 1 << 20


class Store:
    """Runs, data sets and their index under one folder."""

    def __init__(self, root: Path | str | None = None):
        self.root = Path(root).expanduser().absolute() if root else default_root()
        self.runs_dir = self.root / "runs"
        self.datasets_dir = self.root / "datasets"
        self.cache_dir = self.root / "cache"
        self.index_dir = self.root / "index"
        self.trash_dir = self.root / "trash"

    def __repr__(self) -> str:
        return f"Store({str(self.root)!r})"

    def create_run(self, config: RunConfig, *, study_id: str | None = None, trial_id: str | None = None) -> Path:
        """Make the folder of a new run, whole and under a name nobody else has, and return it.

        Args:
            study_id: The study that it is a run of, and `trial_id` the trial.

        Raises:
            StoreError: the store cannot be written.
        """
        with self.writing():
            self.runs_dir.mkdir(parents=True, exist_ok=True)
            self._sweep()
            created = datetime.now(UTC)
            temporary = self.runs_dir / f".{secrets.token_hex(8)}{TEMPORARY_SUFFIX}"
            temporary.mkdir()
            try:
                write_atomic(temporary / "config.yaml", config.to_yaml())
                return self._place(temporary, config, created, {"study_id": study_id, "trial_id": trial_id})
            except BaseException:
                shutil.rmtree(temporary, ignore_errors=True)
                raise

    def _place(self, temporary: Path, config: RunConfig, created: datetime, study: dict[str, str | None]) -> Path:
        while True:
            run_id = new_run_id(config, created)
            run = {
                "run_id": run_id,
                "name": config.name or default_name(config),
                "group_id": config.fingerprint(),
                "created_at": created.isoformat(timespec="microseconds"),
                "schema_version": SCHEMA_VERSION,
                **study,
            }
            write_json(temporary / "run.json", run)
            target = self.runs_dir / run_id
            if target.exists() or (self.trash_dir / run_id).exists():
                continue
            try:
                os.rename(temporary, target)  # never replaces a folder that holds something
                return target
            except OSError:
                if not target.exists():
                    raise

    def run_ids(self) -> list[str]:
        """Return the ids of all runs, oldest first."""
        return names_in(self.runs_dir, _RUN_ID)

    def has_run(self, run_id: str) -> bool:
        """Return whether there is a run of that id."""
        return is_run_id(run_id) and (self.runs_dir / run_id).is_dir()

    def run_dir(self, run_id: str) -> Path:
        """Return the folder of a run.

        Raises:
            RunNotFoundError: there is none of that id.
        """
        if is_run_id(run_id) and (path := self.runs_dir / run_id).is_dir():
            return path
        raise RunNotFoundError(
            f"No run {run_id!r} in {self.runs_dir}. {self._near(run_id)}List runs with 'python -m cnnlab runs'."
        )

    def _near(self, run_id: str) -> str:
        known = self.run_ids()
        close = [name for name in known if run_id and name.startswith(run_id)][:1]
        close = close or difflib.get_close_matches(run_id, known[-500:], n=1)
        return f"Did you mean {close[0]!r}? " if close else ""

    def read_run(self, run_id: str) -> dict[str, Any]:
        """Return what was written at creation: run_id, name, group_id, created_at, schema_version, study, ..."""
        run = read_json(self.run_dir(run_id) / "run.json")
        if not isinstance(run, dict):
            raise StoreError(
                f"The run {run_id!r} has no readable run.json. Expected a folder that 'python -m cnnlab submit' made. "
                f"Delete the folder {self.runs_dir / run_id} if it is not a run."
            )
        return upgrade(run, f"The run {run_id!r}")

    def read_config(self, run_id: str) -> RunConfig:
        """Return the config that the run was made from.

        Raises:
            StoreError: it has none, for another tool trained it (`cnnlab.runs.origin`), or it is damaged.
        """
        run = self.read_run(run_id)
        if is_foreign(run) and (origin := origin_of(run)):
            raise StoreError(not_ours(run_id, origin))
        data = read_bytes(self.run_dir(run_id) / "config.yaml")
        if data is None:
            raise StoreError(f"The run {run_id!r} has no config.yaml. Expected one beside run.json. Delete the run.")
        return config_from_yaml(data.decode())

    def read_status(self, run_id: str) -> RunStatus:
        """Return how the run stands, after finding out whether its processes still live."""
        return settle(self.run_dir(run_id))

    def read_result(self, run_id: str) -> dict[str, Any] | None:
        """Return `result.json`, None until there is one."""
        return self._read_packed(run_id, "result.json")

    def read_progress(self, run_id: str) -> dict[str, Any] | None:
        """Return how far the run is within its epoch, None until it has begun."""
        return self._read_packed(run_id, "progress.json")

    def read_environment(self, run_id: str) -> dict[str, Any] | None:
        """Return the machine and the library versions, None until the trainer wrote them."""
        return self._read_packed(run_id, "environment.json")

    def read_doctor(self, run_id: str) -> dict[str, Any] | None:
        """Return what the doctor found at the end of the run, None where nobody looked."""
        return self._read_packed(run_id, "doctor.json")

    def _read_packed(self, run_id: str, name: str) -> dict[str, Any] | None:
        value = read_json(self.run_dir(run_id) / name)
        return unpack(value) if isinstance(value, dict) else None

    def events(self, run_id: str) -> list[dict[str, Any]]:
        """Return the journal of the run, oldest first."""
        return read_lines(self.run_dir(run_id) / "events.jsonl")

    def log_tail(self, run_id: str, lines: int = 200) -> str:
        """Return the last lines of what the trainer printed, at most 1 MiB."""
        try:
            with open(self.run_dir(run_id) / "log.txt", "rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - _TAIL_BYTES))
                text = file.read().decode("utf-8", errors="replace")
        except FileNotFoundError:
            return ""
        # A progress bar rewrites its line with carriage returns: only what was on screen last counts.
        kept = [line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n")]
        if kept and not kept[-1]:
            kept.pop()
        return "\n".join(kept[-lines:]) if lines > 0 else ""

    def delete_run(self, run_id: str) -> None:
        """Move a run to the trash, from where `restore_run` brings it back.

        Raises:
            StoreError: the run is queued or running; a paused one may go.
        """
        source = self.run_dir(run_id)
        state = settle(source).state
        if state == "running" or (state == "queued" and (source / "status.json").exists()):
            raise StoreError(
                f"The run {run_id!r} is {state}. Only ended runs can be deleted. "
                f"Cancel it first with 'python -m cnnlab cancel {run_id}'."
            )
        with self.writing():
            self.trash_dir.mkdir(parents=True, exist_ok=True)
            os.utime(source)  # from when on its days in the trash count
            os.rename(source, self.trash_dir / run_id)

    def trash_ids(self) -> list[str]:
        """Return the ids of the deleted runs that can still be restored, oldest first."""
        return names_in(self.trash_dir, _RUN_ID)

    def restore_run(self, run_id: str) -> Path:
        """Bring a deleted run back and return its folder."""
        if run_id not in self.trash_ids():
            raise RunNotFoundError(
                f"No run {run_id!r} in {self.trash_dir}. Only deleted runs can be restored, until the trash is emptied."
            )
        with self.writing():
            self.runs_dir.mkdir(parents=True, exist_ok=True)
            os.rename(self.trash_dir / run_id, self.runs_dir / run_id)
        return self.runs_dir / run_id

    def _sweep(self) -> None:
        """Remove folders whose creator was killed halfway."""
        with os.scandir(self.runs_dir) as entries:
            for entry in entries:
                if not is_temporary(entry.name):
                    continue
                with contextlib.suppress(FileNotFoundError):  # another process has just finished its run
                    if time.time() - entry.stat().st_mtime > _LEFTOVER_AGE_S:
                        shutil.rmtree(entry.path, ignore_errors=True)

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Turn what the disk refuses into a `StoreError`."""
        try:
            yield
        except OSError as error:
            raise StoreError(
                f"The store {self.root} cannot be written: {error.strerror or error}. Expected a folder of yours "
                f"with free space. Choose another with '--store' or the variable {VARIABLE}."
            ) from error


def default_root() -> Path:
    """Return `$CNNLAB_STORE`, else `experiments` in the project or in the current folder."""
    if named := os.environ.get(VARIABLE):
        return Path(named).expanduser().absolute()
    project = Path(__file__).resolve().parents[2]
    return (project if (project / "pyproject.toml").exists() else Path.cwd()) / "experiments"


def names_in(folder: Path, pattern: re.Pattern[str]) -> list[str]:
    """Return the names in a folder that fit a pattern, sorted; none where there is no folder."""
    try:
        return sorted(name for name in os.listdir(folder) if pattern.fullmatch(name))
    except (FileNotFoundError, NotADirectoryError):
        return []


def is_run_id(name: str) -> bool:
    """Return whether `name` may be a run's; unfinished folders and paths are not."""
    return _RUN_ID.fullmatch(name) is not None


def new_run_id(config: RunConfig, created: datetime) -> str:
    """Return `YYYYMMDD-HHMMSS-<architecture>-<dataset>-<4 hex>`, which sorts by time."""
    parts = (config.architecture.name, config.data.dataset)
    words = "-".join(re.sub(r"[^a-z0-9]+", "-", part.lower()).strip("-")[:40] or "x" for part in parts)
    return f"{created:%Y%m%d-%H%M%S}-{words}-{secrets.token_hex(2)}"


def default_name(config: RunConfig) -> str:
    """Return a name for a run whose config has none, such as 'lenet5 on digits'."""
    return f"{config.architecture.name} on {config.data.dataset}"
