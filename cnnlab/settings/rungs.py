"""The rungs of Hyperband: how many trials train for how many epochs.

Source: Li et al. 2018, arXiv:1603.06560, algorithm 1, with the sizes of keras-tuner.
"""

import math
from typing import NamedTuple


class Rung(NamedTuple):
    """One rung of one bracket.

    Attributes:
        trials: So many come here.
        epochs: To which each of them trains in all.
        added: The epochs that each trains here; it goes on from the rung below.
    """

    trials: int
    epochs: int
    added: int


def sweep(max_epochs: int, factor: int) -> list[list[Rung]]:
    """Return the brackets of one sweep in the order in which they are begun, each from its first rung to its last.

    >>> [[rung.trials for rung in bracket] for bracket in sweep(9, 3)]
    [[9, 3, 1], [5, 2], [3]]
    """
    last = 0
    while factor ** (last + 1) <= max_epochs:
        last += 1
    return [_bracket(max_epochs, factor, number) for number in range(last, -1, -1)]


def sweep_size(max_epochs: int, factor: int) -> int:
    """Return how many trials one sweep has."""
    return sum(rung.trials for bracket in sweep(max_epochs, factor) for rung in bracket)


def _bracket(max_epochs: int, factor: int, number: int) -> list[Rung]:
    found: list[Rung] = []
    end_size = math.ceil(1 + math.log(max_epochs, factor)) / (number + 1)
    for rung in range(number + 1):
        epochs = math.ceil(max_epochs / factor ** (number - rung))
        before = found[-1].epochs if found else 0
        found.append(Rung(math.ceil(end_size * factor ** (number - rung)), epochs, epochs - before))
    return found
