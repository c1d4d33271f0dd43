"""Which trials no other trial beats: the Pareto front, and the fronts behind it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cnnlab.settings.objectives import Direction


def ranks(values: Sequence[Sequence[float]], directions: Sequence[Direction]) -> NDArray[np.int64]:
    """Return on which front each point lies: 0 for those that none dominates, 1 for those that only these do, ...

    A point dominates another where it is as good in every objective and better in one (Deb et al. 2002,
    doi:10.1109/4235.996017); equal points share a front.

    Args:
        values: Shape (points, objectives), finite.
        directions: One per objective.
    """
    points = np.asarray(values, dtype=float).reshape(-1, len(directions))
    points = points * np.array([-1.0 if direction == "max" else 1.0 for direction in directions])
    as_good = (points[:, None, :] <= points[None, :, :]).all(axis=2)
    dominates = as_good & (points[:, None, :] < points[None, :, :]).any(axis=2)
    found = np.full(len(points), -1, dtype=np.int64)
    front = 0
    while (left := found < 0).any():
        found[left & ~dominates[left].any(axis=0)] = front
        front += 1
    return found
