"""How much a study will train, before it begins: trials and epochs, at most where trials may be stopped.

Imports no Keras.
"""

import math
from dataclasses import dataclass

from cnnlab.settings.ranges import ChoiceRange
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
    trials = budget.trials if size is None else min(budget.trials, size)
    patience = budget.early_stopping_patience
    stops = study.pruning.rule != "none" or (study.run.training.early_stopping_epochs if patience is None else patience)
    if algorithm.name == "grid":
        points = math.prod(len(one.grid(algorithm.grid_points)) for one in study.space.values())
        trials = min(budget.trials, points if size is None else size)
    if algorithm.name == "hyperband":
        sizes = hyperband_trials(study.epochs, algorithm.factor)
        trials = min(budget.trials, algorithm.iterations * sum(count for count, _ in sizes))
        whole = algorithm.iterations * sum(count * epochs for count, epochs in sizes)
        share = trials / (algorithm.iterations * sum(count for count, _ in sizes))
        return StudyPlan(trials, share * whole * budget.executions, True)
    if algorithm.name == "asha":
        per_trial = asha_epochs(study.epochs, algorithm.min_epochs, algorithm.factor)
        return StudyPlan(trials, trials * per_trial * budget.executions, True)
    return StudyPlan(trials, trials * mean_epochs(study) * budget.executions, bool(stops))


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


def hyperband_trials(max_epochs: int, factor: int) -> list[tuple[int, int]]:
    """Return trials and the epochs that each adds, of every round of every bracket of one sweep.

    Source: Li et al. 2018, arXiv:1603.06560, algorithm 1, with the sizes of keras-tuner.
    """
    brackets, epochs = 0, float(max_epochs)
    while epochs >= 1:
        epochs, brackets = epochs / factor, brackets + 1
    found = []
    for bracket in range(brackets):
        end_size = math.ceil(1 + math.log(max_epochs, factor)) / (bracket + 1)
        before = 0
        for round_number in range(bracket + 1):
            reached = math.ceil(max_epochs / factor ** (bracket - round_number))
            found.append((math.ceil(end_size * factor ** (bracket - round_number)), reached - before))
            before = reached
    return found


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
