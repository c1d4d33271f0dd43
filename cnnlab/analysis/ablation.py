"""What each change of an ablation does: differences of test accuracy, and whether they are more than noise."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cnnlab.analysis.between import Speaks, between_groups, speaks_of
from cnnlab.analysis.intervals import student_share, wilson
from cnnlab.analysis.significance import Difference, holm, welch

LEVEL = 0.05
METHODS: dict[Speaks, str] = {"networks": "paired", "settings": "seeds_and_images", "mixed": "seeds_and_images"}


@dataclass(frozen=True)
class Scores:
    """What the runs of one variant reached so far.

    Attributes:
        run_ids: Of the runs that have a test accuracy, in the order of `accuracies`.
        planned: Runs there will be.
        active: Runs that wait or train.
        num_images: Test images; 0 before the first run is tested.
        versions: Of the data that they were tested on.
    """

    name: str
    run_ids: tuple[str, ...]
    accuracies: tuple[float, ...]
    planned: int
    active: int = 0
    num_images: int = 0
    versions: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Effect:
    """One variant of an ablation; of the baseline there is no difference.

    Attributes:
        mean: Test accuracy, over `n` runs; `low` and `high` are its 95 % interval: Student's over seeds, of one
            run Wilson's over images. NaN where not known.
        against: Name of the variant that it is compared with; empty for the baseline.
        difference: In shares of 1, with its 95 % interval.
        p: After Holm's correction over all changes.
        method: `paired` of two single networks, `seeds_and_images` of groups, both as in any comparison; `welch` over
            seeds alone, of groups whose answers to the same images are not known; or empty.
        reason: Why there is no difference, or no verdict.
    """

    name: str
    n: int
    planned: int
    mean: float
    low: float
    high: float
    against: str = ""
    difference: Difference | None = None
    p: float = math.nan
    method: str = ""
    reason: str = ""

    @property
    def is_more_than_noise(self) -> bool:
        return self.p < LEVEL


# Returns the columns sample_id and is_right of the test images of a run.
Answers = Callable[[str], pl.DataFrame]


def effects(groups: Sequence[Scores], against: Sequence[int], answers: Answers) -> list[Effect]:
    """Return one effect per variant, the baseline first.

    Args:
        groups: The variants, the baseline first.
        against: For each the place of the one that it is compared with; of the baseline it is not read.
        answers: Of the runs, so that variants are compared image by image: single networks, and whole groups.
    """
    answers = cache(answers)
    compared = [_compared(group, groups[against[place]], answers) for place, group in enumerate(groups[1:], start=1)]
    probabilities = holm([difference.p if difference else math.nan for difference, _, _ in compared])
    found = [Effect(groups[0].name, len(groups[0].accuracies), groups[0].planned, *mean_of(groups[0]))]
    for place, group in enumerate(groups[1:], start=1):
        difference, method, reason = compared[place - 1]
        name, n, planned = group.name, len(group.accuracies), group.planned
        other, p = groups[against[place]].name, probabilities[place - 1]
        found.append(Effect(name, n, planned, *mean_of(group), other, difference, p, method, reason))
    return found


def mean_of(group: Scores) -> tuple[float, float, float]:
    """Return the mean accuracy with its interval: over seeds, of one run over images."""
    mean, low, high = student_share(group.accuracies)
    if len(group.accuracies) == 1 and group.num_images:
        low, high = wilson(round(mean * group.num_images), group.num_images)
    return mean, low, high


def _compared(group: Scores, other: Scores, answers: Answers) -> tuple[Difference | None, str, str]:
    for one in (group, other):
        if not one.accuracies:
            return None, "", waiting(one)
    if len(group.versions | other.versions) > 1:
        return None, "", "tested on different versions of the data"
    has_seeds = min(len(group.accuracies), len(other.accuracies)) > 1
    if not has_seeds and max(group.planned, other.planned) > 1 and (group.active or other.active):
        return None, "", "waits for a second seed"
    is_right = _is_right([*group.run_ids, *other.run_ids], answers)
    if is_right is None and not has_seeds:
        return None, "", "tested on different images"
    if is_right is None:
        difference, method = welch(group.accuracies, other.accuracies), "welch"
    else:
        count = len(group.run_ids)
        difference = between_groups(is_right[:count], is_right[count:])
        method = METHODS[speaks_of(count, len(other.run_ids))]
    return difference, method, "no seed differs from another" if math.isnan(difference.p) else ""


def _is_right(run_ids: Sequence[str], answers: Answers) -> NDArray[np.bool_] | None:
    """Return `(runs, images)` booleans; None where they did not all answer the same images."""
    frames = [answers(run_id) for run_id in run_ids]
    first = frames[0]
    if any(not frame["sample_id"].equals(first["sample_id"]) for frame in frames):
        frames = [frame.sort("sample_id") for frame in frames]
        first = frames[0]
    if first.is_empty() or any(not frame["sample_id"].equals(first["sample_id"]) for frame in frames):
        return None
    return np.stack([frame["is_right"].to_numpy().astype(np.bool_) for frame in frames])


def waiting(group: Scores) -> str:
    """Return why a variant has no accuracy."""
    return f"{group.name} waits for its first result" if group.active else f"no run of {group.name} has a result"
