"""The runs of one trial: submitted to the queue, followed, and taken up again by whoever comes after a kill.

Nothing here is known only to this process: the run ids are in the trial's lines, and what the study did to a
run is in the run's own journal.
"""

import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cnnlab.config import RunConfig
from cnnlab.errors import QueueError
from cnnlab.files import read_json
from cnnlab.launch.queue import Queue
from cnnlab.runs import tables, trials
from cnnlab.runs.lines import append_lines, now, read_lines
from cnnlab.runs.status import RunStatus, read_status, settle
from cnnlab.runs.store import Store
from cnnlab.submit import submit_runs

POLL_S = 0.1
TICK_S = 5.0
WARM_S = 2.0
# How long a run may show no sign of going on before it counts as hanging.
HANG_VARIABLE = "CNNLAB_HANG_S"
HANG_S = 300.0
HANG_EPOCHS = 10.0
STOPPED = "stopped early by the study"
HUNG = "It showed no progress"
# What may go well the next time; anything else would fail again.
PASSING = ("lost", "killed", "not_started", "download")
JOURNAL = "events.jsonl"


@dataclass(frozen=True)
class Outcome:
    """How a run came to rest: `completed`, `failed`, `stopped`, `cancelled` or `paused`."""

    status: str
    reason: str | None = None


@dataclass(frozen=True)
class Duties:
    """What a follower does on the way.

    Attributes:
        is_bad: Told of each look at a run and how it stands; whether the study stops it.
        is_paused: Whether the study is to leave its slots.
        more_to_come: Whether another trial will follow on these slots.
        beat: Called as long as it goes on.
    """

    is_bad: Callable[[Path, RunStatus], bool]
    is_paused: Callable[[], bool] = lambda: False
    more_to_come: Callable[[], bool] = lambda: False
    beat: Callable[[], None] = lambda: None


