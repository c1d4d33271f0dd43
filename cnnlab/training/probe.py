"""A look at every layer between epochs: gradients, weights, dead units, on a few training images that stay the same.

The look has no part in the training: it runs on copies of the state, and what dropout draws or batch
normalisation counts meanwhile is thrown away. A run with it and one without end with the same weights.
"""

import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from cnnlab.files import replace, temporary_beside
from cnnlab.training.engines.base import Engine, build_gradient_norms
from cnnlab.training.model import TrainingModel
from cnnlab.training.watching import watched_layers, watching

MOST_IMAGES = 128
# So many pixels of a channel fit wherever a training fits; larger images come as many at a time as in a step.
PIXELS_THAT_FIT = 2**17
# Of the epoch before it; a shorter epoch than SHORT_EPOCH_S is followed by a look at 1, 2, 4, 8, ... only.
LARGEST_SHARE = 0.01
SHORT_EPOCH_S = 1.0
# Gradients below 6e-8 would be zero in 16 bits. Source: Micikevicius et al. 2017, arXiv:1710.03740.
SCALE_16_BITS = 1024.0


class Probe:
    """Measures the layers of a training model.

    Args:
        images: Of the train split, `(n, height, width, channels)` uint8.
        labels: `(n,)` by output.
        seed: Chooses the images.
    """

    def __init__(
        self,
        model: TrainingModel,
        engine: Engine,
        images: NDArray[np.uint8],
        labels: Mapping[str, NDArray[np.int32]],
        batch_size: int,
        seed: int,
    ) -> None:
        rows = probe_rows(images.shape, batch_size, seed)
        self._model, self._engine = model, engine
        self._images = np.ascontiguousarray(images[rows])
        self._labels = {name: np.asarray(values)[rows] for name, values in labels.items()}
        self.layers = watched_layers(model.with_auxiliary or model.network)
        is_16_bits = any(one.layer.compute_dtype == "float16" for one in self.layers)
        self._scale = SCALE_16_BITS if is_16_bits else 1.0
        self._norms = build_gradient_norms(self._loss, model)
        self._before: list[NDArray[Any]] | None = None
        self._cost_s = 0.0

    def follow(self, engine: Engine) -> None:
        """Ask another engine for the weights from now on: other layers learn."""
        self._engine = engine

    def begin(self, state: Path | None, at: tuple[int, int]) -> None:
        """Remember the weights before the first step, or take up what was remembered at the checkpoint.

        Args:
            state: From `save`; None where nothing is kept.
            at: Epoch and step of the checkpoint, `(0, 0)` at the start.
        """
        if at == (0, 0):
            self._before = self._weights()
        elif state is not None:
            self._before = _read_state(state, at, len(self._all_variables()))

    def save(self, state: Path | None, at: tuple[int, int]) -> None:
        """Keep what the next look compares with, beside the checkpoint of `at`."""
        if state is None or self._before is None:
            return
        temporary = temporary_beside(state)
        arrays = {f"before/{index}": value for index, value in enumerate(self._before)}
        state.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(temporary, "wb") as file:
                np.savez(file, at=np.asarray(at), **arrays)  # type: ignore[arg-type]
            replace(temporary, state)
        finally:
            temporary.unlink(missing_ok=True)

    def is_due(self, epoch: int, epochs: int, epoch_s: float) -> bool:
        """Return whether to look after an epoch (1-based) that took `epoch_s` seconds."""
        if epoch & (epoch - 1) == 0 or epoch == epochs:
            return True
        return epoch_s >= SHORT_EPOCH_S and self._cost_s <= LARGEST_SHARE * epoch_s

    def look(self) -> list[dict[str, Any]]:
        """Return one row per layer, with the columns of the store's `probes` but run, epoch and step."""
        began = time.monotonic()
        self._engine.sync()
        trained = [variable.value for variable in self._model.trainable_variables]
        kept = [variable.value for variable in self._model.non_trainable_variables]
        norms, seen = self._norms(trained, kept, self._images, self._labels)
        by_variable = {
            id(variable): float(norm) / self._scale
            for variable, norm in zip(self._model.trainable_variables, norms, strict=True)
        }
        weights = self._weights()
        rows = list(self._rows(by_variable, seen, weights))
        self._before = weights
        self._cost_s = time.monotonic() - began
        return rows

    def _rows(
        self, norms: Mapping[int, float], seen: Mapping[str, Any], weights: Sequence[NDArray[Any]]
    ) -> Iterator[dict[str, Any]]:
        start = 0
        for position, one in enumerate(self.layers):
            end = start + len(one.variables)
            before = None if self._before is None else self._before[start:end]
            yield {
                "position": position,
                "layer": one.layer.name,
                "kind": type(one.layer).__name__,
                "is_frozen": one.is_frozen,
                "num_weights": sum(value.size for value in weights[start:end]),
                **_weight_numbers(weights[start:end], before),
                "gradient_norm": _together([norms[id(v)] for v in one.variables if id(v) in norms]),
                **_activation_numbers(seen.get(str(position), {})),
            }
            start = end

    def _loss(self, trained: Sequence[Any], kept: Sequence[Any], images: Any, labels: Mapping[str, Any]) -> Any:
        """Return the loss of the images with these values in place of the variables, and what the layers answered."""
        model = self._model
        mapping = [
            *zip(model.trainable_variables, trained, strict=True),
            *zip(model.non_trainable_variables, kept, strict=True),
        ]
        targets = {name: ops.one_hot(labels[name], count) for name, count in model.num_classes.items()}
        # As in a step, with statistics of the batch: early in a training the running ones are far off.
        with keras.StatelessScope(state_mapping=mapping), watching(self.layers) as seen:
            measured = model(ops.cast(ops.convert_to_tensor(images), "float32"), targets, training=True)
        return measured["loss"] * self._scale, seen

    def _all_variables(self) -> list[Any]:
        return [variable for one in self.layers for variable in one.variables]

    def _weights(self) -> list[NDArray[Any]]:
        self._engine.sync()
        return [np.array(ops.convert_to_numpy(variable), np.float32) for variable in self._all_variables()]


