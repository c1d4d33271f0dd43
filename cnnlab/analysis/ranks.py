"""What can be said of the order of several numbers when some of them cannot be told apart.

Ranks are ranges: 1 to 3 means that no more than the first place and no less than the third is sure. As long as
no pair is told apart wrongly, which Holm's correction over all pairs sees to, every range holds the true rank:
Al Mohamad, Goeman and van Zwet 2017, arXiv:1708.02729, on Tukey's test.
Letters: Piepho 2004, doi:10.1198/1061860043515 (insert and absorb), without the letters that say nothing new.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

_ALPHABET = "abcdefghijklmnopqrstuvwxyz"


def rank_ranges(values: Sequence[float], is_told_apart: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the best and the worst rank that each value may have, counted from 1 for the highest.

    Args:
        values: `(k,)` numbers.
        is_told_apart: `(k, k)` whether two of them differ by more than noise; symmetric.
    """
    numbers = np.asarray(values, np.float64)
    is_beaten = is_told_apart & (numbers[:, None] < numbers[None, :])  # [i, j]: j is better than i
    better, worse = is_beaten.sum(axis=1), is_beaten.sum(axis=0)
    return [(1 + int(above), len(numbers) - int(below)) for above, below in zip(better, worse, strict=True)]


def tie_letters(values: Sequence[float], is_told_apart: NDArray[np.bool_]) -> list[str]:
    """Return letters per value: two that share one cannot be told apart, two that share none can.

    The first letter holds the highest value. A value may have several: ties need not chain, and then the
    letters say so (`a`, `ab`, `b`).

    Args:
        values: `(k,)` numbers.
        is_told_apart: `(k, k)` whether two of them differ by more than noise; symmetric.
    """
    order = [int(place) for place in np.argsort(-np.asarray(values, np.float64), kind="stable")]
    columns = [frozenset(order)] if order else []
    for one, other in combinations(order, 2):
        if is_told_apart[one, other]:
            columns = _split(columns, one, other)
    columns = _needed(sorted(columns, key=lambda column: sorted(map(order.index, column))))
    return [
        "".join(_letter(place) for place, column in enumerate(columns) if one in column) for one in range(len(order))
    ]


def ties_that_do_not_chain(is_told_apart: NDArray[np.bool_]) -> tuple[int, int, int] | None:
    """Return i, j, k where j is tied with i and with k, but i and k are told apart; None where ties chain."""
    is_tied = ~is_told_apart
    np.fill_diagonal(is_tied, False)
    for middle in range(len(is_tied)):
        tied = np.flatnonzero(is_tied[middle])
        apart = np.argwhere(np.triu(is_told_apart[np.ix_(tied, tied)]))
        if len(apart):
            return int(tied[apart[0][0]]), middle, int(tied[apart[0][1]])
    return None


def _split(columns: list[frozenset[int]], one: int, other: int) -> list[frozenset[int]]:
    """Put two that are told apart into different columns, and absorb what is within another column."""
    if not any(one in column and other in column for column in columns):
        return columns
    parted: list[frozenset[int]] = []
    for column in columns:
        parted += [column - {one}, column - {other}] if {one, other} <= column else [column]
    parted = list(dict.fromkeys(parted))
    return [column for column in parted if not any(column < bigger for bigger in parted)]


def _needed(columns: list[frozenset[int]]) -> list[frozenset[int]]:
    """Leave out, from the last on, each column whose ties are all said by others."""
    kept = list(columns)
    for column in reversed(columns):
        others = [other for other in kept if other is not column]
        if others and all(any(set(pair) <= other for other in others) for pair in _pairs(column)):
            kept = others
    return kept


def _pairs(column: frozenset[int]) -> list[tuple[int, ...]]:
    return list(combinations(column, 2)) if len(column) > 1 else [tuple(column)]


def _letter(place: int) -> str:
    """Return a, b, ..., z, and then a1, b1, ...: never the same twice."""
    return _ALPHABET[place % 26] + (str(place // 26) if place >= 26 else "")
