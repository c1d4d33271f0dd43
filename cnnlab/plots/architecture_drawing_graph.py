"""The graph of a network as a drawing wants it: few nodes, and the blocks between the places that all paths pass.

Layers that only normalise, activate or reshape belong to the layer before them (or, behind a sum or
concatenation, to the one after them): what is left are the maps of a textbook figure.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

JOINS = {"Concatenate": "join", "Add": "add", "Multiply": "multiply", "Subtract": "add", "Average": "add"}
SIGNS_OF_JOINS = frozenset({"add", "multiply"})  # drawn as a sign, not as a map
# Names of what papers call a block; behind it only parts of the block are told apart.
BLOCK = re.compile(
    r"^((?:st(?:ack|age)\d+_)?(?:block\d+(?:_layer\d+)?|inception_\w\w|mixed\w+?|fire\d+|transition\d+|module\d+))(?=_|$)"
)


@dataclass(frozen=True)
class Node:
    """One drawn layer with the quiet ones that belong to it.

    Attributes:
        position: Of its row in the document.
        role: `input`, `conv`, `pool`, `dense`, `attention`, `join` (concatenation), `add`, `multiply` or `other`.
        shape: Of its output without the batch.
        macs: Of all its layers; None where one could not be counted.
        members: The names of all its layers.
    """

    position: int
    name: str
    kind: str
    role: str
    shape: tuple[int | None, ...]
    num_params: int
    macs: int | None
    activation_bytes: int
    members: tuple[str, ...]
    settings: Mapping[str, Any]

    @property
    def block(self) -> str:
        """The block that its name says it is part of, empty where it says none."""
        found = BLOCK.match(self.name)
        return found.group(1) if found else ""


@dataclass(frozen=True)
class Graph:
    """Nodes in an order in which each comes after those it needs, and the edges between their places."""

    nodes: tuple[Node, ...]
    edges: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Region:
    """What lies between two neighbouring places that all paths pass, up to and with the second.

    Attributes:
        entry: Place of the node before it.
        exit: Place of its last node.
        branches: Connected parts between the two, each in order.
        has_direct_way: Whether an edge leads from entry to exit past all branches.
    """

    entry: int
    exit: int
    branches: tuple[tuple[int, ...], ...]
    has_direct_way: bool
    exit_role: str
    is_projected: bool = False

    @property
    def is_skip(self) -> bool:
        """Whether some way leads past the work: untouched, or through one convolution only."""
        is_joined = self.exit_role in ("add", "join")  # a gate multiplies: there the direct way is the work
        return bool(self.branches) and is_joined and (self.has_direct_way or self.is_projected)

    @property
    def places(self) -> tuple[int, ...]:
        return (*sorted(place for branch in self.branches for place in branch), self.exit)


def graph_of(document: Mapping[str, Any]) -> Graph:
    """Return the drawn nodes of a network from the inspector's answer to `inspect`."""
    rows: Sequence[Mapping[str, Any]] = document["layers"]
    edges = [(int(first), int(second)) for first, second in document["edges"] if first < second]
    owners = _owners(rows, edges)
    members: defaultdict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for position, owner in enumerate(owners):
        members[owner].append(rows[position])
    kept = sorted(members)
    place_of = {position: place for place, position in enumerate(kept)}
    nodes = tuple(_node(position, rows[position], members[position]) for position in kept)
    drawn = {(place_of[owners[first]], place_of[owners[second]]) for first, second in edges}
    return Graph(nodes, tuple(sorted((first, second) for first, second in drawn if first < second)))


def regions_of(graph: Graph) -> list[Region]:
    """Return the parts of the network in order; where nothing branches, each is one node.

    A node lies on all paths when no edge leads past it, in any order that respects the edges.
    """
    reach = 0
    cuts = []
    furthest: defaultdict[int, int] = defaultdict(int)
    for first, second in graph.edges:
        furthest[first] = max(furthest[first], second)
    for place in range(len(graph.nodes)):
        if reach <= place:
            cuts.append(place)
        reach = max(reach, furthest[place])
    return [_region(graph, entry, exit_) for entry, exit_ in pairwise(cuts)]


def _region(graph: Graph, entry: int, exit_: int) -> Region:
    inner = range(entry + 1, exit_)
    within = [(first, second) for first, second in graph.edges if entry < first and second < exit_]
    branches = _parts(inner, within)
    role = graph.nodes[exit_].role
    works = [sum(graph.nodes[place].role in ("conv", "dense", "attention") for place in part) for part in branches]
    is_projected = role == "add" and len(branches) > 1 and min(works) <= 1 < max(works)
    return Region(entry, exit_, branches, bool(branches) and (entry, exit_) in graph.edges, role, is_projected)


def _parts(places: Iterable[int], edges: Iterable[tuple[int, int]]) -> tuple[tuple[int, ...], ...]:
    """Return the connected parts of some nodes."""
    part = {place: place for place in places}

    def top(place: int) -> int:
        while part[place] != place:
            place = part[place]
        return place

    for first, second in edges:
        low, high = sorted((top(first), top(second)))
        part[high] = low
    found: defaultdict[int, list[int]] = defaultdict(list)
    for place in part:
        found[top(place)].append(place)
    return tuple(tuple(found[first]) for first in sorted(found))


def _owners(rows: Sequence[Mapping[str, Any]], edges: Sequence[tuple[int, int]]) -> list[int]:
    """Return for each row the position of the row that it is drawn with."""
    before: defaultdict[int, list[int]] = defaultdict(list)
    num_after: defaultdict[int, int] = defaultdict(int)
    for first, second in edges:
        before[second].append(first)
        num_after[first] += 1
    owners = list(range(len(rows)))
    waiting: dict[int, list[int]] = {}  # quiet layers behind a join, on their way to the layer they prepare
    for position, row in enumerate(rows):
        if not _is_quiet(row, before[position]):
            for first in before[position]:
                for quiet in waiting.pop(first, ()):
                    owners[quiet] = position
            continue
        first = before[position][0]
        chain = waiting.pop(first, [])
        is_behind_join = bool(chain) or (owners[first] == first and rows[first]["kind"] in JOINS)
        if is_behind_join and num_after[position] == 1 and num_after[first] >= 1:
            waiting[position] = [*chain, position]
            continue
        source = before[chain[0]][0] if chain else first
        for quiet in (*chain, position):
            owners[quiet] = owners[source]
    return owners


def _is_quiet(row: Mapping[str, Any], before: Sequence[int]) -> bool:
    kind = str(row["kind"])
    is_free = row["macs"] == 0 and row["counted"]
    return len(before) == 1 and is_free and not any(word in kind for word in ("Pool", "Sampling", "Input"))


def _node(position: int, row: Mapping[str, Any], members: Sequence[Mapping[str, Any]]) -> Node:
    macs = [member["macs"] for member in members]
    return Node(
        position=position,
        name=row["name"],
        kind=row["kind"],
        role=_role(row),
        shape=tuple(row["output_shape"]),
        num_params=sum(member["num_params"] for member in members),
        macs=None if None in macs else sum(macs),
        activation_bytes=sum(member["activation_bytes"] or 0 for member in members),
        members=tuple(member["name"] for member in members),
        settings=row.get("settings", {}),
    )


def _role(row: Mapping[str, Any]) -> str:
    kind = str(row["kind"])
    if kind in JOINS:
        return JOINS[kind]
    words = {"Input": "input", "Pool": "pool", "Attention": "attention", "Conv": "conv", "Dense": "dense"}
    return next((role for word, role in words.items() if word in kind), "other")
