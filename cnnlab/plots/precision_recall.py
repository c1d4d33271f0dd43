"""Precision against recall: how clean the finds of a class are, the more of it is to be found.

Source: Davis and Goadrich 2006, doi:10.1145/1143844.1143874 (points are not joined by straight lines).
"""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from cnnlab.analysis.ranking import RECALLS, Ranking
from cnnlab.plots.overlays import Overlay, add_band, add_line
from cnnlab.plots.palette import colour_of, symbol_of
from cnnlab.plots.ranked_curves import (
    CURVES_PX,
    LEGEND_ROW_PX,
    RankedInfo,
    area_text,
    ranked_info,
    ranked_summary,
)
from cnnlab.plots.template import empty_figure, new_figure

# Average precision of classes with fewer images comes out visibly too high.
FEW_IMAGES = 50


def precision_recall_info(overlays: Sequence[Overlay[Ranking]], chosen: Sequence[int] | None = None) -> RankedInfo:
    """Return the curves with their average precisions, of the chosen averages and classes or of the usual ones."""
    return ranked_info(overlays, chosen, "ap", RECALLS)


def precision_recall(
    info: RankedInfo, colours: Mapping[str, str] | None = None, symbols: Mapping[str, str] | None = None
) -> go.Figure:
    """Draw the curves as steps.

    Args:
        colours: By key, where a page has given them out; `symbols` likewise.
    """
    if info.is_empty:
        return empty_figure("No curve to draw: it takes predictions of two classes.")
    figure = new_figure(
        x_title="Recall (% of the class's images found)",
        y_title="Precision (% of the finds that are right)",
        height_px=CURVES_PX + LEGEND_ROW_PX * len(info.lines),
    )
    colours = colours or colour_of(line.key for line in info.lines)
    symbols = symbols or symbol_of(line.key for line in info.lines)
    for line in info.lines:
        add_band(figure, line, colours[line.key])
    for line in info.lines:
        hover = "precision %{y:.2%} at recall %{x:.1%}"
        add_line(
            figure, line, colours[line.key], name=f"{line.label}: {area_text(line)}", hover=hover,
            style={"shape": "vh"}, symbol=symbols[line.key],
        )  # fmt: skip
    figure.update_layout(hovermode="closest", showlegend=True)
    figure.update_xaxes(range=[-0.01, 1.01], tickformat=".0%")
    figure.update_yaxes(range=[-0.01, 1.02], tickformat=".0%")
    return figure


def precision_recall_summary(info: RankedInfo) -> str:
    """Return one sentence: n, each average precision with its interval, and where it is too high."""
    text = ranked_summary(info, "Precision and recall", "average precision")
    if not info.is_empty and info.few < FEW_IMAGES:
        text += f" The smallest class has {info.few} images: average precision of so few comes out too high."
    return text
