"""Networks in files that Keras saved: opened in safe mode, so that no code of theirs runs."""

import importlib
from pathlib import Path

import keras

from cnnlab.architectures.catalogue import ARCHITECTURES
from cnnlab.errors import ConfigError

SUFFIXES = (".keras", ".h5", ".hdf5")

Shape = tuple[int | None, ...]


def open_saved(path: Path, title: str | None = None) -> keras.Model:
    """Open the network in a file.

    Args:
        title: What sentences call the file; its path where left out.

    Raises:
        ConfigError: it is no model, or holds code or classes that are not known here.
    """
    for entry in ARCHITECTURES.values():
        importlib.import_module(entry.builder.split(":")[0])  # our own layers are known by then
    try:
        return keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # a broken or foreign file fails in many ways
        raise ConfigError(_why_not(title or str(path), error)) from None


def own_shape(network: keras.Model) -> Shape | None:
    """Return the shape of the images that a network was made for, None where it does not say."""
    try:
        return tuple(network.inputs[0].shape[1:])
    except (AttributeError, IndexError, TypeError):
        return None


def shape_at(network: keras.Model, side_px: int) -> Shape:
    """Return the shape of the images to look at a network with: its own, and `side_px` where it leaves a side open."""
    own = own_shape(network) or (None, None, None)
    if len(own) != 3:
        return own
    height, width, channels = own
    return height or side_px, width or side_px, channels or 3


def first_line(error: Exception) -> str:
    """Return the first line of what an exception says, as a sentence."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return f"{lines[0][:200].rstrip('.')}."


def _why_not(title: str, error: Exception) -> str:
    text = str(error)
    if "lambda" in text.lower():
        return (
            f"{title!r} holds a Lambda layer or function, whose code would run on opening. Expected layers whose "
            "code is known. Write the function as a layer of its own and save the model again."
        )
    if "Could not locate" in text or "Unknown layer" in text or "Could not deserialize" in text:
        return (
            f"{title!r} holds a class that is not known here: {first_line(error)} Expected layers of Keras or of "
            "this product. Save the model again with such layers."
        )
    return (
        f"{title!r} cannot be read as a model: {first_line(error)} Expected a whole model, as model.save() writes "
        "it. Save it again, with its architecture and not the weights alone."
    )
