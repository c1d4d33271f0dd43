"""The Pareto front over the bubbles: the best top-1 for each cost, as a staircase."""

from dataclasses import dataclass

import plotly.graph_objects as go
import polars as pl

from cnnlab.analysis.pareto import pareto_front
from cnnlab.plots.labels import plural
from cnnlab.plots.palette import NEUTRAL

# How many members a sentence names.
NAMED = 8


@dataclass(frozen=True)
class ParetoInfo:
    """`table`: the rows of the points on the front, cheapest first, with their `cost`; `n` is that of all points."""

    table: pl.DataFrame
    n: int

    @property
    def steps(self) -> list[tuple[float, float]]:
        """Return cost and accuracy of each member."""
        return self.table.select("cost", "accuracy").rows()

    @property
    def indices(self) -> list[int]:
        return self.table["index"].to_list()


def pareto_info(table: pl.DataFrame, cost: str) -> ParetoInfo:
    """Return the points that no other beats in both cost and accuracy.

    It goes by the accuracies as they are: where intervals overlap, more seeds or images may change it.
    """
    is_on_front = pareto_front(table[cost].to_numpy(), table["accuracy"].to_numpy())
    front = table.filter(pl.Series(is_on_front)) if table.height else table
    return ParetoInfo(front.with_columns(cost=pl.col(cost)).sort("cost", "index"), table.height)


def add_pareto(figure: go.Figure, info: ParetoInfo, right_end: float) -> None:
    """Draw the staircase, on to `right_end`: so much accuracy can be had for so much cost."""
    if info.table.is_empty():
        return
    figure.add_scatter(
        x=[*info.table["cost"], right_end],
        y=[*info.table["accuracy"], info.table["accuracy"][-1]],
        mode="lines",
        line={"color": NEUTRAL, "width": 1.5, "dash": "dash", "shape": "hv"},
        name="Pareto front",
        hoverinfo="skip",
    )


def pareto_summary(info: ParetoInfo) -> str:
    """Return one sentence that names the front from the cheapest to the best."""
    if info.table.is_empty():
        return "No point, so no Pareto front."
    labels = [str(label) for label in info.table["label"]]
    more = f" and {len(labels) - NAMED} more" if len(labels) > NAMED else ""
    count = f"{plural(len(labels), 'point')} of {info.n:,}"
    return f"On the Pareto front, from the cheapest up ({count}): {', '.join(labels[:NAMED])}{more}."
