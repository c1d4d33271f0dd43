"""A network from a file of one's own: Python that builds one, or a model saved by Keras.

Python is run, with all that it may do: it comes from the command line of the person who runs
it, never through a page. A `.keras` file is loaded in safe mode, which runs no code of its own.
"""

import importlib.util
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import keras
from keras import layers, ops

import cnnlab.architectures.layers  # noqa: F401 # a saved network may have them
from cnnlab.architectures.entries.own import reads_pixels
from cnnlab.errors import ConfigError

HOW = "def build_features(images, **settings) or def build(input_shape, num_classes, **settings)"
SMALLEST_PROBABILITY = 1e-7


class Answering(NamedTuple):
    """A network that makes its own answers, once it is known of how many classes."""

    images: Any
    path: str
    build: Callable[[int], keras.Model]


def build_features(images: Any, *, path: str, settings: Mapping[str, Any], sha256: str) -> Any:  # noqa: ARG001
    """Return features of the images, or what makes the answers; `head` goes on from there.

    Args:
        sha256: Was checked when the file was copied.
    """
    if reads_pixels({"path": path}):
        return Answering(images, path, lambda _num_classes: _saved(path, images))
    module = _module(path)
    if hasattr(module, "build_features"):
        return _flat(_called(path, module.build_features, images, **settings), path, "build_features")
    if hasattr(module, "build"):
        shape = tuple(images.shape[1:])
        return Answering(images, path, lambda num_classes: _called(path, module.build, shape, num_classes, **settings))
    raise ConfigError(f"{path!r} builds no network. Expected {HOW}. Add one of them.")


def head(features: Any, num_classes: int, name: str) -> Any:
    """Return logits: the network's own where it has one per class, else those of a dense layer on its features."""
    if isinstance(features, Answering):
        network = features.build(num_classes)
        if not isinstance(network, keras.Model):
            raise ConfigError(
                f"{features.path!r}: build returned {type(network).__name__}. Expected a keras.Model. Return the model."
            )
        network.name = name.removesuffix("_logits") + "_own"
        answer = _flat(_called(features.path, network, features.images), features.path, "the network")
        if answer.shape[-1] == num_classes:
            if _ends_in_softmax(network):
                answer = ops.log(ops.maximum(answer, SMALLEST_PROBABILITY))  # the loss wants logits
            return layers.Activation("linear", dtype="float32", name=name)(answer)
        features = answer
    return layers.Dense(num_classes, dtype="float32", name=name)(features)


def _module(path: str) -> ModuleType:
    name = f"cnnlab_own_{abs(hash(path))}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not Path(path).is_file():
        raise ConfigError(f"No file {path!r}. Expected a Python file with a network. Check the path.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # classes of its own find their module there
    _called(path, spec.loader.exec_module, module)
    return module


def _called(path: str, function: Callable[..., Any], *arguments: Any, **settings: Any) -> Any:
    """Call what the file has; what goes wrong there is said with its line."""
    try:
        return function(*arguments, **settings)
    except Exception as error:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
        place = f" in line {lines[-1]}" if lines else ""
        raise ConfigError(f"{path!r} fails{place}: {_first_line(error)} Expected {HOW}. Correct the file.") from error


def _saved(path: str, images: Any) -> keras.Model:
    try:
        network = keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # a broken or foreign file fails in many ways
        raise ConfigError(
            f"{path!r} cannot be loaded in safe mode: {_first_line(error)} Expected a model saved by Keras, with "
            "layers of Keras and without Lambda. Save it again."
        ) from None
    _check_input(network, path, tuple(images.shape[1:]))
    return network


def _check_input(network: keras.Model, path: str, shape: Sequence[int]) -> None:
    inputs: Any = network.inputs or []
    own = tuple(inputs[0].shape[1:]) if len(inputs) == 1 else ()
    if len(own) == 3 and all(side in (None, given) for side, given in zip(own, shape, strict=True)):
        return
    takes = "x".join("any" if side is None else str(side) for side in own) or f"{len(inputs)} inputs"
    raise ConfigError(
        f"{path!r} takes {takes}, and the images are {'x'.join(map(str, shape))}. Expected one input of that shape. "
        "Set the image size, or take images with as many channels."
    )


def _flat(answer: Any, path: str, what: str) -> Any:
    shape = getattr(answer, "shape", None)
    if shape is None or len(shape) not in (2, 4) or shape[-1] is None:
        found = tuple(shape) if shape is not None else type(answer).__name__
        raise ConfigError(
            f"{path!r}: {what} gives {found}. Expected one tensor of features (batch, features) or a map "
            "(batch, height, width, channels). Return one."
        )
    return layers.GlobalAveragePooling2D(name="own_pool")(answer) if len(shape) == 4 else answer


def _ends_in_softmax(network: keras.Model) -> bool:
    last = network.layers[-1] if network.layers else None
    is_softmax = getattr(last, "activation", None) is keras.activations.softmax
    return is_softmax or isinstance(last, layers.Softmax)


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0][:300].rstrip('.')}." if lines else f"{type(error).__name__}."
