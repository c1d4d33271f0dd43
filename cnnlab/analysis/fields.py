"""What each feature map of a network sees of the image, followed through branches and skips.

Statistics of normalisation layers are left out, as convention has it. A path that sees the
whole image, such as the gate of a squeeze-and-excitation block, is told apart: the size is
the largest over the other paths. What moves height and width where they cannot be followed
(a resize, tokens) is said so and never guessed.
"""

import keras

from cnnlab.analysis.field_rules import WINDOWS, Field, Sight, State, States, state_after
from cnnlab.analysis.graph import Call, Graph
from cnnlab.analysis.receptive_field import Axis


def fields_of(graph: Graph) -> dict[int, State]:
    """Return what every tensor of `graph` sees, by `id(tensor)`."""
    states: dict[int, State] = {}
    places = _places(graph)
    for tensor in graph.inputs:
        states[id(tensor)] = Field((Axis(), Axis()), places) if len(tensor.shape) == 4 else Sight.LOST
    for call in graph.calls:
        if call.inputs:
            state = state_after(call, [states.get(id(tensor), Sight.LOST) for tensor in call.inputs])
            states |= {id(tensor): state for tensor in call.outputs}
    return states


def last_map(graph: Graph, states: States) -> Call | None:
    """Return the call that makes the last feature map on the way to the first output.

    None where there is none, or where a later map exists that could not be followed.
    """
    found = None
    for call in _ancestors(graph):
        state = states.get(id(call.outputs[0]))
        if isinstance(state, Field):
            found = call
        elif state is Sight.LOST and type(call.operation) in (*WINDOWS, keras.layers.GlobalAveragePooling2D):
            return None  # a window over height and width: there is a map, and nobody knows what it sees
    return found


def _places(graph: Graph) -> tuple[int, int]:
    """Return where height and width are, as the first layer that cares about it says."""
    formats = (getattr(call.operation, "data_format", None) for call in graph.calls)
    chosen = next((one for one in formats if one), keras.config.image_data_format())
    return (2, 3) if chosen == "channels_first" else (1, 2)


def _ancestors(graph: Graph) -> list[Call]:
    if not graph.outputs:
        return []
    needed = {id(graph.outputs[0])}
    found = []
    for call in reversed(graph.calls):
        if any(id(tensor) in needed for tensor in call.outputs):
            needed |= {id(tensor) for tensor in call.inputs}
            found.append(call)
    return found[::-1]


def output_of(call: Call, states: States) -> State:
    """Return what the (first) output of a call sees."""
    return states.get(id(call.outputs[0]), Sight.LOST)
