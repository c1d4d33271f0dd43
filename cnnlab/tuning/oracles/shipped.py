"""The algorithms that keras-tuner ships, with what they lose or repeat mended; the Gaussian process has its own file."""

import math
from pathlib import Path
from typing import Any

from cnnlab.settings.study import StudyConfig
from cnnlab.tuning.oracles.base import StudyOracle
from cnnlab.tuning.oracles.light import GridSearchOracle, HyperbandOracle, LinkedList, RandomSearchOracle, Trial


class RandomOracle(StudyOracle, RandomSearchOracle):
    """Values drawn at random, none twice."""

    def __init__(self, study: StudyConfig, folder: Path):
        super().__init__(study, folder, max_trials=study.budget.trials)


class GridOracle(StudyOracle, GridSearchOracle):
    """Every combination once. keras-tuner's saves no queue, so that a restart ends its search."""

    def __init__(self, study: StudyConfig, folder: Path):
        super().__init__(study, folder, as_grid=True, max_trials=study.budget.trials)

    def get_state(self) -> dict[str, Any]:
        ordered = self._ordered_ids
        place, ids = ordered._next_index[None] if ordered._memory else None, []
        while place is not None:
            ids.append(ordered._memory[place])
            place = ordered._next_index[place]
        return super().get_state() | {"ordered_ids": ids, "populate_next": self._populate_next}

    def set_state(self, state: dict[str, Any]) -> None:
        super().set_state(state)
        self._ordered_ids = LinkedList()
        for trial_id in state["ordered_ids"]:
            self._ordered_ids.insert(trial_id)
        self._populate_next = list(state["populate_next"])

    def _ended(self, trial: Trial) -> None:
        self._populate_next.append(trial.trial_id)


class HyperbandRungs(StudyOracle, HyperbandOracle):
    """Hyperband: many trials for few epochs, the best of them go on.

    A trial that goes on is a new trial: its `tuner/trial_id` is the one it continues, from
    `tuner/initial_epoch` to `tuner/epochs`.
    """

    def __init__(self, study: StudyConfig, folder: Path):
        options = study.algorithm
        super().__init__(
            study,
            folder,
            max_epochs=study.epochs,
            factor=options.factor,
            hyperband_iterations=options.iterations,
        )

    hyperband_iterations: int

    def add_trials(self, count: int) -> None:
        """Let Hyperband sweep so often again that at least so many trials more begin."""
        with self._guard:
            self.hyperband_iterations += math.ceil(count / max(self.sweep_trials(), 1))
            self.save()

    def sweep_trials(self) -> int:
        """Return how many trials one sweep through all brackets has."""
        return sum(
            self._get_size(bracket, rung)
            for bracket in range(self._get_num_brackets())
            for rung in range(self._get_num_rounds(bracket))
        )

    def set_state(self, state: dict[str, Any]) -> None:
        iterations = max(self.hyperband_iterations, state["hyperband_iterations"])
        super().set_state(state)
        self.hyperband_iterations = iterations
