"""The lines of a network's drawing: from map to map, over skipped blocks, and into the next row."""

import math
from collections.abc import Sequence
from dataclasses import replace

import plotly.graph_objects as go

from cnnlab.plots.architecture_drawing_places import GAP, DrawingInfo, Placed, reach_down, row_tops
from cnnlab.plots.palette import CATEGORICAL, NEUTRAL, with_alpha

SKIP = CATEGORICAL[5]


def add_links(figure: go.Figure, info: DrawingInfo, boxes: Sequence[tuple[Placed, float]], width: float) -> None:
    """Add the links of `info` as lines.

    Args:
        boxes: Each box with the height of its middle.
        width: Of the drawing; what goes on in the next row turns at its right.
    """
    lines: dict[str, tuple[list[float | None], list[float | None]]] = {"flow": ([], []), "skip": ([], [])}
    for first, second, kind in info.links:
        if first == second:
            points = _around(boxes[second])
        elif boxes[first][0].row != boxes[second][0].row and kind == "flow":
            points = _to_next_row(boxes[first], boxes[second], info, width)
        elif kind == "skip" and boxes[second][0].box.lane == boxes[first][0].box.lane:
            points = _above(boxes, first, second)
        else:
            points = [_right_end(*boxes[first]), _left_end(*boxes[second])]
        xs, ys = lines[kind]
        xs += [*(x for x, _ in points), None]
        ys += [*(y for _, y in points), None]
    styles = {"flow": {"color": with_alpha(NEUTRAL, 0.8), "width": 1}, "skip": {"color": SKIP, "width": 2}}
    for kind, (xs, ys) in lines.items():
        if xs:
            figure.add_scatter(
                x=xs,
                y=ys,
                mode="lines",
                line=styles[kind],
                hoverinfo="skip",
                name="Skip",
                showlegend=kind == "skip",
            )


def _right_end(placed: Placed, y: float) -> tuple[float, float]:
    return placed.x + placed.width / 2 + placed.depth * 0.25, y


def _left_end(placed: Placed, y: float) -> tuple[float, float]:
    return placed.x - placed.width / 2, y


def _arc(left: float, right: float, foot: tuple[float, float], top: float) -> list[tuple[float, float]]:
    """Return a curve like half an ellipse that rises from both feet to `top`."""
    middle, half = (left + right) / 2, (right - left) / 2
    points = []
    for step in range(17):
        angle = math.pi * (1 - step / 16)
        low = foot[0] + (foot[1] - foot[0]) * step / 16
        points.append((middle + half * math.cos(angle), low + (top - low) * math.sin(angle) ** 0.6))
    return points


def _around(one: tuple[Placed, float]) -> list[tuple[float, float]]:
    placed, y = one
    foot = y + placed.depth * 0.5
    left, right = placed.x - placed.width / 2 - GAP * 0.45, placed.x + placed.width / 2 + placed.depth * 0.5 + GAP * 0.3
    return _arc(left, right, (foot, foot), y + placed.height / 2 + placed.depth + 0.16)


def _above(boxes: Sequence[tuple[Placed, float]], first: int, second: int) -> list[tuple[float, float]]:
    start, end = boxes[first], boxes[second]
    if start[0].row != end[0].row:  # it comes from the row above, with the way of the others
        start = (replace(start[0], x=-0.1, width=0.0, height=0.0, depth=0.0, row=end[0].row), end[1])
        first = second - sum(placed.row == end[0].row and placed.x < end[0].x for placed, _ in boxes)
    left, right = start[0].x, end[0].x
    between = [
        y + placed.height / 2 + placed.depth
        for placed, y in boxes[min(first, second) : max(first, second) + 1]
        if left - 1e-9 <= placed.x <= right + 1e-9 and placed.row == end[0].row
    ]
    feet = (
        start[1] + start[0].height / 2 + start[0].depth,
        end[1] + end[0].height / 2 + end[0].depth,
    )
    return _arc(left + start[0].depth * 0.25, right, feet, max(between) + 0.2)


def _to_next_row(
    first: tuple[Placed, float], second: tuple[Placed, float], info: DrawingInfo, width: float
) -> list[tuple[float, float]]:
    start, end = _right_end(*first), _left_end(*second)
    tops = row_tops(info)
    between = tops[first[0].row] - reach_down(info, first[0].row) + 0.06
    return [start, (width + 0.06, start[1]), (width + 0.06, between), (-0.1, between), (-0.1, end[1]), end]
