"""The filters of a trained run, as numbers that can be laid on an image."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from cnnlab.architectures.catalogue import ARCHITECTURES
from cnnlab.errors import ConfigError, UnknownNameError
from cnnlab.runs.store import Store

# A picture of more helps nobody, and the answer stays small.
MOST_FILTERS = 64
MOST_CHANNELS = 16


def trained_filters(store_root: Path, run_id: str, layer: str | None) -> dict[str, Any]:
    """Return the convolutions of a run's network and the weights of one of them.

    Args:
        layer: Its name; the first convolution when left out.

    Returns:
        `layers` (`name`, `shape` as `[height, width, channels, filters]`), `layer`, and `weights`
        as nested lists of that shape, of the first channels and filters where there are many.
    """
    import keras

    path = Store(store_root).run_dir(run_id) / "model.keras"
    if not path.is_file():
        raise ConfigError(
            f"Run {run_id!r} has no model file. Expected a completed run. Wait for its end, or choose another run."
        )
    for entry in ARCHITECTURES.values():
        importlib.import_module(entry.builder.split(":")[0])  # our own layers are known by then
    try:
        network = keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # a broken file fails in many ways
        reason = (str(error).splitlines() or [""])[0][:200]
        raise ConfigError(
            f"The model of run {run_id!r} cannot be read: {reason} Expected a file that Keras saved. Train it again."
        ) from None
    found = {name: kernel for name, kernel in _kernels(network) if kernel.ndim == 4}
    keras.backend.clear_session()
    if not found:
        raise ConfigError(
            f"The network of run {run_id!r} has no convolution. Expected one with filters. Choose another run."
        )
    chosen = next(iter(found)) if layer is None else layer
    if chosen not in found:
        raise UnknownNameError("layer", chosen, found)
    weights = found[chosen][:, :, :MOST_CHANNELS, :MOST_FILTERS]
    return {
        "layers": [{"name": name, "shape": list(kernel.shape)} for name, kernel in found.items()],
        "layer": chosen,
        "weights": np.round(weights.astype(float), 6).tolist(),
    }


def _kernels(network: Any) -> Iterator[tuple[str, np.ndarray]]:
    """Give the name and the kernel of each convolution, those inside of blocks too."""
    from keras import layers

    for layer in network.layers:
        if getattr(layer, "layers", None):
            yield from _kernels(layer)
        elif type(layer) is layers.DepthwiseConv2D:
            kernel = np.asarray(layer.get_weights()[0])
            # Each channel has filters of its own: as many filters of one channel.
            yield layer.name, kernel.reshape(*kernel.shape[:2], 1, -1)
        elif type(layer) is layers.Conv2D:
            yield layer.name, np.asarray(layer.get_weights()[0])
