"""The calls of a network in order, nested models and composed layers opened.

A layer that is called twice is two calls of one layer. What is inside a nested model has a
path such as `backbone/conv1`. A layer of a class that nobody knows is opened by calling it on
symbols: where it is made of Keras's layers and operations these are seen, else it stays one
call that cannot be counted.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
from keras import KerasTensor, tree
from keras.src.models.functional import Functional  # Keras exports no name for it

Shape = tuple[int | None, ...]


@dataclass(frozen=True, eq=False)
class Call:
    """One call of a layer or operation.

    Attributes:
        holder: The layer whose row it belongs to: itself, or the opened layer around an operation.
        inputs: Every tensor among the arguments, in order.
    """

    operation: Any
    path: str
    holder: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    inputs: tuple[KerasTensor, ...]
    outputs: tuple[KerasTensor, ...]

    @property
    def output_shape(self) -> Shape:
        """Return the shape of the first output, without the batch; empty where there are several."""
        return tuple(self.outputs[0].shape[1:]) if len(self.outputs) == 1 else ()

    @property
    def input_shape(self) -> Shape:
        return tuple(self.inputs[0].shape[1:]) if self.inputs else ()


@dataclass
class Graph:
    """The calls of a network.

    Attributes:
        holders: Each layer or operation that has a row, with its path, in order.
        inputs: What goes in; `outputs` what comes out.
    """

    calls: list[Call] = field(default_factory=list)
    holders: dict[int, tuple[str, Any]] = field(default_factory=dict)
    inputs: list[KerasTensor] = field(default_factory=list)
    outputs: list[KerasTensor] = field(default_factory=list)


def graph_of(network: keras.Model, known: Collection[type], input_shape: Shape | None = None) -> Graph:
    """Follow one image through `network`, from its inputs to its outputs.

    Args:
        known: Classes of layers that are not opened.
        input_shape: Of the first input, without the batch; its own where left out.
    """
    walk = _Walk(known)
    # One image, and not an unknown number of them: what a network puts into the batch, such as windows, is seen.
    given = [KerasTensor((1, *tensor.shape[1:]), tensor.dtype) for tensor in _inputs_of(network, input_shape)]
    if input_shape is not None:
        given[0] = KerasTensor((1, *input_shape), given[0].dtype)
    walk.graph.inputs = given
    if _is_graph(network):
        walk.add_inputs(network, given)
        walk.graph.outputs = walk.follow(network.inputs, network.outputs, given, prefix="", holder=None)
    else:
        walk.graph.outputs = walk.visit(network, "", (given[0],), {}, None, holder=None)
    return walk.graph


def _inputs_of(network: keras.Model, input_shape: Shape | None) -> list[KerasTensor]:
    if _is_graph(network):
        return list(network.inputs)
    if input_shape is None:
        raise ValueError("a subclassed model has no input shape of its own")
    return [KerasTensor((1, *input_shape), "float32")]


def _is_graph(operation: Any) -> bool:
    """Return whether the layers of a model say what it computes: it is functional or sequential, and built so."""
    if not isinstance(operation, keras.Model):
        return False
    own_call = type(operation).call  # a subclass may have its own, which its layers do not tell
    if isinstance(operation, keras.Sequential):
        return own_call is keras.Sequential.call and operation._functional is not None
    return isinstance(operation, Functional) and own_call is Functional.call


class _Walk:
    def __init__(self, known: Collection[type]):
        self.known = known
        self.graph = Graph()

    def add_inputs(self, network: Any, given: Sequence[KerasTensor]) -> None:
        """Give the inputs of the whole network their rows; those of nested models are no tensors of their own."""
        if isinstance(network, keras.Sequential):
            return  # Keras does not list the input of a stack either
        for reference, tensor in zip(network.inputs, given, strict=True):
            layer = reference._keras_history.operation
            self.graph.holders[id(layer)] = (layer.name, layer)
            self.graph.calls.append(Call(layer, layer.name, layer, (), {}, (), (tensor,)))

    def follow(
        self,
        references: Sequence[KerasTensor],
        wanted: Sequence[KerasTensor],
        given: Sequence[KerasTensor],
        prefix: str,
        holder: Any,
    ) -> list[KerasTensor]:
        """Follow the graph between two sets of reference tensors, with other tensors put in."""
        values = {id(reference): tensor for reference, tensor in zip(references, given, strict=True)}
        for node in _ordered(references, wanted):
            args, kwargs = node.arguments.fill_in(values)
            is_same = all(values[id(tensor)].shape == tensor.shape for tensor in node.input_tensors)
            outputs = self.visit(node.operation, prefix, args, kwargs, node.outputs if is_same else None, holder)
            values.update((id(reference), tensor) for reference, tensor in zip(node.outputs, outputs, strict=True))
        return [values[id(tensor)] for tensor in wanted]

    def visit(
        self, operation: Any, prefix: str, args: Any, kwargs: Any, outputs: Sequence[KerasTensor] | None, holder: Any
    ) -> list[KerasTensor]:
        """Record one call, or those inside it; return its outputs."""
        path = f"{prefix}{operation.name}"
        inputs = tuple(_tensors((args, kwargs)))
        if _is_graph(operation) and len(inputs) == len(operation.inputs):
            return self.follow(operation.inputs, operation.outputs, inputs, f"{path}/", holder=None)
        is_layer = isinstance(operation, keras.Layer)
        if is_layer or holder is None:
            self.graph.holders.setdefault(id(operation), (path, operation))
        if is_layer and type(operation) not in self.known:
            opened = self._opened(operation, path, args, kwargs, inputs)
            if opened is not None:
                return opened
        if outputs is None:
            outputs = _tensors(operation.compute_output_spec(*args, **kwargs))
        # The same layer may be called on the same symbols again: each call has tensors of its own.
        made = tuple(KerasTensor(tensor.shape, tensor.dtype) for tensor in outputs)
        owner = operation if is_layer or holder is None else holder
        self.graph.calls.append(Call(operation, path, owner, tuple(args), dict(kwargs), inputs, made))
        return list(made)

    def _opened(
        self, layer: keras.Layer, path: str, args: Any, kwargs: Any, inputs: Sequence[KerasTensor]
    ) -> list[KerasTensor] | None:
        """Follow what a layer does inside, or return None where that cannot be seen."""
        symbols = {id(tensor): KerasTensor(tensor.shape, tensor.dtype) for tensor in inputs}
        own_args, own_kwargs = tree.map_structure(lambda value: symbols.get(id(value), value), (args, kwargs))
        try:
            results = tree.flatten(layer.call(*own_args, **own_kwargs))
        except Exception:  # its code is anybody's, and so are its ways to fail
            return None
        if not all(isinstance(result, KerasTensor) for result in results):
            return None
        return self.follow([symbols[id(tensor)] for tensor in inputs], results, inputs, f"{path}/", holder=layer)


def _tensors(structure: Any) -> list[KerasTensor]:
    return [value for value in tree.flatten(structure) if isinstance(value, KerasTensor)]


def _ordered(references: Iterable[KerasTensor], wanted: Iterable[KerasTensor]) -> list[Any]:
    """Return the nodes between tensors so that each comes after those it needs, branch by branch."""
    done = {id(tensor) for tensor in references}
    order: list[Any] = []
    seen: set[int] = set()
    stack = [(tensor, False) for tensor in reversed(list(wanted))]
    while stack:
        tensor, is_ready = stack.pop()
        history = getattr(tensor, "_keras_history", None)
        if id(tensor) in done or history is None or history.operation is None:
            continue
        node = history.operation._inbound_nodes[history.node_index]
        if is_ready:
            if id(node) not in seen:
                seen.add(id(node))
                order.append(node)
            done.add(id(tensor))
            continue
        stack.append((tensor, True))
        stack.extend((needed, False) for needed in reversed(node.input_tensors))
    return order
