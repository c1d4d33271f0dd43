"""All numbers of a comparison as tables: every difference against the baseline, every pair, and ties in words."""

from itertools import combinations

import polars as pl

from cnnlab.analysis.comparison import Comparison, missing_value
from cnnlab.analysis.verdict import p_number
from cnnlab.plots.labels import plural


def differences_table(comparison: Comparison, base: int) -> pl.DataFrame:
    """Return everything that is known of each difference against the baseline, for other programs."""
    rows = []
    for place, one in enumerate(comparison.standings):
        if place == base:
            continue
        found = comparison.against(place, base)
        welch, shuffled = found.over_seeds, found.shuffled
        rows.append(
            {
                "name": one.name,
                "against": comparison.standings[base].name,
                "difference_points": 100 * found.difference.value,
                "low_95": _points(found.difference.low),
                "high_95": _points(found.difference.high),
                "interval": found.difference.interval or None,
                "p": missing_value(found.difference.p),
                "p_holm": missing_value(found.p),
                "only_this_right": found.fixed,
                "only_baseline_right": found.broken,
                "n_runs": one.n,
                "n_images": comparison.shared.num_images,
                "speaks_of": found.speaks_of,
                "p_welch_over_seeds": missing_value(welch.p) if welch else None,
                "p_permutation_over_seeds": missing_value(shuffled.p) if shuffled else None,
            }
        )
    return pl.DataFrame(rows, infer_schema_length=None)


def pairs_table(comparison: Comparison) -> pl.DataFrame:
    """Return every pair, the better one first, the surest first."""
    pairs, standings = comparison.pairs, comparison.standings
    rows = []
    for one, other in combinations(range(len(standings)), 2):
        better, worse = (one, other) if pairs.difference[one, other] >= 0 else (other, one)
        rows.append(
            {
                "Better": standings[better].name,
                "Worse": standings[worse].name,
                "Difference": 100 * float(pairs.difference[better, worse]),
                "p (Holm)": p_number(float(comparison.p[one, other])),
                "Told apart": bool(comparison.is_told_apart[one, other]),
                "Only the better right": float(pairs.fixed[better, worse]),
                "Only the worse right": float(pairs.fixed[worse, better]),
                "p": float(comparison.p[one, other]),
            }
        )
    return pl.DataFrame(rows).sort("p", nulls_last=True, maintain_order=True).drop("p")


def ties_in_words(comparison: Comparison) -> str:
    """Return how ranks and letters are to be read, with an example where ties do not chain."""
    said = (
        f"Ranks are ranges of what cannot be excluded; who shares a letter cannot be told apart. "
        f"{plural(comparison.num_pairs, 'pair')} tested on {plural(comparison.shared.num_images, 'test image')}, "
        "with Holm's correction at 5 % for all together."
    )
    chain = comparison.unchained
    if chain:
        first, middle, last = (comparison.standings[place].name for place in chain)
        said += f" Ties need not chain: {middle} is tied with {first} and with {last}, yet these two differ."
    return said


def _points(share: float) -> float | None:
    value = missing_value(share)
    return None if value is None else 100 * value