def probe_rows(shape: Sequence[int], batch_size: int, seed: int) -> NDArray[np.int64]:
    """Return which images are looked at, in their order: `MOST_IMAGES`, or fewer where these are large."""
    count = min(shape[0], MOST_IMAGES, max(batch_size, PIXELS_THAT_FIT // (shape[1] * shape[2])))
    return np.sort(np.random.default_rng([seed, MOST_IMAGES]).choice(shape[0], count, replace=False))


def _activation_numbers(seen: Mapping[str, Any]) -> dict[str, Any]:
    numbers: dict[str, Any] = {"units": None, "dead_share": None}
    for name in ("activation_mean", "activation_std"):
        numbers[name] = float(ops.convert_to_numpy(seen[name])) if name in seen else None
    if "units" in seen:
        units, alive = (int(ops.convert_to_numpy(seen[name])) for name in ("units", "alive"))
        numbers |= {"units": units, "dead_share": (units - alive) / units if units else 0.0}
    for name in ("input_mean", "input_std"):
        numbers[name] = ops.convert_to_numpy(seen[name]).tolist() if name in seen else None
    return numbers


def _weight_numbers(now: Sequence[NDArray[Any]], before: Sequence[NDArray[Any]] | None) -> dict[str, Any]:
    if not now:
        return {"weight_norm": None, "weight_change": None}
    norm = _together([float(np.linalg.norm(value)) for value in now])
    if before is None:
        return {"weight_norm": norm, "weight_change": None}
    change = _together([float(np.linalg.norm(new - old)) for new, old in zip(now, before, strict=True)])
    base = _together([float(np.linalg.norm(old)) for old in before])
    return {"weight_norm": norm, "weight_change": change / base if change and base else change or 0.0}


def _together(norms: Sequence[float]) -> float | None:
    """Return the norm of several arrays as one from the norm of each."""
    return float(np.sqrt(np.sum(np.square(norms)))) if norms else None


def _read_state(state: Path, at: tuple[int, int], count: int) -> list[NDArray[Any]] | None:
    """Return what `save` kept at that very checkpoint, else None: the next look then has nothing to compare with."""
    try:
        with np.load(state, allow_pickle=False) as arrays:
            if tuple(arrays["at"].tolist()) != at or len(arrays.files) != 1 + count:
                return None
            return [arrays[f"before/{index}"] for index in range(count)]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return None
