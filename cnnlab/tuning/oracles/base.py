"""What all oracles of a study share: keras-tuner's Oracle with its ways of losing work mended.

An oracle hands out trials (`create_trial`), hears how they do (`update_trial`) and how they ended
(`end_trial`). Its folder holds `oracle.json` and `trial_<id>/trial.json`. Killed at any moment and made
again from it, it goes on with the same random sequence: a trial that ended stays ended, one that runs
stays with its worker.
"""

import copy
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cnnlab.settings.study import StudyConfig
from cnnlab.tuning import pareto
from cnnlab.tuning.oracles.hyperparameters import hyperparameters
from cnnlab.tuning.oracles.light import MetricObservation, Trial, TrialStatus, keras_tuner
from cnnlab.tuning.oracles.stored import ENDED, FINAL_STEP, StoredOracle, hashed_seed
from cnnlab.tuning.pruning import should_stop
from cnnlab.tuning.space import encode, own, size

# The score of a trial where there are several objectives: on which front it lies, 0 is the best.
RANK = "pareto_rank"
# Beyond so many draws without a new one, a finite space counts as tried out.
MOST_COLLISIONS = 50_000


class StudyOracle(StoredOracle):
    """Common to all oracles; mixed in before one of keras-tuner's.

    Attributes:
        is_stopping: No trial is begun any more.
        max_trials: How many are begun in all, see `allow`.
    """

    def __init__(self, study: StudyConfig, folder: Path, *, as_grid: bool = False, **options: Any):
        first = study.objectives[0]
        objective = (first.metric, first.direction) if len(study.objectives) == 1 else (RANK, "min")
        super().__init__(
            objective=keras_tuner.Objective(*objective),
            hyperparameters=hyperparameters(study, as_grid=as_grid),
            allow_new_entries=False,
            tune_new_entries=False,
            seed=hashed_seed(study),
            **options,
        )
        self.verbose = 0
        self.is_stopping = False
        self._size = size(study)
        self._place(study, folder)

    def create_trial(self, tuner_id: str) -> Trial:
        """Return the trial of a worker: the one it has already, one that was given back, or a new one.

        Its status is RUNNING; IDLE where the worker shall ask again, STOPPED where there are no more.
        """
        with self._guard:
            if tuner_id in self.ongoing_trials:
                return self.ongoing_trials[tuner_id]
            self.tuner_ids.add(tuner_id)
            if self._retry_queue and not self.is_stopping:
                trial = self.trials[self._retry_queue.pop(0)]
                trial.status = TrialStatus.RUNNING
            else:
                trial = self._next_trial()
            if trial.status == TrialStatus.RUNNING:
                self.ongoing_trials[tuner_id] = trial
                self._save_trial(trial)
                self.save()
            elif trial.status == TrialStatus.STOPPED:
                self.tuner_ids.discard(tuner_id)
            return trial

    def update_trial(self, trial_id: str, metrics: Mapping[str, float], step: int = 0) -> Trial:
        """Hear the metrics of a trial behind an epoch, or its last ones at `FINAL_STEP`; the newest of a step count.

        Returns:
            The trial as it stands; its status is STOPPED where it shall end now.
        """
        with self._guard:
            trial = self.trials[trial_id]
            answer = copy.copy(trial)
            if trial.status in ENDED:
                return answer
            directions = {objective.metric: objective.direction for objective in self.study.objectives}
            for name, value in metrics.items():
                if not trial.metrics.exists(name):
                    trial.metrics.register(name, direction=directions.get(name, "min"))
                history = trial.metrics.metrics[name]
                history._observations[step] = MetricObservation(float(value), step)
            self._save_trial(trial, durable=False)
            if step != FINAL_STEP and trial_id not in self._stopped_at and self._shall_stop(trial, step):
                self._stopped_at[trial_id] = step
                self.save()
            if trial_id in self._stopped_at:
                answer.status = TrialStatus.STOPPED
            return answer

    def end_trial(self, trial: Trial) -> None:
        """Hear that a trial ended, COMPLETED (also where it was stopped early) or FAILED; hearing it twice is once.

        A completed trial without a finite value of each objective has failed.
        """
        with self._guard:
            known = self.trials[trial.trial_id]
            if known.status not in ENDED:
                known.status, known.message = trial.status, trial.message
                if known.status == TrialStatus.COMPLETED and self.values_of(known) is None:
                    known.message = f"It reported no finite {self._wanted()}."
                if known.status != TrialStatus.COMPLETED or known.message:
                    known.status = TrialStatus.FAILED
                else:
                    self.score_trial(known)
                # First: an oracle that is killed before the next line finds here that the trial ended.
                self._save_trial(known)
            self._close(known)

    def release(self, tuner_id: str) -> str | None:
        """Take the trial from a worker that will not come back; the next one that asks gets it.

        Returns:
            The trial's id, None where the worker had none.
        """
        with self._guard:
            self.tuner_ids.discard(tuner_id)
            trial = self.ongoing_trials.pop(tuner_id, None)
            if trial is None:
                return None
            trial.status = TrialStatus.INVALID  # what keras-tuner calls one that is to be tried again
            self._retry_queue.append(trial.trial_id)
            self._save_trial(trial)
            self.save()
            return trial.trial_id

    def allow(self, count: int) -> None:
        """Let so many trials begin in all; may be raised while it runs."""
        with self._guard:
            if count != self.max_trials:
                self.max_trials = count
                self.save()

    def was_stopped(self, trial_id: str) -> bool:
        """Return whether the trial was told to end early."""
        return trial_id in self._stopped_at

    def values_of(self, trial: Trial) -> list[float] | None:
        """Return the trial's value of each objective: the final one, else the best of its epochs.

        None where one of them was not reported or is not finite.
        """
        found = []
        for objective in self.study.objectives:
            if not trial.metrics.exists(objective.metric):
                return None
            by_step = {one.step: float(one.mean()) for one in trial.metrics.get_history(objective.metric)}
            best = max if objective.direction == "max" else min
            finite = [value for value in by_step.values() if math.isfinite(value)]
            value = by_step.get(FINAL_STEP, best(finite) if finite else math.nan)
            if not math.isfinite(value):
                return None
            found.append(value)
        return found

    def score_trial(self, trial: Trial) -> None:
        """Set the score of a completed trial: its objective, or its front among all where there are several."""
        if len(self.study.objectives) > 1:
            self._rank()
            return
        values = self.values_of(trial)
        assert values is not None
        trial.score = values[0]
        history = trial.metrics.get_history(self.objective.name)
        steps = [one.step for one in history if one.step != FINAL_STEP and one.mean() == values[0]]
        trial.best_step = steps[0] if steps else 0

    def begin(self, trial_id: str, values: dict[str, Any]) -> dict[str, Any]:
        """Return the first trial with values that nobody drew, as `populate_space` returns those that were."""
        return {"status": TrialStatus.RUNNING, "values": values}

    def update_space(self, hyperparameters: Any) -> None:
        """Do nothing: a study's space never grows, and what comes back over the wire has lost its order."""

    def _next_trial(self) -> Trial:
        trial_id = f"{len(self.trials):05d}"
        response: dict[str, Any] = {"status": TrialStatus.STOPPED}
        if not self.is_stopping and len(self.trials) < self.max_trials:
            is_own = self.study.algorithm.begin_with_run and not self.trials
            response = self.begin(trial_id, self._own_values()) if is_own else self.populate_space(trial_id)
        found = self.hyperparameters.copy()
        found.values = response.get("values") or {}
        trial = Trial(found, trial_id=trial_id, status=response["status"])
        if trial.status == TrialStatus.RUNNING:
            self._record_values(trial)
            self.trials[trial_id] = trial
            self.start_order.append(trial_id)
        return trial

    def _reloaded(self) -> None:
        if len(self.study.objectives) > 1:
            self._rank()

    def _shall_stop(self, trial: Trial, step: int) -> bool:
        first = self.study.objectives[0]
        if self.study.pruning.rule == "none" or not trial.metrics.exists(first.metric):
            return False
        ended = [self.curve(self.trials[trial_id]) for trial_id in self.end_order]
        return should_stop(self.study.pruning, first.direction, self.curve(trial), filter(None, ended), step)

    def curve(self, trial: Trial) -> dict[int, float]:
        """Return the first objective of a trial by epoch; empty where none was reported."""
        name = self.study.objectives[0].metric
        history = trial.metrics.get_history(name) if trial.metrics.exists(name) else []
        return {one.step: float(one.mean()) for one in history if one.step != FINAL_STEP}

    def _rank(self) -> None:
        completed = [trial for trial in self.trials.values() if trial.status == TrialStatus.COMPLETED]
        known = [(trial, values) for trial in completed if (values := self.values_of(trial)) is not None]
        directions = [objective.direction for objective in self.study.objectives]
        for (trial, _), rank in zip(known, pareto.ranks([values for _, values in known], directions), strict=True):
            trial.score = float(rank)

    def _random_values(self) -> dict[str, Any] | None:
        # In a small space the last untried trials are drawn rarely: look long enough to meet them.
        self._max_collisions = min(20 * self._size, MOST_COLLISIONS) if self._size else 20
        return super()._random_values()

    def _own_values(self) -> dict[str, Any]:
        return {path: encode(self.study.space[path], value) for path, value in own(self.study).items()}

    def _wanted(self) -> str:
        return " and ".join(objective.metric for objective in self.study.objectives)
