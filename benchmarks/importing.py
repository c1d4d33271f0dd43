"""How fast a zip of images is imported, against bare loops that only decode the same files.

    python -m benchmarks.importing ../shared/data/cifar10-images.zip

Every repeat runs the importer and each loop once, each in a fresh process and in turn, so that a
noisy minute hits all of them. Times are whole: start of Python, reading, decoding, and for the
importer the array, the table and the version on disk. The ratio is the importer's time over that of
the fastest loop, repeat by repeat; the same of processor time is printed beside it, for machines
that are not quiet. The result goes to `benchmarks/results/` as parquet.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.report import write_results
from cnnlab.datasets.pool import usable_cores

LOOPS = [("pillow", 1), ("pillow", 2), ("simplejpeg", 1), ("simplejpeg", 2)]
LOOPS += [("simplejpeg_mapped", 1), ("simplejpeg_mapped", 2)]
IMPORT = (
    "import sys; from pathlib import Path; from cnnlab.datasets.importing import import_images; "
    "info = import_images(Path(sys.argv[1]), Path(sys.argv[2]), 'measured'); print(info.num_images)"
)
BARE = "import sys; from benchmarks.bare_decoding import run; run(sys.argv[1], sys.argv[2], int(sys.argv[3]))"
LIBRARIES = ("numpy", "pillow", "simplejpeg", "polars")


@dataclass(frozen=True)
class Timing:
    """Seconds on the clock, and seconds of processor in all processes together (which other work hardly moves)."""

    elapsed_s: float
    cpu_s: float


Timings = dict[tuple[str, int], list[Timing]]


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("source", type=Path, help="a zip of JPEG images, one folder per class")
    parser.add_argument("--repeats", type=int, default=7)
    arguments = parser.parse_args()
    source = arguments.source.resolve()
    load = round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
    num_images = timed_import(source)[1]  # not counted: fills the page cache for all alike
    timings: Timings = {}
    for repeat in range(arguments.repeats):
        timings.setdefault(("import", usable_cores()), []).append(timed_import(source)[0])
        for loop, processes in LOOPS:
            timing, _ = timed([BARE, loop, str(source), str(processes)])
            timings.setdefault((loop, processes), []).append(timing)
        print(f"repeat {repeat + 1} of {arguments.repeats}", file=sys.stderr)
    report(timings, num_images, load)
    write(timings, num_images, load)


def timed_import(source: Path) -> tuple[Timing, int]:
    """Time one import into an empty store; return how many images it has as well."""
    with tempfile.TemporaryDirectory() as store:
        timing, output = timed([IMPORT, str(source), store])
        return timing, int(output)


def timed(code_and_arguments: list[str]) -> tuple[Timing, str]:
    """Time a fresh Python that runs some code; return what it printed as well."""
    start, cpu = time.perf_counter(), cpu_of_children()
    done = subprocess.run([sys.executable, "-c", *code_and_arguments], check=True, stdout=subprocess.PIPE, text=True)
    return Timing(time.perf_counter() - start, cpu_of_children() - cpu), done.stdout


def cpu_of_children() -> float:
    """Return the processor seconds of all children and grandchildren that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def ratios(timings: Timings, what: str) -> tuple[tuple[str, int], list[float]]:
    """Return the loop that takes least of `what` (by median), and the importer's over its, repeat by repeat."""
    values = {key: [getattr(timing, what) for timing in found] for key, found in timings.items()}
    ours = next(found for (loop, _), found in values.items() if loop == "import")
    loops = {key: found for key, found in values.items() if key[0] != "import"}
    least = min(loops, key=lambda key: median(loops[key]))
    return least, [mine / theirs for mine, theirs in zip(ours, loops[least], strict=True)]


def report(timings: Timings, num_images: int, load: float | None) -> None:
    """Print a table, and the ratios with their spread."""
    print(f"{num_images:,} images; load at start {load}")
    print(f"{'':<18} processes  median_s    min_s    max_s  median_cpu_s  images_per_s")
    for (loop, processes), found in timings.items():
        elapsed = [timing.elapsed_s for timing in found]
        cpu = median([timing.cpu_s for timing in found])
        numbers = f"{median(elapsed):9.3f}{min(elapsed):9.3f}{max(elapsed):9.3f}{cpu:14.3f}"
        print(f"{loop:<18} {processes:>9} {numbers}{num_images / median(elapsed):14,.0f}")
    for what in ("elapsed_s", "cpu_s"):
        (loop, processes), found_ratios = ratios(timings, what)
        print(
            f"{what}: import / least of the loops ({loop}, {processes}): median {median(found_ratios):.2f}, "
            f"from {min(found_ratios):.2f} to {max(found_ratios):.2f}, n = {len(found_ratios)}"
        )


def write(timings: Timings, num_images: int, load: float | None) -> None:
    """Write one row per measurement."""
    rows = [
        {
            "what": loop,
            "processes": processes,
            "repeat": repeat,
            "elapsed_s": timing.elapsed_s,
            "cpu_s": timing.cpu_s,
            "num_images": num_images,
            "load_at_start": load,
        }
        for (loop, processes), found in timings.items()
        for repeat, timing in enumerate(found)
    ]
    write_results("importing", rows, LIBRARIES)


if __name__ == "__main__":
    main()
