"""The drawing of a network as in the figures of LeNet and AlexNet: maps as blocks, from left to right.

A block is as tall as the square root of its map's side and as thick as the logarithm of its channels: with
lengths in proportion the maps of a deep network would be lines. Vectors are bars.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from cnnlab.plots.architecture_drawing_graph import graph_of, regions_of
from cnnlab.plots.architecture_drawing_links import add_links
from cnnlab.plots.architecture_drawing_places import (
    SIGNS,
    DrawingInfo,
    Placed,
    place_boxes,
    reach_up,
    room,
    row_tops,
)
from cnnlab.plots.architecture_drawing_segments import Box, Level, segments_of
from cnnlab.plots.labels import escaped, plural, shortened
from cnnlab.plots.palette import CATEGORICAL, NEUTRAL, with_alpha
from cnnlab.plots.template import empty_figure, new_figure

LEVELS: tuple[Level, ...] = ("stages", "blocks", "layers")
SCALE_NOTE = "Height grows with the square root of a map's side, thickness with the logarithm of its channels."
ROLES = {
    "input": ("Input", NEUTRAL),
    "conv": ("Convolution", CATEGORICAL[0]),
    "pool": ("Pooling", CATEGORICAL[1]),
    "dense": ("Dense", CATEGORICAL[2]),
    "attention": ("Attention", CATEGORICAL[3]),
    "block": ("Block", CATEGORICAL[4]),
    "join": ("Joined maps", CATEGORICAL[6]),
    "other": ("Other", CATEGORICAL[7]),
}

MOST_COLUMNS_OF_BLOCKS = 45  # above it stages are proposed
UNIT_PX = 104
LEAST_ROW_UNITS = 1.6


def proposed_level(document: Mapping[str, Any]) -> Level:
    """Return `blocks`, or `stages` where these would be too many to read."""
    columns = sum(segment.num_columns for segment in segments_of(graph_of(document), "blocks"))
    return "blocks" if columns <= MOST_COLUMNS_OF_BLOCKS else "stages"


def architecture_drawing_info(document: Mapping[str, Any], level: Level = "blocks") -> DrawingInfo:
    """Return the boxes and links of a network.

    Args:
        document: The inspector's answer to `inspect`.
    """
    graph = graph_of(document)
    regions = regions_of(graph)
    segments = segments_of(graph, level)
    largest = max((box.shape[0] or 1 for box in segments[0].boxes if len(box.shape) == 3), default=1)
    boxes, links = place_boxes(segments, largest)
    return DrawingInfo(
        level=level,
        boxes=tuple(boxes),
        links=tuple(links),
        num_rows=max(placed.row for placed in boxes) + 1,
        num_skips=sum(region.is_skip for region in regions),
        num_branched=sum(len(region.branches) > 1 and not region.is_skip for region in regions),
    )


def architecture_drawing_summary(info: DrawingInfo) -> str:
    """Return one sentence: how many maps, their sides, skips and branches."""
    sides = " to ".join(f"{side}" for side in dict.fromkeys(info.sides))
    text = f"{plural(len(info.maps), 'map or vector', 'maps and vectors')} at the level of {info.level}"
    text += f", sides {sides} px" if sides else ""
    text += f"; {plural(info.num_skips, 'skip connection')}" if info.num_skips else ""
    text += f"; {plural(info.num_branched, 'module')} of parallel branches" if info.num_branched else ""
    return f"{text}."


# ---- the figure ----


def architecture_drawing(info: DrawingInfo, *, revision: str = "") -> go.Figure:
    """Draw the network; a point's `customdata` is its place in `info.boxes`."""
    if not info.boxes:
        return empty_figure("This network has no layers to draw.")
    tops = row_tops(info)
    boxes = [(placed, tops[placed.row] + placed.y) for placed in info.boxes]
    width = max(LEAST_ROW_UNITS, max(placed.x + placed.width / 2 + placed.depth for placed in info.boxes))
    height = tops[0] + reach_up(info, 0)
    figure = new_figure(height_px=round(max(220, height * UNIT_PX + 70)), revision=f"{revision} {info.level}")
    add_links(figure, info, boxes, width)
    _add_boxes(figure, boxes)
    _add_labels(figure, info, boxes)
    figure.update_xaxes(visible=False, range=[-0.15, width + 0.15])
    figure.update_yaxes(visible=False, range=[-0.05, height + 0.05])
    figure.update_layout(
        hovermode="closest",
        hoverdistance=40,
        clickmode="event+select",
        margin={"l": 0, "r": 0, "t": 8, "b": 0},
        legend={"y": 0, "yanchor": "top", "itemclick": False, "itemdoubleclick": False},
    )
    return figure


