"""What the layers of a network answer, noted while it is called."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

MOST_CHANNELS = 64
# Enough for a mean and a spread: over all images they would take half of the time of a look (measured).
FEW_IMAGES = 32


@dataclass(frozen=True)
class Watched:
    """A layer with weights of its own, or one that rectifies.

    Attributes:
        variables: What training may change, frozen or not.
    """

    layer: keras.layers.Layer
    variables: tuple[Any, ...]
    rectifies: bool

    @property
    def is_frozen(self) -> bool:
        return bool(self.variables) and not any(variable.trainable for variable in self.variables)


def watched_layers(network: keras.Model) -> list[Watched]:
    """Return the layers of a network worth a row, sublayers too, each with the weights that no other has."""
    found = []
    for layer in network._flatten_layers(include_self=False):
        variables = tuple(getattr(layer, "_trainable_variables", ()))
        rectifies = _rectifies(layer)
        if variables or rectifies:
            found.append(Watched(layer, variables, rectifies))
    return found


@contextlib.contextmanager
def watching(layers: Sequence[Watched]) -> Iterator[dict[str, Any]]:
    """Give a dict that fills with what the layers answer meanwhile, by position: tensors of single numbers.

    `call` is replaced on the layers themselves, so that layers within layers are seen, whatever calls them.
    """
    seen: dict[str, Any] = {}
    for position, one in enumerate(layers):
        object.__setattr__(one.layer, "call", _noting(one, str(position), seen))
    try:
        yield seen
    finally:
        for one in layers:
            object.__delattr__(one.layer, "call")


def _noting(one: Watched, place: str, seen: dict[str, Any]) -> Callable[..., Any]:
    call = one.layer.call

    def noted(*args: Any, **kwargs: Any) -> Any:
        answer = call(*args, **kwargs)
        if place not in seen and hasattr(answer, "shape"):
            is_first = one.variables and not any("input_mean" in other for other in seen.values())
            seen[place] = _answer_numbers(answer, one.rectifies) | (_input_numbers(args) if is_first else {})
        return answer

    return noted


def _answer_numbers(answer: Any, rectifies: bool) -> dict[str, Any]:
    values = ops.stop_gradient(ops.cast(answer, "float32"))
    mean, variance = ops.moments(values[:FEW_IMAGES], axes=tuple(range(len(values.shape))))
    numbers = {"activation_mean": mean, "activation_std": ops.sqrt(variance)}
    if rectifies and len(values.shape) > 1:
        others = tuple(range(len(values.shape) - 1))
        is_alive = ops.logical_not(ops.equal(ops.max(values, axis=others), 0.0))
        numbers["units"] = ops.sum(ops.ones_like(is_alive, dtype="int32"))
        numbers["alive"] = ops.sum(ops.cast(is_alive, "int32"))
    return numbers


def _input_numbers(args: Sequence[Any]) -> dict[str, Any]:
    if not args or not hasattr(args[0], "shape") or len(args[0].shape) != 4 or args[0].shape[-1] > MOST_CHANNELS:
        return {}
    values = ops.cast(args[0], "float32")
    return {"input_mean": ops.mean(values, axis=(0, 1, 2)), "input_std": ops.std(values, axis=(0, 1, 2))}


def _rectifies(layer: keras.layers.Layer) -> bool:
    """Return whether a layer answers 0 wherever its sum is negative."""
    if isinstance(layer, keras.layers.ReLU):
        return not layer.negative_slope
    return getattr(layer, "activation", None) in (keras.activations.relu, keras.activations.relu6)
