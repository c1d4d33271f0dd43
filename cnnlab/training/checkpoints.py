"""The whole state of a training on disk, to go on exactly where it stood."""

import contextlib
import json
import os
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from cnnlab.errors import TrainingError
from cnnlab.files import replace, temporary_beside
from cnnlab.runs.checkpoint import FORMAT, NAME
from cnnlab.training.model import TrainingModel


@dataclass
class Position:
    """How far a training is, and what it needs to remember beside its variables.

    Attributes:
        epoch: 0-based, of the next step.
        step: 0-based, of the next step within its epoch.
        elapsed_s: Of training so far, over all attempts.
        sums: Of what the steps of this epoch measured, by name.
        best_epoch: 1-based; 0 before the first validation.
        best_loss: Of the validation; infinite before the first.
        epochs_before: Of the run that this one continues: early stopping counts from there.
        elapsed_before_s: Likewise, for the time budget.
    """

    epoch: int = 0
    step: int = 0
    elapsed_s: float = 0.0
    sums: dict[str, float] = field(default_factory=dict)
    best_epoch: int = 0
    best_loss: float = float("inf")
    epochs_before: int = 0
    elapsed_before_s: float = 0.0


class Checkpoints:
    """One checkpoint in a folder, replaced whole: the last good one stays until the next is on disk.

    Args:
        fingerprint: Of the config with its seed; the state of another training is refused.
    """

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self.path = folder / NAME
        self.fingerprint = fingerprint

    def write(
        self,
        position: Position,
        model: TrainingModel,
        optimizer: keras.optimizers.Optimizer,
        best: Sequence[NDArray[Any]] | None,
    ) -> None:
        """Write position, all variables (weights, statistics, seeds), the optimizer's, and the best weights so far."""
        about = {"format": FORMAT, "fingerprint": self.fingerprint, "position": asdict(position)}
        arrays: dict[str, Any] = {"about": np.frombuffer(json.dumps(about).encode(), np.uint8)}
        arrays |= _named("model", [keras.ops.convert_to_numpy(variable) for variable in model.variables])
        arrays |= _named("optimizer", [keras.ops.convert_to_numpy(variable) for variable in optimizer.variables])
        arrays |= _named("best", best or ())
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = temporary_beside(self.path)
        try:
            with open(temporary, "wb") as file:
                np.savez(file, **arrays)
                file.flush()
                os.fsync(file.fileno())
            replace(temporary, self.path)
        finally:
            temporary.unlink(missing_ok=True)

    def read(
        self, model: TrainingModel, optimizer: keras.optimizers.Optimizer
    ) -> tuple[Position, list[NDArray[Any]]] | None:
        """Set the variables as they were; return position and best weights, or None where there is no checkpoint.

        Raises:
            TrainingError: the file is damaged, or of another config.
        """
        with self._opened() as arrays:
            if arrays is None:
                return None
            position = self._position_in(arrays)
            _set(model.variables, _unnamed("model", arrays))
            _set(optimizer.variables, _unnamed("optimizer", arrays))
            return position, _unnamed("best", arrays)

    def position(self) -> Position | None:
        """Return the position alone, None where there is no checkpoint; raises as `read`."""
        with self._opened() as arrays:
            return None if arrays is None else self._position_in(arrays)

    def _position_in(self, arrays: Mapping[str, Any]) -> Position:
        about = json.loads(arrays["about"].tobytes())
        if about["format"] != FORMAT or about["fingerprint"] != self.fingerprint:
            raise TrainingError(
                "bad_data", "The checkpoint is of another config or an older version. Train from the start."
            )
        return Position(**about["position"])

    @contextlib.contextmanager
    def _opened(self) -> Iterator[Mapping[str, Any] | None]:
        if not self.path.exists():
            yield None
            return
        try:
            with np.load(self.path, allow_pickle=False) as arrays:
                yield arrays
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise TrainingError(
                "bad_data", f"The checkpoint {self.path.name} cannot be read ({error}). Train from the start."
            ) from error


def _named(group: str, values: Sequence[NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return {f"{group}/{index}": value for index, value in enumerate(values)}


def _unnamed(group: str, arrays: Mapping[str, Any]) -> list[NDArray[Any]]:
    count = sum(name.startswith(f"{group}/") for name in arrays)
    return [arrays[f"{group}/{index}"] for index in range(count)]


def _set(variables: Sequence[Any], values: Sequence[NDArray[Any]]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
