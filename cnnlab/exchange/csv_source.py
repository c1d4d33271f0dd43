"""Runs out of CSV files: one row per epoch of each run, or one row per number (long form).

Files of Keras's `CSVLogger`, of PyTorch Lightning's `CSVLogger`, of TensorBoard's 'download as CSV' and of our own
export are such; of ours `runs.csv` beside `metrics.csv` says names, times and settings. Which column is what is
guessed from its name and content (`csv_columns`) and can be said. Without a column that names the run, rows belong to
one run as long as their epochs rise; columns that are no numbers are its parameters.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl

from cnnlab.exchange.csv_columns import chosen
from cnnlab.exchange.csv_numbers import began_at, column_of, columns_of, read_parameters, read_series
from cnnlab.exchange.csv_runs import AboutRun, about_runs
from cnnlab.exchange.csv_table import SUFFIXES, is_numeric, numbers, read_table
from cnnlab.exchange.found import FoundRun, ImportRunsError, Scalar, Series, Tell

MOST_RUNS = 100_000
_OF_TENSORBOARD = re.compile(r"run-(?P<run>.+)-tag-(?P<tag>.+)\.csv")
RUNS, METRICS = "runs.csv", "metrics.csv"
_KEY = "__run"


class CsvSource:
    """The runs of a CSV file, or of all those in a folder.

    Args:
        columns: The roles that a person gave to columns; the others are guessed.
    """

    tool = "csv"

    def __init__(self, path: Path, columns: Mapping[str, str] | None = None):
        self._path = path
        self._columns = dict(columns or {})
        self.notes: list[str] = []
        self._files = [path] if path.is_file() else csv_files(path)
        self._runs: dict[str, list[tuple[Path, str]]] = {}
        self._tables: dict[Path, tuple[dict[str, pl.DataFrame], dict[str, str]]] = {}
        self._about: dict[str, AboutRun] = {}
        for file in self._files:
            if file.name == RUNS and file.with_name(METRICS) in self._files:
                self._about |= about_runs(file)
            else:
                self._find(file)

    def run_keys(self) -> list[str]:
        """Return what the runs are called."""
        return list(self._runs)

    def roles(self) -> dict[str, str]:
        """Return the role of each column of all files."""
        return {column: role for _, roles in self._tables.values() for column, role in roles.items()}

    def read(self, key: str, tell: Tell) -> FoundRun:
        """Return one run."""
        series: list[Series] = []
        parameters: dict[str, Scalar] = {}
        troubles: list[str] = []
        started: float | None = None
        for file, name in self._runs[key]:
            parts, roles = self._tables[file]
            rows = parts[name]
            started = began_at(rows, roles)
            series += read_series(rows, roles, started, _tag_of(file), troubles)
            parameters |= read_parameters(rows, roles)
        tell(1.0)
        name = key.rpartition("/")[2]
        about = self._about.get(name, AboutRun(name))
        return FoundRun(
            key=key,
            name=about.name,
            identity=f"{self._path.name}/{key}",
            series=series,
            parameters={**parameters, **about.parameters},
            experiment=self._path.name if len(self._runs) > 1 else "",
            state=about.state,
            said_status=about.state if self._about else "",
            started_s=about.started_s or started,
            ended_s=about.ended_s,
            troubles=troubles,
        )

    def _find(self, file: Path) -> None:
        try:
            frame = read_table(file)
            said = (
                self._columns
                if len(self._files) == 1
                else {c: r for c, r in self._columns.items() if c in frame.columns}
            )
            roles = chosen(frame, said)
            parts = _parted(frame, roles, file.stem)
        except ImportRunsError as error:
            if len(self._files) == 1:
                raise
            self.notes.append(str(error))
            return
        self._tables[file] = parts, roles
        of_tensorboard = _OF_TENSORBOARD.fullmatch(file.name)
        for name in parts:
            key = of_tensorboard["run"] if of_tensorboard else self._key(file, name, len(parts))
            self._runs.setdefault(key, []).append((file, name))

    def _key(self, file: Path, name: str, count: int) -> str:
        if len(self._files) == 1:
            return name
        place = file.relative_to(self._path).with_suffix("").as_posix()
        # Lightning calls every file 'metrics', in a folder per run.
        if file.name == METRICS:
            place = "" if file.parent == self._path else file.parent.relative_to(self._path).as_posix()
        if not place:
            return name
        return place if count == 1 else f"{place}/{name}"


def csv_files(folder: Path) -> list[Path]:
    """Return the CSV files of a folder and of those below it."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())


# === Which rows make a run ===


def _parted(frame: pl.DataFrame, roles: Mapping[str, str], stem: str) -> dict[str, pl.DataFrame]:
    """Return the rows of each run by its name."""
    run = column_of(roles, "run")
    keys = [run] if run else _telling(frame, roles)
    if keys:
        # '1' says nothing, 'seed 1' does.
        named = [f"{column} " if run is None and is_numeric(frame[column]) else "" for column in keys]
        parts = [pl.lit(name) + pl.col(column).fill_null("–") for name, column in zip(named, keys, strict=True)]
        text = pl.concat_str(parts, separator=", ")
    else:
        starts = _begins_anew(frame, roles)
        text = pl.lit(stem) if starts.max() == 0 else pl.concat_str([pl.lit(f"{stem} "), pl.Series(starts + 1)])
    whole = frame.with_columns(text.alias(_KEY))
    if whole[_KEY].n_unique() > MOST_RUNS:
        raise ImportRunsError(
            f"The column {keys[0]!r} names more than {MOST_RUNS:,} runs. Expected a column that rows of one run share. "
            "Say which column names the run."
        )
    return {str(key[0]): part for key, part in whole.partition_by(_KEY, as_dict=True, maintain_order=True).items()}


def _telling(frame: pl.DataFrame, roles: Mapping[str, str]) -> list[str]:
    """Return the parameters that tell runs apart where no column names them and epochs come more than once."""
    counter = column_of(roles, "epoch") or column_of(roles, "step")
    varying = [column for column in columns_of(roles, "parameter") if frame[column].n_unique() > 1]
    if not varying or column_of(roles, "metric"):
        return []
    if counter is None:
        return varying
    return varying if frame.select(counter).is_duplicated().any() else []


def _begins_anew(frame: pl.DataFrame, roles: Mapping[str, str]) -> np.ndarray:
    """Return the number of each row's run, counted from 0: a new one begins where epochs do."""
    counter = column_of(roles, "epoch") or column_of(roles, "step")
    if counter is None or column_of(roles, "metric"):
        return np.zeros(frame.height, np.int64)
    counts, _ = numbers(frame[counter])
    return np.concatenate([[0], np.cumsum(np.diff(counts) < 0)]).astype(np.int64)


def _tag_of(file: Path) -> str:
    """Return the tag that a file of TensorBoard's 'download as CSV' is of; empty for other files."""
    match = _OF_TENSORBOARD.fullmatch(file.name)
    return match["tag"] if match else ""
