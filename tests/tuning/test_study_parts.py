"""The parts of a study's processes, each by itself and without keras-tuner."""

import itertools
import json
import os
import random
import sys
from dataclasses import replace

import pytest

from cnnlab.files import size_of
from cnnlab.launch import studies as launched
from cnnlab.launch.database import Database
from cnnlab.processes import created_of
from cnnlab.runs.store import Store
from cnnlab.runs.studies import create_study, study_dir
from cnnlab.runs.study_status import StudyStatus, ask, read_asked, read_status, write_status
from cnnlab.settings.objectives import Objective
from cnnlab.settings.study import study_from_dict
from cnnlab.tuning.helpers import Helper
from cnnlab.tuning.keeping import Keeping, ranked
from cnnlab.tuning.limits import Limits, read_limits, worker_index, worker_name, write_limits
from cnnlab.tuning.reached import curves_of, mean_curves, reached
from cnnlab.tuning.supervisor import Supervisor
from cnnlab.tuning.trial_runs import Watch

UP, DOWN = Objective(metric="val_accuracy"), Objective(metric="macs")


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self):
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


def config(**values):
    return study_from_dict({"space": {"training.learning_rate": "float(1e-4, 1e-1, log)"}} | values)


# === What a trial reached ===


def test_curves_have_the_names_of_objectives(tmp_path):
    rows = [
        ("val", "", "loss", 3.0),
        ("val", "a", "loss", 1.0),
        ("val", "b", "loss", 2.0),
        ("val", "a", "accuracy", 0.7),
        ("val", "b", "accuracy", 0.4),
        ("train", "", "learning_rate", 0.1),
    ]
    names = ("split", "output", "metric", "value")
    lines = [dict(zip(names, row, strict=True)) | {"epoch": 1, "step": 1, "elapsed_s": 1.0} for row in rows]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (epoch,) = curves_of(tmp_path, None).values()
    assert epoch == {
        "val_loss": 3.0, "val_loss/a": 1.0, "val_loss/b": 2.0, "val_accuracy": 0.7, "val_accuracy/a": 0.7,
        "val_accuracy/b": 0.4, "train_learning_rate": 0.1,
    }  # fmt: skip
    assert curves_of(tmp_path, "b")[1]["val_accuracy"] == 0.4


def test_one_output_needs_no_loss_of_all_together(tmp_path):
    line = {"split": "val", "output": "a", "metric": "loss", "value": 1.5, "epoch": 1, "step": 1, "elapsed_s": None}
    (tmp_path / "metrics.jsonl").write_text(json.dumps(line) + "\n")
    assert curves_of(tmp_path, None)[1] == {"val_loss/a": 1.5, "val_loss": 1.5}


def test_a_trial_reached_the_mean_over_executions_at_its_best_epoch():
    loss = Objective(metric="val_loss")
    one = {1: {"val_accuracy": 0.5, "val_loss": 1.0}, 2: {"val_accuracy": 0.7, "val_loss": 2.0}}
    two = {1: {"val_accuracy": 0.9, "val_loss": 3.0}, 2: {"val_accuracy": 0.1, "val_loss": 0.0}}
    assert mean_curves([one, two])[1] == pytest.approx({"val_accuracy": 0.7, "val_loss": 2.0})
    assert reached([UP, loss], [one, two]) == pytest.approx({"val_accuracy": 0.7, "val_loss": 2.0})
    assert reached([loss], [one, two]) == pytest.approx({"val_loss": 1.0})
    assert reached([UP, DOWN], [one], [{"macs": 10.0}, {"macs": 20.0}]) == {"val_accuracy": 0.7, "macs": 15.0}
    assert reached([UP, DOWN], [], []) == {}


def test_an_epoch_that_is_no_number_is_never_the_best():
    curves = {1: {"val_accuracy": 0.2}, 2: {"val_accuracy": float("nan")}}
    assert reached([UP], [curves]) == {"val_accuracy": 0.2}


# === What is kept ===


def trial(number, status="completed", **objectives):
    return {"trial_id": str(number), "number": number, "status": status, "objectives": objectives, "run_ids": []}


