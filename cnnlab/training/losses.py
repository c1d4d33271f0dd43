"""The loss of one output."""

from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from cnnlab.training.model import Loss


def build_loss(
    label_smoothing: float = 0.0, focal_gamma: float = 0.0, class_weights: NDArray[np.float32] | None = None
) -> Loss:
    """Return the mean cross-entropy of a batch, or the focal or weighted form of it.

    With targets t (mixed or smoothed ones sum to 1 over several classes), probabilities p and weights w
    an image counts `-sum_c w_c t_c (1 - p_c)^gamma log p_c`; the mean is over images, whatever their weights.

    Args:
        label_smoothing: Share of each target spread evenly over all classes. Source: Szegedy et al. 2015,
            arXiv:1512.00567, section 7.
        focal_gamma: Power of `1 - p`. Source: Lin et al. 2017, arXiv:1708.02002, equation (4), with softmax.
        class_weights: `(num_classes,)`; all count alike when left out.
    """

    def mean_cross_entropy(targets: Any, logits: Any) -> Any:
        each = keras.losses.categorical_crossentropy(targets, logits, from_logits=True, label_smoothing=label_smoothing)
        return ops.mean(each)

    def mean_by_class(targets: Any, logits: Any) -> Any:
        smooth = targets * (1.0 - label_smoothing) + label_smoothing / logits.shape[-1]
        log_probabilities = ops.log_softmax(logits, axis=-1)
        factors = smooth if class_weights is None else smooth * class_weights
        if focal_gamma:
            factors = factors * focal_factor(log_probabilities, focal_gamma)
        return -ops.mean(ops.sum(factors * log_probabilities, axis=-1))

    return mean_cross_entropy if class_weights is None and not focal_gamma else mean_by_class


def focal_factor(log_probabilities: Any, gamma: float) -> Any:
    """Return `(1 - p)^gamma`, of the shape of `log_probabilities`.

    A probability that rounds to 1 is taken as a little less: for gamma below 1 the slope there is infinite.
    """
    return ops.power(ops.maximum(-ops.expm1(log_probabilities), keras.config.epsilon()), gamma)


def distillation_loss(teacher: Any, student: Any, temperature: float) -> Any:
    """Return `T^2` times the mean divergence `KL(softmax(teacher / T) || softmax(student / T))`: a scalar.

    Its gradient is that of the cross-entropy with the teacher's softened answers, and it is 0 where both agree.
    T^2 keeps the size of gradients while T changes.

    Args:
        teacher: Logits, `(batch, num_classes)`.
        student: Likewise.

    Source: Hinton et al. 2015, arXiv:1503.02531, section 2.
    """
    expected = ops.log_softmax(teacher / temperature, axis=-1)
    answered = ops.log_softmax(student / temperature, axis=-1)
    each = ops.sum(ops.exp(expected) * (expected - answered), axis=-1)
    return temperature**2 * ops.mean(each)
