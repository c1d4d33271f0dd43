"""How the layers of a network hang together, as plain values: for drawings of it."""

from typing import Any

from cnnlab.analysis.costs import Costs

# What a layer's own settings are called, and what a page calls them.
SETTINGS = {"kernel_size": "kernel", "pool_size": "kernel", "strides": "strides", "dilation_rate": "dilation"}


def edges_of(counted: Costs) -> list[list[int]]:
    """Return `[from, to]` for each way from one row of a network to another, by their positions."""
    rows = {holder: place for place, holder in enumerate(counted.graph.holders)}
    maker: dict[int, int] = {}
    found: set[tuple[int, int]] = set()
    for call in counted.graph.calls:
        place = rows.get(id(call.holder))
        if place is None:
            continue
        makers = {maker[id(tensor)] for tensor in call.inputs if id(tensor) in maker}
        found |= {(one, place) for one in makers if one != place}
        maker |= {id(tensor): place for tensor in call.outputs}
    return [list(edge) for edge in sorted(found)]


def settings_of(counted: Costs) -> list[dict[str, Any]]:
    """Return kernel, strides, dilation, groups and activation of each row, as far as its layer has them."""
    return [_settings(row.call.operation) if row.call else {} for row in counted.rows]


def _settings(layer: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, title in SETTINGS.items():
        value = getattr(layer, name, None)
        if isinstance(value, tuple) and all(isinstance(side, int) for side in value):
            found[title] = list(value)
    if isinstance(groups := getattr(layer, "groups", None), int) and groups > 1:
        found["groups"] = groups
    activation = getattr(getattr(layer, "activation", None), "__name__", "linear")
    return found if activation == "linear" else {**found, "activation": activation}
