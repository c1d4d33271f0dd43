"""When a trial is stopped because it does badly beside the others: the median and the percentile rule."""

import math
from collections.abc import Iterable, Mapping

import numpy as np

from cnnlab.settings.objectives import Direction
from cnnlab.settings.searching import PruningConfig

Curve = Mapping[int, float]


def should_stop(rule: PruningConfig, direction: Direction, curve: Curve, others: Iterable[Curve], epoch: int) -> bool:
    """Return whether a trial is stopped behind an epoch.

    Its best value so far is compared with what the others had at this same epoch (Golovin et al. 2017,
    doi:10.1145/3097983.3098043): with the median, it is stopped where it is worse than half of them.

    Args:
        curve: Value by epoch, counted from 1, of the trial itself.
        others: Those of the trials that have ended; NaN is the worst value.
    """
    if rule.rule == "none" or epoch <= rule.warmup_epochs:
        return False
    ended = list(others)
    at_epoch = [other[epoch] for other in ended if epoch in other and not math.isnan(other[epoch])]
    if len(ended) < rule.min_trials or not at_epoch:
        return False
    own = [value for known, value in curve.items() if known <= epoch and not math.isnan(value)]
    if not own:
        return True
    best_percent = 50.0 if rule.rule == "median" else rule.percentile
    if direction == "max":
        return max(own) < float(np.percentile(at_epoch, 100.0 - best_percent))
    return min(own) > float(np.percentile(at_epoch, best_percent))
