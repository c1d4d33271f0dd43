"""Measured inference: kept per machine and versions, replaced when measured again, read for many runs."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from run_making import complete

from cnnlab.errors import StoreError
from cnnlab.runs import queries, schema
from cnnlab.runs.inference import FILE, read_inference, write_inference
from cnnlab.runs.store import Store

Make = Callable[..., Path]


def row(batch_size: int = 1, **values: Any) -> dict[str, Any]:
    usual = {
        "batch_size": batch_size,
        "n": 30,
        "median_s": 0.002 * batch_size,
        "p10_s": 0.001,
        "p90_s": 0.004,
        "images_per_s": 500.0,
        "memory_bytes": 1_000_000,
        "hardware": "a processor, 2 cores",
        "versions": "Python 3.11.7, keras 3.15.0, tensorflow 2.21.0",
        "measured_at": datetime(2026, 1, 1, tzinfo=UTC),
    }
    return usual | values


def test_what_is_written_is_read(make_run: Make, store: Store) -> None:
    run_dir = make_run(complete)
    write_inference(run_dir, [row(1), row(2, memory_bytes=None)])
    frame = queries.inference(store, [run_dir.name])
    assert frame.schema == pl.Schema(schema.polars_schema(schema.INFERENCE))
    assert frame["run_id"].to_list() == [run_dir.name] * 2
    assert frame["median_s"].to_list() == [0.002, 0.004]
    assert frame["memory_bytes"].to_list() == [1_000_000, None]
    assert frame["gpu_memory_bytes"].null_count() == 2


def test_measured_again_replaces_and_another_machine_stays(make_run: Make) -> None:
    run_dir = make_run(complete)
    write_inference(run_dir, [row(1), row(2)])
    write_inference(run_dir, [row(1, median_s=9.0), row(1, hardware="a GPU")])
    found = read_inference(run_dir).select("batch_size", "hardware", "median_s").rows()
    assert sorted(found) == [(1, "a GPU", 0.002), (1, "a processor, 2 cores", 9.0), (2, "a processor, 2 cores", 0.004)]


def test_runs_that_were_not_measured_have_no_rows(make_run: Make, store: Store) -> None:
    first, second = make_run(complete), make_run(complete)
    write_inference(second, [row()])
    assert queries.inference(store, [first.name, second.name])["run_id"].to_list() == [second.name]
    assert queries.inference(store, [first.name]).is_empty()
    assert queries.inference(store, []).schema == pl.Schema(schema.polars_schema(schema.INFERENCE))


def test_a_row_that_does_not_fit_is_refused_and_nothing_is_written(make_run: Make) -> None:
    run_dir = make_run(complete)
    with pytest.raises(StoreError, match=r"Column 'hardware' is missing in inference.parquet. Expected a string."):
        write_inference(run_dir, [row(hardware=None)])
    with pytest.raises(StoreError, match=r"Unknown column 'medan_s' in inference.parquet. Did you mean 'median_s'?"):
        write_inference(run_dir, [row(medan_s=1.0)])
    assert not (run_dir / FILE).exists()
