"""How fast the launcher is: submit to started, runs per second, cancel of a running tree, a look at the queue.

    python -m benchmarks.launching [--runs 60] [--repeats 15]

Trainers that do nothing, under real parents, in a temporary folder. Every row prints n,
median, 10th and 90th percentile; the result goes to `benchmarks/results/` as parquet.
"""

import argparse
import os
import signal
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from benchmarks.report import write_results
from cnnlab.launch.queue import Queue
from cnnlab.launch.slots import machine_slots
from cnnlab.processes import is_alive
from cnnlab.runs.status import RunStatus, read_status, write_status

NOTHING = "pass"
# A trainer with a grandchild, both deaf to SIGTERM.
TREE = """
import os, pathlib, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    time.sleep(600)
(pathlib.Path(sys.argv[1]) / "up").touch()
time.sleep(600)
"""
UP = """
import os, sys, time
with open(sys.argv[1] + "/pid", "w") as file:
    file.write(str(os.getpid()))
os.rename(sys.argv[1] + "/pid", sys.argv[1] + "/up")
time.sleep(600)
"""
DEADLINE_S = 120.0


class Bench:
    """One queue in one temporary folder."""

    def __init__(self, root: Path):
        self.root = root
        self.count = 0

    def queue(self, code: str) -> Queue:
        return Queue(self.root / "queue.sqlite", command=[sys.executable, "-S", "-E", "-c", code])

    def run(self) -> Path:
        self.count += 1
        folder = self.root / "runs" / f"run{self.count:05}"
        folder.mkdir(parents=True)
        return folder


def wait(condition: Callable[[], object]) -> None:
    """Poll every millisecond; what is measured is not finer."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"nothing within {DEADLINE_S} s")
        time.sleep(0.001)


def wait_for_end(run: Path) -> None:
    wait(lambda: read_status(run).has_ended)


def submit_s(bench: Bench, repeats: int) -> tuple[list[float], list[float]]:
    """Time what the button waits for, and until the trainer's first line runs."""
    returned, started = [], []
    queue = bench.queue(UP)
    for _ in range(repeats):
        run = bench.run()
        begin = time.perf_counter()
        queue.submit(run)
        returned.append(time.perf_counter() - begin)
        wait((run / "up").exists)
        started.append(time.perf_counter() - begin)
        queue.cancel(run)
        wait_for_end(run)
        wait(lambda: not queue.entries())
    return returned, started


def cancel_s(bench: Bench, repeats: int) -> list[float]:
    """Time from the request until the status says so and parent, trainer and grandchild are gone."""
    taken = []
    queue = bench.queue(TREE)
    for _ in range(repeats):
        run = bench.run()
        queue.submit(run)
        wait((run / "up").exists)
        status = read_status(run)
        begin = time.perf_counter()
        queue.cancel(run)
        wait_for_end(run)
        taken.append(time.perf_counter() - begin)
        assert read_status(run).state == "cancelled"
        assert not is_alive(status.child_pid, status.child_created)
        wait(lambda: not queue.entries())
    return taken


def killed_s(bench: Bench, repeats: int) -> list[float]:
    """Time from SIGKILL of the trainer until the status says failed."""
    taken = []
    queue = bench.queue(UP)
    for _ in range(repeats):
        run = bench.run()
        queue.submit(run)
        wait((run / "up").exists)
        trainer = int((run / "up").read_text())
        begin = time.perf_counter()
        os.kill(trainer, signal.SIGKILL)
        wait_for_end(run)
        taken.append(time.perf_counter() - begin)
        wait(lambda: not queue.entries())
    return taken


def runs_per_s(bench: Bench, count: int) -> float:
    """Submit runs that do nothing and wait for the last."""
    queue = bench.queue(NOTHING)
    runs = [bench.run() for _ in range(count)]
    begin = time.perf_counter()
    for run in runs:
        queue.submit(run)
    for run in runs:
        wait_for_end(run)
    taken = time.perf_counter() - begin
    assert {read_status(run).state for run in runs} == {"completed"}
    return count / taken


def look_s(bench: Bench, waiting: int, repeats: int) -> list[float]:
    """Time one look at a line of `waiting` runs behind one that runs."""
    queue = bench.queue(UP)
    first = bench.run()
    queue.submit(first, slots=len(machine_slots()))
    wait((first / "up").exists)
    runs = [bench.run() for _ in range(waiting)]
    for run in runs:
        queue.submit(run)
    taken = []
    for _ in range(repeats):
        begin = time.perf_counter()
        queue.entries()
        taken.append(time.perf_counter() - begin)
    # Emptied behind the queue's back: cancelling each is not what is measured.
    for run in runs:
        write_status(run, RunStatus(state="cancelled"))
    with sqlite3.connect(queue.path) as connection:
        connection.execute("UPDATE jobs SET state = 'ended' WHERE state = 'queued'")
    connection.close()
    queue.cancel(first)
    wait(lambda: not queue.entries())
    return taken


def summary_of(title: str, seconds: list[float]) -> dict[str, Any]:
    """Print and return median and spread of one measurement."""
    tenths = statistics.quantiles(seconds, n=10)
    row = {
        "measurement": title,
        "n": len(seconds),
        "median_ms": 1e3 * statistics.median(seconds),
        "p10_ms": 1e3 * tenths[0],
        "p90_ms": 1e3 * tenths[-1],
        "load_1_min": psutil.getloadavg()[0],
    }
    print(
        f"{title:<42} n={row['n']:<4} median {row['median_ms']:8.1f} ms"
        f"   10-90 % {row['p10_ms']:.1f} to {row['p90_ms']:.1f} ms"
    )
    return row


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--runs", type=int, default=60, help="runs that do nothing")
    arguments.add_argument("--repeats", type=int, default=15, help="repeats of each of the others, two or more")
    given = arguments.parse_args()
    print("slots: " + ", ".join(slot.title for slot in machine_slots()))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        bench = Bench(Path(folder))
        returned, started = submit_s(bench, given.repeats)
        rows = [
            summary_of("submit returns", returned),
            summary_of("submit to the trainer's first line", started),
            summary_of("cancel of a tree deaf to SIGTERM", cancel_s(bench, given.repeats)),
            summary_of("trainer killed to status failed", killed_s(bench, given.repeats)),
            summary_of("a look at 10 waiting runs", look_s(bench, 10, given.repeats)),
            summary_of("a look at 500 waiting runs", look_s(bench, 500, given.repeats)),
        ]
        print(f"{'runs that do nothing':<42} n={given.runs:<4} {runs_per_s(bench, given.runs):15.1f} runs/s, one pass")
    write_results("launching", rows, ("psutil",))


if __name__ == "__main__":
    main()
