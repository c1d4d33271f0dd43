"""How much a study will train, before it begins: trials and epochs, at most where trials may be stopped.

Imports no Keras.
"""

import math
from dataclasses import dataclass

from cnnlab.settings.counting import count_grid
from cnnlab.settings.ranges import ChoiceRange
from cnnlab.settings.rungs import sweep
from cnnlab.settings.study import StudyConfig

EPOCHS = "training.epochs"


@dataclass(frozen=True)
class StudyPlan:
    """What a study may come to.

    Attributes:
        trials: That will be begun.
        epochs: Of all runs of all trials together.
        is_most: They may be fewer: trials can be stopped early.
    """

    trials: int
    epochs: float
    is_most: bool

    def seconds(self, epoch_s: float, at_once: int) -> float:
        """Return the time that it takes where an epoch takes `epoch_s` and so many trials run at once."""
        return self.epochs * epoch_s / max(1, min(at_once, self.trials))


def study_plan(study: StudyConfig, size: int | None) -> StudyPlan:
    """Return trials and epochs of a study.

    Args:
        size: How many different trials there can be; None where ranges are continuous.
    """
    budget, algorithm = study.budget, study.algorithm
    patience = budget.early_stopping_patience
    stops = study.pruning.rule != "none" or (study.run.training.early_stopping_epochs if patience is None else patience)
    if algorithm.name == "hyperband":
        added = hyperband_epochs(study)[: study.trials]
        return StudyPlan(len(added), sum(added) * budget.executions, True)
    most = size
    if algorithm.name == "grid":
        most = count_grid(study.space, study.conditions, algorithm.grid_points)
    trials = study.trials if most is None else min(study.trials, most)
    if algorithm.name == "asha":
        per_trial = asha_epochs(study.epochs, algorithm.min_epochs, algorithm.factor)
        return StudyPlan(trials, trials * per_trial * budget.executions, True)
    return StudyPlan(trials, trials * mean_epochs(study) * budget.executions, bool(stops))


def hyperband_epochs(study: StudyConfig) -> list[int]:
    """Return the epochs that each trial of Hyperband trains, in the order in which one worker makes them."""
    algorithm = study.algorithm
    one_sweep = [
        rung.added for bracket in sweep(study.epochs, algorithm.factor) for rung in bracket for _ in range(rung.trials)
    ]
    return one_sweep * max(algorithm.iterations, math.ceil(study.trials / len(one_sweep)))


def mean_epochs(study: StudyConfig) -> float:
    """Return how many epochs a run of a trial trains, of searched ones the mean."""
    searched = study.space.get(EPOCHS)
    if searched is None:
        return float(study.epochs)
    if isinstance(searched, ChoiceRange):
        return sum(searched.values) / len(searched.values)
    if searched.log:
        return (searched.high - searched.low) / math.log(searched.high / searched.low)
    return (searched.low + searched.high) / 2


def asha_epochs(max_epochs: int, min_epochs: int, factor: int) -> float:
    """Return the mean epochs of a trial where one in `factor` goes on at each rung.

    Source: Li et al. 2020, arXiv:1810.05934, section 3.
    """
    total, share, done = 0.0, 1.0, 0
    rung = min(min_epochs, max_epochs)
    while True:
        total += share * (rung - done)
        if rung >= max_epochs:
            return total
        done, rung, share = rung, min(rung * factor, max_epochs), share / factor
