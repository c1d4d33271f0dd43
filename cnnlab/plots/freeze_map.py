"""Which layers learn in which stage of a training that begins with the weights of another, and at what rate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import plotly.graph_objects as go

from cnnlab.plots.labels import escaped, plural, unique_labels
from cnnlab.plots.palette import CATEGORICAL, NEUTRAL, with_alpha
from cnnlab.plots.template import empty_figure, new_figure

# Beyond that, neighbouring layers of one block that share their fate are drawn as one.
MOST_LAYERS = 16
MOST_NAMED = 40
MOST_WRITTEN = 9  # in cells that are wide enough on a telephone
STAGE_PX = 44
NEW, LEARNS = CATEGORICAL[1], CATEGORICAL[0]
KINDS = {"new": "New, whole rate", "learns": "Taken, learns on", "frozen": "Taken, stays"}


@dataclass(frozen=True)
class Cell:
    """Neighbouring layers that learn alike.

    Attributes:
        factors: By stage: what the learning rate is multiplied by; 0 stays as it was.
    """

    label: str
    layers: tuple[str, ...]
    num_params: int
    is_new: bool
    reason: str
    factors: tuple[float, ...]

    def kind(self, stage: int) -> str:
        if self.is_new:
            return "new"
        return "learns" if self.factors[stage] else "frozen"


@dataclass(frozen=True)
class FreezeMapInfo:
    """`cells` from input to output; `stages` are titles with their epochs."""

    cells: tuple[Cell, ...]
    stages: tuple[str, ...]
    params: Mapping[str, int]


def freeze_map_info(document: Mapping[str, Any]) -> FreezeMapInfo:
    """Return what is drawn.

    Args:
        document: The inspector's answer to `freeze_map`, or a run's `transfer.json`.
    """
    layers: Sequence[Mapping[str, Any]] = document["layers"]
    is_by_block = len(layers) > MOST_LAYERS

    def fate(row: Mapping[str, Any]) -> tuple[Any, ...]:
        return (row["block"] if is_by_block else row["name"], row["origin"] == "new", tuple(row["factors"]))

    groups = [(key, list(rows)) for key, rows in groupby(layers, key=fate)]
    labels = unique_labels([str(key[0]) for key, _ in groups], 24)
    cells = tuple(
        Cell(
            label,
            tuple(str(row["name"]) for row in rows),
            sum(int(row["num_params"]) for row in rows),
            is_new,
            str(rows[0].get("reason", "")),
            factors,
        )
        for label, ((_, is_new, factors), rows) in zip(labels, groups, strict=True)
    )
    last = len(document["stages"]) - 1
    params = {kind: sum(cell.num_params for cell in cells if cell.kind(last) == kind) for kind in KINDS}
    return FreezeMapInfo(cells, tuple(_stage_title(stage) for stage in document["stages"]), params)


def freeze_map(info: FreezeMapInfo) -> go.Figure:
    """Draw a row per stage and a cell per layer: new, learning, or kept as it was."""
    if not info.cells:
        return empty_figure("There is no layer with weights.")
    figure = new_figure(x_title="Layers, from input to output", height_px=170 + STAGE_PX * len(info.stages))
    for kind, title in KINDS.items():
        places = [(stage, cell) for stage in range(len(info.stages)) for cell in info.cells if cell.kind(stage) == kind]
        if places:
            figure.add_bar(
                x=[cell.label for _, cell in places],
                y=[0.86] * len(places),
                base=[stage - 0.43 for stage, _ in places],
                name=title,
                marker={"color": _fills(kind, places), "line": {"color": _colour(kind), "width": 1}},
                hovertext=[_hover(cell, stage) for stage, cell in places],
                hovertemplate="%{hovertext}<extra></extra>",
            )
    if len(info.cells) <= MOST_WRITTEN:
        places = [(stage, cell) for stage in range(len(info.stages)) for cell in info.cells]
        # Not the bars' own text: plotly chooses its colour by theirs, as if they were not transparent.
        figure.add_scatter(
            x=[cell.label for _, cell in places],
            y=[stage for stage, _ in places],
            text=[_factor_text(cell.factors[stage]) for stage, cell in places],
            mode="text",
            textfont={"size": 11},
            hoverinfo="skip",
            showlegend=False,
        )
    figure.update_xaxes(
        type="category",
        categoryorder="array",
        categoryarray=[cell.label for cell in info.cells],
        showticklabels=len(info.cells) <= MOST_NAMED,
        showgrid=False,
        tickangle=-60,
        tickfont={"size": 10},
    )
    figure.update_yaxes(
        tickvals=list(range(len(info.stages))),
        ticktext=list(info.stages),
        range=[len(info.stages) - 0.5, -0.5],
        showgrid=False,
    )
    figure.update_layout(
        barmode="overlay",
        bargap=0.08,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
    )
    return figure


def freeze_map_summary(info: FreezeMapInfo) -> str:
    """Return sentences: how many parameters are new, learn on and stay in the last stage, and what the first keeps."""
    parts = [f"{info.params[kind]:,} {words}" for kind, words in WORDS.items() if info.params[kind]]
    told = f"{plural(sum(len(cell.layers) for cell in info.cells), 'layer')} with weights: {', '.join(parts)}."
    if len(info.stages) > 1:
        kept = sum(cell.num_params for cell in info.cells if cell.kind(0) == "frozen")
        told += f" {info.stages[0].replace('<br>', ', ')}: {kept:,} stay."
    return told


WORDS = {"new": "parameters are new", "learns": "taken ones learn on", "frozen": "taken ones stay"}


def _stage_title(stage: Mapping[str, Any]) -> str:
    first, last = stage["first_epoch"], stage["last_epoch"]
    epochs = f"epoch {first}" if first == last else f"epochs {first} to {last}"
    return f"{escaped(str(stage['title']))}<br>{epochs}"


def _colour(kind: str) -> str:
    return {"new": NEW, "learns": LEARNS}.get(kind, NEUTRAL)


def _fills(kind: str, places: Sequence[tuple[int, Cell]]) -> list[str]:
    if kind == "frozen":
        return [with_alpha(NEUTRAL, 0.18)] * len(places)
    # Rates differ by powers: a tenth of a rate is still seen.
    shares = [max(0.15, 1 + 0.28 * _log10(cell.factors[stage])) for stage, cell in places]
    return [with_alpha(_colour(kind), 0.65 * share) for share in shares]


def _log10(factor: float) -> float:
    from math import log10

    return log10(factor) if factor > 0 else -10.0


def _factor_text(factor: float) -> str:
    return "–" if factor == 0 else f"×{factor:.2g}"


def _hover(cell: Cell, stage: int) -> str:
    fate = KINDS[cell.kind(stage)].lower()
    rate = "" if cell.factors[stage] in (0, 1) else f"<br>learning rate × {cell.factors[stage]:.3g}"
    why = f" ({escaped(cell.reason)})" if cell.reason else ""
    layers = "" if len(cell.layers) == 1 else f"<br>{plural(len(cell.layers), 'layer')}"
    return f"<b>{escaped(cell.label)}</b><br>{fate}{why}{rate}{layers}<br>{cell.num_params:,} parameters"
