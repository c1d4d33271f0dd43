"""The synthetic runs that every tracker is given: the same names, settings, times and numbers.

NumPy only: writers of the other trackers import it in environments that have nothing of ours.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

# Raised when the runs change: stores with those of before are no longer taken.
VERSION = 1
SERIES = tuple(f"{split}/{metric}" for split in ("train", "val") for metric in ("loss", "accuracy", "top_5"))
# The series that a comparison draws.
COMPARED_SERIES = "val/accuracy"
COMPARED = 20
EPOCH_S = 3.0
STEPS_PER_EPOCH = 400
_BEGIN_S = 1_767_225_600  # 2026-01-01
_BETWEEN_RUNS_S = 30
_SEED = 20_260_101


@dataclass(frozen=True)
class MadeRun:
    """One run.

    Attributes:
        started_s: Seconds since 1970.
        settings: What a person would have chosen, by name.
        values: `(epochs, len(SERIES))`, float64 that float32 holds exactly, as TensorBoard keeps no other.
    """

    name: str
    started_s: float
    settings: dict[str, str | int | float]
    values: np.ndarray

    def time_s(self, epoch: int) -> float:
        """Return when an epoch (1-based) ended."""
        return self.started_s + EPOCH_S * epoch

    @property
    def ended_s(self) -> float:
        """When the last epoch ended."""
        return self.time_s(len(self.values))


def made_runs(count: int, epochs: int) -> Iterator[MadeRun]:
    """Yield runs in the order of their beginning; the first thousand of ten thousand are the thousand."""
    for number in range(count):
        draw = np.random.default_rng((_SEED, number))
        settings = _settings(draw, number, epochs)
        yield MadeRun(name_of(number), float(_BEGIN_S + _BETWEEN_RUNS_S * number), settings, _values(draw, epochs))


def name_of(number: int) -> str:
    """Return the name of a run."""
    return f"run-{number:05d}"


def compared(count: int, repeat: int) -> list[int]:
    """Return the numbers of the runs of a comparison, spread over all; other ones each time, so that no cache answers.

    Raises:
        ValueError: there are too few runs.
    """
    if count < COMPARED:
        raise ValueError(f"{count} runs are too few. Expected {COMPARED} or more, for so many are compared.")
    stride = count // COMPARED
    return [stride * place + repeat % stride for place in range(COMPARED)]


def _settings(draw: np.random.Generator, number: int, epochs: int) -> dict[str, str | int | float]:
    return {
        "architecture": str(draw.choice(["lenet5", "vgg_small", "resnet"])),
        "dataset": "digits",
        "optimizer": str(draw.choice(["sgd", "adam", "adamw"])),
        "learning_rate": float(f"{10 ** draw.uniform(-4, -1):.3g}"),
        "batch_size": int(draw.choice([32, 64, 128, 256])),
        "weight_decay": float(draw.choice([0.0, 1e-4, 5e-4])),
        "epochs": epochs,
        "seed": number,
    }


def _values(draw: np.random.Generator, epochs: int) -> np.ndarray:
    """Return curves as trainings have them: they fall or rise towards a limit, with noise."""
    along = np.arange(1, epochs + 1)[:, None] / draw.uniform(5, 30)
    first = np.array([2.3, 0.1, 0.5, 2.3, 0.1, 0.5])
    last = np.array([0.1, 0.97, 0.99, 0.4, 0.9, 0.98]) + draw.normal(0, 0.02, len(SERIES))
    curves = last + (first - last) * np.exp(-along) + draw.normal(0, 0.01, (epochs, len(SERIES)))
    return np.clip(curves, 0, [9, 1, 1, 9, 1, 1]).astype(np.float32).astype(np.float64)