def _add_boxes(figure: go.Figure, boxes: Sequence[tuple[Placed, float]]) -> None:
    for role, (title, colour) in ROLES.items():
        same = [(place, placed, y) for place, (placed, y) in enumerate(boxes) if placed.box.role == role]
        if not same:
            continue
        for faces, alpha in ((_side_face, 0.75), (_top_face, 0.35), (_front_face, 0.55)):
            xs: list[float | None] = []
            ys: list[float | None] = []
            for _, placed, y in same:
                corners = faces(placed, y)
                xs += [*(corner[0] for corner in corners), None]
                ys += [*(corner[1] for corner in corners), None]
            figure.add_scatter(
                x=xs,
                y=ys,
                mode="lines",
                fill="toself",
                fillcolor=with_alpha(colour, alpha),
                line={"color": colour, "width": 1},
                hoverinfo="skip",
                name=title,
                legendgroup=role,
                showlegend=faces is _front_face,
            )
        _add_points(figure, same, role)
    for role, sign in SIGNS.items():
        same = [(place, placed, y) for place, (placed, y) in enumerate(boxes) if placed.box.role == role]
        if same:
            _add_points(figure, same, role, sign)


def _add_points(figure: go.Figure, same: Sequence[tuple[int, Placed, float]], role: str, sign: str = "") -> None:
    """Add what the pointer meets: unseen behind a box, a circle with its sign for a sum."""
    figure.add_scatter(
        x=[placed.x for _, placed, _ in same],
        y=[y for _, _, y in same],
        mode="markers+text" if sign else "markers",
        text=sign or None,
        textposition="middle center",
        marker={
            "size": 15 if sign else 18,
            "color": with_alpha(NEUTRAL, 0.25 if sign else 0.0),
            "line": {"color": NEUTRAL, "width": 1 if sign else 0},
        },
        customdata=[place for place, _, _ in same],
        hovertext=[_hover(placed.box) for _, placed, _ in same],
        hovertemplate="%{hovertext}<extra></extra>",
        unselected={"marker": {"opacity": 1}},
        selected={"marker": {"color": with_alpha(CATEGORICAL[1], 0.6)}},
        legendgroup=role,
        showlegend=False,
    )


def _front_face(placed: Placed, y: float) -> list[tuple[float, float]]:
    x, half, up = placed.x, placed.width / 2, placed.height / 2
    return [(x - half, y - up), (x + half, y - up), (x + half, y + up), (x - half, y + up), (x - half, y - up)]


def _top_face(placed: Placed, y: float) -> list[tuple[float, float]]:
    left, right, top, depth = (
        placed.x - placed.width / 2,
        placed.x + placed.width / 2,
        y + placed.height / 2,
        placed.depth,
    )
    across = depth * 0.5
    return [(left, top), (right, top), (right + across, top + depth), (left + across, top + depth), (left, top)]


def _side_face(placed: Placed, y: float) -> list[tuple[float, float]]:
    right, up, depth = placed.x + placed.width / 2, placed.height / 2, placed.depth
    across = depth * 0.5
    return [
        (right, y - up),
        (right + across, y - up + depth),
        (right + across, y + up + depth),
        (right, y + up),
        (right, y - up),
    ]


def _add_labels(figure: go.Figure, info: DrawingInfo, boxes: Sequence[tuple[Placed, float]]) -> None:
    """Write the size of each map under it and, where there is room, its name above it."""
    is_roomy, is_named = room(info)
    common: dict[str, Any] = {"showarrow": False, "font": {"size": 11 if is_roomy else 10}}
    own_skips = {first for first, second, _ in info.links if first == second}
    ends = {first for first, second, _ in info.links if boxes[first][0].box.lane == 0} | {len(boxes) - 1}
    for place, (placed, y) in enumerate(boxes):
        box = placed.box
        if box.role in SIGNS:
            continue
        parts = _shape_parts(box.shape)
        is_short = placed.is_in_branch  # one above the other there is no room; the side is that of their neighbours
        text = ("<br>×" if is_roomy and not is_short else "×").join(parts[-1:] if is_short else parts)
        below = {"x": placed.x, "y": y - placed.height / 2, "yanchor": "top", "yshift": -1}
        figure.add_annotation(text=text, textangle=0 if is_roomy or is_short else -90, **below, **common)
        is_told = box.repeats > 1 and not is_short and place in ends
        above = f"×{box.repeats}" if is_told else ""
        if is_named and not is_short and box.repeats == 1:
            above = escaped(shortened(box.name, 12))
        angle = -90 if above and not is_roomy and not is_told else 0
        top = {"x": placed.x + placed.depth * 0.25, "y": y + placed.height / 2 + placed.depth, "yanchor": "bottom"}
        if above:
            figure.add_annotation(text=above, textangle=angle, yshift=18 if place in own_skips else 1, **top, **common)


def _shape_parts(shape: Sequence[int | None]) -> list[str]:
    """Return `['28×28', '6']` for a map, `['120']` for a vector."""
    sides = ["?" if side is None else f"{side}" for side in shape]
    return ["×".join(sides[:2]), *sides[2:]] if len(sides) >= 3 else sides


def _hover(box: Box) -> str:
    lines = [f"<b>{escaped(box.name)}</b>"]
    if box.repeats > 1:
        lines.append(f"{box.repeats} alike, the last:")
    lines += [escaped(shortened(box.text, 110)), f"output {'×'.join('?' if s is None else str(s) for s in box.shape)}"]
    lines.append(f"{box.num_params:,} parameters")
    lines.append("MACs not counted" if box.macs is None else f"{box.macs:,} MACs")
    return "<br>".join(line for line in lines if line)
