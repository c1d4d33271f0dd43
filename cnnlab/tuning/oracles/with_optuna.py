"""TPE, ASHA and NSGA-II: samplers and pruner of Optuna behind an oracle, for the same workers and store.

Optuna keeps its study in memory. It is made again from the trials, and the samplers' random numbers go on
where they stood, so that a resumed search is the same search.
"""

from abc import abstractmethod
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, NSGAIISampler, RandomSampler, TPESampler
from optuna.study import StudyDirection
from optuna.trial import TrialState, create_trial

from cnnlab.settings.ranges import AnyRange, ChoiceRange, FloatRange, tidy
from cnnlab.settings.study import StudyConfig
from cnnlab.tuning.oracles.base import StudyOracle
from cnnlab.tuning.oracles.light import Trial, TrialStatus
from cnnlab.tuning.oracles.stored import ENDED, FINAL_STEP, hashed_seed
from cnnlab.tuning.space import encode

optuna.logging.set_verbosity(optuna.logging.WARNING)

# So often the sampler is asked again where it proposes what was tried already.
MOST_REPEATS = 20


def distribution(searched: AnyRange) -> BaseDistribution:
    """Return the range as Optuna takes it."""
    if isinstance(searched, ChoiceRange):
        return CategoricalDistribution([encode(searched, value) for value in searched.values])
    if isinstance(searched, FloatRange):
        step = None if searched.log else searched.step
        return FloatDistribution(searched.low, _last(searched), log=searched.log, step=step)
    return IntDistribution(searched.low, int(_last(searched)), log=searched.log, step=searched.step)


