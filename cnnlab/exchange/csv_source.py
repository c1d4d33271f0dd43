"""Runs out of CSV files: one row per epoch of each run, or one row per number (long form).

Files of Keras's `CSVLogger`, of PyTorch Lightning's `CSVLogger`, of TensorBoard's 'download as CSV' and of our own
export are such; of ours `runs.csv` beside `metrics.csv` says names, times, settings and results, and its tables as
parquet are read too. Which column is what is guessed from its name and content (`csv_columns`) and can be said. Without
a column that names the run, rows belong to one run as long as their epochs rise (`csv_parting`); columns of texts are
its parameters. A cell or row that cannot be read is left out and counted.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from cnnlab.exchange.csv_columns import chosen
from cnnlab.exchange.csv_numbers import began_at, first_row, read_parameters, read_series
from cnnlab.exchange.csv_parting import parted
from cnnlab.exchange.csv_runs import AboutRun, about_runs, is_own_table
from cnnlab.exchange.csv_table import PARQUET, SUFFIXES, read_table, without_headers
from cnnlab.exchange.found import FoundRun, ImportRunsError, Scalar, Series, Tell, counted

_OF_TENSORBOARD = re.compile(r"run-(?P<run>.+)-tag-(?P<tag>.+)\.csv")
# Of our own export; each needs the other.
RUNS, METRICS = "runs", "metrics"


@dataclass(frozen=True)
class _Table:
    """The rows of each run of a file by its name in it, and the roles of the columns."""

    parts: Mapping[str, pl.DataFrame]
    roles: Mapping[str, str]


class CsvSource:
    """The runs of a CSV file, or of all those in a folder; of our own export also those without numbers.

    Args:
        columns: The roles that a person gave to columns; the others are guessed.
    """

    tool = "csv"

    def __init__(self, path: Path, columns: Mapping[str, str] | None = None):
        self._path, self._files = _folder_and_files(path)
        self._columns = dict(columns or {})
        self.notes: list[str] = []
        self._runs: dict[str, list[tuple[Path, str]]] = {}
        self._tables: dict[Path, _Table] = {}
        self._about: dict[str, AboutRun] = {}
        tables_of_runs = [file for file in self._files if self._is_of_runs(file)]
        for file in self._files:
            if file not in tables_of_runs:
                self._find(file)
        for file in tables_of_runs:
            self._find_about(file)

    def run_keys(self) -> list[str]:
        """Return what the runs are called."""
        return list(self._runs)

    def roles(self) -> dict[str, str]:
        """Return the role of each column of all files."""
        return {column: role for table in self._tables.values() for column, role in table.roles.items()}

    def read(self, key: str, tell: Tell) -> FoundRun:
        """Return one run."""
        series: list[Series] = []
        parameters: dict[str, Scalar] = {}
        troubles: list[str] = []
        started: float | None = None
        for file, name in self._runs[key]:
            table = self._tables[file]
            rows = table.parts[name]
            started = began_at(rows, table.roles)
            series += read_series(rows, table.roles, started, _tag_of(file), troubles)
            parameters |= read_parameters(rows, table.roles)
        tell(1.0)
        about = self._about.get(key, AboutRun(key.rpartition("/")[2]))
        is_ours = about.own_run is not None
        return FoundRun(
            key=key,
            name=about.name,
            identity=self._identity(key),
            id_name="" if is_ours else self._name_in_file(key),
            series=series,
            parameters=about.parameters if is_ours else {**parameters, **about.parameters},
            experiment=self._path.name if len(self._runs) > 1 else "",
            state=about.state,
            said_status=about.state if self._about else "",
            failure=about.failure,
            started_s=about.started_s or started,
            ended_s=about.ended_s,
            has_own_names=is_ours,
            own_config=about.own_config,
            own_run=about.own_run,
            own_content=about.own_content,
            troubles=troubles,
        )

    def _name_in_file(self, key: str) -> str:
        """Return what a run is called whether its file or a folder around it is imported."""
        file, name = next(iter(self._runs[key]), (Path(), key.rpartition("/")[2]))
        of_tensorboard = _OF_TENSORBOARD.fullmatch(file.name)
        return of_tensorboard["run"] if of_tensorboard else name

    def _identity(self, key: str) -> str:
        """Return what does not depend on the folder that was imported, and stays when the file grows.

        Every file of PyTorch Lightning is called 'metrics.csv', so its first row tells it from the others.
        """
        name = self._name_in_file(key)
        if not self._runs[key] or _OF_TENSORBOARD.fullmatch(self._runs[key][0][0].name):
            return name
        file, part = self._runs[key][0]
        return json.dumps([file.name, name, first_row(self._tables[file].parts[part], self._tables[file].roles)])

    def _is_of_runs(self, file: Path) -> bool:
        return file.stem == RUNS and file.with_name(f"{METRICS}{file.suffix}") in self._files

    def _is_beside_runs(self, file: Path) -> bool:
        """Return whether a table of runs says which there are: then none of them need have a number."""
        return file.stem == METRICS and file.with_name(f"{RUNS}{file.suffix}") in self._files

    def _find_about(self, file: Path) -> None:
        """Take what a table of runs says of those of the table of numbers beside it."""
        try:
            found = about_runs(file)
        except ImportRunsError as error:
            self.notes.append(str(error))
            return
        if not found:
            self._find(file)
            return
        metrics = file.with_name(f"{METRICS}{file.suffix}")
        keys = {name: key for key, parts in self._runs.items() for one, name in parts if one == metrics}
        place = self._place(file.with_name(metrics.name))
        for name, about in found.items():
            key = keys.get(name) or (f"{place}/{name}" if place else name)
            self._runs.setdefault(key, [])
            self._about[key] = about

    def _find(self, file: Path) -> None:
        try:
            frame, repeated = without_headers(read_table(file, may_be_empty=self._is_beside_runs(file)))
            said = (
                self._columns
                if len(self._files) == 1
                else {c: r for c, r in self._columns.items() if c in frame.columns}
            )
            roles = chosen(frame, said)
            parts = parted(frame, roles, file.stem) if frame.height else {}
        except ImportRunsError as error:
            if len(self._files) == 1:
                raise
            self.notes.append(str(error))
            return
        if repeated:
            self.notes.append(
                f"{file.name!r}: {counted(repeated, 'row')} left out that {_repeats(repeated)} the header."
            )
        self._tables[file] = _Table(parts, roles)
        of_tensorboard = _OF_TENSORBOARD.fullmatch(file.name)
        for name in parts:
            key = of_tensorboard["run"] if of_tensorboard else self._key(file, name, len(parts))
            self._runs.setdefault(key, []).append((file, name))

    def _key(self, file: Path, name: str, count: int) -> str:
        if len(self._files) == 1:
            return name
        place = self._place(file)
        if not place:
            return name
        return place if count == 1 else f"{place}/{name}"

    def _place(self, file: Path) -> str:
        """Return how keys of a file begin; Lightning calls every file 'metrics', in a folder per run."""
        if file.stem != METRICS:
            return file.relative_to(self._path).with_suffix("").as_posix()
        return "" if file.parent == self._path else file.parent.relative_to(self._path).as_posix()


def csv_files(folder: Path) -> list[Path]:
    """Return the CSV files of a folder and of those below it, of our own export as parquet its two tables."""
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    return [path for path in files if path.suffix.lower() != PARQUET or _is_own_parquet(path)]


def _folder_and_files(path: Path) -> tuple[Path, list[Path]]:
    """Return the folder that is imported and its files: a table of our own export comes with the one beside it."""
    if path.is_dir():
        return path, csv_files(path)
    both = [path.with_name(f"{name}{path.suffix}") for name in (METRICS, RUNS)]
    if path in both and all(one.is_file() for one in both) and is_own_table(both[1]):
        return path.parent, both
    if path.suffix.lower() == PARQUET:
        raise ImportRunsError(
            f"{path.name!r} cannot be imported. Expected CSV, or the folder of an export as parquet with "
            "'runs.parquet' and 'metrics.parquet': other parquet is for analysis elsewhere. Choose the whole folder, "
            "or an export for MLflow, which keeps most."
        )
    return path, [path]


def _is_own_parquet(path: Path) -> bool:
    both = [path.with_name(f"{name}{PARQUET}") for name in (METRICS, RUNS)]
    return path in both and all(one.is_file() for one in both) and is_own_table(both[1])


def _repeats(count: int) -> str:
    return "repeats" if count == 1 else "repeat"


def _tag_of(file: Path) -> str:
    """Return the tag that a file of TensorBoard's 'download as CSV' is of; empty for other files."""
    match = _OF_TENSORBOARD.fullmatch(file.name)
    return match["tag"] if match else ""
