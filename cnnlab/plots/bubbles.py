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

from cnnlab.analysis.groups import is_known, summarise
from cnnlab.analysis.intervals import wilson
from cnnlab.plots.palette import NEUTRAL, colour_of, symbol_of, with_alpha
from cnnlab.plots.placing import place_labels
from cnnlab.plots.template import GRID, empty_figure, escaped, new_figure, plural, shortened

Cost = Literal["num_params", "macs"]

LARGEST_BUBBLE_PX = 56
COST_TITLES = {"num_params": "Parameters", "macs": "Operations (multiply-accumulates for one image)"}
COST_MISSING = {"num_params": "parameters are not known", "macs": "operations were not counted"}
# Names beside more points than that would be a thicket; hover names every point.
LABELLED_POINTS = 14
# The width of a page's column is not known here; labels are placed for this one.
NOMINAL_WIDTH_PX = 680
SIZE_STRIP = 0.17

SCHEMA = {
    "index": pl.Int64,
    "key": pl.String,
    "label": pl.String,
    "architecture": pl.String,
    "num_params": pl.Int64,
    "macs": pl.Int64,
    "accuracy": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "interval": pl.String,
    "n_images": pl.Int64,
    "n_runs": pl.Int64,
}


@dataclass(frozen=True)
class BubblesInfo:
    """One row per bubble. A point's customdata is its `index`: `members[index]` are the runs behind it."""

    cost: Cost
    table: pl.DataFrame
    members: tuple[tuple[str, ...], ...]
    keys: tuple[str, ...]
    not_shown: Mapping[str, str]
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
        names: What a run is called, where not by the column `name`.
    """
    called = {
        row["run_id"]: (names or {}).get(row["run_id"]) or row["name"] or row["run_id"]
        for row in summaries.select("run_id", "name").iter_rows(named=True)
    }
    by_run = {row["run_id"]: row for row in summaries.iter_rows(named=True)}
    not_shown = {run_id: reason for run_id, row in by_run.items() if (reason := _why_not(row, cost))}
    if is_grouped:
        grouped = summarise(summaries).iter_rows(named=True)
        candidates = [_group_row(row, by_run, called) for row in grouped]
    else:
        candidates = [(_run_row(row, called), (run_id,)) for run_id, row in by_run.items()]
    rows = []
    for index, (row, members) in enumerate(candidates):
        if all(run_id in not_shown for run_id in members):
            continue
        if row[cost] and row["num_params"] and row["accuracy"] is not None:
            rows.append({"index": index, **row})
    return BubblesInfo(
        cost=cost,
        table=pl.DataFrame(rows, schema=SCHEMA, orient="row"),
        members=tuple(members for _, members in candidates),
        keys=tuple(row["key"] for row, _ in candidates),
        not_shown={called[run_id]: reason for run_id, reason in not_shown.items()},
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
    _add_size_legend(figure, largest, sizeref)
    figure.update_layout(clickmode="event+select", hovermode="closest", legend={"itemsizing": "constant"})
    figure.update_layout(
        xaxis={"type": "log", "range": x_range, "tickformat": "~s", "nticks": 8},
        yaxis={"range": y_range, "tickformat": ".0%" if y_range[1] - y_range[0] > 0.05 else ".1%"},
    )
    return figure


def bubbles_summary(info: BubblesInfo) -> str:
    """Return one sentence: how many runs, the best with its interval and n, and which are not shown and why."""
    hidden = ", ".join(f"{label} ({reason})" for label, reason in info.not_shown.items())
    if info.is_empty:
        return f"No run has both a test accuracy and counted costs{f': {hidden}' if hidden else ''}."
    best = info.table.sort("accuracy", descending=True, maintain_order=True).row(0, named=True)
    runs = int(info.table["n_runs"].sum())
    what = plural(runs, "run") + (f" in {plural(info.table.height, 'group')}" if info.is_grouped else "")
    cost = "parameters" if info.cost == "num_params" else "operations for one image"
    text = f"Top-1 accuracy on test against {cost}, of {what}: best {best['label']} with {100 * best['accuracy']:.2f} %"
    if best["low"] is not None:
        text += f" (95 % interval {100 * best['low']:.2f} to {100 * best['high']:.2f} %, {_basis(best)})"
    return text + (f"; not shown: {hidden}." if hidden else ".")


def size_reference(largest: int) -> float:
    """Return plotly's `sizeref` that gives the largest bubble its diameter; area is then exactly in proportion."""
    return 2.0 * largest / LARGEST_BUBBLE_PX**2


def diameter_px(num_params: float, sizeref: float) -> float:
    """Return the diameter that plotly draws with `sizemode='area'`: twice the root of size / (2 sizeref)."""
    return 2.0 * math.sqrt(num_params / 2.0 / sizeref)