class TrialRuns:
    """The runs of one trial."""

    def __init__(self, store: Store, queue: Queue, study_dir: Path, trial_id: str):
        self.store = store
        self.queue = queue
        self.study_dir = study_dir
        self.trial_id = trial_id
        self.known: dict[str, Any] = trials.trials(study_dir).get(trial_id, {})

    @property
    def run_ids(self) -> list[str]:
        """Its runs so far, in the order of their executions."""
        return list(self.known.get("run_ids") or ())

    def say(self, **columns: Any) -> None:
        """Add to what is known of the trial."""
        trials.say(self.study_dir, self.trial_id, **columns)
        self.known |= columns

    def run_dir(self, execution: int, config: Callable[[], RunConfig]) -> Path:
        """Return the run of an execution, counted from 0; where there is none, submit it.

        Raises:
            ConfigError, DatasetError: as `cnnlab.submit.submit_runs`: this trial cannot be trained.
            QueueError, StoreError: nothing can be trained at the moment.
        """
        run_ids = self.run_ids
        if len(run_ids) > execution:
            return self._taken_up(self.store.runs_dir / run_ids[execution])
        run_dir = self._unsaid(run_ids)
        if run_dir is None:
            (run_id,) = submit_runs(
                self.store, config(), queue=self.queue, study_id=self.study_dir.name, trial_id=self.trial_id
            )
            run_dir = self.store.runs_dir / run_id
        self.say(run_ids=[*run_ids, run_dir.name])
        return self._taken_up(run_dir)

    def _unsaid(self, run_ids: list[str]) -> Path | None:
        """Return a run of this trial that was made by a worker that was killed before it said so."""
        known = self.known
        if (known.get("attempts") or 1) < 2:
            return None
        begun = datetime.fromisoformat(known["started_at"]).strftime("%Y%m%d-%H%M%S")
        for run_id in reversed(self.store.run_ids()):
            if run_id < begun:
                return None
            run = read_json(self.store.runs_dir / run_id / "run.json", {})
            is_mine = (run.get("study_id"), run.get("trial_id")) == (self.study_dir.name, self.trial_id)
            if is_mine and run_id not in run_ids:
                return self.store.runs_dir / run_id
        return None

    def _taken_up(self, run_dir: Path) -> Path:
        """Let a run go on that its worker left waiting for nobody, or that the study paused."""
        if not run_dir.is_dir():
            return run_dir
        status = settle(run_dir)
        if status.state == "paused":
            self.queue.resume(run_dir)
        elif status.state == "queued":
            with contextlib.suppress(QueueError):  # it is in the line already
                self.queue.retry(run_dir)
        return run_dir

    # === Following ===

    def follow(self, run_dir: Path, duties: Duties) -> Outcome:
        """Wait until a run has come to rest; retry it once where it was not its fault."""
        watch = Watch(run_dir, hang_s())
        ticked = warmed = time.monotonic()
        while True:
            duties.beat()
            if not run_dir.is_dir():
                return Outcome("failed", "Its run was deleted.")
            status = settle(run_dir)  # before the metrics: what ended has measured all by then
            if duties.is_bad(run_dir, status) and not status.is_at_rest:
                self._cancel(run_dir, STOPPED)
            outcome = self._outcome(run_dir, status, duties)
            if outcome is not None:
                return outcome
            if not status.is_at_rest and duties.is_paused():
                with contextlib.suppress(QueueError):  # it ended this very moment
                    self.queue.pause(run_dir)
            elif status.state == "running" and watch.is_hanging():
                self._cancel(run_dir, f"{HUNG} for {watch.silent_s():.0f} s.")
            if time.monotonic() - ticked > TICK_S:
                ticked = time.monotonic()
                self.queue.tick()
            if time.monotonic() - warmed > WARM_S and status.state == "running" and watch.has_begun:
                warmed = time.monotonic()
                if duties.more_to_come():
                    self.queue.warm_next(run_dir)
            time.sleep(POLL_S)

    def _outcome(self, run_dir: Path, status: RunStatus, duties: Duties) -> Outcome | None:
        if status.state == "completed":
            return Outcome("completed")
        if status.state == "paused":
            return Outcome("paused") if duties.is_paused() else None  # else somebody paused it, and will resume it
        if not status.has_ended:
            return None
        failure = status.failure
        reason = failure["message"] if failure else None
        may_pass = failure is not None and failure["kind"] in PASSING
        if status.state == "cancelled":
            reason = self._said(run_dir, "cancelled_by_study", status.attempt)
            if reason == STOPPED:
                return Outcome("stopped", STOPPED)
            if reason is None:
                return Outcome("cancelled", "Its run was cancelled by somebody.")
            may_pass = True  # it hung
        if not may_pass or self._said(run_dir, "retried_by_study") is not None:
            return Outcome("failed", reason)
        self._note(run_dir, "retried_by_study", reason or "")
        self.queue.retry(run_dir)
        return None

    def _cancel(self, run_dir: Path, reason: str) -> None:
        if self._said(run_dir, "cancelled_by_study", read_status(run_dir).attempt) is None:
            self._note(run_dir, "cancelled_by_study", reason)
        with contextlib.suppress(QueueError):  # it ended this very moment
            self.queue.cancel(run_dir)

    def _note(self, run_dir: Path, event: str, reason: str) -> None:
        attempt = read_status(run_dir).attempt
        append_lines(run_dir / JOURNAL, [{"time": now(), "event": event, "attempt": attempt, "reason": reason}])

    def _said(self, run_dir: Path, event: str, attempt: int | None = None) -> str | None:
        found = [
            line["reason"]
            for line in read_lines(run_dir / JOURNAL)
            if line.get("event") == event and attempt in (None, line.get("attempt"))
        ]
        return found[-1] if found else None


class Watch:
    """Says when a run shows no sign of going on for far longer than one of its epochs takes."""

    def __init__(self, run_dir: Path, limit_s: float, clock: Callable[[], float] = time.monotonic):
        self._run_dir = run_dir
        self._limit_s = limit_s
        self._clock = clock
        self._stamp: tuple[int, ...] = ()
        self._since = clock()
        self._longest_s = 0.0
        self.has_begun = False

    def is_hanging(self) -> bool:
        """Look once; return whether it hangs."""
        stamp = (*tables.metrics_stamp(self._run_dir), *_moments(self._run_dir))
        if stamp != self._stamp:
            # The longest silence between two signs counts for what is usual: data that are read, a graph compiled.
            if self._stamp and self.silent_s() <= self._limit_s:  # else it hung, or was paused
                self._longest_s = max(self._longest_s, self.silent_s())
            self._stamp, self._since = stamp, self._clock()
            self.has_begun = (self._run_dir / "progress.json").exists()
            return False
        return self.silent_s() > max(self._limit_s, HANG_EPOCHS * self._longest_s)

    def silent_s(self) -> float:
        """Return for how long there was no sign."""
        return self._clock() - self._since


def _moments(run_dir: Path) -> tuple[int, ...]:
    found = []
    for name in ("progress.json", "log.txt", "status.json"):
        try:
            found.append(os.stat(run_dir / name).st_mtime_ns)
        except OSError:
            found.append(0)
    return tuple(found)


def hang_s() -> float:
    """Return after how many seconds without progress a run counts as hanging: `$CNNLAB_HANG_S`, else 300."""
    try:
        return float(os.environ.get(HANG_VARIABLE, "")) or HANG_S
    except ValueError:
        return HANG_S
