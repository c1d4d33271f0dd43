"""How the images of one class are ranked against all others: ROC and precision-recall curves, exact with ties.

A curve changes only at the scores of the class's own images: where each of them stands among the others is all
that is kept.

Sources: Hanley and McNeil 1982, doi:10.1148/radiology.143.1.7063747 (variance of the area); Newcombe 2006,
doi:10.1002/sim.2324 (its interval); Davis and Goadrich 2006, doi:10.1145/1143844.1143874 (why points of a
precision-recall curve are not joined by straight lines).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnlab.analysis.share_intervals import Numbers, Z

HALVINGS = 50


@dataclass(frozen=True)
class BinaryRanking:
    """Where the images of a class stand among the others: one entry per different score, from the highest down.

    Attributes:
        above: How many others have a higher score.
        tied: How many others have this score.
        found: How many images of the class have at least this score.
        images: Images of the class.
        others: Images that are not of the class.
    """

    above: NDArray[np.int64]
    tied: NDArray[np.int64]
    found: NDArray[np.int64]
    images: int
    others: int

    @property
    def auc(self) -> float:
        """Share of pairs of an image of the class and another in which the former scores higher; a tie is half."""
        if not self.images or not self.others:
            return float("nan")
        return 1 - float(self._gained @ (self.above + self.tied / 2)) / self.images / self.others

    @property
    def average_precision(self) -> float:
        """Mean, over the images of the class, of the precision where the threshold is the image's score."""
        return float(self._gained @ self._precision) / self.images if self.images else float("nan")

    def recall_at(self, false_alarms: Numbers) -> Numbers:
        """Return the highest share of the class found at each share of others taken for it: the ROC curve.

        Within a tie it grows on a straight line.
        """
        if not self.images or not self.others:
            return np.full(len(false_alarms), np.nan)
        x = np.stack([self.above, self.above + self.tied], axis=1).ravel() / self.others
        y = np.stack([self.found - self._gained, self.found], axis=1).ravel() / self.images
        x, y = np.concatenate([[0.0], x, [1.0, 1.0]]), np.concatenate([[0.0], y, [1.0, 1.0]])
        place = np.minimum(np.searchsorted(x, false_alarms, side="right") - 1, len(x) - 2)
        width, height = x[place + 1] - x[place], y[place + 1] - y[place]
        slope = np.divide(height, width, out=np.zeros(len(place)), where=width > 0)
        return np.where(false_alarms >= 1, 1.0, y[place] + slope * (false_alarms - x[place]))

    def precision_at(self, recalls: Numbers) -> Numbers:
        """Return the precision at the highest threshold that finds at least each share of the class."""
        if not self.images:
            return np.full(len(recalls), np.nan)
        # 0.1 * 30 is 3.0000000000000004: what comes of rounding is no further image.
        wanted = np.maximum(1, np.ceil(recalls * self.images - 1e-9))
        return self._precision[np.searchsorted(self.found, wanted)]

    @cached_property
    def _gained(self) -> NDArray[np.int64]:
        return np.diff(self.found, prepend=0)

    @cached_property
    def _precision(self) -> Numbers:
        return self.found / (self.found + self.above + self.tied)


def binary_ranking(of_class: NDArray, all_sorted: NDArray) -> BinaryRanking:
    """Rank the images of a class against the others.

    Args:
        of_class: Scores of the images of the class, in any order.
        all_sorted: Scores of all images, those of the class included, ascending.
    """
    values, counts = np.unique(of_class, return_counts=True)
    first, last = (np.searchsorted(all_sorted, values, side=side) for side in ("left", "right"))
    found = np.cumsum(counts[::-1])
    return BinaryRanking(
        above=(len(all_sorted) - last)[::-1] - (found - counts[::-1]),
        tied=(last - first - counts)[::-1],
        found=found,
        images=len(of_class),
        others=len(all_sorted) - len(of_class),
    )


def auc_ends(auc: ArrayLike, images: ArrayLike, others: ArrayLike) -> tuple[Numbers, Numbers]:
    """Return the 95 % interval of areas under the ROC curve, NaN where the area is.

    The ends are those areas that would be just as far from the measured one as their own standard error says.
    It holds what it promises near 1 and with ten images of a class, where the variance of DeLong et al. 1988
    is far too small, and it is not empty where the area is 1.

    Args:
        auc: Measured areas.
        images: Of the class.
        others: Not of the class.
    """
    area, m, n = np.broadcast_arrays(*(np.asarray(part, np.float64) for part in (auc, images, others)))
    return _end(area, m, n, np.zeros_like(area)), _end(area, m, n, np.ones_like(area))


def _end(area: Numbers, images: Numbers, others: Numbers, outer: Numbers) -> Numbers:
    """Halve the way between the measured area and `outer` until the end between them is found."""
    inner = area.copy()
    with np.errstate(invalid="ignore", divide="ignore"):
        for _ in range(HALVINGS):
            middle = (inner + outer) / 2
            is_outside = (area - middle) ** 2 > Z * Z * _variance(middle, images, others)
            inner, outer = np.where(is_outside, inner, middle), np.where(is_outside, middle, outer)
    return np.where(np.isnan(area), np.nan, outer)


def _variance(area: Numbers, images: Numbers, others: Numbers) -> Numbers:
    """Return the variance of a measured area where the true one is `area`, for negative exponential scores."""
    more_of_class = (images - 1) * (1 - area) / (2 - area)
    more_others = (others - 1) * area / (1 + area)
    return area * (1 - area) * (1 + more_of_class + more_others) / (images * others)
