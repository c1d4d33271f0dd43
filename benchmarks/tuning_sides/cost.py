"""What a trial of a study costs over the same training alone."""

import itertools
from typing import Any

import psutil

from benchmarks.tuning_sides.place import Place, moment, spread
from benchmarks.tuning_sides.task import base
from cnnlab.config import config_from_dict
from cnnlab.runs.status import settle

KINDS = ("alone", "cold", "warm")


def cost(place: Place, count: int, epochs: int, repeats: int) -> list[dict[str, Any]]:
    """Return one row per trial or run: seconds from one end to the next.

    `alone` are runs submitted by hand whose trainers start cold, `cold` trials of a study likewise, `warm` trials with
    a trainer that waits. Who begins changes from repeat to repeat.
    """
    rates = [0.01 * 1.2**number for number in range(count)]
    rows: list[dict[str, Any]] = []
    for repeat in range(repeats):
        for kind in (*KINDS[repeat % 3 :], *KINDS[: repeat % 3]):
            place.set_warm(is_on=kind == "warm")
            load = psutil.getloadavg()[0]
            found = _alone(place, rates, epochs) if kind == "alone" else _study(place, rates, epochs)
            rows += [{"repeat": repeat, "kind": kind, "load_1min": load, **row} for row in found]
            print(f"repeat {repeat + 1}, {kind}: {spread([row['taken_s'] for row in found])} s a trial", flush=True)
    place.set_warm(is_on=False)
    return rows


def _alone(place: Place, rates: list[float], epochs: int) -> list[dict[str, Any]]:
    rows = []
    for number, rate in enumerate(rates):
        values = base(epochs)
        values["training"]["learning_rate"] = rate
        _, taken_s = place.alone(config_from_dict(values))
        rows.append({"trial": number, "taken_s": taken_s, "gap_s": None, "helpers_cpu_s": None})
    return rows


def _study(place: Place, rates: list[float], epochs: int) -> list[dict[str, Any]]:
    """Run the grid; of each trial the seconds between ends, and from one run's end to the next one's submission."""
    ended = place.study(
        {
            "run": base(epochs),
            "space": {"training.learning_rate": {"kind": "choice", "values": rates}},
            "algorithm": {"name": "grid"},
            "keep_checkpoints": 1,
        }
    )
    moments = [moment(row["ended_at"]) for row in ended.rows]
    # The first trial stands for itself: from when it was proposed.
    begins = [moment(ended.rows[0]["started_at"]), *moments[:-1]]
    runs = [settle(place.store.run_dir(row["run_ids"][0])) for row in ended.rows]
    pairs = itertools.pairwise(runs)
    gaps = [None, *(moment(str(after.queued_at)) - moment(str(before.ended_at)) for before, after in pairs)]
    share = ended.helpers_cpu_s / len(runs)
    return [
        {"trial": number, "taken_s": end - begin, "gap_s": gap, "helpers_cpu_s": share}
        for number, (begin, end, gap) in enumerate(zip(begins, moments, gaps, strict=True))
    ]


def report_cost(rows: list[dict[str, Any]]) -> None:
    """Print seconds, ratios to the same training alone, and what stands behind them."""
    # The first of each holds what is there once: libraries read from the disk, a first trainer that starts cold.
    later = [row for row in rows if row["trial"]]
    alone = {(row["repeat"], row["trial"]): row["taken_s"] for row in later if row["kind"] == "alone"}
    for kind in KINDS:
        mine = [row for row in later if row["kind"] == kind]
        print(f"{kind:<6} {spread([row['taken_s'] for row in mine])} s a trial")
        if kind != "alone":
            print(f"       {spread([row['taken_s'] / alone[row['repeat'], row['trial']] for row in mine], 3)} x alone")
    gaps = [row["gap_s"] for row in later if row["gap_s"] is not None]
    cpu = [row["helpers_cpu_s"] for row in later if row["helpers_cpu_s"] is not None]
    print(f"from one run's end to the next one's submission {spread(gaps, 3)} s")
    print(f"processor time of supervisor, chief and worker {spread(cpu)} s a trial, their start included")
