"""The algorithms that keras-tuner ships, with what they lose or repeat mended; Bayesian has a file of its own."""

import math
from pathlib import Path
from typing import Any

from cnnlab.settings.rungs import sweep_size
from cnnlab.settings.study import StudyConfig
from cnnlab.tuning.limits import CONTINUING
from cnnlab.tuning.oracles.base import StudyOracle
from cnnlab.tuning.oracles.light import (
    GridSearchOracle,
    HyperbandOracle,
    LinkedList,
    RandomSearchOracle,
    Trial,
    TrialStatus,
)
from cnnlab.tuning.oracles.stored import ENDED


class RandomOracle(StudyOracle, RandomSearchOracle):
    """Values drawn at random, none twice."""

    def __init__(self, study: StudyConfig, folder: Path):
        super().__init__(study, folder, max_trials=study.trials)


class GridOracle(StudyOracle, GridSearchOracle):
    """Every combination once. keras-tuner's saves no queue, so that a restart ends its search."""

    def __init__(self, study: StudyConfig, folder: Path):
        super().__init__(study, folder, as_grid=True, max_trials=study.trials)

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
    `tuner/initial_epoch` to `tuner/epochs`. keras-tuner's promotes one trial less for each that failed, and none
    where the space has fewer trials than the first rung: here those that failed are the first to stay behind, and
    a rung has as many trials as there are.
    """

    hyperband_iterations: int
    # By bracket, oldest first: its number, and by rung the trials on it with those they continue.
    _brackets: list[dict[str, Any]]

    def __init__(self, study: StudyConfig, folder: Path):
        options = study.algorithm
        self._is_exhausted = False
        super().__init__(study, folder, max_epochs=study.epochs, factor=options.factor)
        self.max_trials = study.trials
        self.hyperband_iterations = max(options.iterations, self._sweeps(study.trials))

    def allow(self, count: int) -> None:
        """Let so many trials begin in all, with as many sweeps as they take."""
        with self._guard:
            self.hyperband_iterations = max(self.hyperband_iterations, self._sweeps(count))
            super().allow(count)

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Fill the first rungs, then promote, then begin the next bracket."""
        while True:
            self._brackets = [one for one in self._brackets if not self._is_closed(one, len(one["rounds"]) - 1)]
            for bracket in self._brackets:
                values = self._begun(bracket, trial_id) or self._promoted(bracket, trial_id)
                if values is not None:
                    return {"status": TrialStatus.RUNNING, "values": values}
            is_last = self._current_bracket == 0 and self._current_iteration + 1 >= self.hyperband_iterations
            if is_last or self._is_exhausted:
                return {"status": TrialStatus.IDLE if self.ongoing_trials else TrialStatus.STOPPED}
            self._increment_bracket_num()
            self._start_new_bracket()

    def continuing(self) -> list[str]:
        """Return the trials that others may still go on from."""
        found: list[str] = []
        for bracket in self._brackets:
            for rung, there in enumerate(bracket["rounds"][:-1], start=1):
                has_passed = self._is_closed(bracket, rung) and self._have_ended(bracket["rounds"][rung])
                found += [] if has_passed else [one["id"] for one in there]
        return found

    def get_state(self) -> dict[str, Any]:
        return super().get_state() | {"is_exhausted": self._is_exhausted, CONTINUING: self.continuing()}

    def set_state(self, state: dict[str, Any]) -> None:
        iterations = max(self.hyperband_iterations, state["hyperband_iterations"])
        super().set_state(state)
        self.hyperband_iterations = iterations
        self._is_exhausted = state.get("is_exhausted", False)

    def _sweeps(self, trials: int) -> int:
        return math.ceil(trials / sweep_size(self.max_epochs, self.factor))

    def _begun(self, bracket: dict[str, Any], trial_id: str) -> dict[str, Any] | None:
        if self._is_closed(bracket, 0):
            return None
        values = self._random_values()
        if values is None:  # all were tried: whoever is on a first rung now is all there will be
            self._is_exhausted = True
            return None
        bracket["rounds"][0].append({"past_id": None, "id": trial_id})
        return self._on_rung(bracket, 0, values)

    def _promoted(self, bracket: dict[str, Any], trial_id: str) -> dict[str, Any] | None:
        for rung in range(1, len(bracket["rounds"])):
            best = None if self._is_closed(bracket, rung) else self._sure_to_go_on(bracket, rung)
            if best is not None:
                bracket["rounds"][rung].append({"past_id": best.trial_id, "id": trial_id})
                values = {**best.hyperparameters.values, "tuner/trial_id": best.trial_id}
                return self._on_rung(bracket, rung, values)
        return None

    def _on_rung(self, bracket: dict[str, Any], rung: int, values: dict[str, Any]) -> dict[str, Any]:
        number = bracket["bracket_num"]
        return values | {
            "tuner/epochs": self._get_epochs(number, rung),
            "tuner/initial_epoch": self._get_epochs(number, rung - 1) if rung else 0,
            "tuner/bracket": number,
            "tuner/round": rung,
        }

    def _sure_to_go_on(self, bracket: dict[str, Any], rung: int) -> Trial | None:
        """Return the best of the rung below that is among those that go on, however the others there do."""
        number, below = bracket["bracket_num"], self._trials_on(bracket["rounds"][rung - 1])
        gone_on = {one["past_id"] for one in bracket["rounds"][rung]}
        waiting = [one for one in below if one.status == TrialStatus.COMPLETED and one.trial_id not in gone_on]
        width = len(below) if self._is_closed(bracket, rung - 1) else self._get_size(number, rung - 1)
        failed = sum(one.status == TrialStatus.FAILED for one in below)
        stay_behind = max(width - self._get_size(number, rung) - failed, 0)
        if len(waiting) <= stay_behind:
            return None
        is_max = self.objective.direction == "max"
        return sorted(waiting, key=lambda one: one.score, reverse=is_max)[0]

    def _is_closed(self, bracket: dict[str, Any], rung: int) -> bool:
        """Return whether no trial comes to a rung any more."""
        there = bracket["rounds"][rung]
        if len(there) >= self._get_size(bracket["bracket_num"], rung):
            return True
        if rung == 0:
            return self._is_exhausted
        below = bracket["rounds"][rung - 1]
        is_over_below = self._is_closed(bracket, rung - 1) and self._have_ended(below)
        return is_over_below and self._sure_to_go_on(bracket, rung) is None

    def _trials_on(self, rung: list[dict[str, Any]]) -> list[Trial]:
        # One that is proposed this very moment is no trial yet.
        return [self.trials[one["id"]] for one in rung if one["id"] in self.trials]

    def _have_ended(self, rung: list[dict[str, Any]]) -> bool:
        return all(one["id"] in self.trials and self.trials[one["id"]].status in ENDED for one in rung)
