"""Plain Keras: `model.fit` on arrays in memory, as a tutorial writes it."""

import sys

import keras

from benchmarks.training_sides.task import LEARNING_RATE, MOMENTUM, config, info, task_from, timed
from cnnlab.training.models import build_network


def main(text: str) -> None:
    task = task_from(text)
    if task.precision != "float32":
        keras.config.set_dtype_policy(f"mixed_{task.precision}")
    images, labels = task.images()
    network = build_network(config(task), info())
    network.compile(
        optimizer=keras.optimizers.SGD(LEARNING_RATE, momentum=MOMENTUM, nesterov=True),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile="auto" if keras.backend.backend() == "jax" else False,  # XLA makes TensorFlow slower on a CPU
    )
    pixels = images.astype("float32")
    timed(task, lambda _: network.fit(pixels, labels, batch_size=task.batch_size, verbose=0))


if __name__ == "__main__":
    main(sys.argv[1])
