"""What augmentation costs: pipelines alone, and the share it takes of training.

    python -m benchmarks.augmentation
    python -m benchmarks.augmentation --repeats 7 --only alone

Flip, crop with 4 px of padding and cutout of 8 px on 32 px images, in batches of 128. Alone: Keras's classic
generator, Keras's layers in tf.data, and our host pipe. In training: images per second with and without, each in a
process of its own, epochs in turn; the loss is formed round by round.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

import numpy as np

from benchmarks.report import machine_text, write_results
from benchmarks.training_sides.side import in_turn
from benchmarks.training_sides.task import ARCHITECTURES, Task

LINE = "flip_lr|crop(4)|cutout(8)"
BATCH_SIZE = 128
NUM_IMAGES = 12_800
IMAGES = {"lenet5": 12_800, "resnet": 1_280}
ROUNDS = 15
LIBRARIES = ("keras", "tensorflow", "numpy")


def classic_generator(images: np.ndarray) -> Iterator[Any]:
    """Keras's generator of 2016, cutout as its preprocessing function."""
    from keras.src.legacy.preprocessing.image import ImageDataGenerator

    rng = np.random.default_rng(0)

    def cutout(image: np.ndarray) -> np.ndarray:
        top, left = rng.integers(-4, 28, 2)
        image[max(0, top) : top + 8, max(0, left) : left + 8] = 0
        return image

    generator = ImageDataGenerator(
        horizontal_flip=True, width_shift_range=4, height_shift_range=4, fill_mode="constant",
        preprocessing_function=cutout,
    )  # fmt: skip
    yield from generator.flow(images.astype("float32"), batch_size=BATCH_SIZE, seed=0)


def keras_layers(images: np.ndarray) -> Iterator[Any]:
    """Keras's layers in tf.data, as its guides show it."""
    import keras
    import tensorflow as tf

    layers = [
        keras.layers.RandomFlip("horizontal"),
        keras.layers.RandomTranslation(4 / 32, 4 / 32, fill_mode="constant", interpolation="nearest"),
        keras.layers.RandomErasing(factor=(1.0, 1.0), scale=(1 / 16, 1 / 16), fill_value=0.0, value_range=(0, 255)),
    ]

    def augment(batch: Any) -> Any:
        batch = tf.cast(batch, tf.float32)
        for layer in layers:
            batch = layer(batch, training=True)
        return batch

    data = tf.data.Dataset.from_tensor_slices(images).shuffle(len(images)).repeat().batch(BATCH_SIZE)
    yield from data.map(augment, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


def ours(images: np.ndarray) -> Iterator[Any]:
    """The host pipe on whole uint8 batches."""
    from cnnlab.augmentation.host import split_pipe
    from cnnlab.augmentation.language import parse

    pipe, _ = split_pipe(parse(LINE))
    assert pipe is not None
    rng = np.random.default_rng(0)
    while True:
        order = rng.permutation(len(images))
        for start in range(0, len(images) - BATCH_SIZE + 1, BATCH_SIZE):
            yield pipe(images[order[start : start + BATCH_SIZE]], rng)


PIPELINES: dict[str, Callable[[np.ndarray], Iterator[Any]]] = {
    "classic generator": classic_generator,
    "Keras layers in tf.data": keras_layers,
    "cnnlab": ours,
}


def one_pipeline(name: str) -> None:
    """Print the images per second of a pipeline: the run of a child process."""
    images = np.random.default_rng(0).integers(0, 256, (NUM_IMAGES, 32, 32, 3), dtype=np.uint8)
    batches = PIPELINES[name](images)
    for _ in range(5):
        next(batches)
    begin = time.perf_counter()
    for _ in range(NUM_IMAGES // BATCH_SIZE):
        next(batches)
    print(json.dumps(NUM_IMAGES / (time.perf_counter() - begin)))


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", choices=("alone", "training"))
    parser.add_argument("--pipeline", choices=PIPELINES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.pipeline:
        one_pipeline(arguments.pipeline)
        return
    print(machine_text())
    rows: list[dict[str, Any]] = []
    if arguments.only != "training":
        rows += [row for repeat in range(arguments.repeats) for row in alone(repeat)]
        report_alone(rows)
    if arguments.only != "alone":
        found = list(in_training())
        report_training(found)
        rows += found
    write_results("augmentation", rows, LIBRARIES)


def alone(repeat: int) -> Iterator[dict[str, Any]]:
    """Measure every pipeline once."""
    for name in PIPELINES:
        command = [sys.executable, "-m", "benchmarks.augmentation", "--pipeline", name]
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment)
        yield row("alone", name, repeat, float(done.stdout.splitlines()[-1]))


def in_training() -> Iterator[dict[str, Any]]:
    """Train every network with and without, in turn."""
    for architecture, num_images in IMAGES.items():
        works = {
            name: ("ours", Task(architecture, augmentation=line, num_images=num_images, epochs=ROUNDS))
            for name, line in (("without", ""), ("with", LINE))
        }
        for number, rates in enumerate(in_turn(works, "tensorflow", ROUNDS)):
            for name, rate in rates.items():
                yield row(ARCHITECTURES[architecture], name, number, rate)


def row(what: str, side: str, repeat: int, images_per_s: float) -> dict[str, Any]:
    """Return one measured value, and print that it is there."""
    print(f"{repeat + 1}: {what}, {side}: {images_per_s:,.0f} images/s", file=sys.stderr)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {"what": what, "side": side, "repeat": repeat, "images_per_s": images_per_s, "load_1min": load}


def report_alone(rows: list[dict[str, Any]]) -> None:
    """Print images per second, and how many times the classic generator that is."""
    by_side = {name: [one["images_per_s"] for one in rows if one["side"] == name] for name in PIPELINES}
    for name, rates in by_side.items():
        ratios = [mine / classic for mine, classic in zip(rates, by_side["classic generator"], strict=True)]
        spread = f"{median(ratios):.1f}x the classic generator ({min(ratios):.1f} to {max(ratios):.1f}, n={len(rates)})"
        print(f"{name:<26}{median(rates):>10,.0f} images/s   {spread}")


def report_training(rows: list[dict[str, Any]]) -> None:
    """Print how much of the throughput augmentation takes."""
    for what in dict.fromkeys(one["what"] for one in rows):
        by_side = {
            side: [one["images_per_s"] for one in rows if (one["what"], one["side"]) == (what, side)]
            for side in ("without", "with")
        }
        costs = [100 * (1 - mine / plain) for plain, mine in zip(by_side["without"], by_side["with"], strict=True)]
        rates = f"{median(by_side['without']):,.0f} images/s without, {median(by_side['with']):,.0f} with"
        print(f"{what:<26}{rates}; costs {median(costs):.1f} % ({min(costs):.1f} to {max(costs):.1f}, n={len(costs)})")


if __name__ == "__main__":
    main()
