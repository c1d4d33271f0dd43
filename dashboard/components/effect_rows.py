"""What a change does, as a row of a table: verdict, effect, interval, probability, accuracy."""

import math
from typing import Any

from cnnlab.analysis.ablation import Effect
from dashboard.components.numbers import MISSING, percent, percent_interval

RIGHT = ("Test accuracy", "n", "Effect (points)", "95 % interval", "p (Holm)")
METHODS = {
    "welch": "Welch's t interval over seeds",
    "paired": "the same test images: a paired bootstrap interval, and McNemar's exact test",
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
        "p (Holm)": MISSING if math.isnan(one.p) else f"{one.p:.2g}",
        "Test accuracy": _accuracy(one),
        "n": f"{one.n} of {one.planned}",
        "Settings": settings,
        "Runs": runs,
    }


def _accuracy(one: Effect) -> str:
    if not one.n:
        return MISSING
    return percent(one.mean, 2) + ("" if math.isnan(one.low) else f" ({percent_interval(one.low, one.high)})")


def _verdict(one: Effect) -> str:
    if not one.against:
        return ""
    return one.reason or ("more than noise" if one.is_more_than_noise else "may be noise")
