"""What a change does, as a row of a table: verdict, effect, interval, probability, accuracy."""

import math
from collections.abc import Sequence
from typing import Any

from cnnlab.analysis.ablation import Effect
from cnnlab.analysis.verdict import p_number
from dashboard.components.numbers import MISSING, percent, percent_interval

RIGHT = ("Test accuracy", "n", "Effect (points)", "95 % interval", "p (Holm)")
METHODS = {
    "seeds_and_images": "an interval over seeds and test images together, with Student's t for few seeds",
    "welch": "Welch's t interval over seeds alone, where answers to the same images are not known",
    "paired": "the same test images: a paired bootstrap interval, an exact one where few of them differ, and McNemar's "
    "exact test",
}
ONE_SEED = {
    "paired": "One seed tells two networks apart, not two settings: more seeds show what chance does.",
    "mixed": "Where one side has one seed, what is said is of that one network, not of its settings.",
}


def effect_row(one: Effect, settings: str, runs: str | None) -> dict[str, Any]:
    """Return the row of one variant.

    Args:
        settings: In what it differs, in words.
        runs: Address of its runs.
    """
    difference = one.difference
    has_interval = difference is not None and not math.isnan(difference.low)
    return {
        "Variant": one.name,
        "Verdict": _verdict(one),
        "Effect (points)": MISSING if difference is None else f"{100 * difference.value:+.2f}",
        "95 % interval": f"{100 * difference.low:+.2f} to {100 * difference.high:+.2f}"  # type: ignore[union-attr]
        if has_interval
        else MISSING,
        "p (Holm)": MISSING if math.isnan(one.p) else p_number(one.p),
        "Test accuracy": _accuracy(one),
        "n": f"{one.n} of {one.planned}",
        "Settings": settings,
        "Runs": runs,
    }


def method_sentences(effects: Sequence[Effect]) -> list[str]:
    """Return by what effects are compared, and what one seed may not tell; nothing where none is."""
    known = [one for one in effects if one.method]
    if not known:
        return []
    methods = dict.fromkeys(one.method for one in known)
    said = [f"Compared by {' and '.join(METHODS[method] for method in methods)}."]
    seeds = {one.name: one.n for one in effects}
    if "paired" in methods:
        said.append(ONE_SEED["paired"])
    if any(one.method == "seeds_and_images" and 1 in (one.n, seeds[one.against]) for one in known):
        said.append(ONE_SEED["mixed"])
    return said


def _accuracy(one: Effect) -> str:
    if not one.n:
        return MISSING
    return percent(one.mean, 2) + ("" if math.isnan(one.low) else f" ({percent_interval(one.low, one.high)})")


def _verdict(one: Effect) -> str:
    if not one.against:
        return ""
    return one.reason or ("more than noise" if one.is_more_than_noise else "may be noise")
