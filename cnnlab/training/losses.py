"""The loss of one output."""

from typing import Any

import keras
from keras import ops

from cnnlab.training.model import Loss


def build_loss(label_smoothing: float = 0.0) -> Loss:
    """Return the mean cross-entropy of a batch.

    Args:
        label_smoothing: Share of each target spread evenly over all classes. Source: Szegedy et al. 2015,
            arXiv:1512.00567, section 7.
    """

    def mean_cross_entropy(targets: Any, logits: Any) -> Any:
        each = keras.losses.categorical_crossentropy(targets, logits, from_logits=True, label_smoothing=label_smoothing)
        return ops.mean(each)

    return mean_cross_entropy
