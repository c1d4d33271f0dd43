"""Which labels are likely wrong: confident learning on probabilities of networks that never trained on the images.

Source: Northcutt, Jiang and Chuang 2019, arXiv:1911.00068, section 3: a threshold per class, counting by the confident
joint, ranking by normalised margin. Differs from the paper: the probabilities are those of the test and validation
images of trained runs, not of a cross-validation, so training images are not judged.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# With a thousand classes all images at once would take half a gigabyte.
ROWS_AT_ONCE = 4096


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
    classes = np.asarray(labels, np.int64)
    least = thresholds(probabilities, classes)
    chunks = [slice(start, start + ROWS_AT_ONCE) for start in range(0, max(1, len(classes)), ROWS_AT_ONCE)]
    parts = [_of_rows(np.array(probabilities[chunk], np.float64), classes[chunk], least) for chunk in chunks]
    own, margins, suggested, is_suspect = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((np.arange(len(classes)), margins, ~is_suspect))
    return LabelDoubts(order, margins[order], own[order], suggested[order], is_suspect[order])


def _of_rows(
    shares: NDArray[np.float64], labels: NDArray[np.int64], least: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64], NDArray[np.bool_]]:
    """Return self-confidence, margin, suggested class and whether it is suspect, of images; `shares` are used up."""
    rows = np.arange(len(labels))
    own = shares[rows, labels]
    sure = np.where(shares >= least, shares, -1.0)
    confident = np.where(sure.max(axis=1) >= 0, sure.argmax(axis=1), labels)
    is_suspect = confident != labels
    shares[rows, labels] = -1.0
    return own, own - shares.max(axis=1), np.where(is_suspect, confident, shares.argmax(axis=1)), is_suspect


def thresholds(probabilities: NDArray[np.floating], labels: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return, for each class, the mean probability of it over the images that are labelled so; infinite without any."""
    num_classes = probabilities.shape[1]
    own = np.asarray(probabilities[np.arange(len(labels)), labels], np.float64)
    counts = np.bincount(labels, minlength=num_classes)
    sums = np.bincount(labels, own, minlength=num_classes)
    return np.divide(sums, counts, out=np.full(num_classes, np.inf), where=counts > 0)
