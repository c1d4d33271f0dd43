"""How sure a network is of each image, and what that costs it where it is wrong."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnlab.analysis.answers import Answers
from cnnlab.analysis.share_intervals import Numbers

# As in the loss that a run reports: one image that the network holds impossible must not be all of a mean.
HIGHEST_LOSS = float(-np.log(1e-12))


@dataclass(frozen=True)
class Confidences:
    """One number per image, all `(n,)`.

    Attributes:
        confidence: float64, the highest probability.
        is_right: bool, whether that class is the true one.
        loss: float64, minus the logarithm of the probability of the true class, at most `HIGHEST_LOSS`.
        brier: float64 in [0, 2], the squared distance of the probabilities from 1 at the true class and 0 elsewhere
            (Brier 1950, doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2).
        left_out: Images whose probabilities are no numbers.
    """

    confidence: Numbers
    is_right: NDArray[np.bool_]
    loss: Numbers
    brier: Numbers
    left_out: int = 0

    @property
    def n(self) -> int:
        return len(self.confidence)


def confidences(answers: Answers) -> Confidences:
    """Return the confidences of the probabilities as they are stored."""
    of_truth = answers.of_truth.astype(np.float64)
    with np.errstate(divide="ignore"):
        loss = np.minimum(-np.log(of_truth), HIGHEST_LOSS)
    squares = np.einsum("ij,ij->i", answers.probabilities, answers.probabilities, dtype=np.float64)
    brier = np.maximum(0.0, squares - 2 * of_truth + 1)
    # A sum of float32 shares may be 1.0000001.
    highest = np.minimum(answers.confidence.astype(np.float64), 1.0)
    return Confidences(highest, answers.is_right, loss, brier, answers.left_out)


def scaled_confidences(answers: Answers, temperature: float) -> Confidences:
    """Return the confidences after the logits were divided by `temperature`; which answers are right stays."""
    logs = relative_logs(answers)
    of_truth = logs[np.arange(answers.n), answers.labels] / temperature
    powers = np.exp(logs / np.float32(temperature))
    total = powers.sum(axis=1, dtype=np.float64)
    loss = np.minimum(np.log(total) - of_truth, HIGHEST_LOSS)
    squares = np.einsum("ij,ij->i", powers, powers, dtype=np.float64) / total**2
    brier = np.maximum(0.0, squares - 2 * np.exp(of_truth) / total + 1)
    return Confidences(1 / total, answers.is_right, loss, brier, answers.left_out)


def relative_logs(answers: Answers) -> NDArray[np.float32]:
    """Return the logarithms of the probabilities, `(n, num_classes)`, less the highest of each image.

    They are the logits but for a constant per image, which softmax ignores. A probability of 0 was rounded to it: it
    is taken for the smallest that was not.
    """
    if not answers.n:
        return np.zeros_like(answers.probabilities)
    smallest = np.min(answers.probabilities, where=answers.probabilities > 0, initial=1)
    logs = np.log(np.maximum(answers.probabilities, smallest))
    return logs - logs.max(axis=1, keepdims=True)
