"""How deep a network is: its layers with weights that multiply, on the longest way from the image to an answer.

That is what the names count: ResNet-50 has 50, VGG-16 has 16, and shortcuts beside the way do not count. An
attention layer counts as one.
"""

import keras

from cnnlab.analysis.counting import macs_of
from cnnlab.analysis.graph import Call, Graph


def depth_of(graph: Graph) -> int:
    """Return the depth of a network from its calls in order."""
    longest: dict[int, int] = {}
    for call in graph.calls:
        before = max((longest.get(id(tensor), 0) for tensor in call.inputs), default=0)
        longest |= dict.fromkeys(map(id, call.outputs), before + _is_weighted(call))
    return max((longest.get(id(tensor), 0) for tensor in graph.outputs), default=0)


def _is_weighted(call: Call) -> bool:
    """Return whether a call multiplies by weights of its layer; what nobody can count does, where it has weights."""
    return isinstance(call.operation, keras.Layer) and bool(call.operation.weights) and macs_of(call) != 0
