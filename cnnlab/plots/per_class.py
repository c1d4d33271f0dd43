"""Precision, recall and F1 of each class as bars."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import plotly.graph_objects as go
import polars as pl

from cnnlab.analysis.confusion import Matrix
from cnnlab.analysis.confusion import per_class as class_table
from cnnlab.plots.labels import plural, unique_labels
from cnnlab.plots.palette import CATEGORICAL
from cnnlab.plots.template import empty_figure, new_figure

MEASURES = {"precision": "Precision", "recall": "Recall", "f1": "F1"}


@dataclass(frozen=True)
class PerClassInfo:
    """The table of `analysis.confusion.per_class`, in the order it is drawn, and the mean F1 of the known."""

    table: pl.DataFrame
    n: int
    mean_f1: float | None

    @property
    def is_empty(self) -> bool:
        return self.n == 0


def per_class_info(
    matrix: Matrix, class_names: Sequence[str], *, order: Literal["class", "f1"] = "class"
) -> PerClassInfo:
    """Return the numbers of each class, in the order of the labels or from the lowest F1 up (unknown last)."""
    table = class_table(matrix, class_names)
    if order == "f1":
        table = table.sort("f1", nulls_last=True, maintain_order=True)
    mean = table["f1"].mean()
    return PerClassInfo(table, int(matrix.sum()), float(mean) if isinstance(mean, float) else None)


def per_class(info: PerClassInfo, *, height_px: int | None = None) -> go.Figure:
    """Draw three bars per class; an undefined value has no bar and says so when pointed at its class."""
    if info.is_empty:
        return empty_figure("No predictions yet: they come when the run has ended.")
    count = info.table.height
    height = height_px or max(300, 90 + count * (44 if count <= 20 else 24))
    figure = new_figure(x_title="Precision, recall and F1 (%)", y_title="Class", height_px=height)
    labels = unique_labels(info.table["class"])
    for place, (measure, title) in enumerate(MEASURES.items()):
        values = info.table[measure]
        figure.add_bar(
            y=labels,
            x=values.to_numpy(),
            orientation="h",
            name=title,
            marker={"color": CATEGORICAL[place]},
            customdata=info.table["n"].to_numpy(),
            hovertemplate=f"%{{y}} (n = %{{customdata}})<br>{title} %{{x:.1%}}<extra></extra>",
        )
    figure.update_layout(
        barmode="group",
        bargap=0.25,
        hovermode="closest",
        legend={"y": 1, "yanchor": "bottom", "traceorder": "normal"},
    )
    figure.update_xaxes(range=[0, 1.005], tickformat=".0%")
    figure.update_yaxes(autorange="reversed", type="category", showgrid=False)
    return figure


def per_class_summary(info: PerClassInfo) -> str:
    """Return one sentence: n, mean F1, the weakest class, and what is undefined."""
    if info.is_empty:
        return "No predictions are known yet."
    text = f"Precision, recall and F1 of {plural(info.table.height, 'class', 'classes')} over {plural(info.n, 'image')}"
    known = info.table.drop_nulls("f1")
    if info.mean_f1 is not None:
        lowest = known.sort("f1", maintain_order=True).row(0, named=True)
        text += f": mean F1 {100 * info.mean_f1:.1f} %, lowest {100 * lowest['f1']:.1f} % ({lowest['class']})"
    never = info.table.filter(pl.col("precision").is_null())["class"].to_list()
    absent = info.table.filter(pl.col("n") == 0)["class"].to_list()
    if never:
        text += f"; never predicted, so without precision: {_listed(never)}"
    if absent:
        text += f"; without images, so without recall: {_listed(absent)}"
    return text + "."


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more
