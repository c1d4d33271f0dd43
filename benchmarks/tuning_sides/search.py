"""What a search finds in its time: a study against plain keras-tuner and plain Optuna."""

import json
import subprocess
import sys
import tempfile
import time
from typing import Any

import psutil

from benchmarks.tuning_sides.place import Place, moment, spread
from benchmarks.tuning_sides.task import SPACE, base

OURS, OTHERS = "study", ("plain_optuna", "plain_keras_tuner")
SIDES = (OURS, *OTHERS)


def search(place: Place, count: int, epochs: int, seeds: int) -> list[dict[str, Any]]:
    """Return one row per trial: seconds since the search was asked for, its value, the best so far.

    Who begins changes from seed to seed. Our trainers wait for runs, as where there is memory for it.
    """
    rows: list[dict[str, Any]] = []
    place.set_warm(is_on=True)
    for seed in range(seeds):
        for side in (*SIDES[seed % 3 :], *SIDES[: seed % 3]):
            load = psutil.getloadavg()[0]
            pairs = (_ours if side == OURS else _plain)(place, side, count, epochs, seed)
            best = 0.0
            for trial, (elapsed_s, value) in enumerate(pairs):
                best = max(best, value)
                row = {"side": side, "seed": seed, "trial": trial, "elapsed_s": elapsed_s, "value": value}
                rows.append({**row, "best": best, "load_1min": load})
            print(f"seed {seed}, {side}: {pairs[-1][0]:.1f} s, best {best:.4f}", flush=True)
    place.set_warm(is_on=False)
    return rows


def _ours(place: Place, _side: str, count: int, epochs: int, seed: int) -> list[tuple[float, float]]:
    values = {"run": base(epochs), "space": SPACE, "algorithm": {"name": "tpe"}, "budget": {"trials": count}}
    ended = place.study(values | {"seed": seed})
    return [(moment(row["ended_at"]) - ended.begun, row["objectives"].get("val_accuracy", 0.0)) for row in ended.rows]


def _plain(place: Place, side: str, count: int, epochs: int, seed: int) -> list[tuple[float, float]]:
    orders = {"store": str(place.store.root), "trials": count, "epochs": epochs, "seed": seed + 1}
    begun = time.time()
    pairs: list[tuple[float, float]] = []
    arguments = [sys.executable, "-m", f"benchmarks.tuning_sides.{side}", json.dumps(orders)]
    with (
        tempfile.TemporaryFile("w+") as said,
        subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=said, text=True) as process,
    ):
        pairs.extend(
            (time.time() - begun, json.loads(line)["value"]) for line in process.stdout or () if line.startswith("{")
        )
        if process.wait() or not pairs:
            said.seek(0)
            raise SystemExit(f"{side} ended with {process.returncode} after {len(pairs)} trials. {said.read()[-2000:]}")
    return pairs


def mean_best(rows: list[dict[str, Any]], until_s: float) -> float:
    """Return the best value so far, averaged over the time from the start (0 before the first trial) to `until_s`."""
    area, best, since = 0.0, 0.0, 0.0
    for row in sorted(rows, key=lambda row: row["elapsed_s"]):
        at = min(row["elapsed_s"], until_s)
        area, best, since = area + best * (at - since), max(best, row["value"]), at
    return (area + best * (until_s - since)) / until_s


def report_search(rows: list[dict[str, Any]]) -> None:
    """Print time and best value of each side, and ours against the others seed by seed."""
    seeds = sorted({row["seed"] for row in rows})
    by = {
        (side, seed): [row for row in rows if (row["side"], row["seed"]) == (side, seed)]
        for side in SIDES
        for seed in seeds
    }
    ends = {key: max(row["elapsed_s"] for row in found) for key, found in by.items()}
    until = {seed: max(ends[side, seed] for side in SIDES) for seed in seeds}
    means = {key: mean_best(found, until[key[1]]) for key, found in by.items()}
    for side in SIDES:
        print(f"{side}: {spread([ends[side, seed] for seed in seeds], 1)} s for the budget")
        print(f"  best validation accuracy {spread([by[side, seed][-1]['best'] for seed in seeds], 4)}")
        print(f"  best so far, averaged over the time {spread([means[side, seed] for seed in seeds], 4)}")
    for other in OTHERS:
        taken = [ends[OURS, seed] / ends[other, seed] for seed in seeds]
        found = [means[OURS, seed] / means[other, seed] for seed in seeds]
        print(f"a study takes {spread(taken)} x the time of {other}; best so far over the time {spread(found, 3)} x")
