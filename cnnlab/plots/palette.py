"""One colour per run, the same on every panel of a page.

The eight colours keep the hues of Okabe and Ito 2008 (blue, orange, green, purple, ...) but were
searched anew, because four of theirs are too pale on white: each of these has a contrast of at least
3:1 on white and on near-black, and the two most alike are, seen with a red or green deficiency
(Machado et al. 2009, doi:10.1109/TVCG.2009.113), as far apart as the two most alike of the first six
of Okabe and Ito. `tests/plots/test_palette.py` measures both.
"""

from collections.abc import Iterable

CATEGORICAL = ("#0078b4", "#d86000", "#009c78", "#b43c90", "#8478fc", "#c0300c", "#905454", "#a884b4")

# What carries no identity: size legends, explanations of line styles, grid.
NEUTRAL = "#7f7f7f"

# Beyond eight a colour comes back with another of these, so that colour and symbol together tell runs apart. Lines
# carry them too: their dashes say which split it is.
SYMBOLS = ("circle", "square", "diamond", "cross", "triangle-up", "star")

SPLITS = {"train": CATEGORICAL[0], "val": CATEGORICAL[1], "test": CATEGORICAL[2]}

# A table of numbers reads best when its empty end is the colour of the page.
SEQUENTIAL_LIGHT = ("#f4f8fb", "#c9dff0", "#8cbcdd", "#4391c4", "#0b66a0", "#083a66")
SEQUENTIAL_DARK = ("#16202b", "#123f63", "#0b66a0", "#3f92c8", "#8cc3e6", "#dceefa")

# What is less and what is more than before, from near the middle outwards.
BELOW_LIGHT, ABOVE_LIGHT = ("#a9cde6", "#4391c4", "#083a66"), ("#f5c396", "#d86000", "#6b2f00")
BELOW_DARK, ABOVE_DARK = ("#123f63", "#3f92c8", "#dceefa"), ("#5a3210", "#e0812f", "#ffe6cf")


def colour_of(names: Iterable[str]) -> dict[str, str]:
    """Return a colour per name, in the order given; a name that comes twice keeps its first."""
    return {name: CATEGORICAL[place % len(CATEGORICAL)] for place, name in enumerate(dict.fromkeys(names))}


def symbol_of(names: Iterable[str]) -> dict[str, str]:
    """Return a marker symbol per name: circles until the colours come back, then the next symbol."""
    return {name: SYMBOLS[place // len(CATEGORICAL) % len(SYMBOLS)] for place, name in enumerate(dict.fromkeys(names))}


def sequential(is_dark: bool = False, power: float = 1.0) -> list[tuple[float, str]]:
    """Return a plotly colour scale from the page's colour to the strongest.

    Args:
        is_dark: The page is dark, so nothing is dark and much is bright.
        power: Above 1, small values get more of the scale.
    """
    colours = SEQUENTIAL_DARK if is_dark else SEQUENTIAL_LIGHT
    last = len(colours) - 1
    return [((place / last) ** power, colour) for place, colour in enumerate(colours)]


def diverging(is_dark: bool = False, power: float = 1.0) -> list[tuple[float, str]]:
    """Return a plotly colour scale that is blue below its middle, the page's colour in it and orange above.

    Args:
        is_dark: The page is dark, so the middle is.
        power: Above 1, values near the middle get more of the scale.
    """
    middle = SEQUENTIAL_DARK[0] if is_dark else SEQUENTIAL_LIGHT[0]
    below, above = (BELOW_DARK, ABOVE_DARK) if is_dark else (BELOW_LIGHT, ABOVE_LIGHT)
    last = len(below)
    lower = [(0.5 - 0.5 * (place / last) ** power, colour) for place, colour in enumerate(below, start=1)]
    upper = [(0.5 + 0.5 * (place / last) ** power, colour) for place, colour in enumerate(above, start=1)]
    return [*reversed(lower), (0.5, middle), *upper]


def with_alpha(colour: str, alpha: float) -> str:
    """Return `#rrggbb` as `rgba(...)` of that opacity."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha:g})"
