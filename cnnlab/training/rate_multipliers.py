"""Learning rates of single variables: what the optimizer's step on each is multiplied by.

Works for any optimizer of Keras on any backend: the values before the step are kept, and of the
step, weight decay included, only that share is taken. As a step is proportional to the learning
rate, this is the same as another rate for that variable, momentum and Adam's moments included.

Moving averages of weights and accumulated gradients see the step as it was taken: the share is
taken inside of the optimizer, between its step and what follows.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import keras
from keras import ops

# By `id` of the variable: names need not be unique in networks that hold networks.
Multipliers = Mapping[int, float]


def multipliers_of(layers: Mapping[str, float], network: keras.Model) -> dict[int, float]:
    """Return the multipliers of all trainable variables of some layers of a network, by the layers' names."""
    known = {layer.name: layer for layer in network.layers}
    return {
        id(variable): factor
        for name, factor in layers.items()
        for variable in known[name].trainable_variables
        if factor != 1
    }


def offset_multipliers(factor: float, networks: Iterable[keras.Model | None]) -> dict[int, float]:
    """Return the multipliers of the offsets of batch normalisation.

    Args:
        networks: The network and, where it has one, its companion with auxiliary heads.
    """
    if factor == 1:
        return {}
    return {
        id(layer.beta): factor
        for network in networks
        if network is not None
        for layer in network._flatten_layers()
        if isinstance(layer, keras.layers.BatchNormalization) and layer.center
    }


def combined(several: Iterable[Multipliers]) -> dict[int, float]:
    """Return the product of several multipliers, by variable."""
    product: dict[int, float] = {}
    for one in several:
        for variable, factor in one.items():
            product[variable] = product.get(variable, 1.0) * factor
    return product


def multiply_rates(optimizer: keras.optimizers.Optimizer, multipliers: Multipliers) -> None:
    """Let `optimizer` take only a share of its step on some variables; call it before the first step.

    Where all are 1 the optimizer stays as it is, so that nothing is slower.

    Args:
        optimizer: Built or not; of a loss-scaling one its inner optimizer is changed.
        multipliers: By variable, 0 or more; 1 where left out. 0 leaves a variable as it is.
    """
    slowed = {variable: factor for variable, factor in multipliers.items() if factor != 1}
    if not slowed:
        return
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    decay, step = inner._apply_weight_decay, inner._backend_update_step
    before: list[tuple[Any, float, Any]] = []

    def remember_and_decay(variables: Any) -> None:
        # Always called just before the step, also where there is no weight decay.
        before[:] = [
            (variable, slowed[id(variable)], ops.copy(ops.convert_to_tensor(variable)))
            for variable in variables
            if id(variable) in slowed
        ]
        decay(variables)

    def step_and_share(gradients: Any, variables: Any, learning_rate: Any) -> None:
        step(gradients, variables, learning_rate)
        for variable, factor, old in before:
            variable.assign(old + factor * (ops.convert_to_tensor(variable) - old))
        before.clear()

    inner._apply_weight_decay = remember_and_decay
    inner._backend_update_step = step_and_share
