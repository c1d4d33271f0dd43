"""The learning rate at each step, as plain numbers: drawn in the form, obeyed in training. Imports no Keras."""

import numpy as np
from numpy.typing import NDArray

from cnnlab.config import TrainingConfig, TricksConfig

# One-cycle: Smith 2018, arXiv:1708.07120; the common split is 30 % up, starting at 1/25 of the highest rate.
ONE_CYCLE_RISE = 0.3
ONE_CYCLE_START = 1 / 25
ONE_CYCLE_END = 1e-4


def learning_rates(
    training: TrainingConfig, steps_per_epoch: int, tricks: TricksConfig | None = None
) -> NDArray[np.float64]:
    """Return one learning rate per optimizer step, `(epochs * steps_per_epoch,)`.

    The warm-up climbs linearly and is part of the epochs; the schedule runs over the rest.

    Source: cosine without restarts, Loshchilov and Hutter 2016, arXiv:1608.03983; linear
    warm-up, Goyal et al. 2017, arXiv:1706.02677; one-cycle, Smith 2018, arXiv:1708.07120.
    """
    total = training.epochs * steps_per_epoch
    warmup = min(round(training.warmup_epochs * steps_per_epoch), total)
    position = np.arange(total - warmup) / max(1, total - warmup)
    shape = _shape(training, position, np.arange(warmup, total) // steps_per_epoch)
    climb = np.arange(1, warmup + 1) / (warmup + 1) * (shape[0] if shape.size else 1.0)
    return highest_rate(training, tricks or TricksConfig()) * np.concatenate([climb, shape])


def highest_rate(training: TrainingConfig, tricks: TricksConfig) -> float:
    """Return the rate of the config, in proportion to the batch size where it is given for another.

    Source: the linear scaling rule of Goyal et al. 2017, arXiv:1706.02677, section 2.1.
    """
    reference = tricks.scale_rate_from_batch
    return training.learning_rate * (training.batch_size / reference if reference else 1.0)


def _shape(training: TrainingConfig, position: NDArray, epoch: NDArray) -> NDArray[np.float64]:
    """Return the share of the highest rate at `position` in [0, 1) of what follows the warm-up."""
    match training.schedule:
        case "constant":
            return np.ones_like(position)
        case "cosine":
            return _half_cosine(position)
        case "step":
            return training.step_factor ** (epoch // training.step_every_epochs).astype(float)
        case "one_cycle":
            rise = 1 - (1 - ONE_CYCLE_START) * _half_cosine(np.minimum(position / ONE_CYCLE_RISE, 1))
            fall = _half_cosine(np.clip((position - ONE_CYCLE_RISE) / (1 - ONE_CYCLE_RISE), 0, 1))
            return np.where(position < ONE_CYCLE_RISE, rise, ONE_CYCLE_END + (1 - ONE_CYCLE_END) * fall)


def _half_cosine(position: NDArray) -> NDArray[np.float64]:
    return 0.5 * (1 + np.cos(np.pi * position))
