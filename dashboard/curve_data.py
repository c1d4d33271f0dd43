"""What the pages read to draw curves; as `dashboard.data`, all caching is here.

Each run is kept by itself: of twenty curves, nineteen of which stand still, one is read anew.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import streamlit as st

from cnnlab.analysis.curve_rows import ROWS, Spent, epoch_rows, gradient_rows, placed_steps
from cnnlab.errors import CNNLabError
from cnnlab.runs import queries
from cnnlab.runs.schema import STEPS, polars_schema
from cnnlab.runs.tables import metrics_stamp
from dashboard import data

PLACED = {**polars_schema(STEPS), "epoch": pl.Float64()}


def metrics(run_ids: Sequence[str]) -> pl.DataFrame:
    """Return what runs measured by epoch, and the norms of their gradients, as `curve_rows.ROWS`."""
    stamps = {run_id: (*metrics_stamp(data.store().run_dir(run_id)), *_stamps(run_id, "probes")) for run_id in run_ids}
    frames = [_metrics(_root(), run_id, stamp) for run_id, stamp in stamps.items()]
    return pl.concat(frames) if frames else pl.DataFrame(schema=ROWS)


@st.cache_resource(max_entries=512, show_spinner=False)
def _metrics(root: str, run_id: str, stamp: tuple[int, ...]) -> pl.DataFrame:  # noqa: ARG001 the key
    measured = queries.metrics(data.store(), [run_id])
    return pl.concat([epoch_rows(measured), gradient_rows(queries.probes(data.store(), [run_id]), measured)])


def steps(run_ids: Sequence[str]) -> pl.DataFrame:
    """Return what single steps of runs measured, from `placed_steps`; no rows of a run that kept none."""
    frames = [_steps(_root(), run_id, _stamps(run_id, "steps")) for run_id in run_ids]
    return pl.concat(frames) if frames else pl.DataFrame(schema=PLACED)


# A run of 20,000 steps takes a megabyte.
@st.cache_resource(max_entries=64, show_spinner=False)
def _steps(root: str, run_id: str, stamp: tuple[int, ...]) -> pl.DataFrame:  # noqa: ARG001 the key
    return placed_steps(queries.steps(data.store(), [run_id]))


def has_steps(run_ids: Sequence[str]) -> bool:
    """Return whether one of the runs kept its single steps."""
    return any(any(_stamps(run_id, "steps")) for run_id in run_ids)


def spent(rows: Sequence[Mapping[str, Any]]) -> dict[str, Spent]:
    """Return what a step of each run takes.

    Args:
        rows: Of `data.summaries`.
    """
    return {row["run_id"]: _spent(row) for row in rows}


def _spent(row: Mapping[str, Any]) -> Spent:
    try:
        is_growing = data.config(row["run_id"]).tricks.start_size_share is not None
    except CNNLabError:
        return Spent(row["batch_size"], None, "its config cannot be read")
    if is_growing:
        return Spent(row["batch_size"], None, "its images grow while it trains, so its operations do too")
    macs = row["macs"]
    if macs is None:  # of a run that trains the layers are known, the result is not
        macs = data.layers(row["run_id"])["macs"].sum() or None
    return Spent(row["batch_size"], macs)


def ended(run_ids: Sequence[str]) -> dict[str, str]:
    """Return why the epochs of each run ended: `epochs`, `early_stopping`, `time_budget`; empty where not known."""
    return {
        run_id: _ended(_root(), run_id, _stamp(data.store().run_dir(run_id) / "events.jsonl")) for run_id in run_ids
    }


@st.cache_resource(max_entries=2048, show_spinner=False)
def _ended(root: str, run_id: str, stamp: int) -> str:  # noqa: ARG001 the key
    events = [event for event in data.store().events(run_id) if event.get("event") == "evaluating"]
    return str(events[-1].get("reason", "")) if events else ""


def _root() -> str:
    return str(data.store().root)


def _stamps(run_id: str, table: str) -> tuple[int, int]:
    run_dir = data.store().run_dir(run_id)
    return _stamp(run_dir / f"{table}.jsonl"), _stamp(run_dir / f"{table}.parquet")


def _stamp(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0  # not written yet
