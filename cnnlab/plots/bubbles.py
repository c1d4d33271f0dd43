"""Top-1 against what the network costs, the bubble's area proportional to its parameters.

Source: Canziani, Paszke and Culurciello 2016, arXiv:1605.07678, figure 2.
Differs from the paper: intervals, the Pareto front, a logarithmic cost axis unless asked otherwise, and a dot
in each bubble so that a small network stays visible without its bubble being drawn larger than its share.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go
import polars as pl

from cnnlab.plots.bubble_layout import Scale, axes_of, is_drawable, label_positions, names_at_bars
from cnnlab.plots.bubble_rows import COST_MISSING, Cost, basis, drawn_name
from cnnlab.plots.bubble_sizes import add_size_legend, size_reference
from cnnlab.plots.labels import escaped, listed_with_reasons, plural, shortened
from cnnlab.plots.palette import NEUTRAL, colour_of, symbol_of, with_alpha
from cnnlab.plots.pareto import ParetoInfo, add_pareto
from cnnlab.plots.placing import BAR_ENDS
from cnnlab.plots.points import Points, run_points, without
from cnnlab.plots.template import empty_figure, new_figure

COST_TITLES = {"num_params": "Parameters", "macs": "Operations (multiply-accumulates for one image)"}
# Of many architectures on a phone; the rest of the legend is scrolled to.
LEGEND_PX = 118
# Of more, all areas are one trace: each trace costs the browser several milliseconds, and the server too. A click
# in the legend then hides dots and intervals only.
MOST_PAIRS = 12
# A point of the layer behind leads nowhere when clicked.
NOWHERE = -1


@dataclass(frozen=True)
class BubblesInfo(Points):
    """The points that have a place on an axis of `cost`; one bubble each."""

    cost: Cost = "num_params"


def bubbles_info(
    summaries: pl.DataFrame,
    cost: Cost = "num_params",
    *,
    is_grouped: bool = False,
    names: Mapping[str, str] | None = None,
) -> BubblesInfo:
    """Return the bubbles of the chosen runs, and of each run that has none the reason; see `run_points`."""
    return bubbles_of(run_points(summaries, is_grouped=is_grouped, names=names), cost)


def bubbles_of(points: Points, cost: Cost) -> BubblesInfo:
    """Return the points that have both their parameters, for the area, and `cost`."""
    reasons = {}
    for row in points.table.select("index", "num_params", "macs").iter_rows(named=True):
        for needed in ("num_params", cost):
            if not is_drawable(row[needed]):
                reasons[row["index"]] = COST_MISSING[needed]
                break
    return BubblesInfo(**vars(without(points, reasons)), cost=cost)


def bubbles(
    info: BubblesInfo,
    *,
    colour_by: Literal["architecture", "run"] = "architecture",
    scale: Scale = "log",
    front: ParetoInfo | None = None,
    behind: BubblesInfo | None = None,
    architectures: Sequence[str] | None = None,
    height_px: int = 480,
) -> go.Figure:
    """Draw the bubbles with their intervals, a legend of colours and one of sizes.

    Args:
        info: From `bubbles_info`.
        colour_by: By run the colours are those of the learning curves, in the order of the summaries.
        scale: Of the cost axis.
        front: Drawn as a staircase; where there are too many bubbles to name, its members are named.
        behind: Drawn faintly, in the same scale of areas.
        architectures: Of the whole page, so that colours are the same on each of its charts.
        height_px: The width is the page's.
    """
    if info.is_empty:
        return empty_figure(f"No bubble to draw: it takes a {info.noun} with a test accuracy and counted costs.")
    tables = [info.table] if behind is None or behind.is_empty else [info.table, behind.table]
    axes = axes_of(tables, info.cost, scale)
    figure = new_figure(
        x_title=COST_TITLES[info.cost],
        y_title=f"Top-1 accuracy on {info.tested_on} (%)",
        height_px=height_px,
        revision=f"bubbles/{info.cost}/{scale}/{len(tables)}",
    )
    largest = max(int(table["num_params"].max()) for table in tables)  # type: ignore[arg-type]
    sizeref = size_reference(largest)
    if behind is not None and len(tables) == 2:
        _add_behind(figure, behind, sizeref)
    if front is not None:
        add_pareto(figure, front, axes.right_end)
    members, stairs = (front.indices, front.steps) if front else ([], [])
    named = info.table.with_columns(label=drawn_name(is_grouped=info.is_grouped))
    positions = label_positions(named, info.cost, axes, sizeref, height_px, members, stairs)
    table = named.with_columns(position=pl.Series(positions, dtype=pl.String))
    if colour_by == "architecture":
        order = architectures or sorted(set(table["architecture"]))
        figure.add_traces(_traces(info, table.with_columns(kind="architecture", title="architecture"), order, sizeref))
    else:
        figure.add_traces(_traces(info, table.with_columns(kind="key", title="label"), info.keys, sizeref))
    add_size_legend(figure, largest, sizeref)
    legend = {"itemsizing": "constant", "maxheight": LEGEND_PX}
    figure.update_layout(clickmode="event+select", hovermode="closest", legend=legend, **axes.layout())
    return figure


def bubbles_summary(info: BubblesInfo) -> str:
    """Return one sentence: how many runs, the best with its interval and n, and which are not shown and why.

    Of one alone it is not said that it is the best.
    """
    hidden = listed_with_reasons(info.not_shown, info.names)
    if info.is_empty:
        return f"No {info.noun} has both a test accuracy and counted costs{f': {hidden}' if hidden else ''}."
    best = info.table.sort("accuracy", descending=True, maintain_order=True).row(0, named=True)
    runs = int(info.table["n_runs"].sum())
    what = plural(runs, info.noun) + (f" in {plural(info.table.height, 'group')}" if info.is_grouped else "")
    cost = "parameters" if info.cost == "num_params" else "operations for one image"
    text = f"Top-1 accuracy on {info.tested_on} against {cost}, of {what}: "
    text += f"{'best ' if info.table.height > 1 else ''}{best['label']} with "
    text += f"{100 * best['accuracy']:.2f} %"
    if best["low"] is not None:
        text += f" (95 % interval {100 * best['low']:.2f} to {100 * best['high']:.2f} %, {basis(best)})"
    return text + (f"; not shown: {hidden}." if hidden else ".")


def hover(row: Mapping[str, Any]) -> str:
    """Return all numbers of a point, line by line."""
    lines = [f"<b>{escaped(row['label'])}</b> ({escaped(row['architecture'])})", f"top-1 {100 * row['accuracy']:.2f} %"]
    if row["low"] is not None:
        lines[-1] += f" [{100 * row['low']:.2f}, {100 * row['high']:.2f}]"
    lines.append(basis(row))
    lines.append(f"{row['num_params']:,} parameters" if row["num_params"] else "parameters not known")
    lines.append(f"{row['macs']:,} operations (MACs)" if row["macs"] else "operations not counted")
    return "<br>".join(line for line in lines if line)


def _add_behind(figure: go.Figure, info: BubblesInfo, sizeref: float) -> None:
    """Add the areas of another table, pale and without names: they are there to be compared with."""
    table = info.table
    figure.add_scatter(
        x=table[info.cost].to_numpy(),
        y=table["accuracy"].to_numpy(),
        mode="markers",
        name=f"{info.tested_on}, published (n = {table.height})",
        customdata=np.full(table.height, NOWHERE, np.int32),
        hovertext=[hover(row) for row in table.iter_rows(named=True)],
        hovertemplate="%{hovertext}<extra></extra>",
        marker={
            "size": table["num_params"].to_numpy(),
            "sizemode": "area",
            "sizeref": sizeref,
            "color": with_alpha(NEUTRAL, 0.12),
            "line": {"color": with_alpha(NEUTRAL, 0.4), "width": 1},
        },
        cliponaxis=False,
    )


def _traces(info: BubblesInfo, table: pl.DataFrame, order: Sequence[str], sizeref: float) -> list[dict[str, Any]]:
    """Return areas, dots and names of each kind, to be added at once: one after another takes plotly twice as long.

    Args:
        table: Of `info`, with `kind`, which has a colour, `title` of its place in the legend, `label`, `position`.
        order: All kinds there may be, in the order of the colours.
    """
    colours, symbols = colour_of(order), symbol_of(order)
    parts = table.partition_by("kind", as_dict=True, maintain_order=True)
    kinds = [name for name in order if (name,) in parts]
    traces = []
    if len(kinds) > MOST_PAIRS:
        traces += _areas(info, table, [colours[kind] for kind in table["kind"]], sizeref)
    for kind in kinds:
        part = parts[kind,]
        title = part["title"][0]
        if len(kinds) <= MOST_PAIRS:
            traces += _areas(info, part, [colours[kind]] * part.height, sizeref, title)
        traces.append(_dots(info, part, title, colours[kind], symbols[kind]))
    return traces


def _areas(
    info: BubblesInfo,
    part: pl.DataFrame,
    colours: Sequence[str],
    sizeref: float,
    title: str | None = None,
) -> list[dict[str, Any]]:
    """Return the traces of the areas with their names; those of one `title` are hidden with its dots."""
    group: dict[str, Any] = {} if title is None else {"legendgroup": title, "name": escaped(shortened(title))}
    texts = [
        escaped(shortened(label)) if position else ""
        for label, position in part.select("label", "position").iter_rows()
    ]
    marker = {
        "size": part["num_params"].to_numpy(),
        "sizemode": "area",
        "sizeref": sizeref,
        "color": _one_or_all([with_alpha(colour, 0.35) for colour in colours]),
        "line": {"color": _one_or_all(colours), "width": 1},
    }
    at_bars = names_at_bars(part, info.cost, texts)
    sides = [None if position in BAR_ENDS else position for position in part["position"]]
    text = {
        "mode": "markers+text",
        "text": [text if side else "" for text, side in zip(texts, sides, strict=True)],
        "textposition": [side or "top center" for side in sides],
    }
    areas = {**_points(info, part), **group, **text, "marker": marker, "showlegend": False}
    return [areas] if at_bars is None else [areas, {**at_bars, **group}]


def _dots(info: BubblesInfo, part: pl.DataFrame, title: str, colour: str, symbol: str) -> dict[str, Any]:
    """Return the trace of the dots above the areas, which carry intervals, hover text and clicks."""
    interval = {
        "type": "data",
        "symmetric": False,
        "array": (part["high"].fill_null(math.nan) - part["accuracy"]).to_numpy(),
        "arrayminus": (part["accuracy"] - part["low"].fill_null(math.nan)).to_numpy(),
        "color": colour,
        "thickness": 1.5,
        "width": 3,
    }
    marker = {"size": 7, "color": colour, "symbol": symbol}
    names = {"name": escaped(shortened(title)), "legendgroup": title}
    return {**_points(info, part), **names, "mode": "markers", "marker": marker, "error_y": interval}


def _one_or_all(colours: Sequence[str]) -> str | list[str]:
    return colours[0] if len(set(colours)) == 1 else list(colours)


def _points(info: BubblesInfo, part: pl.DataFrame) -> dict[str, Any]:
    return {
        "type": "scatter",
        "x": part[info.cost].to_numpy(),
        "y": part["accuracy"].to_numpy(),
        "customdata": part["index"].to_numpy().astype(np.int32),
        "hovertext": [hover(row) for row in part.iter_rows(named=True)],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "cliponaxis": False,
    }
