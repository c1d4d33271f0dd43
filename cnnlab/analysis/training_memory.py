"""How much memory training takes at its peak, from parts that do not change with the batch.

Imports no Keras: `cnnlab.analysis.memory` finds the parts from a network, and whoever has them
can ask for any batch size and optimizer.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

# Values that an optimizer keeps beside each trained weight.
SLOTS = {"sgd": 0, "sgd_momentum": 1, "rmsprop": 1, "adagrad": 1, "adam": 2, "adamw": 2}
# What a framework needs beside the tensors; the suggested batch leaves it free.
HEADROOM = 0.1


@dataclass(frozen=True)
class TrainingMemory:
    """The parts, in bytes.

    Attributes:
        weights_bytes: All weights.
        trained_bytes: Those that training changes; as much again for their gradients and for each slot.
        kept_bytes_per_image: Tensors that the backward pass reads again.
        moving_bytes_per_image: Gradients where they are largest.
    """

    weights_bytes: int
    trained_bytes: int
    kept_bytes_per_image: int
    moving_bytes_per_image: int

    @property
    def bytes_per_image(self) -> int:
        return self.kept_bytes_per_image + self.moving_bytes_per_image

    def fixed_bytes(self, optimizer: str) -> int:
        """Return what any batch takes: weights, gradients, slots."""
        return self.weights_bytes + self.trained_bytes * (1 + SLOTS[optimizer])

    def peak_bytes(self, batch_size: int, optimizer: str) -> int:
        return self.fixed_bytes(optimizer) + batch_size * self.bytes_per_image

    def largest_batch(self, budget_bytes: float, optimizer: str) -> int:
        """Return the largest power of two that fits with some room left, 0 where not one image does.

        >>> TrainingMemory(100, 100, 8, 2).largest_batch(1000, "sgd")
        64
        """
        images = (budget_bytes * (1 - HEADROOM) - self.fixed_bytes(optimizer)) / max(self.bytes_per_image, 1)
        return 2 ** int(math.log2(images)) if images >= 1 else 0

    def as_document(self) -> dict[str, int]:
        return asdict(self)


def from_document(document: Mapping[str, Any]) -> TrainingMemory:
    """Return the parts as `as_document` gave them, perhaps among other keys."""
    return TrainingMemory(**{name: document[name] for name in TrainingMemory.__dataclass_fields__})


def slots_name(optimizer: str, momentum: float) -> str:
    """Return the name in `SLOTS` of an optimizer of a config."""
    return "sgd_momentum" if optimizer == "sgd" and momentum > 0 else optimizer
