"""Top-1 against what the network costs, the bubble's area proportional to its parameters.

Source: Canziani, Paszke and Culurciello 2016, arXiv:1605.07678, figure 2.
Differs from the paper: logarithmic cost axis, intervals, and a dot in each bubble so that a small
network stays visible without its bubble being drawn larger than its share.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go
import polars as pl

from cnnlab.analysis.groups import summarise
from cnnlab.plots.bubble_rows import COST_MISSING, SCHEMA, Cost, basis, group_row, missing_accuracy, run_row
from cnnlab.plots.bubble_sizes import SIZE_STRIP, add_size_legend, diameter_px, log_ticks, si, size_reference
from cnnlab.plots.labels import distinct, escaped, listed_with_reasons, plural, shortened
from cnnlab.plots.palette import colour_of, symbol_of, with_alpha
from cnnlab.plots.placing import place_labels
from cnnlab.plots.template import empty_figure, new_figure

COST_TITLES = {"num_params": "Parameters", "macs": "Operations (multiply-accumulates for one image)"}
# Names beside more points than that would be a thicket; hover names every point.
LABELLED_POINTS = 14
# The width of a page's column is not known here; labels are placed for this one.
NOMINAL_WIDTH_PX = 520
# A point without an interval ends where it stands.
LOWEST = pl.min_horizontal("low", "accuracy")
HIGHEST = pl.max_horizontal("high", "accuracy")


@dataclass(frozen=True)
class BubblesInfo:
    """One row per bubble. A point's customdata is its `index`: `members[index]` are the runs behind it.

    `not_shown` (the reason) and `names` are by run id.
    """

    cost: Cost
    table: pl.DataFrame
    members: tuple[tuple[str, ...], ...]
    keys: tuple[str, ...]
    not_shown: Mapping[str, str]
    names: Mapping[str, str]
    is_grouped: bool

    @property
    def is_empty(self) -> bool:
        return self.table.is_empty()


def bubbles_info(
    summaries: pl.DataFrame,
    cost: Cost = "num_params",
    *,
    is_grouped: bool = False,
    names: Mapping[str, str] | None = None,
) -> BubblesInfo:
    """Return the bubbles of the chosen runs, and of each run that has none the reason.

    Args:
        summaries: One row per run, in the order of the colours: run_id, name, state, architecture, group_id,
            num_params, macs, test_accuracy, test_correct, test_n.
        cost: What runs to the right.
        is_grouped: One bubble per group: the mean with Student's 95 % interval, or Wilson's of a single run.
        names: What a run (or a group) is called, where not by the column `name`.
    """
    by_run = {row["run_id"]: row for row in summaries.iter_rows(named=True)}
    named = {run_id: (names or {}).get(run_id) or row["name"] or run_id for run_id, row in by_run.items()}
    called = distinct(named)
    if is_grouped:
        groups = summarise(summaries).rows(named=True)
        titles = distinct({group["group_id"]: _group_title(group, names or {}) for group in groups})
        candidates = [(group_row(group, by_run, titles), tuple(group["members"])) for group in groups]
    else:
        candidates = [(run_row(row, called), (run_id,)) for run_id, row in by_run.items()]
    rows, not_shown = [], {}
    for index, (row, members) in enumerate(candidates):
        missing_cost = COST_MISSING["num_params"] if not row["num_params"] else ""
        missing_cost = missing_cost or (COST_MISSING[cost] if not row[cost] else "")
        for run_id in members:
            if reason := missing_accuracy(by_run[run_id]) or missing_cost:
                not_shown[run_id] = reason
        if row["accuracy"] is not None and not missing_cost:
            rows.append({"index": index, **row})
    return BubblesInfo(
        cost=cost,
        table=pl.DataFrame(rows, schema=SCHEMA, orient="row"),
        members=tuple(members for _, members in candidates),
        keys=tuple(row["key"] for row, _ in candidates),
        not_shown=not_shown,
        names=called,
        is_grouped=is_grouped,
    )


def bubbles(
    info: BubblesInfo, *, colour_by: Literal["architecture", "run"] = "architecture", height_px: int = 480
) -> go.Figure:
    """Draw the bubbles with their intervals, a legend of colours and one of sizes.

    Args:
        info: From `bubbles_info`.
        colour_by: By run the colours are those of the learning curves, in the order of the summaries.
        height_px: The width is the page's.
    """
    if info.is_empty:
        return empty_figure("No bubble to draw: it takes a run with a test accuracy and counted costs.")
    figure = new_figure(
        x_title=COST_TITLES[info.cost],
        y_title="Top-1 accuracy on test (%)",
        height_px=height_px,
        revision=f"bubbles/{info.cost}",
    )
    largest = int(info.table["num_params"].max())  # type: ignore[arg-type]
    sizeref = size_reference(largest)
    x_range, y_range = _ranges(info)
    positions = _label_positions(info, x_range, y_range, sizeref, height_px)
    classes = info.table["architecture"] if colour_by == "architecture" else info.table["key"]
    order = sorted(set(classes)) if colour_by == "architecture" else info.keys
    colours, symbols = colour_of(order), symbol_of(order)
    table = info.table.with_columns(kind=classes, position=pl.Series(positions, dtype=pl.String))
    for kind in [name for name in order if name in set(classes)]:
        part = table.filter(pl.col("kind") == kind)
        title = kind if colour_by == "architecture" else part["label"][0]
        _add_bubbles(figure, info, part, title, colours[kind], symbols[kind], sizeref)
    add_size_legend(figure, largest, sizeref)
    ticks = log_ticks(*x_range)
    figure.update_layout(clickmode="event+select", hovermode="closest", legend={"itemsizing": "constant"})
    figure.update_layout(
        xaxis={"type": "log", "range": x_range, "tickvals": ticks, "ticktext": [si(tick) for tick in ticks]},
        yaxis={"range": y_range, "tickformat": ".0%" if y_range[1] - y_range[0] > 0.05 else ".1%"},
    )
    return figure


def bubbles_summary(info: BubblesInfo) -> str:
    """Return one sentence: how many runs, the best with its interval and n, and which are not shown and why."""
    hidden = listed_with_reasons(info.not_shown, info.names)
    if info.is_empty:
        return f"No run has both a test accuracy and counted costs{f': {hidden}' if hidden else ''}."
    best = info.table.sort("accuracy", descending=True, maintain_order=True).row(0, named=True)
    runs = int(info.table["n_runs"].sum())
    what = plural(runs, "run") + (f" in {plural(info.table.height, 'group')}" if info.is_grouped else "")
    cost = "parameters" if info.cost == "num_params" else "operations for one image"
    text = f"Top-1 accuracy on test against {cost}, of {what}: best {best['label']} with {100 * best['accuracy']:.2f} %"
    if best["low"] is not None:
        text += f" (95 % interval {100 * best['low']:.2f} to {100 * best['high']:.2f} %, {basis(best)})"
    return text + (f"; not shown: {hidden}." if hidden else ".")


def _group_title(group: Mapping[str, Any], names: Mapping[str, str]) -> str:
    first = group["members"][0]
    return names.get(group["group_id"]) or group["name"] or names.get(first) or first


def _ranges(info: BubblesInfo) -> tuple[list[float], list[float]]:
    """Return the range of x as powers of ten and of y, wide enough for bubbles and names."""
    cost = np.log10(info.table[info.cost].to_numpy())
    pad = max(0.25, 0.12 * float(np.ptp(cost)))
    low = np.min(info.table.select(LOWEST).to_numpy())
    high = np.max(info.table.select(HIGHEST).to_numpy())
    low, high = max(0.0, float(low)), min(1.0, float(high))
    space = max(0.01, 0.15 * (high - low))
    return [float(cost.min()) - pad, float(cost.max()) + pad], [low - space, high + space]


def _label_positions(
    info: BubblesInfo, x_range: list[float], y_range: list[float], sizeref: float, height_px: int
) -> list[str | None]:
    if info.table.height > LABELLED_POINTS:
        return [None] * info.table.height
    plot_px = (height_px - 130) * (1 - SIZE_STRIP)
    xs = (np.log10(info.table[info.cost].to_numpy()) - x_range[0]) / (x_range[1] - x_range[0]) * NOMINAL_WIDTH_PX
    ys = (y_range[1] - info.table["accuracy"].to_numpy()) / (y_range[1] - y_range[0]) * plot_px
    radii = [diameter_px(size, sizeref) / 2 for size in info.table["num_params"]]
    labels = [shortened(label) for label in info.table["label"]]
    scale = plot_px / (y_range[1] - y_range[0])
    bars = [
        (x - 3, (y_range[1] - high) * scale, x + 3, (y_range[1] - low) * scale)
        for x, (low, high) in zip(xs, info.table.select(LOWEST, HIGHEST).iter_rows(), strict=True)
    ]
    return place_labels(list(zip(xs.tolist(), ys.tolist(), strict=True)), radii, labels, NOMINAL_WIDTH_PX, bars)


def _add_bubbles(
    figure: go.Figure, info: BubblesInfo, part: pl.DataFrame, title: str, colour: str, symbol: str, sizeref: float
) -> None:
    """Add the areas, and above them the dots that carry intervals, hover text and clicks."""
    x, y = part[info.cost].to_numpy(), part["accuracy"].to_numpy()
    texts = [
        escaped(shortened(label)) if position else ""
        for label, position in part.select("label", "position").iter_rows()
    ]
    shared: dict[str, Any] = {
        "x": x,
        "y": y,
        "name": escaped(shortened(title)),
        "legendgroup": title,
        "customdata": part["index"].to_numpy().astype(np.int32),
        "hovertext": [_hover(row) for row in part.iter_rows(named=True)],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "cliponaxis": False,
    }
    figure.add_scatter(
        **shared,
        mode="markers+text",
        text=texts,
        textposition=[position or "top center" for position in part["position"]],
        marker={
            "size": part["num_params"].to_numpy(),
            "sizemode": "area",
            "sizeref": sizeref,
            "color": with_alpha(colour, 0.35),
            "line": {"color": colour, "width": 1},
        },
        showlegend=False,
    )
    figure.add_scatter(
        **shared,
        mode="markers",
        marker={"size": 7, "color": colour, "symbol": symbol},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": (part["high"].fill_null(math.nan) - part["accuracy"]).to_numpy(),
            "arrayminus": (part["accuracy"] - part["low"].fill_null(math.nan)).to_numpy(),
            "color": colour,
            "thickness": 1.5,
            "width": 3,
        },
    )


def _hover(row: Mapping[str, Any]) -> str:
    lines = [f"<b>{escaped(row['label'])}</b> ({escaped(row['architecture'])})", f"top-1 {100 * row['accuracy']:.2f} %"]
    if row["low"] is not None:
        lines[-1] += f" [{100 * row['low']:.2f}, {100 * row['high']:.2f}]"
    lines.append(basis(row))
    lines.append(f"{row['num_params']:,} parameters")
    lines.append(f"{row['macs']:,} operations (MACs)" if row["macs"] else "operations not counted")
    return "<br>".join(line for line in lines if line)
