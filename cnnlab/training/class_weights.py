"""How much each class counts in the loss, from how many training images it has. Imports no Keras."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from cnnlab.settings.tricks import TricksConfig


def weights_of_outputs(
    tricks: TricksConfig, labels: Mapping[str, NDArray[np.int32]], num_classes: Mapping[str, int]
) -> dict[str, NDArray[np.float32] | None]:
    """Return the weights of the classes by output; None where all count alike.

    Args:
        labels: Of the train split, `(n,)` by output.
    """
    if tricks.class_weights == "none":
        return dict.fromkeys(num_classes)
    counts = {name: np.bincount(labels[name], minlength=count) for name, count in num_classes.items()}
    if tricks.class_weights == "balanced":
        return {name: balanced(each) for name, each in counts.items()}
    return {name: effective_number(each, tricks.effective_number_beta) for name, each in counts.items()}


def balanced(counts: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return `n / (k * n_c)` for the k classes that have images, 0 for the others: the mean over images is 1.

    Source: King and Zeng 2001, Logistic Regression in Rare Events Data, section 4.2.
    """
    has_images = counts > 0
    weights = counts.sum() / (has_images.sum() * np.maximum(counts, 1))
    return np.where(has_images, weights, 0).astype(np.float32)


def effective_number(counts: NDArray[np.int64], beta: float) -> NDArray[np.float32]:
    """Return `(1 - beta) / (1 - beta^n_c)`, scaled so that the weights of the classes with images have mean 1.

    Source: Cui et al. 2019, arXiv:1901.05555, equation (3) and section 4.1.
    """
    has_images = counts > 0
    seen = 1.0 - beta ** np.maximum(counts, 1)
    weights = np.where(has_images, 1.0 / seen, 0.0)
    return (weights * has_images.sum() / weights.sum()).astype(np.float32)
