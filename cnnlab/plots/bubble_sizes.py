"""How large a bubble is, the legend that says so, and ticks of an axis over several powers of ten."""

import math

import plotly.graph_objects as go

from cnnlab.plots.palette import NEUTRAL, with_alpha

LARGEST_BUBBLE_PX = 56
# Share of the height that the legend of sizes takes, above the plot.
SIZE_STRIP = 0.17
# Where the bubbles of the legend stand, of 3: on a phone the largest takes nearly a third of it.
SIZE_PLACES = (0.08, 0.95, 2.25)


def size_reference(largest: int) -> float:
    """Return plotly's `sizeref` that gives the largest bubble its diameter; area is then exactly in proportion."""
    return 2.0 * largest / LARGEST_BUBBLE_PX**2


def diameter_px(num_params: float, sizeref: float) -> float:
    """Return the diameter that plotly draws with `sizemode='area'`: twice the root of size / (2 sizeref)."""
    return 2.0 * math.sqrt(num_params / 2.0 / sizeref)


def size_steps(largest: int) -> list[int]:
    """Return up to three round numbers of parameters, largest last: 1, 2 or 5 times a power of ten."""
    return sorted({_round_down(largest / part) for part in (25, 5, 1) if largest >= part})


def log_ticks(low: float, high: float) -> list[int]:
    """Return up to seven round numbers between two powers of ten; plotly's own would overlap or lean on a phone."""
    decades = [decade for decade in range(math.floor(low), math.ceil(high) + 1) if decade >= 0]
    ticks: list[int] = []
    for digits, every in (((1, 2, 5), 1), ((1, 3), 1), ((1,), 1), ((1,), 2), ((1,), 3)):
        ticks = [digit * 10**decade for decade in decades if decade % every == 0 for digit in digits]
        ticks = [tick for tick in ticks if low <= math.log10(tick) <= high]
        if len(ticks) <= 7:
            break
    return ticks


def _round_down(number: float) -> int:
    power = 10 ** math.floor(math.log10(number))
    return max(step * power for step in (1, 2, 5) if step * power <= number)


def add_size_legend(figure: go.Figure, largest: int, sizeref: float) -> None:
    """Draw bubbles of round sizes in a strip above the plot, on axes of their own."""
    steps = size_steps(largest)
    figure.add_scatter(
        x=SIZE_PLACES[-len(steps) :],
        y=[0] * len(steps),
        xaxis="x2",
        yaxis="y2",
        mode="markers+text",
        text=[f"  {si(step)}" for step in steps],
        textposition="middle right",
        marker={
            "size": steps,
            "sizemode": "area",
            "sizeref": sizeref,
            "color": with_alpha(NEUTRAL, 0.25),
            "line": {"color": NEUTRAL, "width": 1},
        },
        cliponaxis=False,
        hoverinfo="skip",
        showlegend=False,
    )
    bare = {"visible": False, "fixedrange": True}
    figure.update_layout(
        yaxis={"domain": [0, 1 - SIZE_STRIP]},
        xaxis2={**bare, "domain": [0.33, 1], "range": [0, 3], "anchor": "y2"},
        yaxis2={**bare, "domain": [1 - SIZE_STRIP, 1], "range": [-1, 1], "anchor": "x2"},
    )
    figure.add_annotation(
        text="Area: parameters",
        x=0,
        y=1 - SIZE_STRIP / 2,
        xref="paper",
        yref="paper",
        xanchor="left",
        yanchor="middle",
        showarrow=False,
    )


def si(number: int) -> str:
    """Return 20 k, 1.5 M or 2 G."""
    for factor, letter in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= factor:
            return f"{number / factor:g} {letter}"
    return str(number)
