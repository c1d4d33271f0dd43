"""What each change of an ablation does: differences of test accuracy, and whether they are more than noise."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from cnnlab.analysis.intervals import student_share, wilson
from cnnlab.analysis.significance import Difference, holm, paired, welch

LEVEL = 0.05


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
        method: `welch`, `paired` or empty.
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
        answers: Asked only where each variant has one run: then the two networks are compared image by image.
    """
    compared = [_compared(group, groups[against[place]], answers) for place, group in enumerate(groups[1:], start=1)]
    probabilities = holm([difference.p if difference else math.nan for difference, _, _ in compared])
    found = [Effect(groups[0].name, len(groups[0].accuracies), groups[0].planned, *_mean(groups[0]))]
    for place, group in enumerate(groups[1:], start=1):
        difference, method, reason = compared[place - 1]
        name, n, planned = group.name, len(group.accuracies), group.planned
        other, p = groups[against[place]].name, probabilities[place - 1]
        found.append(Effect(name, n, planned, *_mean(group), other, difference, p, method, reason))
    return found


def _mean(group: Scores) -> tuple[float, float, float]:
    mean, low, high = student_share(group.accuracies)
    if len(group.accuracies) == 1 and group.num_images:
        low, high = wilson(round(mean * group.num_images), group.num_images)
    return mean, low, high


def _compared(group: Scores, other: Scores, answers: Answers) -> tuple[Difference | None, str, str]:
    for one in (group, other):
        if not one.accuracies:
            return None, "", _waiting(one)
    if len(group.versions | other.versions) > 1:
        return None, "", "tested on different versions of the data"
    if min(len(group.accuracies), len(other.accuracies)) > 1:
        difference = welch(group.accuracies, other.accuracies)
        return difference, "welch", "no seed differs from another" if math.isnan(difference.p) else ""
    if max(group.planned, other.planned) > 1 and (group.active or other.active):
        return None, "", "waits for a second seed"
    return _paired(group, other, answers)


def _paired(group: Scores, other: Scores, answers: Answers) -> tuple[Difference | None, str, str]:
    both = answers(group.run_ids[0]).join(answers(other.run_ids[0]), on="sample_id", suffix="_other")
    if both.height == 0 or both.height != group.num_images or both.height != other.num_images:
        return None, "", "tested on different images"
    right, right_other = (both[name].to_numpy().astype(np.bool_) for name in ("is_right", "is_right_other"))
    return paired(right, right_other), "paired", ""


def _waiting(group: Scores) -> str:
    return f"{group.name} waits for its first result" if group.active else f"no run of {group.name} has a result"
