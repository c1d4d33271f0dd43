"""How much more accurate one side is than another, and how sure: the one place that chooses the method.

Two single networks: exact McNemar and its interval over images, which speak of these two networks. As soon as a side
has several seeds: over seeds and images together (`two_level`), which speaks of the settings. All pages and commands
ask here, so that they say the same of the same two.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cnnlab.analysis.significance import Difference, paired_counts
from cnnlab.analysis.two_level import Pairwise, pairwise

Speaks = Literal["networks", "settings", "mixed"]


def speaks_of(seeds: int, others: int) -> Speaks:
    """Return of what a difference speaks, from the numbers of seeds of both sides."""
    if max(seeds, others) == 1:
        return "networks"
    return "settings" if min(seeds, others) > 1 else "mixed"


def between(pairs: Pairwise, one: int, other: int, seeds: Sequence[int], num_images: int) -> Difference:
    """Return how much more accurate side `one` is than side `other`.

    Args:
        pairs: Of all sides.
        seeds: Of each side, how many.
        num_images: That all of them answered.
    """
    if speaks_of(seeds[one], seeds[other]) == "networks":
        return paired_counts(round(pairs.fixed[one, other]), round(pairs.fixed[other, one]), num_images)
    return pairs.of(one, other)


def between_groups(mine: NDArray[np.bool_], others: NDArray[np.bool_]) -> Difference:
    """Return the same for two sides by themselves.

    Args:
        mine: `(seeds, images)` booleans, right or not, on the same images as `others`.
        others: Of the side that it is compared with.
    """
    return between(pairwise([mine, others]), 0, 1, (len(mine), len(others)), mine.shape[1])
