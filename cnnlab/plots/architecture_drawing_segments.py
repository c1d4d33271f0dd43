"""From the graph of a network to boxes in columns and lanes, in one of three levels of detail.

`layers` draws every node; `blocks` draws a residual or otherwise named block as one box and modules of parallel
branches as one box per branch; `stages` draws runs of alike blocks of one map size as one box with their number.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

from cnnlab.plots.architecture_drawing_graph import Graph, Node, Region, regions_of

Level = Literal["stages", "blocks", "layers"]
Link = tuple[int, int, str]  # from, to, "flow" or "skip"; from -1: the box before; to itself: a way around the box
BEFORE = -1


@dataclass(frozen=True)
class Box:
    """One drawn map.

    Attributes:
        role: As of a node, or `block`.
        positions: Of the rows of the document that it stands for, the drawn ones.
        repeats: How many alike blocks it stands for.
        column: Within its segment.
        lane: Within its segment; 0 is the main way, above is positive.
    """

    name: str
    role: str
    shape: tuple[int | None, ...]
    num_params: int
    macs: int | None
    positions: tuple[int, ...]
    text: str
    repeats: int = 1
    column: int = 0
    lane: float = 0.0


@dataclass(frozen=True)
class Segment:
    """Boxes between two places that all paths pass; its last box is the second of them.

    Attributes:
        sort: Segments of one sort, side by side, are one at the level `stages`.
    """

    boxes: tuple[Box, ...]
    links: tuple[Link, ...]
    sort: tuple[object, ...]

    @property
    def num_columns(self) -> int:
        return max(box.column for box in self.boxes) + 1


def segments_of(graph: Graph, level: Level) -> list[Segment]:
    """Return the drawing from left to right; the first segment is the input."""
    regions = regions_of(graph)
    first = Segment((_box(graph.nodes[0]),), (), ("input",))
    if level == "layers":
        return [first, *(_in_full(graph, region) for region in regions)]
    blocks = [
        segment
        for name, members in groupby(regions, lambda region: _block_of(graph, region))
        for segment in _as_block(graph, name, list(members))
    ]
    if level == "blocks":
        return [first, *blocks]
    return [first, *(_repeated(list(alike)) for _, alike in groupby(blocks, lambda segment: segment.sort))]


def _block_of(graph: Graph, region: Region) -> str:
    """Return the block that all nodes of a region say they are part of, empty where they do not agree."""
    names = {graph.nodes[place].block for place in region.places}
    return names.pop() if len(names) == 1 else ""


def _as_block(graph: Graph, name: str, regions: list[Region]) -> list[Segment]:
    is_parallel = any(len(region.branches) > 1 and not region.is_skip for region in regions)
    if is_parallel or (not name and all(not region.branches for region in regions)):
        return [_branched(graph, region) if region.branches else _in_full(graph, region) for region in regions]
    if not name and len(regions) > 1:
        return [segment for region in regions for segment in _as_block(graph, name, [region])]
    nodes = [graph.nodes[place] for region in regions for place in region.places]
    title = name or _common(nodes)
    box = _sum(nodes, title, "block", nodes[-1].shape)
    links: list[Link] = [(BEFORE, 0, "flow")]
    if any(region.is_skip for region in regions):
        links.append((0, 0, "skip"))
    return [Segment((box,), tuple(links), ("block", re.sub(r"\d", "", title), _side(nodes[-1])))]


def _branched(graph: Graph, region: Region) -> Segment:
    """Draw one box per branch, one above the other, and the joined map."""
    parts = [[graph.nodes[place] for place in branch] for branch in region.branches]
    lanes = _spread(len(parts))
    if region.is_skip and not region.has_direct_way:
        lanes = _beside_main([len(part) for part in parts])
    boxes = [
        replace(_sum(part, part[-1].name, part[-1].role, part[-1].shape), lane=lane)
        for part, lane in zip(parts, lanes, strict=True)
    ]
    end = replace(_box(graph.nodes[region.exit]), column=1)
    kinds = ["skip" if region.is_skip and box.lane > 0 else "flow" for box in boxes]
    links: list[Link] = [(BEFORE, place, kind) for place, kind in enumerate(kinds)]
    links += [(place, len(boxes), kind) for place, kind in enumerate(kinds)]
    if region.has_direct_way:
        links.append((BEFORE, len(boxes), "skip"))
    return Segment((*boxes, end), tuple(links), ("branches", len(boxes), _side(graph.nodes[region.exit])))


def _in_full(graph: Graph, region: Region) -> Segment:
    """Draw every node of a region: branches in lanes, each node right of those it needs."""
    places = region.places
    local = {place: number for number, place in enumerate(places)} | {region.entry: BEFORE}
    edges = [(first, second) for first, second in graph.edges if second in local and first in local]
    edges = [(first, second) for first, second in edges if second != region.entry]
    before: defaultdict[int, list[int]] = defaultdict(list)
    for first, second in edges:
        before[second].append(first)
    columns = {region.entry: -1}
    for place in places:
        columns[place] = 1 + max((columns[first] for first in before[place]), default=-1)
    lanes = _lanes(region, before, columns)
    boxes = tuple(replace(_box(graph.nodes[place]), column=columns[place], lane=lanes[place]) for place in places)
    links = tuple((local[first], local[second], _way(columns, lanes, first, second, region)) for first, second in edges)
    node = graph.nodes[region.exit]
    return Segment(boxes, links, (node.role, _side(node), bool(region.branches)))


def _way(columns: dict[int, int], lanes: dict[int, float], first: int, second: int, region: Region) -> str:
    is_past_others = columns[second] - columns[first] > 1 and lanes[first] == lanes[second]
    is_short_cut = region.is_skip and max(lanes[first], lanes[second]) > 0
    return "skip" if is_past_others or is_short_cut else "flow"


def _lanes(region: Region, before: dict[int, list[int]], columns: dict[int, int]) -> dict[int, float]:
    """Give each branch its lanes: around the middle, or above the main way where the others are short cuts."""
    inside: list[dict[int, int]] = [_lanes_within(branch, before, columns) for branch in region.branches]
    heights = [max(lanes.values()) + 1 for lanes in inside]
    if region.is_skip:
        starts = _beside_main([len(branch) for branch in region.branches], heights)
    else:
        total = sum(heights)
        starts = [(total - 1) / 2 - sum(heights[:number]) for number in range(len(heights))]
    found: dict[int, float] = {region.entry: 0.0, region.exit: 0.0}
    for start, lanes in zip(starts, inside, strict=True):
        found |= {place: start - lane for place, lane in lanes.items()}
    return found


def _lanes_within(branch: Sequence[int], before: dict[int, list[int]], columns: dict[int, int]) -> dict[int, int]:
    lanes: dict[int, int] = {}
    ends: dict[int, int] = {}  # lane to the column of its last node
    for place in branch:
        inherited = [lanes[first] for first in before[place] if first in lanes and ends[lanes[first]] == columns[first]]
        lane = min(inherited) if inherited else len(ends)
        lanes[place] = lane
        ends[lane] = columns[place]
    return lanes


def _spread(count: int) -> list[float]:
    return [(count - 1) / 2 - number for number in range(count)]


def _beside_main(sizes: Sequence[int], heights: Sequence[int] | None = None) -> list[float]:
    """Return the first lane of each branch: the longest on lane 0, the others above it."""
    main = max(range(len(sizes)), key=lambda number: sizes[number])
    starts, top = [], 0.0
    for number in range(len(sizes)):
        height = heights[number] if heights else 1
        if number == main:
            starts.append(0.0)
        else:
            top += height
            starts.append(top)
    return starts


def _repeated(alike: list[Segment]) -> Segment:
    """Return the last of some segments of one sort, standing for all."""
    last = alike[-1]
    if len(alike) == 1:
        return last
    boxes = []
    for number, box in enumerate(last.boxes):
        same = [segment.boxes[number] for segment in alike]
        macs = [one.macs for one in same]
        boxes.append(
            replace(
                box,
                name=f"{same[0].name} to {box.name}",
                num_params=sum(one.num_params for one in same),
                macs=None if None in macs else sum(one or 0 for one in macs),
                positions=tuple(position for one in same for position in one.positions),
                repeats=len(alike),
            )
        )
    links = dict.fromkeys(link for segment in alike for link in segment.links)
    return Segment(tuple(boxes), tuple(links), last.sort)


def _box(node: Node) -> Box:
    return Box(node.name, node.role, node.shape, node.num_params, node.macs, (node.position,), _what(node))


def _sum(nodes: Sequence[Node], name: str, role: str, shape: tuple[int | None, ...]) -> Box:
    macs = [node.macs for node in nodes]
    return Box(
        name=name,
        role=role,
        shape=shape,
        num_params=sum(node.num_params for node in nodes),
        macs=None if None in macs else sum(one or 0 for one in macs),
        positions=tuple(node.position for node in nodes),
        text=", ".join(_what(node) for node in nodes if node.role not in ("join", "add", "multiply")),
    )


def _what(node: Node) -> str:
    """Return what a layer does in few words, such as `Conv2D 3×3, stride 2`."""
    words = node.kind
    if kernel := node.settings.get("kernel"):
        words += f" {'×'.join(map(str, kernel))}"
    strides = node.settings.get("strides") or [1]
    return words + (f", stride {strides[0]}" if max(strides) > 1 else "")


def _common(nodes: Sequence[Node]) -> str:
    """Return what the names of some nodes begin with."""
    parts = [node.name.split("_") for node in nodes]
    shared = [words[0] for words in zip(*parts, strict=False) if len(set(words)) == 1]
    return "_".join(shared) or nodes[-1].name


def _side(node: Node) -> int | None:
    return node.shape[0] if len(node.shape) == 3 else None
