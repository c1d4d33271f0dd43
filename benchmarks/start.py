"""How long a training takes to begin: from its submission to the first finished batch of LeNet-5 on `digits`.

    python -m benchmarks.start [--repeats 7] [--backend tensorflow]

Cold and with a trainer that waits, in turn, so that what else the machine does meets both. Beside the
wall time stands the processor time of the trainer until then, which tells less of other work.
"""

import argparse
import os
import statistics
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil

from benchmarks.report import write_results
from cnnlab.config import config_from_dict
from cnnlab.datasets.storage import open_dataset
from cnnlab.launch import warm
from cnnlab.launch.database import Database
from cnnlab.launch.queue import Queue
from cnnlab.processes import is_alive
from cnnlab.runs.status import settle
from cnnlab.runs.store import Store
from cnnlab.submit import submit_runs

LIBRARIES = {"tensorflow": ("tensorflow", "keras", "numpy"), "jax": ("jax", "keras", "numpy")}
PATIENCE_S = 300.0
LOOK_S = 0.005
KINDS = ("cold", "warm")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--backend", choices=LIBRARIES, default="tensorflow")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ |= {"CNNLAB_SLOTS": "1", "CNNLAB_WARM": "0"}
        queue, store = Queue(Path(folder) / "queue.sqlite"), Store(Path(folder) / "store")
        open_dataset(store.root, "digits")
        measure(store, queue, given.backend, "cold", -1)  # the first reads the libraries from the disk
        rows = [measure(store, queue, given.backend, kind, repeat) for repeat in range(given.repeats) for kind in KINDS]
    report(rows)
    write_results(f"start-{given.backend}", rows, LIBRARIES[given.backend])


def measure(store: Store, queue: Queue, backend: str, kind: str, repeat: int) -> dict[str, Any]:
    """Start one run and return how long its first batch took; the run is cancelled then."""
    database = Database(queue.path)
    memory_bytes = None
    cpu_before = 0.0
    if kind == "warm":
        os.environ["CNNLAB_WARM"] = "1"
        queue.tick()
        wait_for(lambda: queue.warm(backend) or warm.waiting(database))
        os.environ["CNNLAB_WARM"] = "0"
        memory_bytes, cpu_before = ready(database)
    load = psutil.getloadavg()[0]
    config = config_from_dict({"compute": {"backend": backend}, "training": {"epochs": 1000}})
    (run_id,) = submit_runs(store, config, queue=queue)
    run_dir = store.run_dir(run_id)
    wait_for(lambda: first_batch(store, run_id) or settle(run_dir).has_ended)
    status = settle(run_dir)
    if (found := first_batch(store, run_id)) is None:
        raise SystemExit(f"The run {run_id} ended before its first batch: {store.log_tail(run_id, lines=20)}")
    cpu_s = cpu_of(status.child_pid) - cpu_before
    queue.cancel(run_dir)
    wait_for(lambda: not is_alive(status.pid, status.pid_created))
    warm.dismiss(database)  # the next one, which the parent of a run that had one started as its last act
    database.close()
    queued = datetime.fromisoformat(str(status.queued_at))
    return {
        "kind": kind,
        "repeat": repeat,
        "first_batch_s": (datetime.fromisoformat(found) - queued).total_seconds(),
        "cpu_s": cpu_s,
        "waiting_memory_bytes": memory_bytes,
        "load_1min": load,
        "was_taken": any(event["event"] == "taken" for event in store.events(run_id)),
    }


def first_batch(store: Store, run_id: str) -> str | None:
    """Return when the first batch was done."""
    return next((str(line["time"]) for line in store.events(run_id) if line["event"] == "first_batch"), None)


def ready(database: Database) -> tuple[int, float]:
    """Wait until the trainer that waits has imported everything; return its memory and its processor time."""
    one = warm.waiting(database)
    assert one is not None
    wait_for(lambda: psutil.Process(one.pid).children())
    (trainer,) = psutil.Process(one.pid).children()
    # It has nothing left to do when it reads its input: no processor time for half a second.
    last, since = -1.0, time.monotonic()
    while time.monotonic() - since < 0.5 or last < 1.0:
        now = sum(trainer.cpu_times()[:2])
        if now != last:
            last, since = now, time.monotonic()
        time.sleep(0.05)
    return warm.memory_bytes(one), last


def cpu_of(pid: int | None) -> float:
    """Return the processor time of a process so far."""
    return float(sum(psutil.Process(pid).cpu_times()[:2]))


def wait_for(condition: Any) -> None:
    """Look often until a condition holds."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"Nothing came within {PATIENCE_S:.0f} s.")
        time.sleep(LOOK_S)


def report(rows: list[dict[str, Any]]) -> None:
    """Print median and range of both kinds, and their ratio."""
    medians = {}
    for unit in ("first_batch_s", "cpu_s"):
        for kind in KINDS:
            values = [row[unit] for row in rows if row["kind"] == kind]
            medians[kind, unit] = statistics.median(values)
            spread = f"from {min(values):.2f} to {max(values):.2f}, n = {len(values)}"
            print(f"{kind:<5} {unit:<14} median {statistics.median(values):6.2f}   {spread}")
        print(f"      {unit:<14} cold / warm {medians['cold', unit] / medians['warm', unit]:.1f}")
    taken = sum(row["was_taken"] for row in rows if row["kind"] == "warm")
    memory = max(row["waiting_memory_bytes"] or 0 for row in rows)
    print(f"Taken: {taken} of {len(rows) // 2}; the one that waits takes {memory / 2**20:.0f} MiB.")


if __name__ == "__main__":
    main()
