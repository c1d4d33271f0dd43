"""Whether our loop learns what plain Keras learns: test accuracy on CIFAR-10, seed by seed.

    python -m benchmarks.accuracy ../shared/data/cifar10-images.zip
    python -m benchmarks.accuracy images.zip --seeds 10 --epochs 5

LeNet-5 by `model.fit` in float32, by ours in float32 and by ours in bfloat16, with the same optimizer, batch size and
epochs, from other first weights each time. The zip has one folder per class below `train` and `test`. Differences are
of means, with Welch's 95 % interval.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import mean
from typing import Any

from benchmarks.report import machine_text, write_results
from cnnlab.analysis.intervals import student
from cnnlab.analysis.significance import welch

SIDES = ("model.fit float32", "cnnlab float32", "cnnlab bfloat16")
LIBRARIES = ("keras", "tensorflow", "numpy")


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="a zip of images")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--side", help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        print(json.dumps(one(arguments.source, arguments.side, arguments.seed, arguments.epochs)))
        return
    rows = []
    with tempfile.TemporaryDirectory() as store:
        _import(arguments.source, Path(store))
        for seed in range(1, arguments.seeds + 1):
            for side in SIDES:
                rows.append({"side": side, "seed": seed, "epochs": arguments.epochs})
                rows[-1]["test_accuracy"] = _in_child(Path(store), side, seed, arguments.epochs)
                print(f"seed {seed}, {side}: {100 * rows[-1]['test_accuracy']:.2f} %", file=sys.stderr)
    report(rows)
    write_results("accuracy", rows, LIBRARIES)


def report(rows: list[dict[str, Any]]) -> None:
    """Print means with intervals, and differences to plain Keras."""
    print(machine_text())
    by_side = {side: [100 * row["test_accuracy"] for row in rows if row["side"] == side] for side in SIDES}
    for side, values in by_side.items():
        _, low, high = student(values)
        apart = welch(values, by_side[SIDES[0]])
        against = "" if side == SIDES[0] else f"; {apart.value:+.2f} points ({apart.low:+.2f} to {apart.high:+.2f})"
        print(f"{side:<18} {mean(values):.2f} % ({low:.2f} to {high:.2f}, n={len(values)}){against}")


def one(store: Path, side: str, seed: int, epochs: int) -> float:
    """Train once and return the accuracy on the test images."""
    from cnnlab.config import config_from_dict
    from cnnlab.datasets.storage import open_dataset

    loop, precision = side.split()
    training = {"optimizer": "sgd", "learning_rate": 0.02, "momentum": 0.9, "schedule": "constant"}
    training |= {"batch_size": 128, "precision": precision, "epochs": epochs, "seed": seed}
    config = config_from_dict(
        {
            "data": {"dataset": "images", "image_size": 32},
            "architecture": {"name": "lenet5"},
            "training": training,
        }
    )
    dataset = open_dataset(store, "images")
    if loop == "cnnlab":
        from cnnlab.training.trainer import train

        return float(train(config, dataset).answers["test"]["label"].scores()["accuracy"])
    return _by_fit(config, dataset)


def _by_fit(config: Any, dataset: Any) -> float:
    import keras

    from cnnlab.training.equipment import split_images, split_labels
    from cnnlab.training.models import build_network

    training = config.training
    keras.utils.set_random_seed(training.seed)
    network = build_network(config, dataset.info)
    network.compile(
        optimizer=keras.optimizers.SGD(training.learning_rate, momentum=training.momentum, nesterov=training.nesterov),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,
    )
    pixels, labels = (
        {split: split_images(config, dataset, split).astype("float32") for split in ("train", "test")},
        {split: split_labels(config, dataset, split)["label"] for split in ("train", "test")},
    )
    network.fit(pixels["train"], labels["train"], batch_size=training.batch_size, epochs=training.epochs, verbose=0)
    return float(network.evaluate(pixels["test"], labels["test"], batch_size=500, verbose=0)[1])


def _import(source: Path, store: Path) -> None:
    command = [sys.executable, "-m", "cnnlab", "datasets", "import", str(source), "--name", "images", "--json"]
    subprocess.run([*command, "--store", str(store)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _in_child(store: Path, side: str, seed: int, epochs: int) -> float:
    command = [sys.executable, "-m", "benchmarks.accuracy", str(store), "--side", side]
    command += ["--seed", str(seed), "--epochs", str(epochs)]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment)
    return float(json.loads(done.stdout.splitlines()[-1]))


if __name__ == "__main__":
    main()
