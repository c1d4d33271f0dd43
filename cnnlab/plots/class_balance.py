"""How many images each class has in each split."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import plotly.graph_objects as go
import polars as pl

from cnnlab.plots.labels import plural, unique_labels
from cnnlab.plots.palette import SPLITS
from cnnlab.plots.template import empty_figure, new_figure


@dataclass(frozen=True)
class ClassBalanceInfo:
    """`table`: split, label, class, n, share (of the split's images); a class without images has n = 0."""

    table: pl.DataFrame
    class_names: tuple[str, ...]
    splits: tuple[str, ...]
    n: int

    @property
    def is_empty(self) -> bool:
        return self.n == 0


def class_balance_info(samples: pl.DataFrame, class_names: Sequence[str], *, output: str) -> ClassBalanceInfo:
    """Return the images per split and class.

    Args:
        samples: Columns split and, named as the output, the label of each image.
        class_names: In the order of the labels.
        output: Which labels, for sets with several.
    """
    known = samples.filter(pl.col(output).is_between(0, len(class_names) - 1))
    splits = tuple(split for split in SPLITS if split in set(known["split"].unique()))
    every = pl.DataFrame({"split": splits}, schema={"split": pl.String}).join(
        pl.DataFrame(
            {"label": range(len(class_names)), "class": class_names}, schema={"label": pl.Int64, "class": pl.String}
        ),
        how="cross",
    )
    counts = known.group_by("split", pl.col(output).cast(pl.Int64).alias("label")).agg(n=pl.len().cast(pl.Int64))
    table = every.join(counts, on=["split", "label"], how="left", maintain_order="left").with_columns(
        pl.col("n").fill_null(0)
    )
    table = table.with_columns(share=pl.col("n") / pl.col("n").sum().over("split"))
    return ClassBalanceInfo(table, tuple(class_names), splits, known.height)


def class_balance(
    info: ClassBalanceInfo, values: Literal["counts", "shares"] = "counts", *, height_px: int | None = None
) -> go.Figure:
    """Draw bars per class: splits stacked as counts, or side by side as shares, which splits of unlike size need."""
    if info.is_empty:
        return empty_figure("No labelled images in this data set.")
    has_shares = values == "shares"
    count = len(info.class_names)
    per_row = 40 if has_shares and count <= 20 else 22
    title = "Share of the split (%)" if has_shares else "Images"
    figure = new_figure(x_title=title, y_title="Class", height_px=height_px or max(240, 90 + count * per_row))
    labels = unique_labels(info.class_names)
    for split in info.splits:
        part = info.table.filter(pl.col("split") == split)
        figure.add_bar(
            y=labels,
            x=part["share" if has_shares else "n"].to_numpy(),
            orientation="h",
            name=f"{split} (n = {part['n'].sum():,})",
            marker={"color": SPLITS[split]},
            customdata=part["n"].to_numpy(),
            hovertemplate=f"%{{y}}, {split}<br>%{{customdata:,}} images"
            + ("<br>%{x:.2%} of the split" if has_shares else "")
            + "<extra></extra>",
        )
    figure.update_layout(
        barmode="group" if has_shares else "stack",
        bargap=0.2,
        legend={"y": 1, "yanchor": "bottom", "traceorder": "normal"},
    )
    figure.update_xaxes(tickformat=".0%" if has_shares else "~s")
    figure.update_yaxes(autorange="reversed", type="category", showgrid=False)
    return figure


def class_balance_summary(info: ClassBalanceInfo) -> str:
    """Return one sentence: n, images per split, the largest and the smallest class, and empty ones."""
    if info.is_empty:
        return "No labelled images are known."
    totals = info.table.group_by("class", "label").agg(pl.col("n").sum()).sort("n", "label")
    small, large = totals.row(0, named=True), totals.row(-1, named=True)
    parts = [f"{info.table.filter(pl.col('split') == split)['n'].sum():,} {split}" for split in info.splits]
    return (
        f"{plural(info.n, 'image')} ({', '.join(parts)}) in {plural(len(info.class_names), 'class', 'classes')}: "
        f"the largest is {large['class']} with {large['n']:,}, the smallest {small['class']} with {small['n']:,}."
    )
