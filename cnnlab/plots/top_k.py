"""How often the true class is among the k most probable ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from cnnlab.analysis.top_k import TopK
from cnnlab.plots.labels import plural
from cnnlab.plots.overlays import (
    Line,
    Overlay,
    add_line,
    basis,
    column,
    combined,
    error_bars,
    images_text,
    left_out_text,
    listed,
    most,
)
from cnnlab.plots.palette import colour_of, symbol_of
from cnnlab.plots.template import empty_figure, give_legend_room, new_figure

TOLD = (1, 5)


@dataclass(frozen=True)
class TopKInfo:
    """Accuracy over k, one line per run or group.

    Attributes:
        n: Images of a run.
        over: The same in words; where they differ, those of each curve.
        num_classes: Of the output.
        tied: Images whose true class shares its probability with another, of the run that has most.
        left_out: Images without an answer, of the run that has most.
    """

    lines: tuple[Line, ...]
    n: int
    num_classes: int
    tied: int
    left_out: int
    over: str

    @property
    def is_empty(self) -> bool:
        return self.n == 0


def top_k_info(overlays: Sequence[Overlay[TopK]]) -> TopKInfo:
    """Return the lines, in the order of their colours."""
    lines = []
    for one in overlays:
        tables = [result.table for result in one.results]
        y, low, high, runs = combined(
            *([column(table, name) for table in tables] for name in ("accuracy", "low", "high"))
        )
        lines.append(Line(one.key, one.label, np.arange(1.0, len(y) + 1), y, low, high, runs))
    counts = {name: most(overlays, name) for name in ("n", "num_classes", "tied", "left_out")}
    return TopKInfo(tuple(lines), **counts, over=images_text(overlays))


def top_k(
    info: TopKInfo, colours: Mapping[str, str] | None = None, symbols: Mapping[str, str] | None = None
) -> go.Figure:
    """Draw the lines with their intervals.

    Args:
        colours: By key, where a page has given them out; `symbols` likewise.
    """
    if info.is_empty:
        return empty_figure("No predictions yet: they come when the run has ended.")
    figure = new_figure(x_title="k: how many guesses count", y_title="Top-k accuracy (%)", height_px=380)
    colours = colours or colour_of(line.key for line in info.lines)
    symbols = symbols or symbol_of(line.key for line in info.lines)
    for line in info.lines:
        add_line(
            figure,
            line,
            colours[line.key],
            name=line.label,
            hover="true class among the first %{x}: %{y:.2%}",
            mode="lines+markers",
            symbol=symbols[line.key],
            error_y=error_bars(line, colours[line.key]),
            showlegend=len(info.lines) > 1,
        )
    figure.update_layout(hovermode="closest")
    figure.update_xaxes(dtick=1, range=[0.6, max(len(line.x) for line in info.lines) + 0.4])
    figure.update_yaxes(tickformat="~%", autorangeoptions={"clipmin": -0.01, "clipmax": 1.01})
    give_legend_room(figure, len(info.lines))
    return figure


def top_k_summary(info: TopKInfo) -> str:
    """Return one sentence: n, and top-1 and top-5 of each line with their intervals."""
    if info.is_empty:
        return "No predictions are known yet."
    text = f"Top-k accuracy over {info.over} in {plural(info.num_classes, 'class', 'classes')}, "
    text += f"{basis(info.lines)}: " + listed([_told(info, line) for line in info.lines])
    if info.tied:
        text += (
            f"; in {plural(info.tied, 'image')} the true class shares its probability with another, and the one that "
            "comes first in the list of classes goes first"
        )
    return text + left_out_text(info.left_out) + "."


def _told(info: TopKInfo, line: Line) -> str:
    parts = []
    for k in TOLD:
        if k <= len(line.y) and k < info.num_classes:
            low, high = line.low[k - 1], line.high[k - 1]
            ends = f" ({100 * low:.1f} to {100 * high:.1f} %)" if np.isfinite([low, high]).all() else ""
            parts.append(f"top-{k} {100 * line.y[k - 1]:.2f} %{ends}")
    return (f"{line.label}: " if len(info.lines) > 1 else "") + " and ".join(parts)
