"""Load saved networks with JAX and say how far their logits are from those beside them."""

from pathlib import Path
from typing import Any

import jax
import keras
import numpy as np
import pytest

import cnnlab.training.models  # noqa: F401 # registers the layers that Keras lacks


def no_draw(_self, shape, dtype=None, **_others):
    return np.zeros(shape, dtype or "float32")


def answer(path: Path, images: np.ndarray) -> np.ndarray:
    """Return the logits of a saved network."""
    with pytest.MonkeyPatch.context() as patched:
        # The saved weights replace the first ones at once, and to draw those costs a compilation for every shape.
        patched.setattr(keras.initializers.VarianceScaling, "__call__", no_draw)
        network = keras.models.load_model(path)
    run = jax.jit(lambda trained, others, x: network.stateless_call(trained, others, x)[0])
    weights = (network.trainable_variables, network.non_trainable_variables)
    return np.asarray(run(*([weight.value for weight in group] for group in weights), images))


def differences(folder: str) -> dict[str, Any]:
    """Return by network how far the logits are apart at most, and how large they are at most."""
    found = {}
    for expected in sorted(Path(folder).glob("*.npz")):
        with np.load(expected) as saved:
            logits = answer(expected.with_suffix(".keras"), saved["images"])
            difference = float(np.abs(logits - saved["logits"]).max())
            found[expected.stem] = {"difference": difference, "largest": float(np.abs(saved["logits"]).max())}
    return found
