"""What a network gains by answering only where it is sure: accuracy and coverage against a threshold of confidence.

Sources: Chow 1970, doi:10.1109/TIT.1970.1054406; Geifman and El-Yaniv 2017, arXiv:1705.08500.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from cnnlab.analysis.confidences import Confidences
from cnnlab.analysis.share_intervals import Numbers, shares, wilson_ends

# Dense near 1, where networks are most of the time.
THRESHOLDS = np.unique(np.round(np.concatenate([np.linspace(0, 1, 101), 1 - np.logspace(-2, -5, 46)]), 7))
COVERAGES = np.linspace(0.01, 1, 100)
TARGETS = (0.9, 0.95, 0.98, 0.99, 0.995, 0.999)


@dataclass(frozen=True)
class Selective:
    """Curves of one run.

    Attributes:
        by_threshold: One row per threshold: threshold, answered (images), n, coverage (their share), accuracy, low,
            high (Wilson's 95 % interval); null where nothing is answered.
        by_coverage: The same at the highest threshold that answers at least each share of `COVERAGES`, with
            `wanted`, that share.
        n: Images.
    """

    by_threshold: pl.DataFrame
    by_coverage: pl.DataFrame
    n: int


@dataclass(frozen=True)
class OperatingPoint:
    """What comes of one threshold.

    Attributes:
        threshold: Only images with at least this confidence are answered.
        answered: How many are.
        right: How many of these answers are right.
        n: Images.
    """

    threshold: float
    answered: int
    right: int
    n: int

    @property
    def coverage(self) -> float:
        return self.answered / self.n if self.n else float("nan")

    @property
    def accuracy(self) -> float:
        return self.right / self.answered if self.answered else float("nan")


def selective(answers: Confidences) -> Selective:
    """Return accuracy and coverage over the thresholds, and over the coverages."""
    in_order = np.sort(answers.confidence)[::-1]
    wanted = np.ceil(COVERAGES * answers.n - 1e-9).astype(np.int64)
    thresholds = in_order[np.maximum(wanted, 1) - 1] if answers.n else np.ones(len(COVERAGES))
    return Selective(
        _table(answers, THRESHOLDS),
        _table(answers, thresholds).with_columns(wanted=pl.Series(COVERAGES)),
        answers.n,
    )


def at_threshold(answers: Confidences, threshold: float) -> OperatingPoint:
    """Return what comes of answering only from `threshold` on."""
    is_answered = answers.confidence >= threshold
    return OperatingPoint(threshold, int(is_answered.sum()), int((answers.is_right & is_answered).sum()), answers.n)


def threshold_for(answers: Confidences, accuracy: float) -> float | None:
    """Return the lowest threshold at which at least this share of the answers is right; None where there is none.

    Chosen on some images it promises a little too much for them: judge it on others with `at_threshold`.
    """
    in_order = np.argsort(-answers.confidence, kind="stable")
    levels = answers.confidence[in_order]
    is_last = np.append(levels[1:] < levels[:-1], True)[: len(levels)]
    right = np.cumsum(answers.is_right[in_order])
    answered = np.arange(1, len(levels) + 1)
    is_enough = is_last & (right >= accuracy * answered - 1e-9)
    return float(levels[np.flatnonzero(is_enough)[-1]]) if is_enough.any() else None


def _table(answers: Confidences, thresholds: Numbers) -> pl.DataFrame:
    in_order = np.argsort(answers.confidence)
    first = np.searchsorted(answers.confidence[in_order], thresholds, side="left")
    right_from = np.append(np.cumsum(answers.is_right[in_order][::-1])[::-1], 0)
    answered, right = answers.n - first, right_from[first]
    low, high = wilson_ends(right, answered)
    table = pl.DataFrame(
        {
            "threshold": thresholds,
            "answered": answered,
            "n": np.full(len(thresholds), answers.n),
            "coverage": shares(answered, answers.n),
            "accuracy": shares(right, answered),
            "low": low,
            "high": high,
        }
    )
    return table.fill_nan(None)
