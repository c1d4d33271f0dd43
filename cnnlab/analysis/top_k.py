"""How often the true class is among the k that the network holds most probable."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from cnnlab.analysis.answers import Answers
from cnnlab.analysis.share_intervals import shares, wilson_ends

MOST_K = 10


@dataclass(frozen=True)
class TopK:
    """Accuracy by k.

    Attributes:
        table: One row per k: k, right, n, accuracy, low, high (Wilson's 95 % interval); null without images.
        n: Images.
        num_classes: At k of so many, everything is right.
        tied: Images whose true class shares its probability with another, as rounding to 0 makes it: of those
            the class of the lower index goes first, as where the most probable class is chosen.
        left_out: Images whose probabilities are no numbers.
    """

    table: pl.DataFrame
    n: int
    num_classes: int
    tied: int
    left_out: int = 0


def top_k(answers: Answers) -> TopK:
    """Return the accuracy for each k up to 10, or up to the number of classes."""
    of_truth = answers.of_truth[:, None]
    equal = answers.probabilities == of_truth
    before = equal & (np.arange(answers.num_classes) < answers.labels[:, None])
    rank = (answers.probabilities > of_truth).sum(axis=1) + before.sum(axis=1)
    most = min(MOST_K, answers.num_classes)
    right = np.cumsum(np.bincount(rank, minlength=most)[:most])
    low, high = wilson_ends(right, answers.n)
    table = pl.DataFrame(
        {
            "k": np.arange(1, most + 1),
            "right": right,
            "n": np.full(most, answers.n),
            "accuracy": shares(right, answers.n),
            "low": low,
            "high": high,
        }
    )
    return TopK(
        table.fill_nan(None), answers.n, answers.num_classes, int((equal.sum(axis=1) > 1).sum()), answers.left_out
    )
