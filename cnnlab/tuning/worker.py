"""A worker of a study: `python -m cnnlab.tuning.worker STUDY_DIR NAME START [--trainer JSON]`.

It is keras-tuner's tuner with a trial of its own: the runs of a trial go to the queue, which trains each in a
process of its own, and the worker tells the chief what they measure. It keeps nothing to itself, so that a
worker of the same name takes up where a killed one was.
"""

import contextlib
import json
import math
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from cnnlab.config import RunConfig
from cnnlab.errors import ConfigError, DatasetError
from cnnlab.launch.queue import Queue
from cnnlab.runs import tables, trials
from cnnlab.runs.checkpoint import read_about
from cnnlab.runs.lines import now
from cnnlab.runs.status import RunStatus, read_status
from cnnlab.runs.store import Store
from cnnlab.runs.studies import read_study
from cnnlab.settings.study import StudyConfig
from cnnlab.tuning.client import Client
from cnnlab.tuning.limits import BEATS, beat_path, farewell_path, is_outdated, read_limits
from cnnlab.tuning.oracles.light import Trial, TrialStatus, keras_tuner
from cnnlab.tuning.oracles.stored import FINAL_STEP
from cnnlab.tuning.reached import Curves, RunCurves, reached, result_of
from cnnlab.tuning.space import apply, rung_epochs
from cnnlab.tuning.trial_runs import Duties, Outcome, TrialRuns

# isort: split
from keras_tuner.src.engine.base_tuner import BaseTuner

BEAT_S = 1.0
# So often at most what a run measured is read and told: a network may be through an epoch in milliseconds.
REPORT_S = 1.0
# A trial that ends its worker so often would do so for ever.
MOST_ATTEMPTS = 6


class PausedError(Exception):
    """The study leaves its slots: this trial goes on when it is resumed."""


class OutdatedError(Exception):
    """There is another supervisor by now, which has started another worker of this name."""


class StudyTuner(BaseTuner):  # type: ignore[misc]
    """keras-tuner's loop over trials, with trials that are runs of the store."""

    def __init__(self, study_dir: Path, worker: str, start: int, queue: Queue):
        self.study_dir = study_dir
        self.start = start
        self.study: StudyConfig = read_study(study_dir).config
        self.store = Store(study_dir.parent.parent)
        self.queue = queue
        self._beat_at = 0.0
        first = self.study.objectives[0]
        oracle = keras_tuner.Oracle(objective=keras_tuner.Objective(first.metric, first.direction), max_trials=1)
        super().__init__(oracle=oracle, directory=str(study_dir), project_name=BEATS)
        self.tuner_id = worker
        self.oracle = Client(oracle, study_dir, worker, self.beat)

    def beat(self) -> None:
        """Show that this worker goes on, which another one would do in its place."""
        if time.monotonic() - self._beat_at > BEAT_S:
            if is_outdated(self.study_dir, self.start):
                raise OutdatedError
            self._beat_at = time.monotonic()
            beat_path(self.study_dir, self.tuner_id).touch()

    def pre_create_trial(self) -> None:
        self.beat()

    def _try_run_and_update_trial(self, trial: Trial, *_: Any, **__: Any) -> None:
        trial.status = self.run_trial(trial)

    def on_trial_end(self, trial: Trial) -> None:
        self.oracle.end_trial(trial)

    def run_trial(self, trial: Trial, *_: Any, **__: Any) -> str:
        """Train a trial, or go on with it, and return what keras-tuner is to think of it."""
        one = OneTrial(self, trial)
        attempts = (one.runs.known.get("attempts") or 0) + 1
        if one.runs.known.get("status") in trials.ENDED:
            pass  # its worker was killed before the chief heard of it
        elif attempts > MOST_ATTEMPTS:
            one.say_end(Outcome("failed", f"Its worker ended {MOST_ATTEMPTS} times within it."))
        else:
            one.runs.say(worker=self.tuner_id, attempts=attempts)
            one.say_end(one.train())
        one.tell_end()
        is_scored = one.runs.known["status"] in ("completed", "stopped")
        return str(TrialStatus.COMPLETED if is_scored else TrialStatus.FAILED)


