"""Which epoch each number is of, where a tool counts something else.

Our tables need an epoch, counted from 1, for every number. In this order it is taken from what the tool says, from a
series called `epoch`, from steps that run 0, 1, 2, ... or 1, 2, 3, ..., from the time (beside series that count
epochs), or from the validations: each ends an epoch. Where nothing speaks of epochs all is epoch 1, and the steps
tell numbers apart: nothing is made up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cnnlab.exchange.found import Series

# What steps are said to be; `auto` finds out.
Counting = Literal["auto", "epochs", "steps"]
COUNTINGS: tuple[Counting, ...] = ("auto", "epochs", "steps")

_LARGEST = 2**31 - 2

Whole = NDArray[np.int64]


@dataclass(frozen=True)
class Counted:
    """The epochs of each series, in their order, and how they came about; `said` is False where they were counted."""

    epochs: tuple[Whole, ...]
    said: bool
    note: str = ""


def epochs_of(
    series: Sequence[Series], validations: Sequence[Series], marks: Series | None, counting: Counting = "auto"
) -> Counted:
    """Return the epoch of each number.

    Args:
        validations: Those of `series` that were measured on validation images.
        marks: The series whose values are epochs, where the tool has one.
        counting: What steps are, where the person knows.
    """
    if series and all(one.epochs is not None for one in series):
        return Counted(tuple(one.epochs for one in series if one.epochs is not None), True)
    if marks is not None and marks.steps.size and counting == "auto":
        return Counted(tuple(_by_marks(one, marks) for one in series), True)
    if counting == "epochs" or (counting == "auto" and _are_epochs(series)):
        first = min((int(one.steps.min()) for one in series if one.steps.size), default=1)
        return Counted(tuple(_from_one(one.steps, first) for one in series), True)
    of_epochs = [one for one in series if one.by_epoch and one.steps.size]
    if counting == "auto" and of_epochs:
        return Counted(tuple(_beside(one, of_epochs) for one in series), True)
    return _by_validations(series, validations)


def _are_epochs(series: Sequence[Series]) -> bool:
    """Return whether the steps of all series together run from 0 or 1 without a gap."""
    steps = np.unique(np.concatenate([one.steps for one in series])) if series else np.array([], np.int64)
    return bool(steps.size and steps[0] in (0, 1) and steps[-1] - steps[0] == steps.size - 1)


def _from_one(steps: Whole, first: int) -> Whole:
    return np.maximum(steps + (1 if first == 0 else 0), 1)


def _by_marks(one: Series, marks: Series) -> Whole:
    """Return the epochs that a series of them says: for a step without one, that of the last step before it."""
    values = np.clip(np.nan_to_num(marks.values, nan=0.0), 0, _LARGEST)
    base = 1 if values.size and values.min() < 1 else 0
    order = np.argsort(marks.steps, kind="stable")
    place = np.searchsorted(marks.steps[order], one.steps, side="right") - 1
    found = np.floor(values[order][np.maximum(place, 0)]).astype(np.int64) + base
    return np.maximum(found, 1)


def _beside(one: Series, of_epochs: Sequence[Series]) -> Whole:
    """Return epochs of a series that counts batches, by the time at which others ended theirs."""
    first = min(int(other.steps.min()) for other in of_epochs)
    if one.by_epoch:
        return _from_one(one.steps, first)
    clock = max(of_epochs, key=lambda other: other.steps.size)
    place = np.searchsorted(clock.elapsed_s, one.elapsed_s, side="left")
    return _from_one(clock.steps, first)[np.minimum(place, clock.steps.size - 1)]


def _by_validations(series: Sequence[Series], validations: Sequence[Series]) -> Counted:
    ends = np.unique(np.concatenate([one.steps for one in validations])) if validations else np.array([], np.int64)
    if not ends.size:
        ones = tuple(np.ones(one.steps.size, np.int64) for one in series)
        return Counted(ones, False, "Nothing speaks of epochs, so all of it is epoch 1: look at it across steps.")
    counted = tuple(np.searchsorted(ends, one.steps, side="left").astype(np.int64) + 1 for one in series)
    return Counted(counted, False, "Nothing speaks of epochs, so they are counted by the validations.")
