"""How fast the store lists many runs and draws their curves.

    python -m benchmarks.store                       # 10,000 runs x 100 epochs x 6 metrics, several minutes
    python -m benchmarks.store --runs 1000 --epochs 20

Makes a synthetic store in a temporary folder (numbers drawn from a seed, files as the
product writes them), asks it what pages ask, prints a table and writes it to
`benchmarks/results/store-<hardware>.parquet`. The operating system has the files in its
cache ("cold" means a process that has not read the store yet, not a disk at rest).
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import psutil
import pyarrow as pa

from benchmarks.report import write_results
from cnnlab.config import RunConfig
from cnnlab.runs import index, queries, tables
from cnnlab.runs.schema import METRICS, SCHEMA_VERSION, arrow_schema
from cnnlab.runs.status import RunStatus, write_status
from cnnlab.runs.store import Store, default_name
from cnnlab.runs.writer import RunWriter

MEASURED = [(split, metric) for split in ("train", "val") for metric in ("loss", "accuracy", "top_5")]
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
# In a process of its own, imports left out: what the first page after a start waits for.
COLD = """
import sys, time
from cnnlab.runs import queries
from cnnlab.runs.store import Store
import polars as pl
pl.DataFrame({"a": [2, 1]}).sort("a")
begin = time.perf_counter()
height = queries.summaries(Store(sys.argv[1])).height
print(height, 1000 * (time.perf_counter() - begin))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--store", type=Path, help="keep the synthetic store here, and take it from here again")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        store = Store(arguments.store or temporary)
        if len(store.run_ids()) < arguments.runs:
            begin = time.perf_counter()
            make_store(store, arguments.runs, arguments.epochs)
            print(f"Made {arguments.runs:,} runs in {time.perf_counter() - begin:.0f} s.")
        rows = [{**row, "runs": arguments.runs, "epochs": arguments.epochs} for row in measure(store)]
    write_results("store", rows, ("polars", "pyarrow", "duckdb"))


def make_store(store: Store, runs: int, epochs: int) -> None:
    """Write the folders of `runs` ended runs, one in ten failed, without waiting for the disk."""
    draw = np.random.default_rng(0)
    configs = [
        RunConfig.model_validate({"architecture": {"name": name}, "training": {"seed": seed, "epochs": epochs}})
        for name in ("lenet5", "vgg_small", "resnet")
        for seed in range(5)
    ]
    texts = [(config, config.to_yaml(), config.fingerprint()) for config in configs]
    for number in range(runs):
        config, text, fingerprint = texts[number % len(texts)]
        created = BEGIN + timedelta(seconds=30 * number)
        run_dir = store.runs_dir / f"{created:%Y%m%d-%H%M%S}-{config.architecture.name}-digits-{number % 65536:04x}"
        (run_dir / "metrics").mkdir(parents=True)
        (run_dir / "config.yaml").write_text(text, encoding="utf-8")
        run: dict[str, Any] = {"run_id": run_dir.name, "name": default_name(config), "group_id": fingerprint}
        run |= {"created_at": created.isoformat(), "schema_version": SCHEMA_VERSION}
        (run_dir / "run.json").write_text(json.dumps(run), encoding="utf-8")
        has_failed = number % 10 == 9
        _write_status(run_dir, created, has_failed)
        if not has_failed:
            (run_dir / "result.json").write_text(json.dumps(_result(draw, epochs)), encoding="utf-8")
        table = _metrics(draw, run_dir.name, epochs)
        tables.write_table(run_dir / tables.METRICS_FILE, METRICS, [table], durable=False)


def _write_status(run_dir: Path, created: datetime, has_failed: bool) -> None:
    ended = (created + timedelta(minutes=5)).isoformat()
    status = RunStatus(state="failed" if has_failed else "completed", started_at=created.isoformat(), ended_at=ended)
    (run_dir / "status.json").write_text(json.dumps(asdict(status)), encoding="utf-8")


def _result(draw: np.random.Generator, epochs: int) -> dict[str, Any]:
    correct = int(draw.integers(5_000, 10_000))
    of_split = {"label": {"accuracy": correct / 10_000, "loss": float(draw.random()), "correct": correct, "n": 10_000}}
    params = int(draw.integers(10_000, 1_000_000))
    return {
        **{"num_params": params, "trainable_params": params, "macs": params * 40, "not_counted": []},
        **{"epochs_done": epochs, "best_epoch": epochs, "train_s": 300.0, "images_per_s": 1000.0},
        **{
            "val": of_split,
            "test": of_split,
            "main_output": "label",
            "outputs": {"label": [str(digit) for digit in range(10)]},
            "dataset_version": "0",
            "image_shape": [32, 32, 1],
        },
    }