def test_the_best_trial_comes_first():
    rows = [trial(1, val_accuracy=0.5), trial(2, val_accuracy=0.9), trial(3, "failed", val_accuracy=1.0), trial(4)]
    assert ranked(rows, [UP]) == ["2", "1"]


def test_trials_of_several_objectives_are_ranked_front_after_front():
    rng = random.Random(3)
    rows = [trial(n, val_accuracy=rng.randrange(8) / 8, macs=rng.randrange(8)) for n in range(40)]

    def beats(a, b):
        a, b = a["objectives"], b["objectives"]
        at_least = a["val_accuracy"] >= b["val_accuracy"] and a["macs"] <= b["macs"]
        return at_least and a != b

    order = [next(row for row in rows if row["trial_id"] == one) for one in ranked(rows, [UP, DOWN])]
    assert len(order) == 40
    assert not any(beats(later, earlier) for earlier, later in itertools.combinations(order, 2))


def test_only_the_best_networks_stay_and_the_disk_is_counted(tmp_path):
    rows = {}
    for number, accuracy in enumerate([0.1, 0.9, 0.5], start=1):
        run = tmp_path / f"r{number}"
        (run / "checkpoints").mkdir(parents=True)
        (run / "checkpoints" / "training.npz").write_bytes(b"x" * 100)
        (run / "model.keras").write_bytes(b"x" * 50)
        (run / "result.json").write_bytes(b"x" * 10)
        rows[str(number)] = trial(number, val_accuracy=accuracy) | {"run_ids": [run.name]}
    rows["4"] = trial(4, "running") | {"run_ids": ["r4"]}
    keeping = Keeping(tmp_path, config(keep_checkpoints=1))
    keeping.look(rows)
    assert [size_of(tmp_path / f"r{number}") for number in (1, 2, 3)] == [10, 160, 10]
    assert keeping.disk_bytes == 180
    assert size_of(tmp_path / "r4") == 0


def test_hyperband_keeps_what_may_go_on_until_it_is_over(tmp_path):
    (tmp_path / "r1").mkdir()
    (tmp_path / "r1" / "model.keras").write_bytes(b"x")
    rows = {"1": trial(1, "failed") | {"run_ids": ["r1"]}}
    keeping = Keeping(tmp_path, config(algorithm={"name": "hyperband"}))
    keeping.look(rows)
    assert (tmp_path / "r1" / "model.keras").exists()
    keeping.look(rows, is_over=True)
    assert not (tmp_path / "r1" / "model.keras").exists()


# === Limits, hanging runs, helpers ===


def test_nothing_begins_where_nobody_says_what_holds(tmp_path):
    assert read_limits(tmp_path).closed
    limits = Limits(3, 40, "over", is_paused=True)
    write_limits(tmp_path, limits)
    assert read_limits(tmp_path) == limits
    assert worker_index(worker_name(7)) == 7


def test_a_run_hangs_when_it_is_silent_far_longer_than_before(tmp_path):
    clock = Clock()
    watch = Watch(tmp_path, 10.0, clock)
    assert not watch.is_hanging()

    def sign(text: str) -> None:
        (tmp_path / "log.txt").unlink(missing_ok=True)
        (tmp_path / "log.txt").write_text(text)
        (tmp_path / "progress.json").write_text(text)

    sign("begun")
    assert not watch.is_hanging()
    clock.time = 5.0
    sign("an epoch")
    os.utime(tmp_path / "log.txt", (1, 1))
    assert not watch.is_hanging()
    assert watch.has_begun
    clock.time = 54.0
    assert not watch.is_hanging(), "ten times the longest silence before"
    clock.time = 56.0
    assert watch.is_hanging()
    os.utime(tmp_path / "log.txt", (2, 2))
    assert not watch.is_hanging()
    clock.time = 100.0
    assert not watch.is_hanging(), "a silence that was a hang does not count as usual"
    clock.time = 107.0
    assert watch.is_hanging()