class OptunaOracle(StudyOracle):
    """An oracle that asks a sampler of Optuna."""

    def __init__(self, study: StudyConfig, folder: Path):
        super().__init__(study, folder, max_trials=study.trials)
        self.distributions = {path: distribution(searched) for path, searched in study.space.items()}
        # Which trial each one of Optuna's is, by its number; None for a repeated proposal that nobody tried.
        self._asked: list[str | None] = []
        self._attributes: dict[str, Any] = {}
        self.sampler = self.make_sampler(hashed_seed(study))
        self.optuna_study = self._make_study()

    @abstractmethod
    def make_sampler(self, seed: int) -> BaseSampler:
        """Return Optuna's sampler."""

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Ask for a trial that was not tried; a random one where the sampler has only old ones."""
        for _ in range(MOST_REPEATS):
            asked = self.optuna_study.ask()
            values: dict[str, Any] = {}
            for hp in self.hyperparameters.space:
                if all(condition.is_active(values) for condition in hp.conditions):
                    values[hp.name] = asked._suggest(hp.name, self.distributions[hp.name])
            if not self._duplicate(values):
                self._asked.append(trial_id)
                return {"status": TrialStatus.RUNNING, "values": values}
            self.optuna_study.tell(asked.number, state=TrialState.FAIL)
            self._asked.append(None)
        found = self._random_values()
        if found is None:
            return {"status": TrialStatus.STOPPED, "values": None}
        return self.begin(trial_id, found)

    def begin(self, trial_id: str, values: dict[str, Any]) -> dict[str, Any]:
        self._add(values, TrialState.RUNNING)
        self._asked.append(trial_id)
        return super().begin(trial_id, values)

    def update_trial(self, trial_id: str, metrics: Any, step: int = 0) -> Trial:
        with self._guard:
            value = metrics.get(self.study.objectives[0].metric)
            is_open = self.trials[trial_id].status not in ENDED and step != FINAL_STEP
            if value is not None and is_open and len(self.study.objectives) == 1:
                storage = self.optuna_study._storage
                storage.set_trial_intermediate_value(self._optuna_id(trial_id), step, float(value))
            return super().update_trial(trial_id, metrics, step)

    def get_state(self) -> dict[str, Any]:
        trials = self.optuna_study.get_trials(deepcopy=False)
        attributes = {
            "trials": {str(one.number): one.system_attrs for one in trials if one.system_attrs},
            "study": self.optuna_study._storage.get_study_system_attrs(self.optuna_study._study_id),
        }
        return super().get_state() | {
            "asked": self._asked,
            "attributes": attributes,
            "random_states": [_numbers(rng) for rng in _random_states(self.sampler)],
        }

    def set_state(self, state: dict[str, Any]) -> None:
        super().set_state(state)
        self._asked = list(state["asked"])
        self._attributes = state["attributes"]
        for rng, numbers in zip(_random_states(self.sampler), state["random_states"], strict=True):
            rng.set_state(tuple(numbers))

    def _make_study(self) -> optuna.Study:
        kinds = {"max": StudyDirection.MAXIMIZE, "min": StudyDirection.MINIMIZE}
        directions = [kinds[objective.direction] for objective in self.study.objectives]
        return optuna.create_study(sampler=self.sampler, directions=directions)

    def _reloaded(self) -> None:
        self.optuna_study = self._make_study()
        storage, study_id = self.optuna_study._storage, self.optuna_study._study_id
        for number, trial_id in enumerate(self._asked):
            attributes = self._attributes["trials"].get(str(number), {})
            if trial_id is None:
                self._add({}, TrialState.FAIL, attributes)
                continue
            trial = self.trials[trial_id]
            self._add(trial.hyperparameters.values, TrialState.RUNNING, attributes)
            if len(self.study.objectives) == 1:
                for step, value in self.curve(trial).items():
                    storage.set_trial_intermediate_value(self._optuna_id(trial_id), step, value)
        for key, value in self._attributes["study"].items():
            storage.set_study_system_attr(study_id, key, value)
        for trial_id in self.end_order:
            self._ended(self.trials[trial_id])
        super()._reloaded()

    def _add(self, values: dict[str, Any], state: TrialState, attributes: dict[str, Any] | None = None) -> None:
        distributions = {path: self.distributions[path] for path in values}
        self.optuna_study.add_trial(
            create_trial(state=state, params=values, distributions=distributions, system_attrs=attributes or {})
        )

    def _ended(self, trial: Trial) -> None:
        number = self._asked.index(trial.trial_id)
        if trial.status != TrialStatus.COMPLETED:
            self.optuna_study.tell(number, state=TrialState.FAIL)
        elif self.was_stopped(trial.trial_id):
            self.optuna_study.tell(number, state=TrialState.PRUNED)
        else:
            self.optuna_study.tell(number, self.values_of(trial))

    def _optuna_id(self, trial_id: str) -> int:
        number = self._asked.index(trial_id)
        study = self.optuna_study
        return study._storage.get_trial_id_from_study_id_trial_number(study._study_id, number)


class TPEOracle(OptunaOracle):
    """Tree of Parzen estimators; of several objectives, MOTPE."""

    def make_sampler(self, seed: int) -> BaseSampler:
        # Trials that run count as bad ones meanwhile: workers that ask together get different answers.
        first = self.study.algorithm.initial_points or 10
        return TPESampler(seed=seed, n_startup_trials=first, constant_liar=True)


class NSGA2Oracle(OptunaOracle):
    """NSGA-II: generations of trials, the next made from the best fronts of the last."""

    def make_sampler(self, seed: int) -> BaseSampler:
        return NSGAIISampler(seed=seed, population_size=self.study.algorithm.population)


class ASHAOracle(OptunaOracle):
    """Successive halving that waits for nobody (Li et al. 2020, arXiv:1810.05934), by stopping.

    Every trial is drawn at random and begins as the run of all epochs. At each rung - `min_epochs` times a power of
    `factor` - it goes on where it is among the best 1/factor of those that reached the rung before it, and is stopped
    else. Nothing is paused and promoted later, so a resumed search needs no checkpoint of a trial that ended.
    """

    def make_sampler(self, seed: int) -> BaseSampler:
        options = self.study.algorithm
        self.pruner = optuna.pruners.SuccessiveHalvingPruner(
            min_resource=options.min_epochs, reduction_factor=options.factor
        )
        return RandomSampler(seed=seed)

    def _shall_stop(self, trial: Trial, step: int) -> bool:
        if not self.curve(trial) or step >= self.study.epochs:
            return False
        storage, optuna_id = self.optuna_study._storage, self._optuna_id(trial.trial_id)
        before = dict(storage.get_trial(optuna_id).system_attrs)
        answer = self.pruner.prune(self.optuna_study, storage.get_trial(optuna_id))
        if not answer and storage.get_trial(optuna_id).system_attrs != before:
            self.save()  # the rung that it reached
        return answer


def _last(searched: Any) -> float:
    # Optuna wants the range to end on a step.
    if searched.log or searched.step is None:
        return searched.high
    return tidy(searched, searched.low + (searched.count - 1) * searched.step)


def _random_states(sampler: BaseSampler) -> list[Any]:
    holders: list[Any] = [sampler, getattr(sampler, "_random_sampler", None)]
    return [holder._rng.rng for holder in holders if holder is not None]


def _numbers(rng: Any) -> list[Any]:
    kind, keys, position, *rest = rng.get_state()
    return [kind, keys.tolist(), position, *rest]
