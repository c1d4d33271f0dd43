"""Loss over rising learning rates, and the rates that it speaks for.

Source: Smith 2015, arXiv:1506.01186, figure 3. Differs from the paper: loss in place of accuracy, over a logarithm.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from cnnlab.plots.palette import CATEGORICAL, NEUTRAL, with_alpha
from cnnlab.plots.template import empty_figure, new_figure

# A diverged loss would flatten all before it: the axis ends here, as a multiple of the span below the first loss.
SHOWN_ABOVE = 0.5


@dataclass(frozen=True)
class RateSearchInfo:
    """The curve and its marks: `(name, rate, is_suggested)` each."""

    rates: NDArray[np.float64]
    losses: NDArray[np.float64]
    smoothed: NDArray[np.float64]
    marks: Sequence[tuple[str, float, bool]]
    highest_shown: float

    @property
    def is_empty(self) -> bool:
        return self.rates.size == 0


def rate_search_info(document: Mapping[str, Any]) -> RateSearchInfo:
    """Return what is drawn of the document of `cnnlab find-rate`; a loss of null is no number."""
    rates, losses, smoothed = (np.asarray(document[name], np.float64) for name in ("rates", "losses", "smoothed"))
    names = {"steepest": "falls fastest", "tenth": "a tenth of where it diverges"}
    marks = [
        (words, float(document[rule]), document["rule"] == rule)
        for rule, words in names.items()
        if document[rule] is not None
    ]
    finite = smoothed[np.isfinite(smoothed)]
    highest = float("nan")
    if finite.size:
        first, lowest = float(finite[0]), float(finite.min())
        highest = first + SHOWN_ABOVE * max(first - lowest, 0.1 * abs(first))
    return RateSearchInfo(rates, losses, smoothed, marks, highest)


def rate_search(info: RateSearchInfo, *, height_px: int = 320) -> go.Figure:
    """Draw the single losses, pale, behind their mean, and a line at each marked rate."""
    if info.is_empty:
        return empty_figure("No curve to draw: the loss left at the first step.", height_px=height_px)
    figure = new_figure(x_title="Learning rate", y_title="Training loss", height_px=height_px, revision="rate search")
    hover = "learning rate %{x:.2~e}<br>%{fullData.name} %{y:.4~g}<extra></extra>"
    pale = {"color": with_alpha(CATEGORICAL[0], 0.55), "width": 1}
    strong = {"color": CATEGORICAL[0], "width": 2.5}
    for name, values, line in (("single steps", info.losses, pale), ("mean of a tenth", info.smoothed, strong)):
        figure.add_scatter(x=info.rates, y=values, mode="lines", name=name, line=line, hovertemplate=hover)
    for place, (name, rate, is_suggested) in enumerate(info.marks):
        figure.add_vline(
            x=rate,
            line={"color": CATEGORICAL[1] if is_suggested else NEUTRAL, "dash": "solid" if is_suggested else "dash"},
        )
        # Shapes take the value itself on a logarithmic axis, annotations its logarithm.
        figure.add_annotation(
            text=f"{rate:.2g}: {name}",
            x=math.log10(rate),
            xanchor="right",
            xshift=-4,
            y=1 - 0.09 * place,
            yref="paper",
            showarrow=False,
        )
    figure.update_xaxes(type="log", exponentformat="power", dtick=1)
    lowest = float(np.nanmin(info.smoothed))
    spread = info.highest_shown - lowest
    figure.update_yaxes(range=[lowest - 0.08 * spread, info.highest_shown])
    return figure


def rate_search_summary(info: RateSearchInfo) -> str:
    """Return one sentence: steps, range, and each marked rate."""
    if info.is_empty:
        return "The loss left at the first step."
    marks = "; ".join(f"{rate:.2g}, {name}{' (suggested)' if is_it else ''}" for name, rate, is_it in info.marks)
    return (
        f"Training loss over {info.rates.size} steps of rising learning rate, {info.rates[0]:.1e} to "
        f"{info.rates[-1]:.1e}: {marks or 'it speaks for no rate'}."
    )
