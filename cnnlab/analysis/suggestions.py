"""Which learning rate and which batch size measured curves speak for. Imports no Keras."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

# Of the lowest running mean so far: beyond it a training has diverged; so it has where it had come below this share
# of the first loss, and is above the first again.
DIVERGED = 4.0
GAINED = 0.9
# Of the first loss: less is noise.
LEAST_FALL = 0.02
# Points of the mean that draws the curve, as a share of all, and of the running mean that stops a search.
WINDOW = 0.1
RUNNING = 0.7
# A batch this near to the fastest is as good: larger ones take memory and steps away.
NEAR_BEST = 0.95

Rule = Literal["steepest", "tenth"]


@dataclass(frozen=True)
class RateSuggestion:
    """What a range test says.

    Attributes:
        smoothed: The losses as a centred mean; NaN stays out of it.
        steepest: The rate at which the smoothed loss falls fastest over the logarithm of the rate; None where it
            hardly falls.
        diverged_at: The rate at which the loss left what it had reached; None where it did not.
    """

    smoothed: NDArray[np.float64]
    steepest: float | None
    diverged_at: float | None

    @property
    def tenth(self) -> float | None:
        """A tenth of where it diverged."""
        return None if self.diverged_at is None else self.diverged_at / 10

    @property
    def rule(self) -> Rule | None:
        """Which of the two is suggested: the steepest fall, where there is one."""
        return "steepest" if self.steepest is not None else "tenth" if self.tenth is not None else None

    @property
    def rate(self) -> float | None:
        """The suggested rate."""
        return self.steepest if self.steepest is not None else self.tenth


def suggest_rate(rates: Sequence[float], losses: Sequence[float]) -> RateSuggestion:
    """Return what a curve of losses over rising rates suggests.

    Source: Smith 2015, "Cyclical Learning Rates for Training Neural Networks", arXiv:1506.01186, section 3.3.
    """
    values, at = np.asarray(losses, np.float64), np.asarray(rates, np.float64)
    left = divergence(values)
    kept = values[:left] if left is not None else values
    smooth = centred_mean(kept, max(3, int(WINDOW * len(values)) | 1))
    steepest = _steepest(at[: len(kept)], smooth)
    whole = np.concatenate([smooth, values[len(kept) :]])
    return RateSuggestion(whole, steepest, None if left is None else float(at[left]))


def divergence(losses: NDArray[np.float64]) -> int | None:
    """Return where the running mean is no number, is far too high or has lost all it had gained; None for never."""
    running, lowest, weight = 0.0, float("inf"), 0.0
    for index, loss in enumerate(losses):
        running, weight = RUNNING * running + (1 - RUNNING) * loss, RUNNING * weight + (1 - RUNNING)
        mean = running / weight
        has_lost = lowest < GAINED * losses[0] and mean > losses[0]
        if not np.isfinite(loss) or mean > DIVERGED * lowest or has_lost:
            return index
        lowest = min(lowest, mean)
    return None


def centred_mean(values: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Return the mean over an odd window around each point; narrower, but as centred, near the ends."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    half = np.minimum(window // 2, np.minimum(np.arange(len(values)), np.arange(len(values))[::-1]))
    places = np.arange(len(values))
    means: NDArray[np.float64] = (sums[places + half + 1] - sums[places - half]) / (2 * half + 1)
    return means


def suggest_batch(batch_sizes: Sequence[int], images_per_s: Sequence[float]) -> int | None:
    """Return the smallest batch whose throughput is within 5 % of the best; None where nothing was measured.

    >>> suggest_batch([8, 16, 32, 64], [100, 180, 290, 300])
    32
    """
    if not batch_sizes:
        return None
    best = max(images_per_s)
    return min(size for size, speed in zip(batch_sizes, images_per_s, strict=True) if speed >= NEAR_BEST * best)


def _steepest(rates: NDArray[np.float64], smooth: NDArray[np.float64]) -> float | None:
    lowest = int(np.argmin(smooth)) if len(smooth) else 0
    if lowest < 2 or smooth[0] - smooth[lowest] < LEAST_FALL * smooth[0]:
        return None
    slope = np.gradient(smooth[: lowest + 1], np.log10(rates[: lowest + 1]))
    steepest = int(np.argmin(slope))
    return float(rates[steepest]) if slope[steepest] < 0 else None
