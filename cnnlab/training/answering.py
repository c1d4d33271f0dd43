"""A saved network as one compiled call, on whichever backend runs; and what its device is called and holds."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from cnnlab.analysis.networks import load_network

GPU = "GPU:0"


def load_answer(path: Path) -> Callable[[np.ndarray], Any]:
    """Return a function from pixels in this process's memory to logits there, compiled as in evaluation.

    TensorFlow compiles a graph without XLA, JAX with it, PyTorch nothing; each call ends when the answer is there.
    """
    return answer_of(load_network(str(path), {}, None, None).network)


def answer_of(network: keras.Model) -> Callable[[np.ndarray], Any]:
    """Return the same of a network in memory, with the weights that it has now."""
    forward = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}[keras.backend.backend()](network)

    def answer(pixels: np.ndarray) -> Any:
        return keras.tree.map_structure(keras.ops.convert_to_numpy, forward(keras.ops.convert_to_tensor(pixels)))

    return answer


def wake_up() -> None:
    """Let the backend take what it takes for itself, before memory is counted."""
    keras.ops.convert_to_numpy(keras.ops.matmul(keras.ops.ones((8, 8)), keras.ops.ones((8, 8))))


def device_name() -> str | None:
    """Return the name of the GPU that the backend computes on, None on a CPU."""
    match keras.backend.backend():
        case "tensorflow":
            import tensorflow as tf

            found = tf.config.list_physical_devices("GPU")
            details = tf.config.experimental.get_device_details(found[0]) if found else {}
            return str(details.get("device_name", "GPU")) if found else None
        case "jax":
            import jax

            device = jax.devices()[0]
            return None if device.platform == "cpu" else str(device.device_kind)
        case _:
            import torch

            return torch.cuda.get_device_name(0) if torch.cuda.is_available() else None


class GpuMemory:
    """What the backend's tensors take of the GPU at most; None without one."""

    def reset(self) -> None:
        """Forget the highest use so far; JAX cannot, so there it counts from the start."""
        if device_name() is None:
            return
        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            tf.config.experimental.reset_memory_stats(GPU)
        elif keras.backend.backend() == "torch":
            import torch

            torch.cuda.reset_peak_memory_stats()

    def peak_bytes(self) -> int | None:
        """Return the highest use since `reset`."""
        if device_name() is None:
            return None
        with contextlib.suppress(KeyError, TypeError):  # a device that keeps no such count
            match keras.backend.backend():
                case "tensorflow":
                    import tensorflow as tf

                    return int(tf.config.experimental.get_memory_info(GPU)["peak"])
                case "jax":
                    import jax

                    return int(jax.devices()[0].memory_stats()["peak_bytes_in_use"])
                case _:
                    import torch

                    return int(torch.cuda.max_memory_allocated())
        return None


gpu_memory = GpuMemory()


def _tensorflow(network: keras.Model) -> Callable[[Any], Any]:
    import tensorflow as tf

    return tf.function(lambda pixels: network(pixels, training=False))


def _jax(network: keras.Model) -> Callable[[Any], Any]:
    import jax

    trained = [variable.value for variable in network.trainable_variables]
    kept = [variable.value for variable in network.non_trainable_variables]
    compiled = jax.jit(lambda one, two, pixels: network.stateless_call(one, two, pixels, training=False)[0])
    return lambda pixels: compiled(trained, kept, pixels)


def _torch(network: keras.Model) -> Callable[[Any], Any]:
    import torch

    def forward(pixels: Any) -> Any:
        with torch.no_grad():
            return network(pixels, training=False)

    return forward
