"""What the queue promises: order, priority, refusals with a way out, and nothing lost."""

import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from cnnlab.errors import QueueError, RunNotFoundError
from cnnlab.launch.database import Database, default_path
from cnnlab.launch.engines.base import Handle, Launch
from cnnlab.launch.queue import Queue
from cnnlab.processes import created_of
from cnnlab.runs.status import RunStatus, now, read_status, write_status


class PaperEngine:
    """Starts nothing: the test itself says when a run begins and how it ends."""

    def __init__(self):
        self.launches: list[Launch] = []
        self.is_broken = False
        self.gone: set[int] = set()

    def submit(self, launch: Launch) -> Handle:
        if self.is_broken:
            raise QueueError("No more processes.")
        self.launches.append(launch)
        return Handle(1000 + len(self.launches), None)

    def status(self, handle: Handle) -> str:
        return "gone" if handle.pid in self.gone or handle.pid == 0 else "alive"

    def cancel(self, handle: Handle) -> None:
        self.gone.add(handle.pid)

    def logs(self, run_dir: Path, lines: int = 200) -> str:
        return ""

    def started(self) -> list[str]:
        return [Path(launch.run_dir).name for launch in self.launches]


@pytest.fixture
def engine() -> PaperEngine:
    return PaperEngine()


@pytest.fixture
def queue(lab, engine, monkeypatch) -> Queue:
    # The waiting process would ask the real engine about starts on paper.
    monkeypatch.setattr("cnnlab.launch.tick.ensure_waiter", lambda _database: None)
    return lab.queue(engine=engine)


def end(run: Path, state: str = "completed") -> None:
    write_status(run, RunStatus(state=state, attempt=read_status(run).attempt, ended_at=now()))


def waiting(queue: Queue) -> list[str]:
    return [entry.run_id for entry in queue.entries() if entry.position]


# === Order ===


def test_first_come_first_started(lab, queue, engine):
    for run in lab.runs("a", "b", "c"):
        queue.submit(run)
    for name in ("a", "b", "c"):
        end(lab.root / "store" / "runs" / name)
        queue.tick()
    assert engine.started() == ["a", "b", "c"]


def test_priority_goes_first(lab, queue, engine):
    a, b, c = lab.runs("a", "b", "c")
    queue.submit(a)
    queue.submit(b)
    queue.submit(c, priority=5)
    assert waiting(queue) == ["c", "b"]
    end(a)
    queue.tick()
    assert engine.started() == ["a", "c"]


def test_run_that_needs_several_slots_is_not_overtaken(lab, queue, engine, monkeypatch):
    monkeypatch.setenv("CNNLAB_SLOTS", "2")
    a, b, wide, small = lab.runs("a", "b", "wide", "small")
    queue.submit(a)
    queue.submit(b)
    queue.submit(wide, slots=2)
    queue.submit(small)
    end(a)
    queue.tick()
    assert engine.started() == ["a", "b"]  # one slot is free and kept for the wide one
    end(b)
    queue.tick()
    assert engine.started() == ["a", "b", "wide"]
    assert engine.launches[-1].slots == ("cpu0", "cpu1")


def test_moved_run_takes_its_place_and_the_priority_there(lab, queue):
    for run, priority in zip(lab.runs("a", "b", "c", "d"), (9, 5, 0, 0), strict=True):
        queue.submit(run, priority=priority)
    runs = lab.root / "store" / "runs"
    queue.move(runs / "d", 1)
    assert waiting(queue) == ["d", "b", "c"]
    queue.move(runs / "d", 99)
    assert waiting(queue) == ["b", "c", "d"]
    queue.set_priority(runs / "d", 7)
    assert waiting(queue) == ["d", "b", "c"]
    with pytest.raises(QueueError) as error:
        queue.move(runs / "a", 1)
    assert str(error.value) == "Run 'a' is not waiting. Only waiting runs have a place. Look at the queue again."
    with pytest.raises(QueueError, match="Run 'a' is not waiting"):
        queue.set_priority(runs / "a", 1)


def test_entries_say_what_runs_and_what_waits(lab, queue):
    a, b = lab.runs("a", "b")
    queue.submit(a)
    queue.submit(b, priority=2)
    first, second = queue.entries()
    assert (first.run_id, first.state, first.position, first.slot_ids) == ("a", "running", 0, ("cpu0",))
    assert (second.run_id, second.state, second.position, second.slot_ids) == ("b", "queued", 1, ())
    assert (second.priority, second.slots, second.run_dir) == (2, 1, b.resolve())
    assert queue.entries(lab.root / "store") == [first, second]
    assert queue.entries(lab.root / "another") == []
    assert [(slot.id, slot.busy_with) for slot in queue.slots()] == [("cpu0", "a")]


