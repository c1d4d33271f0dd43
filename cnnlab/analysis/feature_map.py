"""The last map of a network that still has places, and the network cut in two at it: what Grad-CAM needs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers
from keras.src.models.functional import Functional  # Keras exports no name for it
from numpy.typing import NDArray

# Smaller maps have hardly a place to show.
LEAST_PX = 3
CONVOLUTIONS = (layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D)
# After them a place of the map is no place of the image any more.
MIXING = (layers.MultiHeadAttention, layers.Attention, layers.AdditiveAttention, layers.GroupQueryAttention)


@dataclass(frozen=True)
class CutNetwork:
    """A network in two halves.

    Attributes:
        front: From images to the map, `(batch, height, width, channels)`.
        back: From the map to the logits of one output.
        layer: Name of the layer whose answer the map is.
    """

    front: keras.Model
    back: keras.Model
    layer: str
    map_px: tuple[int, int]


def cut_network(network: keras.Model, output: str | None = None) -> CutNetwork | str:
    """Cut a network at the last map through which all goes that decides its logits; a sentence where there is none.

    Args:
        output: Name of the output, where there are several.
    """
    graph = getattr(network, "_functional", None) if isinstance(network, keras.Sequential) else network
    if not isinstance(graph, Functional) or len(graph.inputs) != 1:
        return "The network is no graph of layers from one image, so no map of it can be had."
    logits = output_of(graph.outputs if output is None else graph.output, output)
    tensors = list(_before(logits))
    for tensor in tensors:  # from the logits backwards
        operation = tensor._keras_history.operation
        if isinstance(operation, MIXING):
            return "After its convolutions the network has attention, which moves what it sees between places."
        if _has_places(tensor) and _is_after_convolution(tensor) and not _is_avoidable(tensor, logits):
            height, width = tensor.shape[1:3]
            if min(height, width) < LEAST_PX:
                return f"Its last map has {height} x {width} places only."
            front = keras.Model(graph.inputs[0], tensor)
            return CutNetwork(front, keras.Model(tensor, logits), operation.name, (height, width))
    return "The network has no convolution whose map decides alone."


def output_of(logits: Any, output: str | None) -> Any:
    """Return the logits of one output of what a network answers: a tensor, a list of one, or a dict by output."""
    if isinstance(logits, dict):
        return logits[output] if output is not None else next(iter(logits.values()))
    return logits[0] if isinstance(logits, Sequence) and not hasattr(logits, "shape") else logits


def map_and_gradients(
    cut: CutNetwork, images: NDArray[np.float32], classes: Sequence[int]
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Return the maps, the gradients of each image's logit of its class by them, and all logits. TensorFlow alone.

    Args:
        images: `(n, height, width, channels)` pixels from 0 to 255.
        classes: `(n,)` the class that is asked about, for each image.
    """
    import tensorflow as tf

    maps = cut.front(images, training=False)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(maps)
        logits = cut.back(maps, training=False)
        # Images do not touch each other in inference: the sum's gradient is each image's own.
        asked = tf.reduce_sum(tf.gather(logits, tf.constant(classes), axis=1, batch_dims=1))
    gradients = tape.gradient(asked, maps)
    return tuple(np.asarray(tf.cast(one, tf.float32)) for one in (maps, gradients, logits))  # type: ignore[return-value]


def _inputs(tensor: Any) -> list[Any]:
    """Return the tensors that a tensor was computed from."""
    operation, node_index, _ = tensor._keras_history
    return list(operation._inbound_nodes[node_index].input_tensors) if operation._inbound_nodes else []


def _before(tensor: Any) -> Iterator[Any]:
    """Give a tensor and all that it was computed from, each before what it was computed from itself."""
    order: list[Any] = []
    seen: set[int] = set()
    waiting: list[tuple[Any, bool]] = [(tensor, False)]
    while waiting:
        one, is_done = waiting.pop()
        if is_done:
            order.append(one)
        elif id(one) not in seen:
            seen.add(id(one))
            waiting.append((one, True))
            waiting += [(before, False) for before in _inputs(one)]
    return reversed(order)


def _has_places(tensor: Any) -> bool:
    shape = tensor.shape
    return len(shape) == 4 and None not in shape[1:3] and shape[1] * shape[2] > 1


def _is_after_convolution(tensor: Any) -> bool:
    return any(isinstance(one._keras_history.operation, (*CONVOLUTIONS, keras.Model)) for one in _before(tensor))


def _is_avoidable(tensor: Any, logits: Any) -> bool:
    """Return whether something of the images reaches the logits without going through a tensor."""
    seen: set[int] = {id(tensor)}
    waiting = [logits]
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one._keras_history.operation, layers.InputLayer):
            return True
        waiting += _inputs(one)
    return False
