"""Which points nothing else beats: cheaper, or more accurate, than every other."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def pareto_front(costs: ArrayLike, values: ArrayLike) -> NDArray[np.bool_]:
    """Return for each point whether it is on the front of low cost and high value.

    A point is beaten by one that is at least as good in both and better in one; two that are equal
    in both do not beat each other. A point of which one number is not finite is not on the front,
    and beats none.

    Args:
        costs: The lower the better.
        values: The higher the better, one per cost.
    """
    cost, value = np.asarray(costs, dtype=np.float64), np.asarray(values, dtype=np.float64)
    is_on_front = np.zeros(cost.shape, dtype=np.bool_)
    known = np.flatnonzero(np.isfinite(cost) & np.isfinite(value))
    best = -np.inf
    # From the cheapest up, of equal costs the best first: a point must beat all that cost less.
    for place in known[np.lexsort((-value[known], cost[known]))]:
        if value[place] > best:
            best, cost_of_best = value[place], cost[place]
            is_on_front[place] = True
        elif value[place] == best and cost[place] == cost_of_best:
            is_on_front[place] = True
    return is_on_front
