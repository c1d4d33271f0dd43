"""What learns may change between epochs: then the steps are compiled anew, and the optimizer begins anew."""

from collections.abc import Callable
from typing import Protocol

import keras

from cnnlab.training.engines.base import Engine

# Builds the optimizer and the engine for what is trainable now.
Equip = Callable[[int], tuple[keras.optimizers.Optimizer, Engine]]


class Freezer(Protocol):
    """Who learns when; `cnnlab.training.transfer.Transfer` is one."""

    def changes_at(self, epoch: int) -> bool:
        """Return whether other layers learn from a 0-based epoch on."""

    def enter(self, epoch: int) -> None:
        """Let those layers learn that do in a 0-based epoch."""


class Stages:
    """Stages of a training, each with an optimizer and an engine of its own.

    Args:
        equip: Called with the 0-based epoch that comes next, after its layers were freed or frozen.
    """

    def __init__(self, freezer: Freezer, equip: Equip) -> None:
        self._freezer, self._equip = freezer, equip

    def changed(self, epoch: int) -> tuple[keras.optimizers.Optimizer, Engine] | None:
        """Return optimizer and engine of the stage that begins with an epoch; None where none begins."""
        if not self._freezer.changes_at(epoch):
            return None
        self._freezer.enter(epoch)
        return self._equip(epoch)
