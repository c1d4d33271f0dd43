"""Layer lists of any kind that fit together, for hypothesis."""

from typing import Any

from hypothesis import strategies as st

from cnnlab.architectures.layer_list import LAYER_KINDS, brief, check_layers
from cnnlab.architectures.layer_list_shapes import shapes_of
from cnnlab.parameters import ParameterSpec, specs

# Numbers beyond these make large networks and no other cases.
MOST = {"filters": 9, "units": 9, "kernel": 6, "window": 4, "dilation": 3, "multiplier": 3, "layers": 4, "stride": 3}


def _setting(spec: ParameterSpec) -> st.SearchStrategy[Any]:
    if spec.kind == "choice":
        return st.sampled_from(spec.choices)
    if spec.kind == "boolean":
        return st.booleans()
    if spec.kind == "integer":
        return st.integers(int(spec.low), MOST[spec.name])
    return st.floats(spec.low, spec.high)


@st.composite
def layers(draw) -> dict[str, Any]:
    """One layer, some of its settings left out."""
    kind = draw(st.sampled_from(sorted(LAYER_KINDS)))
    known = specs(LAYER_KINDS[kind].settings)
    return {"kind": kind, **draw(st.fixed_dictionaries({}, optional={spec.name: _setting(spec) for spec in known}))}


@st.composite
def layer_lists(draw, input_shape: tuple[int, int, int] = (32, 32, 3), most: int = 8) -> list[Any]:
    """A list that fits images of `input_shape`, as a person would write it."""
    kept: list[dict[str, Any]] = []
    for layer in draw(st.lists(layers(), max_size=most)):
        longer = check_layers([*kept, layer])
        if len(shapes_of(longer, input_shape)[0]) == len(longer):
            kept = longer
    if shapes_of(kept, input_shape)[1] is not None:
        kept = check_layers([*kept, "global_average_pool"])
    return brief(kept)
