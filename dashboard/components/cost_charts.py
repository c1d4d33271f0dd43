"""The charts of the page 'Accuracy and cost', each with its sentence, and the numbers behind them as a table."""

from typing import Any

import polars as pl

from cnnlab.plots import bubbles, density, pareto, top1_bars
from cnnlab.plots.bubble_layout import Scale
from cnnlab.plots.points import Points
from dashboard.components import how_to_read
from dashboard.components.chart import chart
from dashboard.components.clicks import open_clicked


def draw_bubbles(
    points: Points,
    cost: bubbles.Cost,
    scale: Scale,
    *,
    has_front: bool,
    behind: Points | None,
    architectures: list[str],
    can_open: bool,
) -> pareto.ParetoInfo:
    """Draw top-1 against `cost` and return the Pareto front, drawn or not."""
    info = bubbles.bubbles_of(points, cost)
    front = pareto.pareto_info(info.table, cost)
    layer = bubbles.bubbles_of(behind, cost) if behind is not None else None
    figure = bubbles.bubbles(
        info,
        scale=scale,
        front=front if has_front else None,
        behind=layer,
        architectures=architectures,
        height_px=560,
    )
    told = [bubbles.bubbles_summary(info)]
    if has_front and not info.is_empty:
        told.append(pareto.pareto_summary(front))
    if layer is not None and not info.is_empty:
        told.append(
            f"Behind, pale: {layer.table.height} published networks on {layer.tested_on}. Compare costs with these, "
            "not their accuracies: they are of other images."
        )
    _draw(figure, " ".join(told), info.table, info.members, "bubbles", can_open)
    return front


def draw_top1(points: Points, *, is_one_each: bool, architectures: list[str], can_open: bool) -> None:
    """Draw top-1 by architecture."""
    info = top1_bars.top1_bars_info(points, is_one_each=is_one_each)
    figure = top1_bars.top1_bars(info, architectures=architectures)
    _draw(figure, top1_bars.top1_bars_summary(info), info.table, points.members, "top1", can_open)


def draw_density(points: Points, *, architectures: list[str], can_open: bool) -> None:
    """Draw top-1 per million parameters."""
    info = density.density_info(points)
    figure = density.density(info, architectures=architectures)
    _draw(figure, density.density_summary(info), info.table, points.members, "density", can_open)


def numbers_table(points: Points, fronts: dict[bubbles.Cost, pareto.ParetoInfo]) -> pl.DataFrame:
    """Return everything the charts are drawn from, one row per point, for other programs."""
    densities = density.density_info(points).table.select("index", "density")
    on_front = [pl.col("index").is_in(front.indices).alias(f"is_on_front_of_{cost}") for cost, front in fronts.items()]
    members = pl.Series("run_ids", [" ".join(points.members[place]) for place in points.table["index"]], pl.String)
    table = points.table.join(densities, on="index", how="left", maintain_order="left")
    return table.with_columns(members).select(
        pl.col("label").alias("name"),
        "architecture",
        "accuracy",
        pl.col("low").alias("accuracy_low_95"),
        pl.col("high").alias("accuracy_high_95"),
        "interval",
        "n_images",
        "n_runs",
        "num_params",
        "macs",
        pl.col("density").alias("percent_per_million_params"),
        *on_front,
        *(["run_ids"] if points.noun == "run" else []),
    )


def _draw(
    figure: Any, summary: str, table: pl.DataFrame, members: tuple[tuple[str, ...], ...], key: str, can_open: bool
) -> None:
    event = chart(
        figure,
        f"{key}_{'runs' if can_open else 'published'}",
        summary=summary,
        numbers=table.drop("index"),
        how_to_read={"bubbles": how_to_read.BUBBLES, "top1": how_to_read.TOP1, "density": how_to_read.DENSITY}[key],
        is_clickable=can_open,
    )
    if can_open:
        open_clicked(event, members)
