"""What a trial of a study costs over the same training alone, and what a search finds in its time.

    python -m benchmarks.tuning cost [--trials 6] [--epochs 400] [--repeats 3]
    python -m benchmarks.tuning search [--trials 12] [--epochs 40] [--seeds 3]
    python -m benchmarks.tuning cifar10 ../shared/data/cifar10-images.zip [--trials 16] [--epochs 4] [--seeds 3]

`cost`: the same configs one after another, submitted by hand and as a grid search with one worker, with trainers that
start cold and with one that waits; ratios trial by trial, the gap between two trials, and the processor time of the
study's own processes, which other work on the machine changes less. 400 epochs of `digits` are a trial of a minute on
two cores. `search`: best validation accuracy against time for TPE in a study, plain keras-tuner (Bayesian) and plain
Optuna (TPE); same network, images, space, epochs and machine; their trials share a process, ours have one each, which
short trials pay for. `cifar10`: a study of eight settings of LeNet-5, and
what its best gives on the test images over the defaults. In all of them who begins changes from round to round.
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.report import machine_text, write_results
from benchmarks.tuning_sides.cifar10 import cifar10, report_cifar10
from benchmarks.tuning_sides.cost import cost, report_cost
from benchmarks.tuning_sides.place import Place
from benchmarks.tuning_sides.search import report_search, search

LIBRARIES = ("keras", "keras-tuner", "optuna", "tensorflow")


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    whats = parser.add_subparsers(dest="what", required=True)
    for what, numbers in (
        ("cost", {"trials": 6, "epochs": 400, "repeats": 3}),
        ("search", {"trials": 12, "epochs": 40, "seeds": 3}),
        ("cifar10", {"trials": 16, "epochs": 4, "seeds": 3}),
    ):
        one = whats.add_parser(what)
        if what == "cifar10":
            one.add_argument("source", type=Path, help="a zip of images")
        for name, number in numbers.items():
            one.add_argument(f"--{name}", type=int, default=number)
    given = vars(parser.parse_args())
    print(machine_text())
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        rows = _measured(Place(Path(folder)), given)
    write_results(f"tuning-{given['what']}", rows, LIBRARIES)


def _measured(place: Place, given: dict[str, Any]) -> list[dict[str, Any]]:
    if given["what"] == "cost":
        rows = cost(place, given["trials"], given["epochs"], given["repeats"])
        report_cost(rows)
    elif given["what"] == "search":
        rows = search(place, given["trials"], given["epochs"], given["seeds"])
        report_search(rows)
    else:
        rows = cifar10(place, given["source"], given["trials"], given["epochs"], given["seeds"])
        report_cifar10(rows)
    return rows


if __name__ == "__main__":
    main()
