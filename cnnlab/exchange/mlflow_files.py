"""MLflow's store of files: `mlruns/<experiment>/<run>/` with `meta.yaml`, `params/`, `metrics/`, `tags/`, `artifacts/`.

A parameter or tag is a file with its value; a metric is a file with a line `timestamp value step` for each number, in
milliseconds (lines of MLflow before 1.0 lack the step). A `/` in a name is a folder. Source: `FileStore` of MLflow,
https://github.com/mlflow/mlflow/blob/master/mlflow/store/tracking/file_store.py. MLflow 3 keeps such stores as they
are and asks for `MLFLOW_ALLOW_FILE_STORE` to open them.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from cnnlab.exchange.found import FoundRun, ImportRunsError, Tell, counted
from cnnlab.exchange.limits import MOST_BYTES, is_within, read_text, yaml_mapping
from cnnlab.exchange.mlflow_run import STATUSES, MLflowRun, Rows, found

META = "meta.yaml"
# What MLflow calls a store of files.
STORE_OF_FILES = "mlruns"
MOST_NAMES = 20_000


class MLflowFiles:
    """The runs of a folder `mlruns`, of one experiment in it, or of one run."""

    tool = "mlflow"

    def __init__(self, root: Path):
        self._root = root
        self._experiments: dict[str, str] = {}
        self._deleted = 0
        self._runs = {key: folder for key, folder in _run_folders(root) if self._is_there(folder)}

    @property
    def notes(self) -> Sequence[str]:
        """Which runs are left out."""
        return [f"Deleted in MLflow, so left out: {counted(self._deleted, 'run')}."] if self._deleted else []

    def run_keys(self) -> list[str]:
        """Return the ids of the runs."""
        return sorted(self._runs)

    def read(self, key: str, tell: Tell) -> FoundRun:
        """Return one run."""
        folder = self._runs[key]
        meta = yaml_mapping(read_text(folder / META, self._root), META)
        metrics: dict[str, Rows] = {}
        troubles: list[str] = []
        names = list(_names(folder / "metrics"))
        for place, name in enumerate(names):
            tell(place / len(names))
            rows, damaged = _metric(read_text(folder / "metrics" / name, self._root, MOST_BYTES))
            metrics[name] = rows
            troubles += [f"{name}: {counted(damaged, 'line')} without a number left out"] if damaged else []
        return found(
            MLflowRun(
                run_id=str(meta.get("run_id") or meta.get("run_uuid") or key),
                name=str(meta.get("run_name") or meta.get("name") or ""),
                experiment=self._experiment(folder.parent),
                status=_status(meta.get("status")),
                start_ms=_whole(meta.get("start_time")),
                end_ms=_whole(meta.get("end_time")),
                parameters=self._texts(folder / "params"),
                tags=self._texts(folder / "tags"),
                metrics=metrics,
                artifacts=folder / "artifacts",
                root=self._root,
                troubles=troubles,
            )
        )

    def _is_there(self, folder: Path) -> bool:
        try:
            meta = yaml_mapping(read_text(folder / META, self._root), META)
        except ImportRunsError:
            return True  # reading it will say what is wrong
        is_deleted = meta.get("lifecycle_stage") == "deleted"
        self._deleted += is_deleted
        return not is_deleted

    def _texts(self, folder: Path) -> dict[str, str]:
        return {name: read_text(folder / name, self._root) for name in _names(folder)}

    def _experiment(self, folder: Path) -> str:
        known = self._experiments.get(folder.name)
        if known is None:
            try:
                known = str(yaml_mapping(read_text(folder / META, self._root), META).get("name") or "")
            except ImportRunsError:
                known = ""
            self._experiments[folder.name] = known
        return known


def is_file_store(folder: Path) -> bool:
    """Return whether a folder is a store of files, an experiment of one, or a run of one."""
    return next(_run_folders(folder), None) is not None


def _run_folders(root: Path) -> Iterator[tuple[str, Path]]:
    """Yield the runs at the depths at which they may lie: a store has experiments, these have runs."""
    for folder in (root, *_below(root), *(run for part in _below(root) for run in _below(part))):
        if (folder / META).is_file() and ((folder / "metrics").is_dir() or (folder / "params").is_dir()):
            yield folder.resolve().name, folder


def _below(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return sorted(Path(entry) for entry in entries if entry.is_dir(follow_symlinks=False))
    except OSError:
        return []


def _names(folder: Path) -> Iterator[str]:
    count = 0
    for where, folders, files in os.walk(folder):
        folders.sort()
        for file in sorted(files):
            count += 1
            path = Path(where) / file
            if count > MOST_NAMES:
                raise ImportRunsError(
                    f"{folder.parent.name!r} has more than {MOST_NAMES:,} names in {folder.name!r}. Expected a run of "
                    "MLflow. Take away what MLflow did not write."
                )
            if is_within(path, folder):
                yield path.relative_to(folder).as_posix()


def _metric(text: str) -> tuple[Rows, int]:
    """Return the rows of a metric's file, and how many lines are none."""
    rows, damaged = [], 0
    for line in text.splitlines():
        words = line.split()
        try:
            # Later versions write a model and a data set behind the step.
            rows.append((int(words[0]), int(words[2]) if len(words) > 2 else 0, float(words[1])))
        except (ValueError, IndexError, OverflowError):
            damaged += bool(line.strip())
    return [row for row in rows if abs(row[1]) < 1 << 62], damaged


def _status(value: Any) -> str:
    return STATUSES.get(value, str(value or "")) if not isinstance(value, bool) else ""


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def local_path(uri: str) -> Path | None:
    """Return the path that a URI of artifacts names on this machine, None where it names another place.

    >>> str(local_path("file:///data/runs/a%20b")), local_path("s3://bucket/a"), str(local_path("mlruns/1"))
    ('/data/runs/a b', None, 'mlruns/1')
    """
    if uri.startswith("file:"):
        return Path(unquote(uri.removeprefix("file:").removeprefix("//")))
    return None if "://" in uri or ":/" in uri else Path(uri)
