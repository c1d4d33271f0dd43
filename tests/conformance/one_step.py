"""One training step, operation by operation: to compile a deep network takes longer than to run it once."""

import keras
import numpy as np
import tensorflow as tf

from cnnlab.training.engines.base import Chunk, Measured, build_engine
from cnnlab.training.losses import build_loss
from cnnlab.training.model import TrainingModel


def one_step(
    network: keras.Model, with_auxiliary: keras.Model | None, optimizer: keras.optimizers.Optimizer, pixels: np.ndarray
) -> Measured:
    """Train one step on `pixels`, whose labels are 0, 1, 2 ... of 10 classes."""
    model = TrainingModel(network, None, {"label": 10}, {"label": build_loss()}, with_auxiliary)
    labels = np.arange(len(pixels), dtype=np.int32)[None]
    chunk = Chunk(rows=labels, images=np.asarray(pixels)[None].astype(np.uint8), labels={"label": labels})
    tf.config.run_functions_eagerly(True)
    try:
        return build_engine(model, optimizer).train(chunk)
    finally:
        tf.config.run_functions_eagerly(False)