class OneTrial:
    """One trial from its first run to its last."""

    def __init__(self, tuner: StudyTuner, trial: Trial):
        self.tuner = tuner
        self.trial_id = str(trial.trial_id)
        self.study = tuner.study
        self.encoded = dict(trial.hyperparameters.values)
        self.runs = TrialRuns(tuner.store, tuner.queue, tuner.study_dir, self.trial_id)
        self.main_output = next(iter(self.study.run.data.outputs or ()), None)
        self.per_epoch = [one.metric for one in self.study.objectives if one.is_per_epoch]
        self._curves: dict[str, RunCurves] = {}
        # The last of them is told again: the answer may not have come.
        self._heard = set(sorted(_epochs_of(trial))[:-1])
        self._is_bad = False
        self._status: str | None = None

    def train(self) -> Outcome:
        """Train each execution after the other; return how the last one came to rest."""
        outcome = Outcome("completed")
        for execution in range(self.study.budget.executions):
            try:
                run_dir = self.runs.run_dir(execution, lambda index=execution: self._config(index))  # type: ignore[misc]
            except (ConfigError, DatasetError) as error:
                return Outcome("failed", str(error))
            duties = Duties(self._looker(execution), self._is_paused, self._has_followers, self.tuner.beat)
            outcome = self.runs.follow(run_dir, duties)
            if outcome.status == "paused":
                self.runs.say(status="waiting", attempts=self.runs.known["attempts"] - 1)
                raise PausedError
            if outcome.status != "completed":
                break
        return outcome

    def _config(self, execution: int) -> RunConfig:
        # As the chief wrote them: over the wire numbers have lost digits.
        config = apply(self.study, self.runs.known["values"], epochs=rung_epochs(self.encoded))
        number = self.runs.known.get("number")
        training = {"seed": config.training.seed + execution, "continue_from": self._source(execution)}
        name = f"{self.study.title[:60]}, trial {number}"
        return config.model_copy(
            update={"name": name, "training": config.training.model_copy(update=training), "repeats": 1}
        )

    def _source(self, execution: int) -> str | None:
        """Return the run that a trial on a higher rung of Hyperband goes on from; None where it has none."""
        before = self.encoded.get("tuner/trial_id")
        run_ids = trials.trials(self.tuner.study_dir).get(str(before), {}).get("run_ids") or ()
        if not before or len(run_ids) <= execution:
            return None
        run_dir = self.tuner.store.runs_dir / run_ids[execution]
        is_there = read_status(run_dir).state == "completed" and read_about(run_dir) is not None
        return run_dir.name if is_there else None

    # === What it measured ===

    def _looker(self, execution: int) -> Callable[[Path, RunStatus], bool]:
        stamp: tuple[int, ...] = ()
        told_at = 0.0

        def look(run_dir: Path, status: RunStatus) -> bool:
            nonlocal stamp, told_at
            self._say_status("waiting" if status.state in ("queued", "paused") else "running")
            if status.is_at_rest or time.monotonic() - told_at > REPORT_S:
                told_at, current = time.monotonic(), tables.metrics_stamp(run_dir)
                if current != stamp:
                    stamp = current
                    self._report(execution, self._curves_of(run_dir))
            return self._is_bad

        return look

    def _report(self, execution: int, curves: Curves) -> None:
        """Tell the chief of each new epoch, and everybody else how far the trial is."""
        # What the first execution does decides whether it is stopped; the mean over all is told at the end.
        is_asked = execution == 0 and self.study.stops_early
        fresh = [epoch for epoch in curves if epoch not in self._heard] if is_asked else []
        for epoch in fresh:
            values = {name: curves[epoch][name] for name in self.per_epoch if name in curves[epoch]}
            if values:
                answer = self.tuner.oracle.update_trial(self.trial_id, values, step=epoch)
                self._is_bad = self._is_bad or answer.status == TrialStatus.STOPPED
            self._heard.add(epoch)
        executions = self._executions()
        done = sum(max(one, default=0) for one in executions)
        self.runs.say(epochs_done=done, objectives=reached(self.study.objectives, executions))

    def tell_end(self) -> None:
        """Tell the chief what came out of a trial that completed; twice does no harm."""
        values = {name: value for name, value in self.reached().items() if math.isfinite(value)}
        if self.runs.known["status"] == "completed":
            self.tuner.oracle.update_trial(self.trial_id, values, step=FINAL_STEP)

    def reached(self) -> dict[str, float]:
        """Return what the trial reached by what its runs wrote."""
        return reached(self.study.objectives, self._executions(), [result_of(one) for one in self._run_dirs()])

    def _executions(self) -> list[Curves]:
        return [self._curves_of(run_dir) for run_dir in self._run_dirs()]

    def _curves_of(self, run_dir: Path) -> Curves:
        return self._curves.setdefault(run_dir.name, RunCurves(run_dir, self.main_output)).read()

    def _run_dirs(self) -> Sequence[Path]:
        return [self.tuner.store.runs_dir / run_id for run_id in self.runs.run_ids]

    # === How it stands ===

    def say_end(self, outcome: Outcome) -> None:
        """Write the end of the trial: from now on nobody trains it again."""
        values = self.reached()
        status, reason = outcome.status, outcome.reason
        names = [one.metric for one in self.study.objectives]
        missing = [name for name in names if not math.isfinite(values.get(name, math.nan))]
        if status == "completed" and missing:
            status, reason = "failed", f"Its runs have no finite number for {', '.join(missing)}."
        self.runs.say(status=status, reason=reason, objectives=values, ended_at=now())

    def _say_status(self, status: str) -> None:
        if status != self._status:
            self._status = status
            self.runs.say(status=status)

    def _is_paused(self) -> bool:
        return read_limits(self.tuner.study_dir).is_paused

    def _has_followers(self) -> bool:
        limits = read_limits(self.tuner.study_dir)
        return limits.closed is None and int(self.runs.known.get("number") or 0) < limits.trials


def _epochs_of(trial: Trial) -> set[int]:
    """Return the epochs that the chief has heard of."""
    return {one.step for history in trial.metrics.metrics.values() for one in history.get_history()}


def main(arguments: list[str] | None = None) -> int:
    """Work on trials until there are no more, or the study leaves its slots."""
    given = sys.argv[1:] if arguments is None else arguments
    trainer = json.loads(given[given.index("--trainer") + 1]) if "--trainer" in given else None
    study_dir, name, start = Path(given[0]), given[1], int(given[2])
    tuner = StudyTuner(study_dir, name, start, Queue(command=trainer))
    try:
        with contextlib.suppress(PausedError):
            tuner.search()
    except OutdatedError:
        return 1
    farewell_path(study_dir, name).touch()
    return 0


if __name__ == "__main__":
    sys.exit(main())
