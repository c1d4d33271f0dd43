"""How long people wait for a list of runs and for a comparison: CNN Lab, MLflow, TensorBoard, Aim.

    python -m benchmarks.trackers                                # 1,000 and 10,000 runs of all four
    python -m benchmarks.trackers --runs 1000 --tools cnnlab aim
    python -m benchmarks.trackers --write-only                   # installs and writes, to be measured later

Each tracker is given the same synthetic runs (100 epochs, 6 series, 8 settings) by its own interface, in its own kind
of store. Its server is started with its own defaults, and a real browser with an empty profile opens two pages: the
list of all runs, and the curves of one series of 20 given runs. Cold is the first page after the server's first
answer, warm any later one. When a page can be used is said in `tracker_sides`, for each tracker in its file. What does
not come in time, or cannot be measured, is in the table with its reason.

The trackers are installed and the stores kept in a folder outside the repository, and taken from there again: about
2 GB of programs, and 15 GB for 10,000 runs, most of them Aim's. The operating system has the files of a store in its
cache where they fit. 10,000 runs take Aim and MLflow a quarter of an hour or more to write: do it ahead, with
libeatmydata preloaded if you like, which the rows then say.
"""

import argparse
import os
import statistics
from pathlib import Path
from typing import Any

from benchmarks.report import machine_text, write_results
from benchmarks.tracker_sides.environment import NotMeasurableError, environment_of
from benchmarks.tracker_sides.measuring import Measured, Plan, measure, stored
from benchmarks.tracker_sides.side import Side, side_named

TOOLS = ("cnnlab", "mlflow", "tensorboard", "aim")
OURS = TOOLS[0]
LIBRARIES = ("streamlit", "polars", "plotly", "playwright")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--tools", choices=TOOLS, nargs="+", default=list(TOOLS))
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--cold", type=int, default=3, help="starts of the server for each page")
    parser.add_argument("--repeats", type=int, default=5, help="openings of each page once the server is warm")
    parser.add_argument("--patience", type=float, default=300.0, help="seconds to wait for a page")
    parser.add_argument("--cache", type=Path, default=default_cache(), help="where programs and stores are kept")
    parser.add_argument("--write-only", action="store_true", help="install and write what is missing, measure nothing")
    given = parser.parse_args()
    plan = Plan(given.cache.absolute(), given.epochs, given.cold, given.repeats, given.patience)
    plan.cache.mkdir(parents=True, exist_ok=True)
    print(machine_text())
    work = [(side_named(name), num_runs) for num_runs in given.runs for name in given.tools]
    if given.write_only:
        for side, num_runs in work:
            write(side, num_runs, plan)
        return
    rows = [row for side, num_runs in work for row in measure(side, num_runs, plan)]
    report(rows)
    write_results("trackers", rows, LIBRARIES)


def default_cache() -> Path:
    """Return a folder that outlives the restart of a machine and is in no repository."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cnnlab-trackers"


def write(side: Side, num_runs: int, plan: Plan) -> None:
    """Install a tracker and write its store, where they are missing."""
    try:
        stored(Measured(side, num_runs, plan.epochs), environment_of(side, plan.cache), plan)
    except NotMeasurableError as error:
        print(f"{side.name}: not measured: {error}")


def report(rows: list[dict[str, Any]]) -> None:
    """Print each measurement by tracker, with its ratio to ours."""
    versions = {row["tool"]: row["version"] for row in rows}
    print("\n" + ", ".join(f"{tool} {version}" for tool, version in versions.items()))
    keys = dict.fromkeys((row["num_runs"], row["measurement"], row["visit"]) for row in rows)
    for num_runs, what, visit in sorted(keys, key=lambda key: key[0]):
        for tool in versions:
            some = [
                row for row in rows if (row["num_runs"], row["measurement"], row["visit"]) == (num_runs, what, visit)
            ]
            mine = [row for row in some if row["tool"] == tool]
            if mine:
                name = f"{num_runs:>7,} runs  {f'{what}, {visit}'.strip(', '):<36}{tool:<12}"
                print(f"{name}{summary(mine)}{ratio(mine, [row for row in some if row['tool'] == OURS])}")


def summary(rows: list[dict[str, Any]]) -> str:
    """Return median, spread and n of a measurement, or why there is none."""
    values = measured_values(rows)
    failed = [row["outcome"] for row in rows if row["outcome"] != "measured"]
    parts = []
    if values:
        parts.append(f"median {text(statistics.median(values), rows)}")
        parts.append(f"({text(min(values), rows)} to {text(max(values), rows)}, n={len(values)})")
    return f"{' '.join(parts + failed):<48}"


def ratio(mine: list[dict[str, Any]], ours: list[dict[str, Any]]) -> str:
    """Return the median as a multiple of ours."""
    if not measured_values(mine) or not measured_values(ours) or mine[0]["tool"] == OURS:
        return ""
    return f"  {statistics.median(measured_values(mine)) / statistics.median(measured_values(ours)):.2f} x cnnlab"


def measured_values(rows: list[dict[str, Any]]) -> list[float]:
    """Return what was measured."""
    return [row["value"] for row in rows if row["outcome"] == "measured"]


def text(value: float, rows: list[dict[str, Any]]) -> str:
    """Return a value with its unit."""
    return f"{value:.2f} s" if rows[0]["unit"] == "s" else f"{value / 2**20:,.0f} MiB"


if __name__ == "__main__":
    main()