def test_another_queue_object_sees_the_same(lab, queue, engine):
    for run in lab.runs("a", "b"):
        queue.submit(run)
    assert lab.queue(engine=engine).entries() == queue.entries()


# === Refusals ===


def test_submitting_twice_is_refused(lab, queue):
    run = lab.run("a")
    queue.submit(run)
    with pytest.raises(QueueError) as error:
        queue.submit(run)
    assert str(error.value) == "Run 'a' is waiting in the queue already. Wait for it, or cancel it."


def test_ended_run_is_not_submitted_but_retried(lab, queue):
    run = lab.run("a")
    write_status(run, RunStatus(state="failed"))
    with pytest.raises(QueueError) as error:
        queue.submit(run)
    assert str(error.value) == "Run 'a' is failed already. Retry it to run it again."


def test_completed_run_is_not_retried(lab, queue):
    run = lab.run("a")
    write_status(run, RunStatus(state="completed"))
    with pytest.raises(QueueError) as error:
        queue.retry(run)
    assert str(error.value) == (
        "Run 'a' is completed. Submit its config as a new run to train it again, or train it for more epochs."
    )
    with pytest.raises(QueueError) as error:
        queue.cancel(run)
    assert str(error.value) == (
        "Run 'a' is completed already. Submit its config as a new run to train it again, or train it for more epochs."
    )


def test_missing_run_is_named(lab, queue):
    with pytest.raises(RunNotFoundError) as error:
        queue.submit(lab.root / "nothing")
    assert str(error.value) == f"No run 'nothing' in {str(lab.root)!r}. List runs with 'python -m cnnlab runs'."


@pytest.mark.parametrize("slots", [0, 2, -1])
def test_more_slots_than_there_are_is_refused(lab, queue, slots):
    with pytest.raises(QueueError) as error:
        queue.submit(lab.run(), slots=slots)
    assert str(error.value) == f"slots={slots} is out of range. This machine has 1. Ask for 1 to 1."


def test_nearly_full_disk_is_refused(lab, queue, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(1, 1, 120 * 2**20))
    run = lab.run()
    with pytest.raises(QueueError) as error:
        queue.submit(run)
    assert str(error.value) == (
        f"Only 120 MiB are free on the disk of {str(run.parent)!r}. "
        "A run needs at least 200 MiB. Delete runs you no longer need, then try again."
    )
    assert not (run / "status.json").exists()


def test_damaged_queue_says_how_to_mend_it(lab):
    lab.path.write_bytes(b"no database" * 200)
    with pytest.raises(QueueError) as error:
        lab.queue().entries()
    assert str(error.value) == (
        f"The queue {str(lab.path)!r} is damaged: file is not a database. "
        "Delete it and queue the waiting runs again; no run is lost with it."
    )


def test_queue_of_a_newer_version_is_left_alone(lab):
    database = Database(lab.path)
    with database.transaction() as change:
        change.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(QueueError, match="made by a newer version of CNN Lab"):
        lab.queue().entries()


def test_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(QueueError, match="Set CNNLAB_QUEUE to a file that can be written"):
        Queue(tmp_path / "file" / "queue.sqlite").entries()


def test_deleted_queue_begins_anew(lab, queue):
    queue.submit(lab.run("a"))
    for file in lab.root.glob("queue.sqlite*"):
        file.unlink()
    assert queue.entries() == []
    queue.retry(lab.root / "store" / "runs" / "a")  # waits for ever otherwise
    assert [entry.run_id for entry in queue.entries()] == ["a"]


def test_default_path_is_this_machines(monkeypatch, tmp_path):
    monkeypatch.delenv("CNNLAB_QUEUE")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    assert default_path().parent == tmp_path / "cnnlab"
    assert default_path().name.startswith("queue-")
    monkeypatch.setenv("CNNLAB_QUEUE", str(tmp_path / "mine.sqlite"))
    assert default_path() == tmp_path / "mine.sqlite"


# === What goes wrong between a reservation and a start ===


def test_deleted_run_leaves_the_line(lab, queue):
    a, b = lab.runs("a", "b")
    queue.submit(a)
    queue.submit(b)
    shutil.rmtree(b)
    assert waiting(queue) == []
    shutil.rmtree(a)
    assert [entry.run_id for entry in queue.entries()] == ["a"]  # its parent still holds the slot


def test_deleted_run_frees_its_slot_once_its_parent_is_gone(lab, queue, engine):
    a, b = lab.runs("a", "b")
    queue.submit(a)
    queue.submit(b)
    shutil.rmtree(a)
    engine.gone.add(1001)
    queue.tick()
    assert engine.started() == ["a", "b"]


