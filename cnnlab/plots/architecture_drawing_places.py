"""Where the boxes of a drawing stand: sizes, columns, lanes and rows, in units of the largest map's height."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cnnlab.plots.architecture_drawing_segments import BEFORE, Box, Level, Link, Segment

SIGNS = {"add": "+", "multiply": "×"}
ROW_UNITS = 11.0  # a unit is the height of the largest map
GAP = 0.16
SLANT = 0.24  # of the side that goes into the page
LABEL_UNITS = 0.34
NAME_UNITS = 0.72
LANE_LABEL_UNITS = 0.16
MOST_ROOMY = 8  # columns, so that texts under them lie side by side on a phone
MOST_NAMED = 24


@dataclass(frozen=True)
class Placed:
    """A box and its place: the middle of its front, and its size, in units; `row` counts from the top."""

    box: Box
    x: float
    y: float
    width: float
    height: float
    depth: float
    row: int
    is_in_branch: bool = False


@dataclass(frozen=True)
class DrawingInfo:
    """What is drawn.

    Attributes:
        boxes: The maps from left to right.
        links: Pairs of places in `boxes` with `flow` or `skip`; equal places are a way around a block.
        num_skips: Ways of the whole network that pass by a block, whatever the level.
        num_branched: Modules of parallel branches.
    """

    level: Level
    boxes: tuple[Placed, ...]
    links: tuple[Link, ...]
    num_rows: int
    num_skips: int
    num_branched: int

    @property
    def maps(self) -> list[Box]:
        """The boxes that are maps or vectors: not the signs of sums."""
        return [placed.box for placed in self.boxes if placed.box.role not in SIGNS]

    @property
    def sides(self) -> list[int]:
        """The sides of the maps in order, each once where neighbours are alike; vectors are left out."""
        # A gate looks at a map of one pixel, which is no step on the way.
        maps = [box for box in self.maps if len(box.shape) == 3 and box.shape[:2] != (1, 1)]
        sides = [box.shape[0] for box in maps if box.shape[0] is not None]
        return [side for place, side in enumerate(sides) if place == 0 or sides[place - 1] != side]


def _size(box: Box, largest: int) -> tuple[float, float, float]:
    """Return width, height and depth of a box in units."""
    if box.role in SIGNS:
        return 0.12, 0.12, 0.0
    sides = [side or 1 for side in box.shape]
    if len(sides) == 3:
        height = max(0.1, math.sqrt(sides[0] / largest))
        return 0.02 + 0.032 * math.log2(1 + sides[2]), height, SLANT * height
    if len(sides) == 2:  # tokens: as tall as the map whose pixels they were
        height = max(0.1, math.sqrt(math.sqrt(sides[0]) / largest))
        return 0.02 + 0.032 * math.log2(1 + sides[1]), height, 0.0
    return 0.07, min(1.0, 0.085 * math.log2(1 + (sides[0] if sides else 1))), 0.0


def place_boxes(segments: Sequence[Segment], largest: int) -> tuple[list[Placed], list[Link]]:
    """Return the boxes in rows, broken between segments, and the links between their places."""
    widths = [_column_widths(segment, largest) for segment in segments]
    total = sum(sum(columns) for columns in widths)
    num_rows = max(1, math.ceil(total / ROW_UNITS))
    target = total / num_rows
    boxes: list[Placed] = []
    links: list[Link] = []
    x, row, last = 0.0, 0, BEFORE
    for segment, columns in zip(segments, widths, strict=True):
        if x > 0 and x + sum(columns) / 2 > target and row < num_rows - 1:
            x, row = 0.0, row + 1
        sizes = [_size(box, largest) for box in segment.boxes]
        lane_units = max(height + depth for _, height, depth in sizes) + LANE_LABEL_UNITS
        start = len(boxes)
        for box, (width, height, depth) in zip(segment.boxes, sizes, strict=True):
            column = x + sum(columns[: box.column])
            left = column + (columns[box.column] - GAP - width - depth * 0.5) / 2
            is_in_branch = any(other.column == box.column for other in segment.boxes if other is not box)
            middle = (left + width / 2, box.lane * lane_units)
            boxes.append(Placed(box, *middle, width, height, depth, row, is_in_branch))
        places = {BEFORE: last}
        links += [(places.get(a, start + a), start + b, kind) for a, b, kind in segment.links]
        last = len(boxes) - 1
        x += sum(columns)
    return boxes, links


def _column_widths(segment: Segment, largest: int) -> list[float]:
    found = [0.0] * segment.num_columns
    for box in segment.boxes:
        width, _, depth = _size(box, largest)
        found[box.column] = max(found[box.column], width + depth * 0.5 + GAP)
    return found


def reach_up(info: DrawingInfo, row: int) -> float:
    """Return how far a row reaches above its middle, ways around blocks and labels included."""
    top = max(placed.y + placed.height / 2 + placed.depth for placed in info.boxes if placed.row == row)
    skips = [link for link in info.links if link[2] == "skip" and info.boxes[link[1]].row == row]
    is_roomy, is_named = room(info)
    return top + (0.3 if skips else 0.0) + (NAME_UNITS if is_named and not is_roomy else 0.28)


def room(info: DrawingInfo) -> tuple[bool, bool]:
    """Return whether texts can lie flat, and whether boxes can be named: ways around blocks take the room above."""
    columns = len({(placed.row, round(placed.x, 2)) for placed in info.boxes})
    has_skips = any(kind == "skip" for _, _, kind in info.links)
    return columns <= MOST_ROOMY, columns <= MOST_ROOMY or (columns <= MOST_NAMED and not has_skips)


def reach_down(info: DrawingInfo, row: int) -> float:
    below = max(placed.height / 2 - placed.y for placed in info.boxes if placed.row == row)
    return below + (LABEL_UNITS if room(info)[0] else NAME_UNITS)


def row_tops(info: DrawingInfo) -> list[float]:
    """Return the height of the middle of each row, the last row lowest."""
    middles = [0.0] * info.num_rows
    bottom = 0.0
    for row in reversed(range(info.num_rows)):
        middles[row] = bottom + reach_down(info, row)
        bottom = middles[row] + reach_up(info, row)
    return middles
