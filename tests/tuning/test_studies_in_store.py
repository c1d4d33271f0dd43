"""Studies as folders: what was written comes back, torn lines harm no trial, wishes outlive all processes."""

import json
import os
from dataclasses import replace

import polars as pl
import pytest

from cnnlab import processes
from cnnlab.errors import ConfigError, StoreError, UnknownNameError
from cnnlab.runs import queries, trials
from cnnlab.runs.schema import TRIALS, polars_schema
from cnnlab.runs.store import Store
from cnnlab.runs.studies import (
    create_study,
    delete_study,
    deleted_studies,
    read_trials,
    restore_study,
    studies,
    study,
    study_dir,
    study_ids,
    trials_stamp,
)
from cnnlab.runs.study_status import Asked, StudyStatus, ask, is_at_work, read_asked, read_status, write_status
from cnnlab.settings.study import StudyConfig, study_from_dict
from cnnlab.submit import submit_runs


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "store")


def config(**values) -> StudyConfig:
    return study_from_dict({"space": {"training.learning_rate": "float(1e-4, 1e-1, log)"}} | values)


def alive(status: StudyStatus) -> StudyStatus:
    """This very process stands for the supervisor."""
    pid = os.getpid()
    space = processes.process_space()
    return replace(status, process_space=space, pid=pid, pid_created=processes.created_of(pid))


def test_a_study_comes_back_as_it_was_written(store):
    made = create_study(store, config(name="Rates", workers=2))
    again = study(store, made.study_id)
    assert again == made
    assert (again.name, again.config.workers, again.space_hash) == ("Rates", 2, config().space_hash())
    assert again.status == StudyStatus(width=2, trials=20)
    assert (again.width, again.max_trials) == (2, 20)
    assert read_trials(store, made.study_id).schema == pl.Schema(polars_schema(TRIALS))


def test_the_newest_study_comes_first_and_a_damaged_one_hides_none(store):
    ids = iter(["20260101-000000-study-0001", "20260102-000000-study-0002", "20260103-000000-study-0003"])
    made = []
    for _ in range(3):
        one = create_study(store, config())
        target = store.root / "studies" / next(ids)
        os.rename(study_dir(store, one.study_id), target)
        made.append(target)
    (made[1] / "study.yaml").write_text("space: [")
    assert study_ids(store) == [folder.name for folder in made]
    assert len(studies(store)) == 2
    with pytest.raises(StoreError, match=r"cannot be read.*Delete it, or repair its YAML"):
        study(store, made[1].name)


@pytest.mark.parametrize("name", ["..", "20260101-000000-study-zzzz", "trash", ""])
def test_what_is_no_study_is_none(store, name):
    made = create_study(store, config())
    with pytest.raises(UnknownNameError, match=f"Unknown study '{name}'"):
        study(store, name)
    assert study_ids(store) == [made.study_id]


def test_a_newer_study_is_refused(store):
    folder = study_dir(store, create_study(store, config()).study_id)
    (folder / "study.json").write_text(
        json.dumps(json.loads((folder / "study.json").read_text()) | {"schema_version": 99})
    )
    with pytest.raises(StoreError, match="newer version"):
        study(store, folder.name)


def test_later_lines_of_a_trial_hold_and_torn_ones_harm_nobody(store):
    folder = study_dir(store, create_study(store, config()).study_id)
    trials.say(folder, "b", number=2, status="running", values={"training.learning_rate": 0.1})
    trials.say(folder, "a", number=1, status="running", worker="worker0", attempts=1, run_ids=[])
    trials.say(folder, "a", run_ids=["r1"], epochs_done=1)
    trials.say(folder, "ghost", epochs_done=3)  # nobody said that it began
    with open(folder / "trials.jsonl", "a") as file:
        file.write('{"trial_id": "b", "status": "comp')
    trials.say(folder, "a", status="completed", objectives={"val_accuracy": 0.5}, ended_at="2026-01-01T00:00:00+00:00")
    frame = read_trials(store, folder.name)
    assert frame["trial_id"].to_list() == ["a", "b"]
    assert frame["status"].to_list() == ["completed", "running"]
    assert frame["run_ids"].to_list() == [["r1"], None]
    assert json.loads(frame["objectives"][0]) == {"val_accuracy": 0.5}
    assert json.loads(frame["values"][1]) == {"training.learning_rate": 0.1}
    assert frame["ended_at"][0].year == 2026