def test_engine_that_cannot_start_anything_is_tried_three_times(lab, queue, engine, monkeypatch):
    monkeypatch.setattr("cnnlab.launch.dispatch.BACK_OFF_S", 0.0)
    engine.is_broken = True
    run = lab.run("a")
    queue.submit(run)
    lab.wait(lambda: queue.entries() == [])
    status = read_status(run)
    assert (status.state, status.failure["kind"]) == ("failed", "not_started")
    assert status.failure["message"] == ("The run was started 3 times and ended each time before the training began.")


def test_start_that_falls_over_waits_before_the_next(lab, queue, engine):
    a, b = lab.runs("a", "b")
    queue.submit(a)
    queue.submit(b)
    engine.gone.add(1001)
    queue.tick()  # a goes back and waits two seconds, and does not hold up b meanwhile
    assert engine.started() == ["a", "b"]
    assert waiting(queue) == ["a"]


def test_claimed_start_that_falls_over_is_the_next_attempt(lab, queue, engine, monkeypatch):
    monkeypatch.setattr("cnnlab.launch.dispatch.BACK_OFF_S", 0.0)
    run = lab.run("a")
    queue.submit(run)
    (run / "attempt-1.claim").touch()
    engine.gone.add(1001)
    lab.wait(lambda: (queue.tick(), len(engine.launches))[1] == 2)
    assert [launch.attempt for launch in engine.launches] == [1, 2]
    assert read_status(run).attempt == 2


def test_reservation_of_a_dead_dispatcher_expires(lab, queue, engine, monkeypatch):
    run = lab.run("a")
    queue.submit(run)
    with queue._database.transaction() as change:
        change.execute("UPDATE jobs SET state = 'starting', pid = NULL")
    queue.tick()
    assert len(engine.launches) == 1
    monkeypatch.setattr("cnnlab.launch.dispatch.RESERVATION_S", 0.0)
    queue.tick()
    assert [launch.attempt for launch in engine.launches] == [1, 1]
    assert engine.launches[0].token != engine.launches[1].token


def test_run_too_large_for_what_the_machine_has_left_fails_with_the_reason(lab, queue, monkeypatch):
    monkeypatch.setenv("CNNLAB_SLOTS", "3")
    a, wide = lab.runs("a", "wide")
    queue.submit(a)
    queue.submit(wide, slots=3)
    monkeypatch.setenv("CNNLAB_SLOTS", "2")
    queue.tick()
    assert read_status(wide).failure["message"] == "The run asks for 3 slots and this machine has 2."


def test_run_of_a_silent_machine_is_given_up_when_cancelled(lab, queue):
    run = lab.run("a")
    write_status(run, RunStatus(state="running", host="elsewhere", process_space="x", pid=1, pid_created=1.0))
    queue.cancel(run)
    assert read_status(run).state == "cancelled"


def test_run_of_a_living_machine_is_only_asked(lab, queue):
    run = lab.run("a")
    (run / "heartbeat").touch()
    write_status(run, RunStatus(state="running", host="elsewhere", process_space="x", pid=1, pid_created=1.0))
    queue.cancel(run)
    assert read_status(run).state == "running"
    assert (run / "cancel").exists()


# === Environment ===


def test_runs_on_the_cpu_share_its_cores(lab, queue, engine, monkeypatch):
    monkeypatch.setattr("cnnlab.launch.slots.cores", lambda: 8)
    monkeypatch.setenv("CNNLAB_SLOTS", "4")
    queue.submit(lab.run("a"), environment={"KERAS_BACKEND": "jax", "CUDA_VISIBLE_DEVICES": "7"})
    queue.submit(lab.run("b"), slots=2, environment={"OMP_NUM_THREADS": "1"})
    one, two = (dict(launch.environment) for launch in engine.launches)
    assert one == {
        "CUDA_VISIBLE_DEVICES": "-1",
        "KERAS_BACKEND": "jax",
        "OMP_NUM_THREADS": "2",
        "TF_NUM_INTEROP_THREADS": "2",
        "TF_NUM_INTRAOP_THREADS": "2",
    }
    assert (two["TF_NUM_INTRAOP_THREADS"], two["OMP_NUM_THREADS"]) == ("4", "1")


def test_ended_rows_do_not_pile_up(lab, queue, monkeypatch):
    monkeypatch.setattr("cnnlab.launch.jobs.KEPT_ENDED", 2)
    for run in lab.runs("a", "b", "c", "d"):
        queue.submit(run)
        end(run)
        queue.tick()
    queue.submit(lab.run("e"))
    assert len(queue._database.rows("SELECT * FROM jobs WHERE state = 'ended'")) == 2


def test_created_of_this_process_stays_the_same():
    import os

    assert created_of(os.getpid()) == created_of(os.getpid())
