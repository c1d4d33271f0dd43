"""How long a page waits for what a network costs: asked for the first time, and asked again.

    python -m benchmarks.inspecting

A warm inspector in a store of its own is asked for every architecture of the catalogue at its
defaults, and for the deepest published one, with images of 224 px and 1,000 classes and of 32 px and
10 classes. `inspect` is the question of the explorer, `costs` that of the training form. A first
answer is built by Keras and comes through the process's pipes; a kept one is read from the store.
Between repeats the kept answers are removed. The result goes to `benchmarks/results/` as parquet.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks.report import write_results
from cnnlab.architectures.catalogue import ARCHITECTURES, LOCAL
from cnnlab.inspector.client import Inspector

IMAGES = ((224, 1000), (32, 10))
DEEPEST = ("resnet_imagenet", {"depth": 152})
LIBRARIES = ("keras", "numpy", "optree")


@dataclass(frozen=True)
class Question:
    """One question about a network, under a name for the table."""

    name: str
    kind: str
    image_px: int
    num_classes: int
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Timing:
    """Seconds from the question to the answer, the first time and from the store."""

    first_s: float
    kept_s: float
    num_layers: int


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    load = round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
    asked = list(questions())
    timings: dict[int, list[Timing]] = {place: [] for place in range(len(asked))}
    with tempfile.TemporaryDirectory() as store:
        inspector = Inspector(store)
        start = time.perf_counter()
        inspector.ask("warm", timeout_s=300.0)
        warm_s = time.perf_counter() - start
        for repeat in range(arguments.repeats):
            for place, question in enumerate(asked):
                timings[place].append(timed(inspector, question))
            shutil.rmtree(inspector.folder / "answers")
            print(f"repeat {repeat + 1} of {arguments.repeats}", file=sys.stderr)
        inspector.close()
    report(asked, timings, warm_s, load)
    write(asked, timings, warm_s, load)


def questions() -> Iterator[Question]:
    """Give what is asked of each network: by the explorer at both sizes, by the training form once."""
    networks: list[tuple[str, dict[str, Any]]] = [(name, {}) for name in ARCHITECTURES if name not in LOCAL]
    for name, parameters in (*networks, DEEPEST):
        entry = ARCHITECTURES[name]
        title = " ".join([name, *(f"{key}={value}" for key, value in parameters.items())])
        for image_px, classes in IMAGES:
            shape = [image_px, image_px, 3]
            arguments = {"architecture": name, "parameters": entry.brief(parameters), "input_shape": shape}
            yield Question(title, "inspect", image_px, classes, {**arguments, "num_classes": classes})
        architecture = {"name": name, "parameters": parameters}
        config = {"data": {"dataset": "shapes", "image_size": entry.natural_px}, "architecture": architecture}
        yield Question(title, "costs", entry.natural_px, 0, {"config": config})


def timed(inspector: Inspector, question: Question) -> Timing:
    """Ask twice; the inspector has tidied up after the question before, as it has while a person reads."""
    inspector.ask("ping")
    start = time.perf_counter()
    answer = inspector.ask(question.kind, **question.arguments)
    between = time.perf_counter()
    inspector.ask(question.kind, **question.arguments)
    return Timing(between - start, time.perf_counter() - between, len(answer["layers"]))


def report(asked: list[Question], timings: dict[int, list[Timing]], warm_s: float, load: float | None) -> None:
    """Print a row per question, and the slowest."""
    repeats = len(timings[0])
    print(f"n = {repeats} of each; load at start {load}; the process was warm after {warm_s:.1f} s")
    print(
        f"{'network':<26} {'kind':<8} {'px':>4} {'layers':>6}  first_median_s  first_max_s  kept_median_s  kept_max_s"
    )
    medians = {}
    for place, question in enumerate(asked):
        first = [timing.first_s for timing in timings[place]]
        kept = [timing.kept_s for timing in timings[place]]
        medians[place] = median(first)
        numbers = f"{median(first):15.3f}{max(first):13.3f}{median(kept):15.3f}{max(kept):12.3f}"
        layers = timings[place][0].num_layers
        print(f"{question.name:<26} {question.kind:<8} {question.image_px:>4} {layers:>6} {numbers}")
    everything = [timing for found in timings.values() for timing in found]
    for what in ("first_s", "kept_s"):
        values = [getattr(timing, what) for timing in everything]
        print(f"{what}: median {median(values):.3f}, max {max(values):.3f} over all {len(values)}")
    slowest = asked[max(medians, key=lambda place: medians[place])]
    print(f"slowest by median of first answers: {slowest.name} at {slowest.image_px} px, {max(medians.values()):.3f} s")


def write(asked: list[Question], timings: dict[int, list[Timing]], warm_s: float, load: float | None) -> None:
    """Write one row per pair of questions."""
    rows = [
        {
            "network": question.name,
            "kind": question.kind,
            "image_px": question.image_px,
            "num_layers": timing.num_layers,
            "repeat": repeat,
            "first_s": timing.first_s,
            "kept_s": timing.kept_s,
            "warm_s": warm_s,
            "load_at_start": load,
        }
        for place, question in enumerate(asked)
        for repeat, timing in enumerate(timings[place])
    ]
    write_results("inspecting", rows, LIBRARIES)


if __name__ == "__main__":
    main()
