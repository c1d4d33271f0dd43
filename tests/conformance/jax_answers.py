"""Load saved networks with JAX and print, one JSON line each, how far their logits are from those beside them."""

import json
import os
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"

import jax
import keras
import numpy as np

import cnnlab.training.models  # noqa: F401 # registers the layers that Keras lacks


def no_draw(_self, shape, dtype=None, **_others):
    return np.zeros(shape, dtype or "float32")


# The saved weights replace the first ones at once, and to draw those costs a compilation for every shape.
keras.initializers.VarianceScaling.__call__ = no_draw


def answer(path: Path, images: np.ndarray) -> np.ndarray:
    """Return the logits of a saved network."""
    network = keras.models.load_model(path)
    run = jax.jit(lambda trained, others, x: network.stateless_call(trained, others, x)[0])
    weights = (network.trainable_variables, network.non_trainable_variables)
    return np.asarray(run(*([weight.value for weight in group] for group in weights), images))


for expected in sorted(Path(sys.argv[1]).glob("*.npz")):
    with np.load(expected) as saved:
        logits = answer(expected.with_suffix(".keras"), saved["images"])
        difference = float(np.abs(logits - saved["logits"]).max())
        row = {"name": expected.stem, "difference": difference, "largest": float(np.abs(saved["logits"]).max())}
        print(json.dumps(row), flush=True)