def test_a_helper_that_dies_is_started_again_ever_later_and_one_that_leaves_is_not(tmp_path):
    clock = Clock()
    helper = Helper("dies", ["-c", "raise SystemExit(3)"], tmp_path / "log", clock)
    for deaths, wait_s in ((1, 0.1), (2, 0.4), (3, 1.6)):
        helper.look()
        helper._process.wait()
        helper.look()
        assert (helper.deaths, helper.is_running, helper.has_left) == (deaths, False, False)
        clock.time += wait_s - 0.01
        helper.look()
        assert not helper.is_running, "too early"
        clock.time += 0.02
    leaves = Helper("leaves", ["-c", "pass"], tmp_path / "log", clock)
    leaves.look()
    leaves._process.wait()
    leaves.look()
    leaves.look()
    assert leaves.has_left
    assert not leaves.is_running
    leaves.call_again()
    leaves.look()
    assert leaves.pid is not None
    leaves.end()


# === The queue looks after supervisors ===


class Started:
    """Stands for processes that are started, and for their deaths."""

    def __init__(self, monkeypatch):
        self.arguments: list[list[str]] = []
        self.pid = 0
        monkeypatch.setattr(launched, "start_detached", self)

    def __call__(self, arguments, environment, output):
        self.arguments.append(arguments)
        self.pid = os.getpid()
        return self


@pytest.fixture
def looked_after(tmp_path, monkeypatch):
    store, started = Store(tmp_path / "store"), Started(monkeypatch)
    folder = study_dir(store, create_study(store, config()).study_id)
    return Database(tmp_path / "queue.sqlite"), folder, started


def die(database: Database) -> None:
    with database.transaction() as change:
        change.execute("UPDATE studies SET pid_created = 1.0")


def test_a_supervisor_is_started_once_and_again_when_it_is_gone(looked_after):
    database, folder, started = looked_after
    launched.register(database, folder, ["train", "me"])
    launched.look_after(database)
    assert started.arguments == [
        [sys.executable, "-m", "cnnlab.tuning.supervisor", str(folder), "--trainer", '["train", "me"]']
    ]
    (row,) = database.rows("SELECT * FROM studies")
    assert row["pid_created"] == created_of(row["pid"])
    die(database)
    launched.look_after(database)
    assert len(started.arguments) == 2
    die(database)
    launched.look_after(database)
    assert len(started.arguments) == 2, "one that falls over again and again waits"
    launched.register(database, folder)
    assert len(started.arguments) == 3, "unless somebody asks"


def test_a_study_at_rest_or_gone_is_forgotten(looked_after):
    database, folder, started = looked_after
    launched.register(database, folder)
    write_status(folder, StudyStatus(state="completed"))
    die(database)
    launched.look_after(database)
    assert len(started.arguments) == 1
    assert database.rows("SELECT * FROM studies") == []


def test_the_supervisor_never_overlooks_a_wish_at_the_last_moment(tmp_path):
    store = Store(tmp_path / "store")
    folder = study_dir(store, create_study(store, config()).study_id)
    one = Supervisor(folder)
    one._keep_to(one._wanted_limits(ask_and_read(folder, stop=True)))
    ask(folder, stop=False)
    assert not one._ends("stopped", "It was stopped.")
    assert read_status(folder).state == "running"
    one._keep_to(one._wanted_limits(ask_and_read(folder)))
    assert one._ends("completed", "Done.")
    assert (read_status(folder).state, read_status(folder).reason) == ("completed", "Done.")


def ask_and_read(folder, **wishes):
    ask(folder, **wishes)
    return read_asked(folder)


def test_hours_of_work_count_and_then_no_trial_begins(tmp_path):
    store = Store(tmp_path / "store")
    folder = study_dir(store, create_study(store, config(budget={"hours": 0.5})).study_id)
    write_status(folder, replace(read_status(folder), active_s=1799.0))
    one = Supervisor(folder)
    assert one._wanted_limits(ask_and_read(folder)).closed is None
    one.status = replace(one.status, active_s=1800.0)
    limits = one._wanted_limits(ask_and_read(folder))
    assert limits.closed == "The 0.5 h of its budget are over."
    assert not limits.is_paused
