"""How fast networks train here, against plain Keras and against PyTorch written by hand.

    python -m benchmarks.training                       # LeNet-5, VGG-like, ResNet-20; float32 and bfloat16
    python -m benchmarks.training --only resnet --repeats 5
    python -m benchmarks.training --backend jax         # on a GPU: against `model.fit` and a scan by hand

Every repeat runs each side once, in a fresh process and in turn, so that a noisy minute hits all of them. A
side's rate is the median of its epochs after one that compiles; ratios are formed repeat by repeat. The side in
PyTorch is left out, and said to be, where PyTorch is not installed.
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import asdict
from statistics import median
from typing import Any

from benchmarks.report import machine_text, write_results
from benchmarks.training_sides.task import ARCHITECTURES, Task

IMAGES = {"lenet5": 25_600, "vgg_small": 3_840, "resnet": 3_840}
LIBRARIES = ("keras", "tensorflow", "jax", "numpy")


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=ARCHITECTURES, nargs="*", default=list(ARCHITECTURES))
    parser.add_argument("--precision", choices=("float32", "bfloat16"), nargs="*", default=["float32", "bfloat16"])
    parser.add_argument("--backend", choices=("tensorflow", "jax"), default="tensorflow")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--scale", type=int, default=1, help="images of an epoch, as a multiple: more on a GPU")
    arguments = parser.parse_args()
    sides = sides_of(arguments.backend)
    rows: list[dict[str, Any]] = []
    print(machine_text())
    for architecture in arguments.only:
        tasks = [
            Task(architecture, each, num_images=IMAGES[architecture] * arguments.scale) for each in arguments.precision
        ]
        for repeat in range(arguments.repeats):
            for task in tasks:
                for side, module in sides.items():
                    rate = median(measure(module, task, arguments.backend))
                    rows.append({**asdict(task), "side": side, "repeat": repeat, "images_per_s": rate})
                    rows[-1]["backend"], rows[-1]["load_1min"] = arguments.backend, os.getloadavg()[0]
                    print(
                        f"{repeat + 1}/{arguments.repeats} {architecture} {task.precision} {side}: {rate:,.0f}",
                        file=sys.stderr,
                    )
    report(rows)
    write_results(f"training-{arguments.backend}", rows, LIBRARIES)


def sides_of(backend: str) -> dict[str, str]:
    """Return the module of each side that can run here."""
    sides = {"model.fit": "keras_fit", "cnnlab": "ours"}
    if backend == "jax":
        sides["JAX by hand"] = "by_hand_jax"
    elif importlib.util.find_spec("torch"):
        sides["PyTorch by hand"] = "by_hand_torch"
    else:
        print("PyTorch is not installed: its side is left out.", file=sys.stderr)
    return sides


def measure(module: str, task: Task, backend: str) -> list[float]:
    """Return images per second of each timed epoch of a side."""
    command = [sys.executable, "-m", f"benchmarks.training_sides.{module}", json.dumps(asdict(task))]
    environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment)
    rates: list[float] = json.loads(done.stdout.splitlines()[-1])["images_per_s"]
    return rates


def report(rows: list[dict[str, Any]]) -> None:
    """Print images per second by side, and ratios to plain Keras in float32 and to code written by hand."""
    print(f"{'':<12}{'':<10}{'side':<17}{'median':>10}{'from':>10}{'to':>10}   over float32 model.fit   over by hand")
    for architecture, precision, side in dict.fromkeys(
        (row["architecture"], row["precision"], row["side"]) for row in rows
    ):
        mine = rates_of(rows, architecture, precision, side)
        plain = rates_of(rows, architecture, "float32", "model.fit")
        by_hand = next(
            (
                found
                for each in ("PyTorch by hand", "JAX by hand")
                if (found := rates_of(rows, architecture, precision, each))
            ),
            [],
        )
        name = f"{ARCHITECTURES[architecture]:<12}{precision:<10}{side:<17}"
        numbers = f"{median(mine):>10,.0f}{min(mine):>10,.0f}{max(mine):>10,.0f}"
        print(f"{name}{numbers}   {ratio(mine, plain):<23}  {ratio(mine, by_hand)}")


def rates_of(rows: list[dict[str, Any]], architecture: str, precision: str, side: str) -> list[float]:
    """Return images per second, by repeat."""
    key = (architecture, precision, side)
    return [row["images_per_s"] for row in rows if (row["architecture"], row["precision"], row["side"]) == key]


def ratio(mine: list[float], theirs: list[float]) -> str:
    """Return median, spread and n of the ratios, repeat by repeat."""
    if not theirs:
        return "-"
    ratios = [one / other for one, other in zip(mine, theirs, strict=True)]
    return f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}, n={len(ratios)})"


if __name__ == "__main__":
    main()
