"""The learning rates of the heads: which layers of a network belong to which output."""

from collections.abc import Iterable, Mapping

import keras

from cnnlab.training.rate_multipliers import multipliers_of


def head_layers(network: keras.Model, output: str) -> list[str]:
    """Return the names of the layers that only serve one output, auxiliary heads included."""
    own, auxiliary = f"{output}_logits", f"{output}_auxiliary"
    return [
        layer.name
        for layer in network.layers
        if layer.name == own or layer.name.startswith((f"{own}_", *(f"{auxiliary}{digit}" for digit in range(10))))
    ]


def head_multipliers(rates: Mapping[str, float], networks: Iterable[keras.Model | None]) -> dict[int, float]:
    """Return what the learning rate of each variable of a head is multiplied by.

    Args:
        rates: By output.
        networks: The network and, where it has one, its companion with auxiliary heads.
    """
    found: dict[int, float] = {}
    for network in networks:
        if network is not None:
            layers = {name: rate for output, rate in rates.items() for name in head_layers(network, output)}
            found |= multipliers_of(layers, network)
    return found