def _metrics(draw: np.random.Generator, run_id: str, epochs: int) -> pa.Table:
    count = epochs * len(MEASURED)
    epoch = np.repeat(np.arange(1, epochs + 1, dtype=np.int32), len(MEASURED))
    columns = [
        pa.array([run_id] * count),
        pa.array(epoch),
        pa.array(epoch.astype(np.int64) * 400),
        pa.array([split for split, _ in MEASURED] * epochs),
        pa.array(["label"] * count),
        pa.array([metric for _, metric in MEASURED] * epochs),
        pa.array(draw.random(count)),
        pa.array(epoch * 3.0),
    ]
    return pa.Table.from_arrays(columns, schema=arrow_schema(METRICS))


def measure(store: Store) -> list[dict[str, Any]]:
    """Ask what pages ask and return one row per question."""
    run_ids = store.run_ids()
    chosen = [run_ids[int(place)] for place in np.linspace(0, len(run_ids) - 1, 20)]
    index.index_path(store).unlink(missing_ok=True)
    rows = [clock("list, index deleted: read every folder, write the index", lambda: anew(store), 1)]
    rows.append(summary_of("list, cold: a new process", [cold(store) for _ in range(7)]))
    rows.append(clock("list, cold: a process that forgot", lambda: anew(store), 30))
    rows.append(clock("list, warm", lambda: queries.summaries(store), 300))
    live = [make_live(store) for _ in range(3)]
    try:
        rows.append(clock("list, warm, 3 runs training", lambda: queries.summaries(store), 100))
        rows.append(clock("list, cold, 3 runs training", lambda: anew(store), 30))
        rows.append(clock("curves of 3 live runs", lambda: queries.metrics(store, [path.name for path in live]), 50))
        rows.append(summary_of("list, a run ended: read it, write the index", [end(store, path) for path in live]))
    finally:
        for path in live:
            shutil.rmtree(path)
    rows.append(clock("curves of 20 runs", lambda: queries.metrics(store, chosen), 50))
    rows.append(clock("top-1 against parameters of all, from the index", lambda: points(store), 50))
    rows.append(clock("best epoch of every run, DuckDB over all files", lambda: best_epochs(store), 3))
    return rows


def anew(store: Store) -> pl.DataFrame:
    """List like a process that has just begun."""
    for cache in (index._listings, index._indexes, index._bases):
        cache.clear()
    return queries.summaries(store)


def cold(store: Store) -> float:
    command = [sys.executable, "-c", COLD, str(store.root)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1])
    return float(done.stdout.split()[1])


def make_live(store: Store) -> Path:
    """Make a run with 50 epochs in its tail that another machine trains, so that nobody takes it for lost."""
    run_dir = store.create_run(RunConfig())
    table = _metrics(np.random.default_rng(1), run_dir.name, 50)
    RunWriter(run_dir).metrics(table.to_pylist())
    write_status(run_dir, RunStatus(state="running", host="benchmark", started_at=BEGIN.isoformat()))
    return run_dir


def end(store: Store, run_dir: Path) -> float:
    """Let a run end and return how long the next list takes, in milliseconds."""
    write_status(run_dir, RunStatus(state="failed", ended_at=BEGIN.isoformat()))
    return clock_once(lambda: queries.summaries(store))


def points(store: Store) -> pl.DataFrame:
    return queries.summaries(store).select("num_params", "test_accuracy").drop_nulls()


def best_epochs(store: Store) -> int:
    question = f"""
        select run_id, arg_max(epoch, value) from '{store.runs_dir}/*/metrics/*.parquet'
        where split = 'val' and metric = 'accuracy' group by run_id"""
    return len(duckdb.connect().sql(question).fetchall())


def clock(name: str, ask: Callable[[], Any], n: int) -> dict[str, Any]:
    return summary_of(name, [clock_once(ask) for _ in range(n)])


def clock_once(ask: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    ask()
    return 1000 * (time.perf_counter() - begin)


def summary_of(name: str, times_ms: list[float]) -> dict[str, Any]:
    low, high = np.quantile(times_ms, [0.1, 0.9])
    row = {"measurement": name, "n": len(times_ms), "median_ms": statistics.median(times_ms)}
    print(f"{name:58} {row['median_ms']:10.2f} ms  ({low:.2f} to {high:.2f}, n={len(times_ms)})")
    # Others may be computing beside: above the number of cores, times tell of them as much as of the store.
    return {**row, "p10_ms": float(low), "p90_ms": float(high), "load_1_min": psutil.getloadavg()[0]}


if __name__ == "__main__":
    main()
