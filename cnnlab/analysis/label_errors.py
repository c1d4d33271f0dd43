"""Which labels are likely wrong: confident learning on probabilities of networks that never trained on the images.

Source: Northcutt, Jiang and Chuang 2019, arXiv:1911.00068, section 3: a threshold per class, counting by the confident
joint, ranking by normalised margin. Differs from the paper: the probabilities are those of the test and validation
images of trained runs, not of a cross-validation, so training images are not judged.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class LabelDoubts:
    """The images, the most doubtful label first.

    Attributes:
        places: `(n,)` numbers of the images.
        margins: `(n,)` probability of the label less the highest of the others, in [-1, 1]; below 0 the networks
            say something else.
        self_confidence: `(n,)` probability of the label.
        suggested: `(n,)` the class that the networks take the image for: the most probable of those above their
            thresholds, else the most probable but the label.
        is_suspect: `(n,)` whether confident learning counts the label as wrong.
    """

    places: NDArray[np.int64]
    margins: NDArray[np.float64]
    self_confidence: NDArray[np.float64]
    suggested: NDArray[np.int64]
    is_suspect: NDArray[np.bool_]

    @property
    def num_suspects(self) -> int:
        return int(self.is_suspect.sum())


def label_doubts(probabilities: NDArray[np.floating], labels: NDArray[np.integer]) -> LabelDoubts:
    """Rank images by how likely their label is wrong.

    Args:
        probabilities: `(n, num_classes)`, of one run or the mean of several, which is more to be trusted.
        labels: `(n,)`.
    """
    shares = np.asarray(probabilities, np.float64)
    labels = np.asarray(labels, np.int64)
    if not len(labels):
        nothing = np.zeros(0)
        return LabelDoubts(nothing.astype(np.int64), nothing, nothing, nothing.astype(np.int64), nothing.astype(bool))
    everyone = np.arange(len(labels))
    own = shares[everyone, labels]
    others = shares.copy()
    others[everyone, labels] = -1.0
    margins = own - others.max(axis=1)
    sure = np.where(shares >= thresholds(shares, labels), shares, -1.0)
    confident = np.where(sure.max(axis=1) >= 0, sure.argmax(axis=1), labels)
    is_suspect = confident != labels
    order = np.lexsort((everyone, margins, ~is_suspect))
    suggested = np.where(is_suspect, confident, others.argmax(axis=1))
    return LabelDoubts(order, margins[order], own[order], suggested[order], is_suspect[order])


def thresholds(probabilities: NDArray[np.floating], labels: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return, for each class, the mean probability of it over the images that are labelled so; infinite without any."""
    shares = np.asarray(probabilities, np.float64)
    counts = np.bincount(labels, minlength=shares.shape[1])
    sums = np.bincount(labels, shares[np.arange(len(labels)), labels], minlength=shares.shape[1])
    return np.divide(sums, counts, out=np.full(shares.shape[1], np.inf), where=counts > 0)
