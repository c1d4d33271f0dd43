"""What a network costs: parameters, multiply-accumulates, activations and receptive fields, layer by layer.

Nested models are opened, and so are layers of unknown classes where they are made of Keras's own
parts. A layer that is called several times has one row: its parameters once, its work each time.
What cannot be counted is listed and never taken as zero. The conventions: `cnnlab.analysis.counting`
for MACs, `cnnlab.analysis.fields` for receptive fields.
"""

import math
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import keras

from cnnlab.analysis.counting import KNOWN, macs_of
from cnnlab.analysis.depth import depth_of
from cnnlab.analysis.field_rules import Field, Sight, State, States
from cnnlab.analysis.fields import fields_of, last_map, output_of
from cnnlab.analysis.graph import Call, Graph, Shape, graph_of


@dataclass(frozen=True)
class LayerCost:
    """One layer, for one image.

    Attributes:
        name: Its path; layers of a nested model stand behind its name and a slash.
        output_shape: Of its last call, without the batch; empty where it has several outputs.
        macs: Of all its calls, None where not counted.
        activation_bytes: Size of the outputs of all its calls, None where a side is unknown.
        sees: What its output sees of the image.
    """

    position: int
    name: str
    kind: str
    output_shape: Shape
    num_params: int
    trainable_params: int
    macs: int | None
    activation_bytes: int | None = 0
    calls: int = 1
    sees: State = Sight.LOST
    call: Call | None = field(default=None, repr=False, compare=False)

    @property
    def counted(self) -> bool:
        return self.macs is not None

    @property
    def receptive_field_px(self) -> int | None:
        """Return the larger of height and width, over the paths; None without a feature map."""
        return self.sees.size_px if isinstance(self.sees, Field) else None

    def as_row(self) -> dict[str, Any]:
        """Return the row of `layers.parquet`."""
        return {
            "position": self.position,
            "name": self.name,
            "kind": self.kind,
            "output_shape": list(self.output_shape),
            "num_params": self.num_params,
            "trainable_params": self.trainable_params,
            "macs": self.macs,
            "counted": self.counted,
        }


@dataclass(frozen=True)
class Costs:
    """The totals of a network and its rows, which add up to them.

    Attributes:
        last_map: The row of the last feature map with a height and width; None where it cannot be followed.
    """

    rows: tuple[LayerCost, ...]
    last_map: LayerCost | None = None
    graph: Graph = field(default_factory=Graph, repr=False, compare=False)

    @cached_property
    def num_params(self) -> int:
        return sum(row.num_params for row in self.rows)

    @property
    def trainable_params(self) -> int:
        return sum(row.trainable_params for row in self.rows)

    @cached_property
    def macs(self) -> int | None:
        """Return the MACs of what could be counted, or None where nothing could."""
        counted = [row.macs for row in self.rows if row.macs is not None]
        return sum(counted) if counted else None

    @cached_property
    def depth(self) -> int:
        """Return the layers with weights on the longest way from the image to an answer."""
        return depth_of(self.graph)

    @cached_property
    def activation_bytes(self) -> int:
        return sum(row.activation_bytes or 0 for row in self.rows)

    @property
    def not_counted(self) -> tuple[str, ...]:
        return tuple(row.name for row in self.rows if not row.counted)


def costs(network: keras.Model, input_shape: Shape | None = None) -> Costs:
    """Count what `network` costs for one image.

    Args:
        input_shape: Height, width, channels, where the network leaves them open; its own where left out.
    """
    graph = graph_of(network, KNOWN, input_shape)
    states = fields_of(graph)
    calls: defaultdict[int, list[Call]] = defaultdict(list)
    for call in graph.calls:
        calls[id(call.holder)].append(call)
    owned = _owned_weights(graph, network)
    trained = {id(weight) for weight in network.trainable_weights}
    holders = [*graph.holders.values()]
    if id(network) not in graph.holders and owned[id(network)]:
        holders.append((network.name, network))  # weights that no layer on the way holds
    rows = tuple(
        _row(position, path, holder, calls[id(holder)], owned[id(holder)], trained, states)
        for position, (path, holder) in enumerate(holders)
    )
    last = last_map(graph, states)
    place = list(graph.holders).index(id(last.holder)) if last else None
    return Costs(rows, None if place is None else rows[place], graph)


def _row(
    position: int, path: str, holder: Any, calls: list[Call], weights: list[Any], trained: set[int], states: States
) -> LayerCost:
    counted = [macs_of(call) for call in calls]
    is_counted = None not in counted and not _is_mute(holder, calls, weights)
    last = calls[-1] if calls else None
    return LayerCost(
        position=position,
        name=path,
        kind=type(holder).__name__,
        output_shape=last.output_shape if last else (),
        num_params=_size(weights),
        trainable_params=_size([weight for weight in weights if id(weight) in trained]),
        macs=sum(one or 0 for one in counted) if is_counted else None,
        activation_bytes=_bytes(calls),
        calls=sum(call.operation is holder for call in calls) or 1,
        sees=output_of(last, states) if last else Sight.LOST,
        call=last,
    )


def _is_mute(holder: Any, calls: list[Call], weights: list[Any]) -> bool:
    # A model's own weights that no call was seen to use: they do something, and nobody knows what.
    return isinstance(holder, keras.Model) and bool(weights) and not calls


def _owned_weights(graph: Graph, network: keras.Model) -> defaultdict[int, list[Any]]:
    """Give every weight to one row: to the innermost layer that holds it, to the first where several do."""
    owned: defaultdict[int, list[Any]] = defaultdict(list)
    taken: set[int] = set()
    layers = [holder for _, holder in graph.holders.values() if isinstance(holder, keras.Layer)]
    # An opened layer stands before what is inside it, and keeps what nothing inside it holds.
    whole = {id(call.operation) for call in graph.calls}
    inner = [layer for layer in layers if id(layer) in whole]
    outer = [layer for layer in layers if id(layer) not in whole]
    for layer in [*inner, *reversed(outer), network]:
        for weight in layer.weights:
            if id(weight) not in taken:
                taken.add(id(weight))
                owned[id(layer)].append(weight)
    return owned


def _size(weights: list[Any]) -> int:
    return sum(math.prod(weight.shape) for weight in weights)


def _bytes(calls: list[Call]) -> int | None:
    sizes = [bytes_of(tensor) for call in calls for tensor in call.outputs]
    return None if None in sizes else sum(size or 0 for size in sizes)


def bytes_of(tensor: keras.KerasTensor) -> int | None:
    """Return the size of a tensor in memory, None where a side is unknown."""
    if None in tensor.shape:
        return None
    bits = 8 if tensor.dtype == "bool" else int("".join(filter(str.isdigit, tensor.dtype.split("_")[0])) or 32)
    return math.prod(tensor.shape) * bits // 8
