"""What a trial of a study costs over the same training alone, and what a search finds in its time.

    python -m benchmarks.tuning cost [--trials 6] [--epochs 200]
    python -m benchmarks.tuning search [--trials 12] [--epochs 5] [--seeds 3]

`cost`: the same configs one after another, submitted by hand and as a grid search with one worker, in turn: with
trainers that start cold and with one that waits; and the gap between two trials, in which no run is submitted, which
other work on the machine changes less. `search`: best validation accuracy against time for TPE in a
study, plain keras-tuner (Bayesian) and plain Optuna (TPE); same network, images, space, epochs and machine.
"""

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil

from benchmarks.report import write_results
from benchmarks.tuning_sides.task import SPACE, base
from cnnlab.config import config_from_dict
from cnnlab.datasets.storage import open_dataset
from cnnlab.launch import warm
from cnnlab.launch.database import Database
from cnnlab.launch.queue import Queue
from cnnlab.runs import trials
from cnnlab.runs.status import settle
from cnnlab.runs.store import Store
from cnnlab.runs.studies import study_dir
from cnnlab.runs.study_status import read_status
from cnnlab.settings.study import study_from_dict
from cnnlab.submit import submit_runs
from cnnlab.tuning.control import start_study

LIBRARIES = ("keras", "keras-tuner", "optuna", "tensorflow")
SIDES = ("plain_optuna", "plain_keras_tuner")
LOOK_S = 0.02


class Place:
    """A store and a queue in a temporary folder, with one slot."""

    def __init__(self, root: Path):
        os.environ |= {"CNNLAB_SLOTS": "1", "CNNLAB_STORE": str(root / "store")}
        os.environ["CNNLAB_QUEUE"] = str(root / "queue.sqlite")
        self.store, self.queue = Store(root / "store"), Queue(root / "queue.sqlite")
        open_dataset(self.store.root, "digits")

    def study(self, values: dict[str, Any]) -> tuple[float, list[dict[str, Any]]]:
        """Run a study; return when it was asked for and its trials."""
        begun = time.time()
        made = start_study(self.store, study_from_dict(values), queue=self.queue)
        folder = study_dir(self.store, made.study_id)
        while not read_status(folder).has_ended:
            self.queue.tick()
            time.sleep(0.2)
        return begun, list(trials.trials(folder).values())

    def alone(self, values: dict[str, Any]) -> float:
        """Submit one run by hand; return the seconds until its end."""
        begun = time.perf_counter()
        (run_id,) = submit_runs(self.store, config_from_dict(values), queue=self.queue)
        while not settle(self.store.run_dir(run_id)).has_ended:
            time.sleep(LOOK_S)
        return time.perf_counter() - begun


def cost(place: Place, count: int, epochs: int, repeats: int) -> list[dict[str, Any]]:
    """Return one row per trial or run: seconds from one end to the next."""
    rates = [0.01 * 1.2**number for number in range(count)]
    rows: list[dict[str, Any]] = []
    for kind in [kind for _ in range(repeats) for kind in ("alone", "cold", "warm")]:
        os.environ["CNNLAB_WARM"] = "1" if kind == "warm" else "0"
        load = psutil.getloadavg()[0]
        gaps: list[float | None] = [None] * count
        if kind == "alone":
            configs = [base(epochs) for _ in rates]
            for values, rate in zip(configs, rates, strict=True):
                values["training"]["learning_rate"] = rate
            taken = [place.alone(values) for values in configs]
        else:
            taken, gaps = _between_ends(place, rates, epochs)
        database = Database(place.queue.path)
        warm.dismiss(database)
        database.close()
        rows += [
            {"kind": kind, "trial": number, "taken_s": taken_s, "gap_s": gap_s, "load_1min": load}
            for number, (taken_s, gap_s) in enumerate(zip(taken, gaps, strict=True))
        ]
    return rows


