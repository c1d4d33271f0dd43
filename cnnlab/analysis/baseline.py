"""What each side of a comparison does against a baseline: the numbers of the comparison itself, row by row.

Sides whose answers to images nobody knows, such as runs of other tools, the comparison leaves out. Of their accuracies
Welch's t over seeds can still say something, and does, under its own name.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

from cnnlab.analysis.ablation import METHODS, Effect, Scores, mean_of, waiting
from cnnlab.analysis.comparison import Comparison
from cnnlab.analysis.sides import Side
from cnnlab.analysis.significance import holm, welch


def effects_against(comparison: Comparison, sides: Sequence[Side], scores: Sequence[Scores]) -> list[Effect]:
    """Return one effect per side, the baseline first.

    Args:
        comparison: Of all sides.
        sides: The baseline first.
        scores: Of the same, for sides that are not compared.
    """
    found = [_alone(comparison, *one) for one in zip(sides, scores, strict=True)]
    for place in range(1, len(sides)):
        one, base = (comparison.place(sides[at].key) for at in (place, 0))
        known = replace(found[place], against=found[0].name)
        if one is None or base is None:
            found[place] = _by_accuracies(comparison, known, (sides[place], sides[0]), (scores[place], scores[0]))
        else:
            against = comparison.against(one, base)
            reason = "no seed differs from another" if math.isnan(against.p) else ""
            method = METHODS[against.speaks_of]
            found[place] = replace(known, difference=against.difference, p=against.p, method=method, reason=reason)
    return _corrected(found, num_pairs(len(sides)))


def num_pairs(sides: int) -> int:
    """Return how many pairs so many sides make."""
    return sides * (sides - 1) // 2


def _alone(comparison: Comparison, side: Side, scores: Scores) -> Effect:
    place = comparison.place(side.key)
    if place is None and _has_answers(side):  # beside the others an accuracy on other images would mislead
        return Effect(scores.name, 0, scores.planned, math.nan, math.nan, math.nan)
    if place is None:
        return Effect(scores.name, len(scores.accuracies), scores.planned, *mean_of(scores))
    one = comparison.standings[place]
    return Effect(scores.name, one.n, scores.planned, one.mean, one.low, one.high)


def _by_accuracies(
    comparison: Comparison, known: Effect, sides: tuple[Side, Side], scores: tuple[Scores, Scores]
) -> Effect:
    """Return the effect of accuracies alone, or why there is none."""
    for one in scores:
        if not one.accuracies:
            return replace(known, reason=waiting(one))
    has_answers = all(map(_has_answers, sides))
    is_same_data = len(scores[0].versions | scores[1].versions) == 1
    if has_answers or not is_same_data or min(len(one.accuracies) for one in scores) < 2:
        reasons = (comparison.refused[side.key][1] for side in sides if side.key in comparison.refused)
        return replace(known, reason=next(reasons, "not compared"))
    difference = welch(scores[0].accuracies, scores[1].accuracies)
    reason = "no seed differs from another" if math.isnan(difference.p) else ""
    return replace(known, difference=difference, method="welch", reason=reason)


def _has_answers(side: Side) -> bool:
    return any(run.answers is not None for run in side.runs)


def _corrected(found: Sequence[Effect], count: int) -> list[Effect]:
    """Return the effects with Holm's correction for those that the comparison has not corrected, over as many pairs."""
    loose = [place for place, one in enumerate(found) if one.method == "welch"]
    raw = [one.difference.p for one in found if one.difference and one.method == "welch"]
    others = [math.nan] * (count - len(raw))  # not known here, and they count
    corrected = dict(zip(loose, holm([*raw, *others]), strict=False))
    return [replace(one, p=corrected.get(place, one.p)) for place, one in enumerate(found)]
