"""Real processes: a writer that is killed, readers beside writers that replace."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from run_making import ENDED_AT

from cnnlab.config import RunConfig
from cnnlab.runs import index, queries
from cnnlab.runs import store as store_module
from cnnlab.runs.status import RunStatus, write_status
from cnnlab.runs.store import Store

pytestmark = pytest.mark.processes
PROJECT = Path(__file__).resolve().parents[2]
DEADLINE_S = 60.0
Make = Callable[..., Path]

# Writes everything a trainer writes, as fast as it can.
WRITER = """
import itertools, sys
from pathlib import Path
from cnnlab.runs import tables
from cnnlab.runs.writer import RunWriter

run_dir = Path(sys.argv[1])
writer = RunWriter(run_dir, clock=itertools.count().__next__)
for epoch in range(int(sys.argv[2]), int(sys.argv[3])):
    row = {"epoch": epoch, "step": epoch, "split": "val", "value": 0.5}
    writer.metrics([{**row, "metric": name} for name in ("loss", "accuracy")])
    writer.progress({"epoch": epoch})
    writer.event("epoch_ended", epoch=epoch)
    writer.predictions("test", "label", ["a", "b"], [0, 1], [[0.5, 0.5]] * 2)
    if epoch % 5 == 0:
        tables.compact_metrics(run_dir)
"""


def start(code: str, *arguments: object) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], cwd=PROJECT)


def wait_for(condition: Callable[[], bool], process: subprocess.Popen) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert process.poll() is None, "the process ended on its own"
        assert time.monotonic() < deadline, "nothing happened in time"
        time.sleep(0.001)


def test_a_killed_writer_leaves_a_readable_run_that_goes_on(store: Store, make_run: Make) -> None:
    run_dir = make_run()
    done = 0
    for kill in range(3):
        process = start(WRITER, run_dir, done + 1, 1_000_000)
        goal = (done + 3 + 4 * kill) * 2
        wait_for(lambda goal=goal: queries.metrics(store, [run_dir.name]).height >= goal, process)  # type: ignore[misc]
        process.send_signal(signal.SIGKILL)
        process.wait()
        frame = queries.metrics(store, [run_dir.name])
        epochs = frame.filter(metric="loss")["epoch"].to_list()
        assert epochs == list(range(1, len(epochs) + 1))
        assert frame.height in (2 * len(epochs), 2 * len(epochs) - 1)
        assert queries.predictions(store, run_dir.name)["predicted"].to_list() == [0, 0]
        assert json.loads((run_dir / "progress.json").read_text())["epoch"] in (len(epochs), len(epochs) - 1)
        assert [event["epoch"] for event in store.events(run_dir.name)][-1] >= len(epochs) - 1
        done = len(epochs)
    write_status(run_dir, RunStatus(state="lost", ended_at=ENDED_AT))
    assert queries.summaries(store)["epochs_done"].to_list() == [done]


def test_readers_never_meet_half_a_file(store: Store, make_run: Make) -> None:
    run_dir = make_run()
    process = start(WRITER, run_dir, 1, 150)
    wait_for((run_dir / "predictions.parquet").exists, process)
    reads = height = 0
    deadline = time.monotonic() + DEADLINE_S
    while process.poll() is None:
        assert time.monotonic() < deadline
        assert queries.predictions(store, run_dir.name).height == 2
        now = queries.metrics(store, [run_dir.name]).height
        assert now >= height
        assert store.read_progress(run_dir.name)
        height, reads = now, reads + 1
    assert process.returncode == 0
    assert reads
    assert queries.metrics(store, [run_dir.name]).height == 2 * 149


# Makes and ends runs, and like a page looks at the list after each, so that it too writes the index.
MAKER = """
import sys
from cnnlab.config import RunConfig
from cnnlab.runs import queries
from cnnlab.runs.status import RunStatus, write_status
from cnnlab.runs.store import Store

store = Store(sys.argv[1])
for number in range(int(sys.argv[2])):
    run_dir = store.create_run(RunConfig(name=f"{sys.argv[3]} {number}"))
    assert run_dir.name in queries.summaries(store)["run_id"]
    state = "failed" if number % 3 else "completed"
    write_status(run_dir, RunStatus(state=state, ended_at="2026-11-22T14:11:36+00:00"))
    assert run_dir.name in queries.summaries(store)["run_id"]
"""


def test_many_write_the_index_while_others_read_it(store: Store) -> None:
    makers = [start(MAKER, store.root, 25, name) for name in ("a", "b", "c")]
    seen: set[str] = set()
    deadline = time.monotonic() + DEADLINE_S
    while any(maker.poll() is None for maker in makers):
        assert time.monotonic() < deadline
        frame = queries.summaries(store)
        names = frame["run_id"].to_list()
        assert len(names) == len(set(names))
        assert seen <= set(names)
        seen = set(names)
        if index.index_path(store).exists():
            pl.read_parquet(index.index_path(store).read_bytes())
    assert [maker.wait() for maker in makers] == [0, 0, 0]
    assert queries.summaries(store).height == 75
    assert queries.summaries(store).equals(index.scan(store))
    assert pl.read_parquet(index.index_path(store)).height == 75


def test_a_run_that_another_process_finishes_meanwhile_stops_nobody(store: Store, monkeypatch) -> None:
    class Gone:
        """What was listed, and has its final name by the time somebody looks closer."""

        name, path = ".0123456789abcdef.tmp", "gone"

        def stat(self) -> os.stat_result:
            raise FileNotFoundError

    monkeypatch.setattr(store_module.os, "scandir", lambda _folder: contextlib.nullcontext([Gone()]))
    assert store.create_run(RunConfig()).is_dir()


def test_the_writer_side_stays_light() -> None:
    code = """
import sys
import cnnlab.files, cnnlab.runs.environment, cnnlab.runs.hardware, cnnlab.runs.lines, cnnlab.runs.schema
heavy = {"polars", "pyarrow", "pandas", "keras", "tensorflow", "jax", "torch", "numpy"} & set(sys.modules)
import cnnlab.runs.store, cnnlab.runs.writer
late = {"polars", "pandas", "keras", "tensorflow", "jax", "torch"} & set(sys.modules)
print(sorted(heavy), sorted(late))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout == "[] []\n"
