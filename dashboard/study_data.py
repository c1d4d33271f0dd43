"""What the pages read of studies; as `dashboard.data`, all caching is here.

A study of 1,000 trials is looked at every few seconds while it runs: what has not changed is not read again.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import streamlit as st

from cnnlab.analysis.importance import Importance, importance
from cnnlab.analysis.trials import Goal, Trials, axes_of, goals_of, trials_of
from cnnlab.config import config_from_dict
from cnnlab.errors import CNNLabError, RunNotFoundError
from cnnlab.runs import queries, studies
from cnnlab.runs.schema import METRICS, polars_schema
from cnnlab.runs.studies import Study
from cnnlab.runs.study_status import is_at_work
from cnnlab.settings.study import StudyConfig
from cnnlab.tuning import control
from dashboard import data

# So many ended trials more, as a share, and importance is asked for again: it takes seconds.
WORTH_ASKING_AGAIN = 0.05


def study(study_id: str) -> Study:
    """Return a study as it is now; raises `UnknownNameError` and `StoreError`."""
    return studies.study(data.store(), study_id)


def is_live(one: Study) -> bool:
    """Return whether somebody works on a study now."""
    return is_at_work(studies.study_dir(data.store(), one.study_id), one.status)


def trials(one: Study) -> Trials:
    """Return the trials of a study with where they are in its space and what they reached."""
    stamp = studies.trials_stamp(data.store(), one.study_id)
    return _trials(str(data.store().root), one.study_id, stamp)


@st.cache_resource(max_entries=32, show_spinner=False)
def _trials(root: str, study_id: str, stamp: tuple[int, ...]) -> Trials:  # noqa: ARG001 the key
    config = study(study_id).config
    rows = studies.read_trials(data.store(), study_id)
    return trials_of(rows, axes_of(config.space), goals_of(config.objectives))


@dataclass
class _Curves:
    """Metrics by run, each with the stamp of the files it was read from."""

    known: dict[str, tuple[int, pl.DataFrame]] = field(default_factory=dict)


def metrics(study_id: str, run_ids: Sequence[str]) -> pl.DataFrame:
    """Return the long metrics of the runs of a study; only those that moved on are read anew."""
    known = _curves(str(data.store().root), study_id).known
    frames = []
    for run_id in run_ids:
        stamp = _stamp(data.store().runs_dir / run_id)
        if run_id not in known or known[run_id][0] != stamp:
            try:
                known[run_id] = (stamp, queries.metrics(data.store(), [run_id]))
            except RunNotFoundError:  # deleted by somebody
                continue
        frames.append(known[run_id][1])
    return pl.concat(frames) if frames else pl.DataFrame(schema=polars_schema(METRICS))


@st.cache_resource(max_entries=8, show_spinner=False)
def _curves(root: str, study_id: str) -> _Curves:  # noqa: ARG001 the key
    return _Curves()


def _stamp(run_dir: Path) -> int:
    newest = 0
    for name in ("metrics.jsonl", "metrics"):
        try:
            newest = max(newest, (run_dir / name).stat().st_mtime_ns)
        except OSError:
            continue  # not there yet, or moved between two looks
    return newest


def found_importance(one: Study, goal: Goal) -> Importance:
    """Return which hyperparameters matter; of a study that goes on, what was found a few trials ago."""
    now = trials(one)
    ended = int(now.is_completed().sum())
    steps = max(1, int(WORTH_ASKING_AGAIN * ended)) if is_live(one) else 1
    return _importance(str(data.store().root), one.study_id, goal, ended // steps, steps)


@st.cache_resource(max_entries=32, show_spinner="Fitting forests to the trials …")
def _importance(root: str, study_id: str, goal: Goal, times: int, steps: int) -> Importance:  # noqa: ARG001 the key
    now = trials(study(study_id))
    kept = now.is_completed()
    names = [axis.label for axis in now.axes]
    return importance(names, now.codes()[kept], now.objective(goal)[kept], now.measures(kept))


def all_run_ids(now: Trials) -> list[str]:
    """Return the runs of all trials, in the order of the trials."""
    return [run_id for run_ids in now.run_ids for run_id in run_ids]


def first_run(now: Trials, place: int) -> str:
    """Return the first run of a trial; empty while it has none."""
    return next(iter(now.run_ids[place]), "")


# ---- what people do with a study ----


def start(config: StudyConfig) -> str:
    """Begin a study; returns its id."""
    return control.start_study(data.store(), config, queue=data.queue()).study_id


def stop(study_id: str) -> None:
    """Let no trial begin any more."""
    control.stop_study(data.store(), study_id, queue=data.queue())


def resume(study_id: str) -> None:
    """Let a study go on where it was."""
    control.resume_study(data.store(), study_id, queue=data.queue())


def add_trials(study_id: str, count: int) -> None:
    """Let so many more trials begin."""
    control.add_trials(data.store(), study_id, count, queue=data.queue())


def set_width(study_id: str, width: int) -> None:
    """Let a study train so many trials at a time."""
    control.set_width(data.store(), study_id, width)


def kill(study_id: str, trial_ids: Sequence[str]) -> int:
    """End trials that wait or train; returns how many it were, as some may have ended meanwhile."""
    gone = 0
    for trial_id in trial_ids:
        with contextlib.suppress(CNNLabError):
            control.cancel_trial(data.store(), study_id, trial_id, queue=data.queue())
            gone += 1
    data.refresh()
    return gone


def again(study_id: str, trial_id: str, seeds: int) -> list[str]:
    """Queue the config of a trial with seeds that the search has not used; returns the run ids.

    It was chosen for how it did with those it had, which flatters it.
    """
    config = control.trial_config(data.store(), study_id, trial_id)
    values = config.to_dict()
    values["repeats"] = seeds
    values["training"]["seed"] += study(study_id).config.budget.executions
    return data.submit(config_from_dict(values))
