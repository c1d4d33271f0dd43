"""Runs that were trained elsewhere get folders like our own: all of an import, or none of it.

They are made in one hidden folder beside the runs and renamed into place at the end, so that a reader never
meets half a run, and an import that fails or is killed leaves no run behind.
"""

import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pyarrow as pa
import yaml

from cnnlab.errors import StoreError
from cnnlab.files import TEMPORARY_SUFFIX, write_atomic, write_json
from cnnlab.runs import tables
from cnnlab.runs.lines import append_lines, now, pack
from cnnlab.runs.origin import Origin
from cnnlab.runs.schema import METRICS, SCHEMA_VERSION, arrow_schema
from cnnlab.runs.status import Failure, RunStatus, write_status
from cnnlab.runs.store import Store, is_run_id


@dataclass(frozen=True)
class AdoptedRun:
    """What becomes a run folder.

    Attributes:
        config: Nested values, or the text of a whole config of ours.
        metrics: Columns of `schema.METRICS` but for `run_id`, of one length; NaN in `elapsed_s` is null.
        result: As `result.json`; None where nothing came out.
        files: Content of further files by name, such as `environment.json`.
        copied: Files to copy, by their name in the run's folder.
    """

    run_id: str
    name: str
    group_id: str
    created_at: str
    origin: Origin
    state: str
    config: Mapping[str, Any] | str
    metrics: Mapping[str, Any]
    started_at: str | None = None
    ended_at: str | None = None
    failure: Failure | None = None
    result: Mapping[str, Any] | None = None
    study_id: str | None = None
    trial_id: str | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)
    copied: Mapping[str, Path] = field(default_factory=dict)


class Adoption:
    """Collects run folders and puts them into the store when the `with` block ends without an error."""

    def __init__(self, store: Store):
        self._store = store
        self._staging = store.runs_dir / f".{secrets.token_hex(8)}{TEMPORARY_SUFFIX}"
        self._names: list[str] = []
        self._trash = frozenset(store.trash_ids())

    def has(self, run_id: str) -> bool:
        """Return whether a run of that id is in the store, in its trash or in this adoption."""
        return run_id in self._trash or (self._store.runs_dir / run_id).exists() or (self._staging / run_id).exists()

    def add(self, run: AdoptedRun) -> None:
        """Make the folder of a run; readers see it when all are there.

        Raises:
            StoreError: the store cannot be written.
        """
        assert is_run_id(run.run_id), run.run_id
        try:
            _write(self._staging / run.run_id, run)
        except OSError as error:
            raise self._unwritable(error) from error
        self._names.append(run.run_id)

    def __enter__(self) -> "Adoption":
        try:
            self._store.runs_dir.mkdir(parents=True, exist_ok=True)
            self._staging.mkdir()
        except OSError as error:
            raise self._unwritable(error) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._place()
        finally:
            shutil.rmtree(self._staging, ignore_errors=True)

    def _place(self) -> None:
        placed: list[Path] = []
        if hasattr(os, "sync"):
            os.sync()  # once for all: a wait for the disk per file takes twice as long as all else (measured)
        try:
            for name in self._names:
                os.rename(self._staging / name, self._store.runs_dir / name)  # never replaces a run
                placed.append(self._store.runs_dir / name)
        except OSError as error:
            for path in placed:
                shutil.rmtree(path, ignore_errors=True)
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> StoreError:
        return StoreError(
            f"The store {self._store.root} cannot be written: {error.strerror or error}. Expected a folder of yours "
            "with free space. Make room, then import again: nothing was kept of this attempt."
        )


def _write(folder: Path, run: AdoptedRun) -> None:
    folder.mkdir()
    text = run.config if isinstance(run.config, str) else as_yaml(run.config)
    write_atomic(folder / "config.yaml", text, durable=False)
    for name, content in run.files.items():
        write_atomic(folder / name, content, durable=False)
    for name, source in run.copied.items():
        shutil.copyfile(source, folder / name)
    (folder / tables.METRICS_FILE).parent.mkdir()
    tables.write_table(folder / tables.METRICS_FILE, METRICS, [metrics_table(run.run_id, run.metrics)], durable=False)
    if run.result is not None:
        write_json(folder / "result.json", pack(run.result), durable=False)
    event = {"time": now(), "event": "imported", "tool": run.origin.tool, "path": run.origin.path}
    append_lines(folder / "events.jsonl", [event])
    status = RunStatus(run.state, started_at=run.started_at, ended_at=run.ended_at, failure=run.failure)
    write_status(folder, status, durable=False)
    identity = {"run_id": run.run_id, "name": run.name, "group_id": run.group_id, "created_at": run.created_at}
    of_study = {"study_id": run.study_id, "trial_id": run.trial_id}
    version = {"schema_version": SCHEMA_VERSION, "origin": run.origin.to_dict()}
    write_json(folder / "run.json", identity | version | of_study, durable=False)


def as_yaml(values: Mapping[str, Any]) -> str:
    """Return nested values as the YAML that config files have."""
    return yaml.safe_dump(dict(values), sort_keys=False, allow_unicode=True)


def metrics_table(run_id: str, columns: Mapping[str, Any]) -> pa.Table:
    """Return rows of `schema.METRICS` from its other columns."""
    count = len(columns["epoch"])
    elapsed = np.asarray(columns["elapsed_s"], np.float64)
    arrays = {
        "run_id": pa.array([run_id] * count, pa.string()),
        "epoch": pa.array(np.asarray(columns["epoch"], np.int32)),
        "step": pa.array(np.asarray(columns["step"], np.int64)),
        "value": pa.array(np.asarray(columns["value"], np.float64)),
        "elapsed_s": pa.array(elapsed, mask=~np.isfinite(elapsed)),
    }
    arrays |= {name: pa.array(columns[name], pa.string()) for name in ("split", "output", "metric")}
    schema = arrow_schema(METRICS)
    return pa.Table.from_arrays([arrays[name] for name in schema.names], schema=schema)
