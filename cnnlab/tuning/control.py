"""What people do with a study: start, stop, resume, widen, ask for more. Needs no keras, for pages and commands."""

from dataclasses import replace
from pathlib import Path

from cnnlab.config import RunConfig
from cnnlab.errors import QueueError, UnknownNameError
from cnnlab.launch.engines.known import LOCAL, make_placer
from cnnlab.launch.queue import Queue
from cnnlab.runs import trials
from cnnlab.runs.status import locked, settle
from cnnlab.runs.store import Store
from cnnlab.runs.studies import Study, create_study, read_study, study_dir
from cnnlab.runs.study_status import StudyStatus, ask, read_asked, read_status, write_status
from cnnlab.settings.study import StudyConfig
from cnnlab.submit import checked_for
from cnnlab.tuning.space import apply


def start_study(store: Store, config: StudyConfig, *, queue: Queue | None = None) -> Study:
    """Write a study and start its processes; return at once.

    Raises:
        ConfigError, DatasetError, QueueError: as `cnnlab.submit.submit_runs`, of the run that is searched around;
            or the engine is not installed, or cannot be used.
        StoreError: the store cannot be written.
    """
    queue = queue or Queue()
    make_placer(config.engine)
    checked_for(store, queue if config.engine == LOCAL else None, config.run)
    made = create_study(store, config)
    queue.look_after_study(study_dir(store, made.study_id))
    return made


def stop_study(store: Store, study_id: str, *, queue: Queue | None = None) -> None:
    """Let no trial begin any more and the running ones keep their state and leave their slots; `resume_study` goes on.

    Raises:
        QueueError: it is at rest already.
    """
    folder = study_dir(store, study_id)
    with locked(folder):
        status = read_status(folder)
        if status.has_ended:
            raise QueueError(
                f"The study {study_id!r} is {status.state} already. Expected a running one. "
                f"Go on with 'python -m cnnlab study resume {study_id}'."
            )
        ask(folder, stop=True)
    (queue or Queue()).tick()  # where its supervisor was killed, a new one sees to it


def resume_study(store: Store, study_id: str, *, queue: Queue | None = None) -> None:
    """Let a study go on where it was, also one whose processes were killed; a running one just goes on."""
    folder = study_dir(store, study_id)
    with locked(folder):
        ask(folder, stop=False)
        _revive(folder)
    (queue or Queue()).look_after_study(folder)


def add_trials(store: Store, study_id: str, count: int, *, queue: Queue | None = None) -> int:
    """Let so many more trials begin, also where all were made; return how many there may be now.

    A stopped study stays so until it is resumed. Hyperband begins another sweep with them.
    """
    folder = study_dir(store, study_id)
    with locked(folder):
        now = read_study(folder).max_trials
        ask(folder, trials=now + count)
        status = read_status(folder)
        if status.state == "stopped":
            return now + count
        _revive(folder)
    (queue or Queue()).look_after_study(folder)
    return now + count


def set_width(store: Store, study_id: str, width: int) -> None:
    """Let the study train so many trials at a time; where it is fewer than now, those under way come to their end."""
    ask(study_dir(store, study_id), width=width)


def cancel_trial(store: Store, study_id: str, trial_id: str, *, queue: Queue | None = None) -> None:
    """End one trial that waits or trains; the search goes on.

    Raises:
        UnknownNameError: there is no such trial.
        QueueError: it has ended, or has no run yet.
    """
    known = trials.trials(study_dir(store, study_id))
    if trial_id not in known:
        raise UnknownNameError("trial", trial_id, known)
    row = known[trial_id]
    has_ended = row["status"] in trials.ENDED
    for run_id in () if has_ended else reversed(row.get("run_ids") or ()):
        run_dir = store.run_dir(run_id)
        if not settle(run_dir).has_ended:
            (queue or Queue()).cancel(run_dir)
            return
    state = f"is {row['status']} already" if has_ended else "has no run that trains"
    raise QueueError(f"Trial {trial_id!r} {state}. Expected one that trains. Choose another one, or try again.")


def trial_config(store: Store, study_id: str, trial_id: str) -> RunConfig:
    """Return the config that a trial trains, to submit it again with other seeds.

    Raises:
        UnknownNameError: there is no such trial.
    """
    folder = study_dir(store, study_id)
    known = trials.trials(folder)
    if trial_id not in known:
        raise UnknownNameError("trial", trial_id, known)
    study = read_study(folder)
    config = apply(study.config, known[trial_id].get("values") or {})
    return config.model_copy(update={"name": f"{study.name[:60]}, trial {known[trial_id]['number']} again"})


def _revive(folder: Path) -> StudyStatus:
    status = read_status(folder)
    if status.has_ended and not read_asked(folder).stop:
        status = replace(status, state="running", reason=None, ended_at=None)
        write_status(folder, status)
    return status
