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
from cnnlab.exchange.csv_runs import AboutRun, about_runs
from cnnlab.exchange.csv_table import SUFFIXES, is_given, is_numeric, numbers, read_table
from cnnlab.exchange.found import FoundRun, ImportRunsError, Scalar, Series, Tell, counted
from cnnlab.exchange.names import name_of
from cnnlab.exchange.settings import typed

MOST_RUNS = 100_000
_OF_TENSORBOARD = re.compile(r"run-(?P<run>.+)-tag-(?P<tag>.+)\.csv")
RUNS, METRICS = "runs.csv", "metrics.csv"
_ROW, _KEY = "__row", "__run"


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
            started = _started(rows, roles)
            series += _series(rows, roles, started, _tag_of(file), troubles)
            parameters |= _parameters(rows, roles)
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
            parts = _parted(frame.with_row_index(_ROW), roles, file.stem)
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


def _column(roles: Mapping[str, str], role: str) -> str | None:
    return next((column for column, one in roles.items() if one == role), None)


def _columns(roles: Mapping[str, str], role: str) -> list[str]:
    return [column for column, one in roles.items() if one == role]


# === Which rows make a run ===


def _parted(frame: pl.DataFrame, roles: Mapping[str, str], stem: str) -> dict[str, pl.DataFrame]:
    """Return the rows of each run by its name."""
    run = _column(roles, "run")
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
    counter = _column(roles, "epoch") or _column(roles, "step")
    varying = [column for column in _columns(roles, "parameter") if frame[column].n_unique() > 1]
    if not varying or _column(roles, "metric"):
        return []
    if counter is None:
        return varying
    return varying if frame.select(counter).is_duplicated().any() else []


def _begins_anew(frame: pl.DataFrame, roles: Mapping[str, str]) -> np.ndarray:
    """Return the number of each row's run, counted from 0: a new one begins where epochs do."""
    counter = _column(roles, "epoch") or _column(roles, "step")
    if counter is None or _column(roles, "metric"):
        return np.zeros(frame.height, np.int64)
    counts, _ = numbers(frame[counter])
    return np.concatenate([[0], np.cumsum(np.diff(counts) < 0)]).astype(np.int64)


# === Numbers and parameters of a run ===


def _series(
    rows: pl.DataFrame, roles: Mapping[str, str], started: float | None, tag: str, troubles: list[str]
) -> list[Series]:
    value, metric = _column(roles, "value"), _column(roles, "metric")
    if value is not None and metric is not None:
        return _long(rows, roles, value, metric, started, troubles)
    found = []
    for column in _columns(roles, "number"):
        series = _one(rows, roles, column, tag if tag and column.lower() == "value" else column, started, troubles)
        found += [series] if series else []
    return found


def _long(
    rows: pl.DataFrame, roles: Mapping[str, str], value: str, metric: str, started: float | None, troubles: list[str]
) -> list[Series]:
    split, output = _column(roles, "split"), _column(roles, "output")
    keys = [column for column in (split, output, metric) if column]
    found = []
    for part in rows.partition_by(keys, maintain_order=True):
        said = [str(part[column][0] or "") if column else "" for column in (split, output, metric)]
        series = _one(part, roles, value, name_of(*said), started, troubles)
        if series:
            told = (said[0], said[1], said[2]) if split else None
            found.append(Series(series.name, series.steps, series.elapsed_s, series.values, series.epochs, said=told))
    return found


def _one(
    rows: pl.DataFrame, roles: Mapping[str, str], column: str, name: str, started: float | None, troubles: list[str]
) -> Series | None:
    given = is_given(rows[column])
    values, wrong = numbers(rows[column])
    if wrong:
        troubles.append(f"{name}: {counted(wrong, 'text')} without a number left out")
        given &= ~(np.isnan(values) & ~(rows[column].str.to_lowercase() == "nan").fill_null(False).to_numpy())
    if not given.any():
        return None
    steps, epochs = _counts(rows, roles)
    return Series(
        name,
        steps[given],
        _elapsed(rows, roles, started)[given],
        values[given],
        epochs=None if epochs is None else epochs[given],
        by_epoch=name.rpartition("/")[2].startswith("epoch_"),
    )


def _counts(rows: pl.DataFrame, roles: Mapping[str, str]) -> tuple[np.ndarray, np.ndarray | None]:
    """Return steps and, where the file has them, epochs counted from 1 of each row."""
    epoch, step = _column(roles, "epoch"), _column(roles, "step")
    epochs = None if epoch is None else _whole(rows[epoch], fill=True)
    if epochs is not None:
        epochs = np.maximum(epochs + (1 if epochs.size and epochs.min() == 0 else 0), 1)
    if step is not None:
        return _whole(rows[step], fill=True), epochs
    return (np.arange(1, rows.height + 1) if epochs is None else epochs), epochs


def _whole(column: pl.Series, *, fill: bool) -> np.ndarray:
    """Return whole numbers; what is missing is as in the row before (Lightning leaves it out)."""
    values, _ = numbers(column)
    if fill:
        values = pl.Series(values).fill_nan(None).forward_fill().backward_fill().fill_null(0).to_numpy()
    return np.clip(np.floor(values), -(2**62), 2**62).astype(np.int64)


def _clock(rows: pl.DataFrame, roles: Mapping[str, str]) -> np.ndarray | None:
    """Return the time of each row in seconds since 1970, None where the file has none."""
    column = _column(roles, "time")
    if column is None:
        return None
    values, wrong = numbers(rows[column])
    if wrong:
        dates = rows[column].str.to_datetime(strict=False, time_zone="UTC", exact=True)
        return dates.dt.epoch("us").cast(pl.Float64).fill_null(np.nan).to_numpy() / 1e6
    finite = values[np.isfinite(values)]
    if not finite.size or finite.min() < 1e8:
        return None  # too early for a clock
    return values / 1000 if finite.min() > 1e11 else values


def _started(rows: pl.DataFrame, roles: Mapping[str, str]) -> float | None:
    clock = _clock(rows, roles)
    known = clock[np.isfinite(clock)] if clock is not None else np.array([])
    return float(known.min()) if known.size else None


def _elapsed(rows: pl.DataFrame, roles: Mapping[str, str], started: float | None) -> np.ndarray:
    column = _column(roles, "elapsed_s")
    if column is not None:
        return numbers(rows[column])[0]
    clock = _clock(rows, roles)
    return np.full(rows.height, np.nan) if clock is None or started is None else clock - started


def _parameters(rows: pl.DataFrame, roles: Mapping[str, str]) -> dict[str, Scalar]:
    """Return the parameters of a run: of one that changes within it, the first."""
    found: dict[str, Scalar] = {}
    for column in _columns(roles, "parameter"):
        known = rows[column].drop_nulls()
        if not known.is_empty():
            found[column.removeprefix("config.")] = typed(str(known[0]))
    return found


def _tag_of(file: Path) -> str:
    """Return the tag that a file of TensorBoard's 'download as CSV' is of; empty for other files."""
    match = _OF_TENSORBOARD.fullmatch(file.name)
    return match["tag"] if match else ""