def test_parquet_says_what_the_lines_said_and_can_be_gone_on_with(store):
    folder = study_dir(store, create_study(store, config()).study_id)
    trials.say(
        folder,
        "a",
        number=1,
        status="failed",
        reason="NaN",
        values={"x": [1, None]},
        started_at="2026-01-01T00:00:00+00:00",
    )
    trials.say(folder, "a", objectives={"val_loss": float("nan")})
    lines, before = trials.trials(folder), read_trials(store, folder.name)
    first = trials_stamp(store, folder.name)
    trials.compact(folder)
    assert not (folder / "trials.jsonl").exists()
    assert trials_stamp(store, folder.name) != first
    assert read_trials(store, folder.name).equals(before)
    assert pl.read_parquet(folder / "trials.parquet").equals(before)
    trials.reopen(folder)
    trials.say(folder, "b", number=2, status="waiting")
    assert read_trials(store, folder.name).head(1).equals(before)
    assert read_trials(store, folder.name)["status"].to_list() == ["failed", "waiting"]
    kept = trials.trials(folder)["a"]
    assert (kept["values"], kept["reason"]) == (lines["a"]["values"], "NaN")


def test_what_a_trial_does_not_have_is_refused(store):
    folder = study_dir(store, create_study(store, config()).study_id)
    with pytest.raises(StoreError, match=r"A trial has no colour.*Correct the call"):
        trials.say(folder, "a", colour="red")
    with pytest.raises(StoreError, match="A trial has no status 'done'"):
        trials.say(folder, "a", status="done")


def test_wishes_stay_until_they_are_taken_back(store):
    folder = study_dir(store, create_study(store, config()).study_id)
    assert read_asked(folder) == Asked()
    ask(folder, stop=True, width=3, trials=40)
    assert read_asked(folder) == Asked(stop=True, width=3, trials=40)
    assert (study(store, folder.name).width, study(store, folder.name).max_trials) == (3, 40)
    ask(folder, stop=False)
    assert read_asked(folder) == Asked(width=3, trials=40)
    with pytest.raises(ConfigError, match=r"width=0 is out of range. Expected 1 to 256. Choose another number"):
        ask(folder, width=0)


def test_a_study_is_at_work_as_long_as_its_supervisor_lives(store):
    folder = study_dir(store, create_study(store, config()).study_id)
    assert not is_at_work(folder, read_status(folder))
    write_status(folder, alive(read_status(folder)))
    assert is_at_work(folder, read_status(folder))
    write_status(folder, replace(read_status(folder), pid_created=0.0))  # the pid is another's by now
    assert not is_at_work(folder, read_status(folder))
    write_status(folder, replace(read_status(folder), process_space="elsewhere"))
    (folder / "heartbeat").touch()
    assert is_at_work(folder, read_status(folder))


def test_a_deleted_study_comes_back_and_one_at_work_stays(store):
    made = create_study(store, config())
    folder = study_dir(store, made.study_id)
    write_status(folder, alive(read_status(folder)))
    with pytest.raises(StoreError, match=r"is running.*Stop it first"):
        delete_study(store, made.study_id)
    write_status(folder, StudyStatus(state="completed"))
    delete_study(store, made.study_id)
    assert studies(store) == []
    assert deleted_studies(store) == [made.study_id]
    restore_study(store, made.study_id)
    assert study(store, made.study_id).status.state == "completed"
    with pytest.raises(UnknownNameError, match="deleted study"):
        restore_study(store, made.study_id)


def test_the_runs_of_a_trial_say_so_in_the_table_of_runs(store, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")

    class Paper:
        """A queue that starts nothing."""

        def slots(self):
            return [None]

        def submit(self, run_dir, **_):
            pass

    run = config().run
    (mine,) = submit_runs(store, run, queue=Paper(), study_id="s", trial_id="t")
    (other,) = submit_runs(store, run, queue=Paper())
    table = {row["run_id"]: row for row in queries.summaries(store).to_dicts()}
    assert (table[mine]["study_id"], table[mine]["trial_id"]) == ("s", "t")
    assert (table[other]["study_id"], table[other]["trial_id"]) == (None, None)
