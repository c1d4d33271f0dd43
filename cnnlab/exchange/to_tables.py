"""Runs as tables for other programs: parquet with our own schemas, or CSV.

Both come back by `import-runs` with their results and configs (`cnnlab.exchange.csv_runs`); what networks answered
and the files of runs do not: for these there is the export for MLflow.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import polars as pl

from cnnlab.exchange.csv_runs import CONFIG
from cnnlab.exchange.selection import RunToExport, summary_rows, text_of
from cnnlab.runs import queries
from cnnlab.runs.schema import METRICS, PREDICTIONS, SUMMARY, Table
from cnnlab.runs.streamed import write_stream


def to_parquet(runs: Sequence[RunToExport], folder: Path, tell: Callable[[int], None], *, predictions: bool) -> None:
    """Write `runs.parquet`, `metrics.parquet`, `predictions.parquet` and `configs/<run_id>.yaml`.

    Types, units and notes of the columns are in the files' own schemas; `README.md` says them in words.
    """
    write_stream(folder / "runs.parquet", SUMMARY, [summary_rows(runs[0].store, runs)])
    write_stream(folder / "metrics.parquet", METRICS, _metrics(runs, tell))
    if predictions:
        frames = (queries.predictions(run.store, run.run_id, split=None) for run in runs)
        write_stream(folder / "predictions.parquet", PREDICTIONS, frames)
    (folder / "configs").mkdir()
    for run in runs:
        (folder / "configs" / f"{run.run_id}.yaml").write_bytes(run.config_text)
    _explain(folder, [SUMMARY, METRICS, *([PREDICTIONS] if predictions else [])], ".parquet")


def to_csv(runs: Sequence[RunToExport], folder: Path, tell: Callable[[int], None]) -> None:
    """Write `runs.csv`, with the settings as further columns `config.…`, and `metrics.csv` in long form.

    What is missing is empty, a number that is none is `NaN`.
    """
    rows = summary_rows(runs[0].store, runs)
    names = list(dict.fromkeys(name for run in runs for name in run.settings))
    by_id = {run.run_id: run.settings for run in runs}
    settings = {
        f"{CONFIG}{name}": [text_of(by_id[run_id].get(name)) or None for run_id in rows["run_id"]] for name in names
    }
    flat = rows.with_columns(pl.col("tags").list.join(" "))
    flat.with_columns(pl.Series(name, texts, dtype=pl.String) for name, texts in settings.items()).write_csv(
        folder / "runs.csv"
    )
    with open(folder / "metrics.csv", "wb") as file:
        pl.DataFrame(schema=dict.fromkeys(METRICS.names, pl.String)).write_csv(file)
        for frame in _metrics(runs, tell):
            frame.write_csv(file, include_header=False)
    _explain(folder, [SUMMARY, METRICS], ".csv")


def _metrics(runs: Sequence[RunToExport], tell: Callable[[int], None]) -> Iterator[pl.DataFrame]:
    for place, run in enumerate(runs):
        yield run.metrics()
        tell(place + 1)


def _explain(folder: Path, tables: Sequence[Table], suffix: str) -> None:
    """Write a README that says what each column is."""
    lines = ["# Runs exported from CNN Lab", ""]
    for table in tables:
        name = "runs" if table is SUMMARY else table.name
        lines += [f"## {name}{suffix}", "", "| column | type | unit | |", "|---|---|---|---|"]
        lines += [f"| {one.name} | {one.dtype} | {one.unit} | {one.note} |" for one in table.columns] + [""]
    (folder / "README.md").write_text("\n".join(lines), encoding="utf-8")
