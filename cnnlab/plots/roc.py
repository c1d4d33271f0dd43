"""ROC: what share of a class is found at what share of false alarms.

Source: Fawcett 2006, doi:10.1016/j.patrec.2005.10.010.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from cnnlab.analysis.ranking import FALSE_ALARMS, Ranking
from cnnlab.plots.overlays import Overlay, add_band, add_line
from cnnlab.plots.palette import NEUTRAL, colour_of, symbol_of
from cnnlab.plots.ranked_curves import (
    CURVES_PX,
    LEGEND_ROW_PX,
    RankedInfo,
    area_text,
    ranked_info,
    ranked_summary,
)
from cnnlab.plots.template import empty_figure, new_figure

# What the logarithmic axis begins with; at fewer false alarms there is nothing to see.
LEAST = 1e-4


def roc_info(overlays: Sequence[Overlay[Ranking]], chosen: Sequence[int] | None = None) -> RankedInfo:
    """Return the curves with the areas under them, of the chosen averages and classes or of the usual ones."""
    return ranked_info(overlays, chosen, "auc", FALSE_ALARMS)


def roc(
    info: RankedInfo,
    colours: Mapping[str, str] | None = None,
    symbols: Mapping[str, str] | None = None,
    *,
    is_log: bool = False,
) -> go.Figure:
    """Draw the curves over the line of guessing.

    Args:
        colours: By key, where a page has given them out; `symbols` likewise.
        is_log: Stretch the few false alarms, where good networks differ.
    """
    if info.is_empty:
        return empty_figure("No curve to draw: it takes predictions of two classes.")
    figure = new_figure(
        x_title="False alarms (% of the other images)",
        y_title="Found (% of the class's images)",
        height_px=CURVES_PX + LEGEND_ROW_PX * len(info.lines),
        revision=str(is_log),
    )
    colours = colours or colour_of(line.key for line in info.lines)
    symbols = symbols or symbol_of(line.key for line in info.lines)
    figure.add_scatter(
        x=FALSE_ALARMS,
        y=FALSE_ALARMS,
        mode="lines",
        line={"color": NEUTRAL, "width": 1, "dash": "dot"},
        name="guessing (AUC 0.5)",
        hoverinfo="skip",
        legendrank=2000,
    )
    for line in info.lines:
        add_band(figure, line, colours[line.key])
    for line in info.lines:
        hover = "finds %{y:.2%} at %{x:.3%} false alarms"
        name = f"{line.label}: {area_text(line)}"
        add_line(figure, line, colours[line.key], name=name, hover=hover, symbol=symbols[line.key])
    figure.update_layout(hovermode="closest", showlegend=True)
    figure.update_yaxes(range=[-0.01, 1.01], tickformat=".0%")
    if is_log:
        figure.update_xaxes(type="log", range=[np.log10(LEAST), 0], tickformat="~%", dtick=1)
    else:
        figure.update_xaxes(range=[-0.01, 1.01], tickformat=".0%")
    return figure


def roc_summary(info: RankedInfo) -> str:
    """Return one sentence: n, the area under each curve with its interval, and what has none."""
    return ranked_summary(info, "ROC", "area under the curve")
