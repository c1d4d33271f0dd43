"""How fast networks train here, against plain Keras and against PyTorch written by hand.

    python -m benchmarks.training                       # LeNet-5, VGG-like, ResNet-20; float32 and bfloat16
    python -m benchmarks.training --only resnet --rounds 21
    python -m benchmarks.training --backend jax         # on a GPU: against `model.fit`, ResNet-20 also a scan by hand

The sides wait in processes of their own and train epochs of some seconds in turn, so that a slow minute of the
machine hits all of them; ratios are formed round by round. The epoch that compiles is not counted. The side in
PyTorch is left out, and said to be, where PyTorch is not installed.
"""

import argparse
import importlib.util
import os
import sys
from dataclasses import asdict, replace
from statistics import median
from typing import Any

from benchmarks.report import machine_text, write_results
from benchmarks.training_sides.side import in_turn
from benchmarks.training_sides.task import ARCHITECTURES, Task

IMAGES = {"lenet5": 12_800, "vgg_small": 1_280, "resnet": 1_280}
PLAIN = "float32 model.fit"
BY_HAND = ("PyTorch by hand", "JAX by hand")
LIBRARIES = ("keras", "tensorflow", "jax", "numpy")


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=ARCHITECTURES, nargs="*", default=list(ARCHITECTURES))
    parser.add_argument("--precision", choices=("float32", "bfloat16"), nargs="*", default=["float32", "bfloat16"])
    parser.add_argument("--backend", choices=("tensorflow", "jax"), default="tensorflow")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--scale", type=int, default=1, help="images of an epoch, as a multiple: more on a GPU")
    arguments = parser.parse_args()
    rows: list[dict[str, Any]] = []
    print(machine_text())
    for architecture in arguments.only:
        modules = sides_of(architecture, arguments.backend)
        for precision in arguments.precision:
            num_images = IMAGES[architecture] * arguments.scale
            task = Task(architecture, precision, num_images=num_images, epochs=arguments.rounds)
            # Plain Keras in 32 bits trains in every round: it is what both precisions are set against.
            works = {PLAIN: ("keras_fit", replace(task, precision="float32"))}
            works |= {side: (module, task) for side, module in modules.items() if f"{precision} {side}" != PLAIN}
            rows += measured(works, arguments.backend, arguments.rounds)
    report(rows)
    write_results(f"training-{arguments.backend}", rows, LIBRARIES)


def measured(works: dict[str, tuple[str, Task]], backend: str, rounds: int) -> list[dict[str, Any]]:
    """Return one row per round and side."""
    rows = []
    (task,) = {work for side, (_, work) in works.items() if side != PLAIN}
    for number, rates in enumerate(in_turn(works, backend, rounds)):
        load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
        for side, rate in rates.items():
            rows.append({**asdict(task), "side": side, "round": number, "images_per_s": rate})
            rows[-1] |= {"backend": backend, "load_1min": load}
        said = ", ".join(f"{side} {rate:,.0f}" for side, rate in rates.items())
        print(f"{number + 1}/{rounds} {task.architecture} {task.precision}: {said}", file=sys.stderr)
    return rows


def sides_of(architecture: str, backend: str) -> dict[str, str]:
    """Return the module of each side that can run here; in JAX only ResNet-20 is written by hand."""
    sides = {"model.fit": "keras_fit", "cnnlab": "ours"}
    if backend == "jax":
        sides |= {"JAX by hand": "by_hand_jax"} if architecture == "resnet" else {}
    elif importlib.util.find_spec("torch"):
        sides["PyTorch by hand"] = "by_hand_torch"
    else:
        print("PyTorch is not installed: its side is left out.", file=sys.stderr)
    return sides


def report(rows: list[dict[str, Any]]) -> None:
    """Print images per second by side, and ratios to plain Keras in float32 and to code written by hand."""
    print(f"{'':<12}{'':<10}{'side':<19}{'median':>10}{'from':>10}{'to':>10}   over {PLAIN:<18}   over by hand")
    for architecture, precision, side in dict.fromkeys(
        (row["architecture"], row["precision"], row["side"]) for row in rows
    ):
        mine = rates_of(rows, architecture, precision, side)
        by_hand = [rate for each in BY_HAND for rate in rates_of(rows, architecture, precision, each)]
        name = f"{ARCHITECTURES[architecture]:<12}{precision:<10}{side:<19}"
        numbers = f"{median(mine):>10,.0f}{min(mine):>10,.0f}{max(mine):>10,.0f}"
        plain = rates_of(rows, architecture, precision, PLAIN)
        print(f"{name}{numbers}   {ratio(mine, plain):<23}  {ratio(mine, by_hand)}")


def rates_of(rows: list[dict[str, Any]], architecture: str, precision: str, side: str) -> list[float]:
    """Return images per second, by round."""
    key = (architecture, precision, side)
    return [row["images_per_s"] for row in rows if (row["architecture"], row["precision"], row["side"]) == key]


def ratio(mine: list[float], theirs: list[float]) -> str:
    """Return median, spread and n of the ratios, round by round."""
    if not theirs:
        return "-"
    ratios = [one / other for one, other in zip(mine, theirs, strict=True)]
    return f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}, n={len(ratios)})"


if __name__ == "__main__":
    main()
