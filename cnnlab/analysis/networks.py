"""Networks to be looked at: of the catalogue, of keras.applications, or from a file."""

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
from keras.src.backend.common import global_state

from cnnlab.analysis.saved_network import SUFFIXES, first_line, open_saved, own_shape
from cnnlab.architectures.catalogue import get_architecture
from cnnlab.architectures.entry import Architecture
from cnnlab.errors import ConfigError, UnknownNameError

APPLICATIONS = "keras.applications:"
# The size of ImageNet crops, for applications that leave theirs open.
USUAL_SHAPE = (224, 224, 3)
USUAL_CLASSES = 10
IMAGENET_CLASSES = 1000

# Costs are those of one image: with its size known every shape is, and the graph need not be followed twice.
BATCH_SIZE = 1

Shape = tuple[int, int, int]

STATISTICS = (
    "Published counts of trained weights are those of trainable_params; moving statistics of batch normalisation come "
    "on top."
)
# Where a network of keras.applications is not the one that torchvision publishes numbers of.
DIFFERENCES = {
    **{
        name: f"Not the ResNet of torchvision ({published}): the stride of a stack is in its first 1x1 convolution, as "
        "in the paper, not in the 3x3 after it, and the convolutions have biases."
        for name, published in {
            "ResNet50": "4.089 GMACs, 25.56 M",
            "ResNet101": "7.801 GMACs, 44.55 M",
            "ResNet152": "11.514 GMACs, 60.19 M",
        }.items()
    },
    "InceptionV3": "The parameters that torchvision publishes (27.16 M) include an auxiliary head and the scales of "
    "batch normalisation, which are not here.",
}


@dataclass(frozen=True)
class Sample:
    """A network, the shape of the images it is looked at with, and what to know when comparing it."""

    network: keras.Model
    input_shape: tuple[int | None, ...]
    notes: tuple[str, ...] = ()


@contextmanager
def without_weights() -> Iterator[None]:
    """Build networks of any size at once and without memory: no weight is made."""
    try:
        with keras.StatelessScope(initialize_variables=False):
            yield
    finally:
        # Keras waits with them for a chance to make their values, and outlives `clear_session` in doing so.
        global_state.set_global_attribute("uninitialized_variables", [])


def load_network(
    name: str, parameters: Mapping[str, Any], input_shape: Shape | None, num_classes: int | None
) -> Sample:
    """Build or load the network that `name` stands for.

    Args:
        name: An architecture of the catalogue, `keras.applications:NAME`, or a path that ends in
            `.keras` or `.h5`.
        input_shape: Height, width, channels; the natural ones where left out.

    Raises:
        ConfigError: there is no such network, or it cannot be built so, or the file cannot be read.
    """
    if name.startswith(APPLICATIONS):
        return _application(name.removeprefix(APPLICATIONS), parameters, input_shape, num_classes)
    if name.lower().endswith(SUFFIXES):
        return _from_file(Path(name), parameters, input_shape, num_classes)
    return _of_catalogue(name, parameters, input_shape, num_classes)


def application_names() -> list[str]:
    """Return the networks of keras.applications, by the names of their functions."""
    return [name for name in dir(keras.applications) if name[0].isupper()]


def _of_catalogue(
    name: str, parameters: Mapping[str, Any], input_shape: Shape | None, num_classes: int | None
) -> Sample:
    entry = get_architecture(name)
    checked = entry.check(parameters).model_dump()
    shape = input_shape or (entry.natural_px, entry.natural_px, 3)
    if min(shape[:2]) < entry.smallest_px:
        raise ConfigError(
            f"--input-shape {_written(shape)} is too small for {name!r}. Expected a height and width of at least "
            f"{entry.smallest_px}. Give a larger shape, such as --input-shape "
            f"{_written((entry.natural_px, entry.natural_px, shape[2]))}."
        )
    images = keras.Input(shape, batch_size=BATCH_SIZE, name="images")
    with _said(name, shape):
        built = _function(entry.builder)(images, **checked)
        # Heads that only help during training are no part of the network.
        features = getattr(built, "main", built)
        logits = _logits(entry, features, num_classes or USUAL_CLASSES)
        return Sample(keras.Model(images, logits, name=name), shape)


def _logits(entry: Architecture, features: Any, num_classes: int) -> Any:
    if entry.head:
        return _function(entry.head)(features, num_classes, "logits")
    return keras.layers.Dense(num_classes, name="logits")(features)


def _function(path: str) -> Callable[..., Any]:
    module, function = path.split(":")
    return getattr(importlib.import_module(module), function)


def _application(
    name: str, parameters: Mapping[str, Any], input_shape: Shape | None, num_classes: int | None
) -> Sample:
    if name not in application_names():
        raise UnknownNameError("network of keras.applications", name, application_names())
    if "weights" in parameters:
        raise ConfigError(
            "-p weights=... is not needed: costs do not depend on the weights. Expected a setting of the network. "
            "Leave it out."
        )
    build = getattr(keras.applications, name)
    settings = {"classes": num_classes or IMAGENET_CLASSES, **parameters, "weights": None}
    with _said(APPLICATIONS + name, input_shape):
        network = build(**settings, **({"input_shape": input_shape} if input_shape else {}))
        if None in network.input_shape[1:]:
            network = build(**settings, input_shape=USUAL_SHAPE)
    notes = [STATISTICS] if network.non_trainable_weights else []
    notes += [DIFFERENCES[name]] if name in DIFFERENCES else []
    return Sample(network, tuple(network.input_shape[1:]), tuple(notes))


def _from_file(path: Path, parameters: Mapping[str, Any], input_shape: Shape | None, num_classes: int | None) -> Sample:
    if not path.is_file():
        raise ConfigError(f"No file {str(path)!r}. Expected a model saved by Keras. Check the path.")
    if parameters or num_classes is not None:
        flag = "-p" if parameters else "--num-classes"
        raise ConfigError(
            f"{flag} does not apply to the file {str(path)!r}. The network is as it was saved. Leave it out."
        )
    network = open_saved(path)
    return Sample(network, _shape_of(network, path, input_shape))


def _shape_of(network: keras.Model, path: Path, input_shape: Shape | None) -> tuple[int | None, ...]:
    own = own_shape(network)
    if own is None and input_shape is None:
        raise ConfigError(
            f"{str(path)!r} does not say what images it takes. Expected --input-shape H,W,C. Give it, such as "
            "--input-shape 224,224,3."
        )
    if own is None or input_shape is None:
        return input_shape or own or ()
    fits = len(own) == 3 and all(side in (None, given) for side, given in zip(own, input_shape, strict=True))
    if not fits:
        raise ConfigError(
            f"--input-shape {_written(input_shape)} does not fit {str(path)!r}. Expected {_written(own)}, as it was "
            "saved. Leave the option out."
        )
    return input_shape


@contextmanager
def _said(name: str, input_shape: Sequence[int] | None) -> Iterator[None]:
    """Turn what Keras raises for settings that cannot be built into one sentence."""
    try:
        yield
    except (TypeError, ValueError, NotImplementedError) as error:
        shape = f" for --input-shape {_written(input_shape)}" if input_shape else ""
        raise ConfigError(
            f"{name!r} cannot be built{shape}: {first_line(error)} Expected settings that the network has and a shape "
            "that leaves something after its strides. Change -p or --input-shape."
        ) from None


def _written(shape: Sequence[int | None]) -> str:
    return ",".join("any" if side is None else str(side) for side in shape)