def size_steps(largest: int) -> list[int]:
    """Return up to three round numbers of parameters, largest last: 1, 2 or 5 times a power of ten."""
    return sorted({_round_down(largest / part) for part in (25, 5, 1) if largest >= part})


def _round_down(number: float) -> int:
    power = 10 ** math.floor(math.log10(number))
    return max(step * power for step in (1, 2, 5) if step * power <= number)


def _why_not(row: Mapping[str, Any], cost: Cost) -> str:
    if not is_known(row["test_accuracy"]):
        if row["test_accuracy"] is not None:
            return "its test accuracy is not a number"
        return f"no test accuracy, {row['state']}" if row.get("state") else "no test accuracy"
    if not row["num_params"]:
        return COST_MISSING["num_params"]
    return "" if row[cost] else COST_MISSING[cost]


def _run_row(row: Mapping[str, Any], called: Mapping[str, str]) -> dict[str, Any]:
    low, high = _wilson_of(row)
    return {
        "key": row["run_id"],
        "label": called[row["run_id"]],
        "architecture": row["architecture"] or "unknown",
        "num_params": row["num_params"],
        "macs": row["macs"],
        "accuracy": row["test_accuracy"] if is_known(row["test_accuracy"]) else None,
        "low": low,
        "high": high,
        "interval": None if low is None else "wilson",
        "n_images": row["test_n"],
        "n_runs": 1,
    }


def _group_row(
    group: Mapping[str, Any], by_run: Mapping[str, Mapping[str, Any]], called: Mapping[str, str]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    members = tuple(group["members"])
    known = [by_run[run_id] for run_id in members if run_id not in group["missing"]]
    row = _run_row(known[0] if known else by_run[members[0]], called)
    row.update(key=group["group_id"], num_params=group["num_params"], macs=group["macs"], n_runs=group["n"])
    row["accuracy"] = group["mean"]
    if group["n"] > 1:
        row.update(low=group["low"], high=group["high"], interval="student")
    return row, members


def _wilson_of(row: Mapping[str, Any]) -> tuple[float | None, float | None]:
    correct, n = row["test_correct"], row["test_n"]
    return (None, None) if correct is None or not n else wilson(correct, n)


def _ranges(info: BubblesInfo) -> tuple[list[float], list[float]]:
    """Return the range of x as powers of ten and of y, wide enough for bubbles and names."""
    cost = np.log10(info.table[info.cost].to_numpy())
    pad = max(0.25, 0.12 * float(np.ptp(cost)))
    low = np.nanmin(info.table.select(pl.min_horizontal("low", "accuracy")).to_numpy())
    high = np.nanmax(info.table.select(pl.max_horizontal("high", "accuracy")).to_numpy())
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
    return place_labels(list(zip(xs.tolist(), ys.tolist(), strict=True)), radii, labels, NOMINAL_WIDTH_PX)


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
    lines.append(_basis(row))
    lines.append(f"{row['num_params']:,} parameters")
    lines.append(f"{row['macs']:,} operations (MACs)" if row["macs"] else "operations not counted")
    return "<br>".join(line for line in lines if line)


def _basis(row: Mapping[str, Any]) -> str:
    """Return what the interval stands on."""
    if row["interval"] == "student":
        return f"mean of n = {row['n_runs']} runs, Student's t"
    return f"n = {row['n_images']:,} images, Wilson" if row["interval"] else "no interval: n is not known"


def _add_size_legend(figure: go.Figure, largest: int, sizeref: float) -> None:
    """Draw bubbles of round sizes in a strip above the plot, on axes of their own."""
    steps = size_steps(largest)
    figure.add_scatter(
        x=[place + 0.5 for place in range(len(steps))],
        y=[0] * len(steps),
        xaxis="x2",
        yaxis="y2",
        mode="markers+text",
        text=[f"  {_si(step)}" for step in steps],
        textposition="middle right",
        marker={
            "size": steps,
            "sizemode": "area",
            "sizeref": sizeref,
            "color": with_alpha(NEUTRAL, 0.25),
            "line": {"color": NEUTRAL, "width": 1},
        },
        hoverinfo="skip",
        showlegend=False,
    )
    bare = {"visible": False, "fixedrange": True}
    figure.update_layout(
        yaxis={"domain": [0, 1 - SIZE_STRIP]},
        xaxis2={**bare, "domain": [0.3, 1], "range": [0, 3], "anchor": "y2"},
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
        bordercolor=GRID,
    )


def _si(number: int) -> str:
    for factor, letter in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= factor:
            return f"{number / factor:g} {letter}"
    return str(number)
