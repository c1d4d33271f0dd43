"""The stores: the same runs, written once by each tracker and kept.

    python -m benchmarks.tracker_sides.writing NAME RUNS EPOCHS FOLDER

is what the interpreter of a tracker's own environment is asked to do: it fills `FOLDER/store` and says in
`FOLDER/written.json` what that took. Whether writing waited for the disk is said there too: with libeatmydata
preloaded (`LD_PRELOAD`) it does not, which makes MLflow and Aim two to three times faster.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.tracker_sides.environment import ROOT, Environment, NotMeasurableError
from benchmarks.tracker_sides.made_run import VERSION, MadeRun, made_runs, name_of
from benchmarks.tracker_sides.side import Side, side_named

TOLD_EVERY_S = 30.0


@dataclass(frozen=True)
class Written:
    """A store that holds runs.

    Attributes:
        names: Of the runs, oldest first, and `run_ids` how the tracker calls them.
        write_s: From the first run to the end of the last, with the making of the store.
        has_waited: Whether writing waited until the disk had everything, where the tracker asks for it.
        load_1_min: Of the machine at the end of writing.
    """

    names: list[str]
    run_ids: list[str]
    epochs: int
    write_s: float
    has_waited: bool
    load_1_min: float | None


def written(side: Side, environment: Environment, cache: Path, count: int, epochs: int) -> tuple[Path, Written]:
    """Return the store of a tracker with so many runs; one that is not there, or not whole, is written.

    Raises:
        NotMeasurableError: writing fails.
    """
    folder = cache / f"store-{side.name}-{environment.version}-{count}x{epochs}-{VERSION}"
    if not (folder / "written.json").exists():
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "store").mkdir(parents=True)
        _write(side, environment, folder, count, epochs)
    return folder / "store", Written(**json.loads((folder / "written.json").read_text(encoding="utf-8")))


def disk_bytes(folder: Path) -> int:
    """Return what the files of a store take on the disk, in whole blocks where the system counts them."""
    stats = [path.lstat() for path in folder.rglob("*") if path.is_file()]
    return sum(getattr(stat, "st_blocks", 0) * 512 or stat.st_size for stat in stats)


def load_1_min() -> float | None:
    """Return how many processes have wanted to compute in the last minute, None where the system does not say."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def _write(side: Side, environment: Environment, folder: Path, count: int, epochs: int) -> None:
    command = [environment.python, "-m", "benchmarks.tracker_sides.writing"]
    variables = {**os.environ, **side.environment(folder / "store"), "PYTHONPATH": str(ROOT)}
    print(f"{side.name}: writing {count:,} runs ...", flush=True)
    with open(folder / "writing.log", "w+", encoding="utf-8") as log:
        code = subprocess.call(
            [*command, side.name, str(count), str(epochs), str(folder)], cwd=ROOT, env=variables, stderr=log
        )
        log.seek(0)
        said = log.read().strip().splitlines() or ["nothing said"]
    if code:
        raise NotMeasurableError(f"its runs cannot be written ({said[-1]})")


def _told(runs: Iterator[MadeRun], count: int) -> Iterator[MadeRun]:
    """Say from time to time how far the writing is."""
    told_at = time.monotonic()
    for number, run in enumerate(runs):
        if time.monotonic() - told_at > TOLD_EVERY_S:
            told_at = time.monotonic()
            print(f"  {number:,} of {count:,}", flush=True)
        yield run


def _main(name: str, count: int, epochs: int, folder: Path) -> None:
    begin = time.perf_counter()
    run_ids = side_named(name).write(_told(made_runs(count, epochs), count), folder / "store")
    write_s = time.perf_counter() - begin
    has_waited = "eatmydata" not in os.environ.get("LD_PRELOAD", "")
    names = [name_of(number) for number in range(count)]
    text = json.dumps(asdict(Written(names, run_ids, epochs, write_s, has_waited, load_1_min())))
    (folder / "written.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
