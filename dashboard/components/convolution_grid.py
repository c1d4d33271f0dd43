"""Grids of numbers as HTML: coloured by value, with the window and the padding marked.

Blue is positive, orange negative, both so pale that the page's own text colour reads on them,
light and dark; purple marks where the window is.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnlab.plots.palette import CATEGORICAL, NEUTRAL, with_alpha

POSITIVE, NEGATIVE, MARK = CATEGORICAL[0], CATEGORICAL[1], CATEGORICAL[3]
DEEPEST = 0.55
CELL_PX = 34
# A digit is about 0.6 of its height wide: so many of a cell's width may be its height.
DIGIT_SHARE = 1.45

STYLE = f"""<style>
.cl {{ display: flex; flex-wrap: wrap; gap: 1rem 1.5rem; align-items: flex-start; }}
.cl figure {{ margin: 0; min-width: 0; max-width: 100%; }}
.cl figcaption {{ font-size: 0.86rem; margin-bottom: 0.35rem; opacity: 0.8; }}
.cl .mid {{ flex: 1 1 19rem; min-width: 0; max-width: 27rem; }}
.cl .row {{ display: flex; flex-wrap: wrap; align-items: center; gap: 0.4rem 0.6rem; margin-bottom: 0.7rem; }}
.cl .pair {{ display: flex; align-items: center; gap: 0.6rem; }}
.cl .pair > b {{ font-size: 1.2rem; font-weight: 600; padding-top: 1.2rem; }}
.cl .grid {{ display: grid; container-type: inline-size; gap: 1px; }}
.cl .grid > i {{ aspect-ratio: 1; display: flex; align-items: center; justify-content: center; font-style: normal;
  font-variant-numeric: tabular-nums; border-radius: 2px; overflow: hidden; line-height: 1;
  box-shadow: inset 0 0 0 1px {with_alpha(NEUTRAL, 0.28)}; }}
.cl .grid > i.pad {{ opacity: 0.75; box-shadow: none; border: 1px dashed {with_alpha(NEUTRAL, 0.6)}; }}
.cl .grid > i.in {{ box-shadow: inset 0 0 0 2px {MARK}; opacity: 1; }}
.cl .grid > i.now {{ box-shadow: inset 0 0 0 3px {MARK}; font-weight: 700; }}
.cl .of {{ font-size: 0.86rem; font-weight: 600; margin: 0 0 0.1rem; }}
.cl .sum {{ font-size: 0.95rem; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }}
.cl .sum strong {{ color: inherit; border-bottom: 3px solid {MARK}; }}
</style>"""


@dataclass(frozen=True)
class Marks:
    """Cells of a grid that are special, as (row, column) of the grid."""

    window: Collection[tuple[int, int]] = field(default_factory=frozenset)
    padding: Collection[tuple[int, int]] = field(default_factory=frozenset)
    now: Collection[tuple[int, int]] = field(default_factory=frozenset)


def grid(values: NDArray[Any], caption: str, marks: Marks | None = None, *, cell_px: int = CELL_PX,
         largest: float | None = None) -> str:  # fmt: skip
    """Return a grid with its caption; what is NaN stays blank.

    Args:
        largest: The value of the deepest colour; the grid's own largest when left out.
    """
    marks = marks or Marks()
    height, width = values.shape
    finite = np.abs(values[np.isfinite(values)])
    largest = largest or (float(finite.max()) if finite.size else 0.0) or 1.0
    texts = [[cell_text(value) for value in row] for row in values.tolist()]
    longest = max((len(text) for row in texts for text in row), default=1)
    font = f"min(0.85rem, {100 / width * min(0.5, DIGIT_SHARE / max(longest, 1)):.2f}cqw)"
    cells = []
    for row in range(height):
        for column in range(width):
            place = (row, column)
            names = [
                name
                for name, group in (("pad", marks.padding), ("in", marks.window), ("now", marks.now))
                if place in group
            ]
            colour = "" if place in marks.padding else _colour(values[place], largest)
            cells.append(
                f'<i class="{" ".join(names)}" style="font-size:{font};{colour}">{escape(texts[row][column])}</i>'
            )
    return (
        f'<figure style="width:{width * (cell_px + 1)}px"><figcaption>{escape(caption)}</figcaption>'
        f'<div class="grid" role="img" aria-label="{escape(caption)}" '
        f'style="grid-template-columns:repeat({width},minmax(0,1fr))">{"".join(cells)}</div></figure>'
    )


def cell_text(value: float) -> str:
    """Return a number short enough for a cell; NaN is nothing.

    >>> cell_text(-4.0), cell_text(0.126), cell_text(12.34), cell_text(float("nan")), cell_text(-0.001)
    ('−4', '0.13', '12.3', '', '0.00')
    """
    if value != value:
        return ""
    if abs(value - round(value)) < 1e-9 or abs(value) >= 100:
        text = f"{round(value):d}"
    else:
        text = f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
    return ("0.00" if text == "-0.00" else text).replace("-", "−")


def _colour(value: float, largest: float) -> str:
    if value != value or value == 0:
        return ""
    depth = DEEPEST * min(1.0, abs(value) / largest)
    return f"background:{with_alpha(POSITIVE if value > 0 else NEGATIVE, round(depth, 3))}"
