"""What a comparison says, in sentences that a student understands, with their numbers."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cnnlab.analysis.comparison import Against, Comparison, Standing
from cnnlab.analysis.pairing import shared_text
from cnnlab.analysis.sides import Side
from cnnlab.plots.labels import listed_with_reasons, plural

MOST_NAMES = 5


@dataclass(frozen=True)
class Verdict:
    """The answer first, then what it stands on, then how far it reaches.

    Attributes:
        headline: One sentence.
        numbers: The differences with interval, p and n; empty where nothing is compared.
        reach: What may not be concluded; empty where there is nothing to warn of.
        notes: What was left out and why, one sentence each.
    """

    headline: str
    numbers: str
    reach: str
    notes: tuple[str, ...] = ()


def verdict(comparison: Comparison, sides: Sequence[Side], baseline: str, names: Mapping[str, str]) -> Verdict:
    """Return the verdict.

    Args:
        sides: That were compared, those that could not be included.
        baseline: Key of the side that the others are set against.
        names: Of the runs, by id.
    """
    told = tuple(_notes(comparison, sides, names))
    count = len(comparison.standings)
    if count < 2:
        return Verdict(_alone(comparison, sides), "", "", told)
    base = comparison.place(baseline)
    if count == 2:
        base = 0 if base is None else base
        headline, numbers = _of_two(comparison, 1 - base, base)
    else:
        headline, numbers = _of_many(comparison, base)
    return Verdict(headline, numbers, _reach(comparison, sides), told)


def p_text(p: float) -> str:
    """Return `p = 0.003` or `p < 0.001`.

    >>> p_text(0.0312), p_text(0.00001), p_text(1.0), p_text(math.nan)
    ('p = 0.031', 'p < 0.001', 'p = 1', 'p not known')
    """
    number = p_number(p)
    return f"p {number}" if number[0] in "<n" else f"p = {number}"


def p_number(p: float) -> str:
    """Return `0.003`, `< 0.001` or `not known`."""
    if math.isnan(p):
        return "not known"
    return "< 0.001" if p < 0.001 else f"{p:.2g}"


def points(share: float) -> str:
    """Return `+0.46`: a difference in points of accuracy."""
    return f"{100 * share:+.2f}"


def counted(images: float, n: int) -> str:
    """Return a count of images, of means over seeds with one digit."""
    return f"{images:,.0f}" if n == 1 or images == round(images) else f"{images:,.1f}"


def named(names: Iterable[str], most: int = MOST_NAMES) -> str:
    """Return `a, b and 3 more`."""
    known = list(names)
    if len(known) <= most:
        return ", ".join(known)
    return f"{', '.join(known[:most])} and {len(known) - most} more"


def rank_text(one: Standing) -> str:
    """Return `2` or `1–3`."""
    return str(one.best_rank) if one.best_rank == one.worst_rank else f"{one.best_rank}–{one.worst_rank}"


def accuracy_text(one: Standing) -> str:
    """Return `92.30 % (95 % interval 91.80 to 92.80 %, 3 seeds)`."""
    text = f"{100 * one.mean:.2f} %"
    if math.isnan(one.low):
        return text
    over = f", mean of {one.n} seeds" if one.n > 1 else ""
    return f"{text} (95 % interval {100 * one.low:.2f} to {100 * one.high:.2f} %{over})"


def _alone(comparison: Comparison, sides: Sequence[Side]) -> str:
    if not comparison.standings:
        return "Nothing can be compared yet."
    (one,) = comparison.standings
    images = plural(comparison.shared.num_images, "test image")
    text = f"{one.name} is right on {accuracy_text(one)} of {images}."
    return text + (" Choose a second to compare it with." if len(sides) < 2 else " None of the others fits to it.")


def _of_two(comparison: Comparison, one: int, base: int) -> tuple[str, str]:
    mine, other = comparison.standings[one], comparison.standings[base]
    found = comparison.against(one, base)
    if found.is_told_apart:
        headline = f"{mine.name} is {'better' if found.difference.value > 0 else 'worse'} than {other.name}."
    else:
        headline = f"{mine.name} and {other.name} cannot be told apart."
    return headline, f"{_difference(comparison, mine, other, found)} {_in_images(mine, other, found)}"


def _difference(comparison: Comparison, mine: Standing, other: Standing, found: Against) -> str:
    value, images = found.difference, comparison.shared.num_images
    interval = "" if math.isnan(value.low) else f"95 % interval {points(value.low)} to {points(value.high)}, "
    test = "exact McNemar " if found.speaks_of == "networks" else ""
    seeds = "" if found.speaks_of == "networks" else f", over {mine.n} and {plural(other.n, 'seed')}"
    return (
        f"{100 * mine.mean:.2f} % against {100 * other.mean:.2f} % of {plural(images, 'test image')}{seeds}: "
        f"{points(value.value)} points ({interval}{test}{p_text(found.p)})."
    )


def _in_images(mine: Standing, other: Standing, found: Against) -> str:
    n = max(mine.n, other.n)
    fixed, broken = counted(found.fixed, n), counted(found.broken, n)
    if found.speaks_of == "networks":
        noun = "image" if found.fixed == 1 else "images"
        return f"{mine.name} is right on {fixed} {noun} that {other.name} gets wrong, {other.name} on {broken}."
    text = (
        f"On average a network of {mine.name} is right on {fixed} images that one of {other.name} gets wrong, and "
        f"wrong on {broken} that it gets right."
    )
    if found.over_seeds is None or found.shuffled is None:
        return text
    text += f" Over seeds alone, on these very images: Welch {p_text(found.over_seeds.p)}, permutation "
    text += p_text(found.shuffled.p)
    if found.shuffled.smallest > 0.05:
        text += f", which with {mine.n} and {other.n} seeds cannot be below {found.shuffled.smallest:.2g}"
    return text + "."


def _of_many(comparison: Comparison, base: int | None) -> tuple[str, str]:
    standings = comparison.standings
    best, *tied = comparison.tied_with_best
    top = standings[best]
    if not comparison.is_told_apart.any():
        headline = f"No difference between these {len(standings)} is more than noise."
    elif not tied:
        headline = f"{top.name} is better than the {len(standings) - 1} others."
    else:
        verb = "cannot be told apart from it"
        headline = f"{top.name} is highest, but {len(tied)} of the {len(standings) - 1} others {verb}: "
        headline += f"{named(standings[place].name for place in tied)}."
    numbers = f"{top.name} is right on {accuracy_text(top)} of {plural(comparison.shared.num_images, 'test image')}."
    if base is not None and comparison.is_told_apart.any():
        numbers += f" {_against_all(comparison, base)}"
    return headline, f"{numbers} All {comparison.num_pairs} pairs are tested, with Holm's correction."


def _against_all(comparison: Comparison, base: int) -> str:
    parts: dict[str, list[str]] = {"better": [], "worse": [], "not told apart from it": []}
    for place, one in enumerate(comparison.standings):
        if place == base:
            continue
        if not comparison.is_told_apart[place, base]:
            parts["not told apart from it"].append(one.name)
        else:
            parts["better" if comparison.pairs.difference[place, base] > 0 else "worse"].append(one.name)
    told = [f"{len(names)} {word} ({named(names)})" for word, names in parts.items() if names]
    return f"Against {comparison.standings[base].name}: {', '.join(told)}."


def _reach(comparison: Comparison, sides: Sequence[Side]) -> str:
    compared = [side for side in sides if comparison.place(side.key) is not None]
    single = [one.name for one in comparison.standings if one.n == 1]
    if not single:
        return ""
    if len(single) < len(comparison.standings):
        verb = "has" if len(single) == 1 else "have"
        return f"{named(single)} {verb} one seed: what is said there is of that one network, not of its settings."
    groups = {run.group_id for side in compared for run in side.runs}
    if len(groups) == 1:
        return "These runs have the same settings and differ in their seed only: what sets them apart is chance."
    return (
        "This speaks of these trained networks, not of their settings: with other seeds it may turn around. "
        "Several seeds of each would tell."
    )


def _notes(comparison: Comparison, sides: Sequence[Side], names: Mapping[str, str]) -> Iterable[str]:
    shared = comparison.shared
    if comparison.standings and (on := shared_text(shared, names)):
        yield on
    if comparison.refused:
        yield f"Not compared: {listed_with_reasons(dict(comparison.refused.values()), {})}."
    missing = {run_id: reason for one in comparison.standings for run_id, reason in one.missing.items()}
    if missing:
        yield f"Groups without some of their runs: {listed_with_reasons(missing, names)}."
    views = {run.run_id: run.views for side in sides for run in side.runs if run.run_id in shared.run_ids}
    if len(set(views.values())) > 1:
        told = {run_id: "one view" if kind == "none" else f"mean over {kind}" for run_id, kind in views.items()}
        yield f"Part of a difference may come from how they were tested: {listed_with_reasons(told, names)}."