def _between_ends(place: Place, rates: list[float], epochs: int) -> tuple[list[float], list[float | None]]:
    """Run the grid; return the seconds between ends of trials, and from one run's end to the next one's submission."""
    values = {
        "run": base(epochs),
        "space": {"training.learning_rate": {"kind": "choice", "values": rates}},
        "algorithm": {"name": "grid"},
        "budget": {"trials": len(rates)},
        "keep_checkpoints": 1,
    }
    _, rows = place.study(values)
    moments = [_moment(row["ended_at"]) for row in rows]
    # The first trial stands for itself: from when it was proposed.
    begins = [_moment(rows[0]["started_at"]), *moments[:-1]]
    runs = [settle(place.store.run_dir(row["run_ids"][0])) for row in rows]
    pairs = itertools.pairwise(runs)
    gaps = [None, *(_moment(str(after.queued_at)) - _moment(str(before.ended_at)) for before, after in pairs)]
    return [end - begin for begin, end in zip(begins, moments, strict=True)], gaps


def report_cost(rows: list[dict[str, Any]]) -> None:
    """Print the medians and what a study takes over runs submitted by hand."""
    medians = {}
    for kind in ("alone", "cold", "warm"):
        # The first of each holds what is there once: libraries read from the disk, a first trainer that starts cold.
        values = [row["taken_s"] for row in rows if row["kind"] == kind and row["trial"]]
        medians[kind] = statistics.median(values)
        spread = f"from {min(values):.2f} to {max(values):.2f}, n = {len(values)}"
        over = 100 * (medians[kind] / medians["alone"] - 1)
        print(f"{kind:<6} median {medians[kind]:7.2f} s   {spread}   {over:+.1f} % over alone")
    gaps = [row["gap_s"] for row in rows if row["gap_s"] is not None]
    print(f"from one run's end to the next one's submission: median {statistics.median(gaps):.3f} s, n = {len(gaps)}")


def search(place: Place, count: int, epochs: int, seeds: int) -> list[dict[str, Any]]:
    """Return one row per trial: seconds since the search was asked for, its value, the best so far."""
    rows: list[dict[str, Any]] = []
    os.environ["CNNLAB_WARM"] = "1"
    for seed in range(seeds):
        values = {"run": base(epochs), "space": SPACE, "algorithm": {"name": "tpe"}, "budget": {"trials": count}}
        begun, found = place.study(values | {"seed": seed})
        pairs = [(_moment(row["ended_at"]) - begun, row["objectives"].get("val_accuracy", 0.0)) for row in found]
        rows += _rows("study", seed, pairs)
        for side in SIDES:
            orders = {"store": str(place.store.root), "trials": count, "epochs": epochs, "seed": seed + 1}
            begun = time.time()
            pairs = []
            arguments = [sys.executable, "-m", f"benchmarks.tuning_sides.{side}", json.dumps(orders)]
            with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
                for line in process.stdout or ():
                    if line.startswith("{"):
                        pairs.append((time.time() - begun, json.loads(line)["value"]))
            rows += _rows(side, seed, pairs)
    return rows


def _rows(side: str, seed: int, pairs: list[tuple[float, float]]) -> list[dict[str, Any]]:
    rows, best = [], 0.0
    for trial, (elapsed_s, value) in enumerate(pairs):
        best = max(best, value)
        rows.append({"side": side, "seed": seed, "trial": trial, "elapsed_s": elapsed_s, "value": value, "best": best})
    return rows


def report_search(rows: list[dict[str, Any]]) -> None:
    """Print time and best value of each side."""
    for side in ("study", *SIDES):
        ends = [max(r["elapsed_s"] for r in rows if r["side"] == side and r["seed"] == seed) for seed in _seeds(rows)]
        bests = [max(r["best"] for r in rows if r["side"] == side and r["seed"] == seed) for seed in _seeds(rows)]
        print(
            f"{side:<18} {statistics.median(ends):7.1f} s, best validation accuracy "
            f"{', '.join(f'{best:.4f}' for best in bests)}"
        )


def _seeds(rows: list[dict[str, Any]]) -> list[int]:
    return sorted({row["seed"] for row in rows})


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("cost", "search"))
    parser.add_argument("--trials", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        place = Place(Path(folder))
        if given.what == "cost":
            rows = cost(place, given.trials or 6, given.epochs or 200, given.repeats)
            report_cost(rows)
        else:
            rows = search(place, given.trials or 12, given.epochs or 5, given.seeds)
            report_search(rows)
    write_results(f"tuning-{given.what}", rows, LIBRARIES)


if __name__ == "__main__":
    main()
