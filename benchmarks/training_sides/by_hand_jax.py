"""ResNet-20 and its steps written by hand in JAX, without Keras: one scan over the steps of an epoch."""

import sys
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.training_sides.task import LEARNING_RATE, MOMENTUM, NUM_CLASSES, Task, task_from, timed

MEAN, STD = np.array([125.3, 123.0, 113.9], np.float32), np.array([63.0, 62.1, 66.7], np.float32)
BLOCKS = [(16, 16)] * 3 + [(16, 32), (32, 32), (32, 32)] + [(32, 64), (64, 64), (64, 64)]
NORM_MOMENTUM, EPSILON = 0.9, 1e-3

Tree = Any


def kernel(rng: np.random.Generator, side: int, inside: int, outside: int) -> np.ndarray:
    """He's initialisation, `(side, side, inside, outside)`."""
    scale = np.sqrt(2 / (side * side * inside))
    return rng.normal(0, scale, (side, side, inside, outside)).astype(np.float32)


def norm(channels: int) -> tuple[Tree, Tree]:
    """Return what a normalisation trains, and its moving statistics."""
    ones, zeros = np.ones(channels, np.float32), np.zeros(channels, np.float32)
    return {"scale": ones, "offset": zeros}, {"mean": zeros, "variance": ones}


def initial() -> tuple[Tree, Tree]:
    """Return trained weights and moving statistics."""
    rng = np.random.default_rng(0)
    weights: dict[str, Tree] = {"stem": kernel(rng, 3, 3, 16)}
    statistics: dict[str, Tree] = {}
    weights["stem_norm"], statistics["stem_norm"] = norm(16)
    for index, (inside, outside) in enumerate(BLOCKS):
        convolutions = {"a": (3, inside), "b": (3, outside)} | ({"s": (1, inside)} if inside != outside else {})
        for name, (side, channels) in convolutions.items():
            weights[f"{index}{name}"] = kernel(rng, side, channels, outside)
            weights[f"{index}{name}_norm"], statistics[f"{index}{name}_norm"] = norm(outside)
    weights["dense"] = rng.normal(0, np.sqrt(1 / 64), (64, NUM_CLASSES)).astype(np.float32)
    weights["bias"] = np.zeros(NUM_CLASSES, np.float32)
    return weights, statistics


def convolution(images: Any, weights: Any, stride: int) -> Any:
    """Convolve with `same` padding, channels last, in the precision of the images."""
    numbers = ("NHWC", "HWIO", "NHWC")
    kernel = weights.astype(images.dtype)
    return jax.lax.conv_general_dilated(images, kernel, (stride, stride), "SAME", dimension_numbers=numbers)


def network(weights: Tree, statistics: Tree, images: Any) -> tuple[Any, Tree]:
    """Return logits and the new moving statistics."""
    new: dict[str, Tree] = {}

    def convolve(x: Any, name: str, stride: int = 1) -> Any:
        x, about, kept = convolution(x, weights[name], stride), weights[f"{name}_norm"], statistics[f"{name}_norm"]
        wide = x.astype(jnp.float32)
        mean, variance = wide.mean((0, 1, 2)), wide.var((0, 1, 2))
        new[f"{name}_norm"] = {
            key: NORM_MOMENTUM * kept[key] + (1 - NORM_MOMENTUM) * value
            for key, value in (("mean", mean), ("variance", variance))
        }
        scale = about["scale"] * jax.lax.rsqrt(variance + EPSILON)
        return (wide * scale + (about["offset"] - mean * scale)).astype(x.dtype)

    x = jax.nn.relu(convolve(images, "stem"))
    for index, (inside, outside) in enumerate(BLOCKS):
        stride = 1 if inside == outside else 2
        shortcut = x if inside == outside else convolve(x, f"{index}s", stride)
        x = jax.nn.relu(convolve(x, f"{index}a", stride))
        x = jax.nn.relu(convolve(x, f"{index}b") + shortcut)
    return x.astype(jnp.float32).mean((1, 2)) @ weights["dense"] + weights["bias"], new


def main(text: str) -> None:
    task: Task = task_from(text)
    if task.architecture != "resnet":
        raise SystemExit("Only ResNet-20 is written by hand in JAX. Expected --only resnet.")
    pixels, labels = task.images()
    images, targets = jax.device_put(pixels), jax.device_put(labels)
    dtype = jnp.bfloat16 if task.precision == "bfloat16" else jnp.float32
    weights, statistics = jax.device_put(initial())
    speeds = jax.tree.map(jnp.zeros_like, weights)

    def step(state: Any, rows: Any) -> tuple[Any, Any]:
        weights, statistics, speeds = state
        batch = ((images[rows].astype(jnp.float32) - MEAN) / STD).astype(dtype)

        def loss_of(weights: Tree) -> tuple[Any, Tree]:
            logits, new = network(weights, statistics, batch)
            chosen = jnp.take_along_axis(jax.nn.log_softmax(logits), targets[rows][:, None], 1)
            return -chosen.mean(), new

        (loss, statistics), gradients = jax.value_and_grad(loss_of, has_aux=True)(weights)
        speeds = jax.tree.map(lambda speed, one: MOMENTUM * speed - LEARNING_RATE * one, speeds, gradients)
        weights = jax.tree.map(
            lambda weight, speed, one: weight + MOMENTUM * speed - LEARNING_RATE * one, weights, speeds, gradients
        )
        return (weights, statistics, speeds), loss

    steps = jax.jit(lambda state, order: jax.lax.scan(step, state, order), donate_argnums=0)
    state = (weights, statistics, speeds)
    rng = np.random.default_rng(0)

    def epoch(_: int) -> None:
        nonlocal state
        count = task.num_images // task.batch_size
        order = rng.permutation(task.num_images)[: count * task.batch_size].reshape(count, task.batch_size)
        state, losses = steps(state, jax.device_put(order.astype(np.int32)))
        losses.block_until_ready()

    timed(task, epoch)


if __name__ == "__main__":
    main(sys.argv[1])
