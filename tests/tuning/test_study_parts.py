"""The parts of a study's processes, each by itself."""

import os
import sys
from dataclasses import replace

import pytest
from study_lab import config

from cnnlab.errors import QueueError
from cnnlab.launch import studies as launched
from cnnlab.launch.database import Database
from cnnlab.launch.engines.base import Handle
from cnnlab.processes import created_of
from cnnlab.runs.store import Store
from cnnlab.runs.studies import create_study, study_dir
from cnnlab.runs.study_status import StudyStatus, ask, read_asked, read_status, write_status
from cnnlab.tuning import supervisor
from cnnlab.tuning.helpers import Helper
from cnnlab.tuning.limits import Limits, read_limits, worker_index, worker_name, write_limits
from cnnlab.tuning.supervisor import Supervisor
from cnnlab.tuning.trial_runs import Watch


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self):
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


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


class PaperPlacer:
    """An engine whose processes are names, which end when they are told to."""

    def __init__(self):
        self.placed: list[str] = []
        self.presence = "alive"

    def place(self, task):
        if self.presence == "full":
            raise QueueError("No room.")
        self.placed.append(task.name)
        self.presence = "alive"
        return Handle(0, None, f"job {len(self.placed)}")

    def status(self, _handle):
        return self.presence

    def cancel(self, _handle):
        self.presence = "gone"

    kill = cancel


@pytest.fixture
def helped(tmp_path):
    """A helper with its engine and clock, and where it leaves its farewell."""
    placer, clock = PaperPlacer(), Clock()
    (tmp_path / "beats").mkdir()
    return Helper("worker0", ["-m", "x"], tmp_path, tmp_path / "log", placer, clock), placer, clock, tmp_path


def test_a_helper_that_dies_is_started_again_ever_later(helped):
    helper, placer, clock, _ = helped
    helper.look()
    for deaths, wait_s in ((1, 0.1), (2, 0.4), (3, 1.6)):
        assert helper.is_running
        placer.presence = "gone"
        helper.look()
        assert (helper.deaths, helper.is_running, helper.has_left) == (deaths, False, False)
        clock.time += wait_s - 0.01
        helper.look()
        assert not helper.is_running, "too early"
        clock.time += 0.02
        helper.look()
    assert placer.placed == ["worker0"] * 4


def test_a_helper_that_cannot_be_placed_or_asked_is_neither_lost_nor_started_twice(helped):
    helper, placer, clock, _ = helped
    placer.presence = "full"
    helper.look()
    assert (helper.deaths, placer.placed) == (1, [])
    clock.time, placer.presence = 1.0, "alive"
    for presence in ("waiting", "unreachable", "alive"):
        helper.look()
        placer.presence = presence
    helper.look()
    assert placer.placed == ["worker0"]
    placer.presence = "waiting"
    assert not helper.is_running, "one in the line of a cluster cannot hang"
    helper.end()
    assert placer.presence == "gone"


def test_a_helper_that_leaves_with_a_farewell_comes_back_when_it_is_called(helped):
    helper, placer, _, folder = helped
    helper.look()
    farewell = folder / "beats" / "worker0.left"
    farewell.touch()
    placer.presence = "gone"
    helper.look()
    helper.look()
    assert (helper.has_left, helper.deaths, len(placer.placed)) == (True, 0, 1)
    helper.call_again()
    helper.look()
    assert (helper.has_left, len(placer.placed), farewell.exists()) == (False, 2, False)
    farewell.touch()
    helper.call_again()  # just as it leaves
    placer.presence = "gone"
    helper.look()
    assert (helper.has_left, len(placer.placed)) == (False, 3)


def test_a_worker_without_a_sign_of_life_is_replaced_but_not_one_in_the_line_of_a_cluster(tmp_path, monkeypatch):
    placer, clock = PaperPlacer(), Clock()
    monkeypatch.setattr(supervisor, "make_placer", lambda _name: placer)
    monkeypatch.setattr(supervisor.time, "monotonic", clock)
    store = Store(tmp_path / "store")
    folder = study_dir(store, create_study(store, config()).study_id)
    (folder / "beats").mkdir()
    one = Supervisor(folder)
    worker = one._worker(0)
    worker.look()

    def is_replaced(after_s: float) -> bool:
        clock.time += after_s
        one._see_whether_hanging(0, worker)
        return placer.presence == "gone"

    placer.presence = "waiting"
    assert not is_replaced(0)
    assert not is_replaced(10 * supervisor.HANG_S)
    placer.presence = "alive"
    assert not is_replaced(supervisor.HANG_S - 1), "it has begun just now"
    (folder / "beats" / "worker0").touch()
    assert not is_replaced(2)
    assert not is_replaced(supervisor.HANG_S - 1)
    assert is_replaced(2)


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
