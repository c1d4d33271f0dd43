"""What each layer of a network costs: parameters, multiply-accumulates or memory, from input to output."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import plotly.graph_objects as go
import polars as pl

from cnnlab.plots.architecture_drawing import ROLES
from cnnlab.plots.architecture_drawing_graph import SIGNS_OF_JOINS, graph_of
from cnnlab.plots.labels import escaped, unique_labels
from cnnlab.plots.palette import with_alpha
from cnnlab.plots.template import empty_figure, new_figure

Cost = Literal["num_params", "macs", "activation_bytes"]
COSTS: dict[Cost, str] = {"num_params": "Parameters", "macs": "MACs", "activation_bytes": "Activations"}
TITLES: dict[Cost, str] = {
    "num_params": "Parameters",
    "macs": "MACs of one image",
    "activation_bytes": "Activations (bytes)",
}
MOST_NAMED = 30
# For two networks side by side: a legend of two lines above, the longest names below.
FIXED_MARGINS = {"l": 64, "r": 12, "t": 60, "b": 40, "autoexpand": False}
NAMES_PX = 115


@dataclass(frozen=True)
class LayerCostsInfo:
    """`table`: name, kind, role, value and share of the total, one row per drawn layer; quiet ones are with theirs.

    `value` is null where a layer cannot be counted, and those are in `not_counted`.
    """

    cost: Cost
    table: pl.DataFrame
    total: int
    not_counted: tuple[str, ...]

    @property
    def is_named(self) -> bool:
        """Whether there is room for the names of the layers."""
        return self.table.height <= MOST_NAMED

    @property
    def largest(self) -> int:
        """The most that one layer costs."""
        return max(self.table["value"].drop_nulls().to_list(), default=0)


def layer_costs_info(document: Mapping[str, Any], cost: Cost) -> LayerCostsInfo:
    """Return what each layer costs.

    Args:
        document: The inspector's answer to `inspect`.
    """
    nodes = graph_of(document).nodes
    values = [getattr(node, cost) for node in nodes]
    total = sum(value or 0 for value in values)
    table = pl.DataFrame(
        {
            "name": [node.name for node in nodes],
            "kind": [node.kind for node in nodes],
            "role": ["join" if node.role in SIGNS_OF_JOINS else node.role for node in nodes],
            "value": pl.Series(values, dtype=pl.Int64),
            "share": [None if value is None or not total else value / total for value in values],
        },
        schema_overrides={"share": pl.Float64},
    )
    missing = tuple(node.name for node, value in zip(nodes, values, strict=True) if value is None)
    return LayerCostsInfo(cost, table, total, missing)


def layer_costs(info: LayerCostsInfo, *, beside: LayerCostsInfo | None = None, height_px: int = 260) -> go.Figure:
    """Draw the costs as bars from input to output.

    Args:
        beside: Of the network drawn beside this one, if any: the bars of both are drawn to one scale.
    """
    if not info.total:
        return empty_figure(f"No layer of this network has {COSTS[info.cost].lower()} that can be counted.")
    figure = new_figure(x_title="Layers, from input to output", y_title=TITLES[info.cost], height_px=height_px)
    labels = unique_labels(info.table["name"], 22)
    rows = list(info.table.iter_rows(named=True))
    for role, (title, colour) in ROLES.items():
        places = [place for place, row in enumerate(rows) if row["role"] == role and row["value"]]
        if places:
            figure.add_bar(
                x=[labels[place] for place in places],
                y=[rows[place]["value"] for place in places],
                name=title,
                marker={"color": with_alpha(colour, 0.6), "line": {"color": colour, "width": 1}},
                hovertext=[_hover(rows[place], info) for place in places],
                hovertemplate="%{hovertext}<extra></extra>",
            )
    figure.update_xaxes(
        type="category",
        categoryorder="array",
        categoryarray=labels,
        range=[-0.5, len(labels) - 0.5],
        showticklabels=info.is_named,
        showgrid=False,
        tickangle=-60,
        tickfont={"size": 10},
    )
    largest = max(info.largest, beside.largest if beside else 0)
    figure.update_yaxes(range=[0, 1.05 * largest], tickformat="~s")
    figure.update_layout(barmode="overlay", bargap=0.15, legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"})
    if beside:
        # Margins that followed names and legends would give both plots different heights.
        room_px = NAMES_PX if info.is_named or beside.is_named else 0
        margins = {**FIXED_MARGINS, "b": FIXED_MARGINS["b"] + room_px}
        figure.update_layout(height=height_px + room_px, margin=margins)
    return figure


def layer_costs_summary(info: LayerCostsInfo) -> str:
    """Return one sentence: the total, and the layers with most of it."""
    if not info.total:
        return f"{COSTS[info.cost]}: nothing that can be counted."
    top: Sequence[Mapping[str, Any]] = info.table.drop_nulls("value").sort("value", descending=True).head(3).to_dicts()
    named = ", ".join(f"{row['name']} {100 * row['share']:.1f} %" for row in top if row["value"])
    unit = " bytes" if info.cost == "activation_bytes" else ""
    missing = f" Not counted: {', '.join(info.not_counted)}." if info.not_counted else ""
    return f"{COSTS[info.cost]}: {info.total:,}{unit} in {info.table.height} layers; most in {named}.{missing}"


def _hover(row: Mapping[str, Any], info: LayerCostsInfo) -> str:
    unit = " bytes" if info.cost == "activation_bytes" else f" {COSTS[info.cost].removesuffix('s')}s".lower()
    unit = " MACs" if info.cost == "macs" else unit
    return (
        f"<b>{escaped(row['name'])}</b><br>{escaped(row['kind'])}<br>{row['value']:,}{unit}, {100 * row['share']:.1f} %"
    )
