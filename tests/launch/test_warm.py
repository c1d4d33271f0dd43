"""A trainer that waits: taken once, by what fits; it never stays for ever, and its death costs only time."""

import os
import signal
import sys
import textwrap

import pytest

from cnnlab.launch import warm
from cnnlab.launch.engines.base import Launch
from cnnlab.launch.logs import log_tail
from cnnlab.launch.parent import default_command
from cnnlab.launch.queue import Queue
from cnnlab.processes import is_alive
from cnnlab.runs.lines import read_lines
from cnnlab.runs.status import read_status, settle

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(os.name == "nt", reason="no trainer waits on Windows"),
]

# Waits as `cnnlab.warm_worker` does, and then does what the test says.
STUB = """
import json, os, pathlib, signal, sys, time
(pathlib.Path(sys.argv[1]) / 'stub').write_text(str(os.getpid()))
line = sys.stdin.readline()
if not line:
    sys.exit(0)
order = json.loads(line)
os.environ.update(order['environment'])
log = os.open(order['log'], os.O_WRONLY | os.O_APPEND)
os.dup2(log, 1)
os.dup2(log, 2)
run = pathlib.Path(order['run_dir'])
"""
CONFIG = "data:\n  dataset: digits\ncompute:\n  slots: 1\n  backend: tensorflow\nrepeats: 1\n"


@pytest.fixture
def start(lab, monkeypatch):
    """Start a trainer that waits and then runs `code`; return its queue and what is known of it."""
    monkeypatch.setenv(warm.VARIABLE, "1")
    monkeypatch.setattr(warm, "is_short_of_memory", lambda: False)
    queues = []

    def started(code: str = "", backend: str = "tensorflow"):
        script = lab.root / "stub.py"
        script.write_text(STUB + textwrap.dedent(code))
        queue = Queue(lab.path)
        queues.append(queue)
        (lab.root / "stub").unlink(missing_ok=True)
        command = [sys.executable, "-S", "-E", str(script), str(lab.root)]
        assert warm.ensure(queue._database, backend, trainer=command)
        lab.wait_for_file(lab.root / "stub")
        one = warm.waiting(queue._database)
        lab.wait(lambda: warm.fifo_of(lab.path, one.pid).exists())
        return queue, one

    yield started
    monkeypatch.setenv(warm.VARIABLE, "0")
    for queue in queues:
        warm.dismiss(queue._database)
        queue.close()


def configured(lab, name: str = "one"):
    run = lab.run(name)
    (run / "config.yaml").write_text(CONFIG)
    return run


def events(run) -> list[str]:
    return [line["event"] for line in read_lines(run / "events.jsonl")]


def test_the_run_takes_the_trainer_that_waits(lab, start):
    queue, one = start("print('trained', os.environ['CNNLAB_RUN'] == str(run), os.environ['OMP_NUM_THREADS'])")
    pid = int((lab.root / "stub").read_text())
    run = configured(lab)
    queue.submit(run)
    status = lab.wait_for(run, "completed")
    assert (status.pid, status.child_pid, status.attempt) == (one.pid, pid, 1)
    assert (run / "heartbeat").exists()
    assert log_tail(run).startswith("trained True ")
    lab.wait(lambda: events(run) == ["taken", "started", "completed"], "its journal")
    assert warm.waiting(queue._database) is None or warm.waiting(queue._database).pid != one.pid
    lab.wait(lambda: not is_alive(one.pid, one.created), "its parent to leave")
    assert not warm.fifo_of(lab.path, one.pid).exists()


@pytest.mark.parametrize("asked", ["cancel", "pause"])
def test_a_run_that_took_it_is_cancelled_and_paused_as_ever(lab, start, asked):
    queue, _ = start(
        "(run / 'up').write_text('up')\nwhile not (run / 'pause').exists(): time.sleep(0.01)\nsys.exit(75)"
    )
    run = configured(lab)
    queue.submit(run)
    lab.wait_for_file(run / "up")
    getattr(queue, asked)(run)
    assert lab.wait_for(run, "cancelled", "paused").state == {"cancel": "cancelled", "pause": "paused"}[asked]
    assert not is_alive(int((lab.root / "stub").read_text()), None)


def test_a_killed_trainer_and_a_killed_parent_are_told_as_ever(lab, start):
    queue, one = start("(run / 'up').write_text('up')\ntime.sleep(600)")
    run = configured(lab)
    queue.submit(run)
    lab.wait_for_file(run / "up")
    child = int((lab.root / "stub").read_text())
    os.kill(one.pid, signal.SIGKILL)
    lab.wait(lambda: not is_alive(child, None), "the trainer to die with its parent")
    assert settle(run).state == "lost"


def test_a_run_of_another_backend_starts_cold(lab, start, monkeypatch):
    queue, one = start(backend="jax")
    cold = lab.command("print('cold')")
    monkeypatch.setattr("cnnlab.launch.queue.default_command", lambda run: (*cold, str(run)))
    monkeypatch.setattr("cnnlab.launch.engines.local.default_command", lambda run: (*cold, str(run)))
    run = configured(lab)
    queue.submit(run)
    lab.wait_for(run, "completed")
    assert log_tail(run) == "cold"
    assert warm.waiting(queue._database) == one


def test_one_that_was_killed_is_done_without(lab, start, monkeypatch):
    queue, one = start()
    cold = lab.command("print('cold')")
    monkeypatch.setattr("cnnlab.launch.queue.default_command", lambda run: (*cold, str(run)))
    monkeypatch.setattr("cnnlab.launch.engines.local.default_command", lambda run: (*cold, str(run)))
    os.kill(one.pid, signal.SIGKILL)
    lab.wait(lambda: not is_alive(one.pid, one.created))
    run = configured(lab)
    queue.submit(run)
    assert lab.wait_for(run, "completed").attempt == 1
    assert log_tail(run) == "cold"


def test_one_whose_trainer_died_starts_the_run_cold_itself(lab, start, monkeypatch):
    queue, one = start()
    monkeypatch.setattr(warm, "_take_row", lambda *_: one)  # it had not noticed yet
    os.kill(one.pid, signal.SIGSTOP)
    os.kill(int((lab.root / "stub").read_text()), signal.SIGKILL)
    cold = lab.command("print('cold')")
    launch_command = (*cold, str(lab.root / "store" / "runs" / "one"))
    monkeypatch.setattr("cnnlab.launch.queue.default_command", lambda _run: launch_command)
    monkeypatch.setattr("cnnlab.launch.engines.local.default_command", lambda _run: launch_command)
    run = configured(lab)
    queue.submit(run)
    os.kill(one.pid, signal.SIGCONT)
    lab.wait_for(run, "completed")
    assert log_tail(run) == "cold"


def test_it_is_taken_once(lab, start):
    _queue, one = start("time.sleep(600)")
    run = configured(lab)
    command = default_command(run)
    launch = Launch(str(run), 1, command, _environment(), queue=str(lab.path), token="none")
    assert warm.take(launch, ("another",)) is None
    assert warm.take(launch, command) == one.handle
    assert warm.take(launch, command) is None
    # A token that nobody reserved starts nothing, and nothing stays.
    lab.wait(lambda: not is_alive(one.pid, one.created), "it to leave")
    assert read_status(run).state == "queued"


def _environment() -> dict[str, str]:
    from cnnlab.launch import slots

    machine = slots.machine_slots()
    return slots.slot_environment(machine[:1], machine)


@pytest.mark.parametrize("reason", ["dismissed", "queue gone", "trainer gone", "replaced"])
def test_it_leaves_when_it_is_not_needed(lab, start, reason):
    queue, one = start()
    child = int((lab.root / "stub").read_text())
    match reason:
        case "dismissed":
            warm.choose(queue._database, is_on=False)
        case "queue gone":
            queue.close()
            for path in lab.root.glob("queue.sqlite*"):
                if "waiting" not in path.name:
                    path.unlink()
        case "trainer gone":
            os.kill(child, signal.SIGKILL)
        case "replaced":
            start(backend="jax")
    lab.wait(lambda: not is_alive(one.pid, one.created), "it to leave")
    lab.wait(lambda: not is_alive(child, None), "its trainer to leave")
    assert not warm.fifo_of(lab.path, one.pid).exists()


def test_it_leaves_when_idle_or_short_of_memory(lab, monkeypatch):
    from cnnlab.launch import waiting

    monkeypatch.setattr(waiting, "LOOK_S", 0.01)
    monkeypatch.setattr(waiting, "_has_row", lambda _queue: True)
    queue = Queue(lab.path)
    queue.tick()

    class Trainer:
        def poll(self):
            return None

    ear, end = os.pipe()
    monkeypatch.setattr(warm, "is_short_of_memory", lambda: True)
    assert waiting._wait(ear, Trainer(), lab.path) is None
    monkeypatch.setattr(warm, "is_short_of_memory", lambda: False)
    monkeypatch.setattr(warm, "IDLE_S", 0.05)
    assert waiting._wait(ear, Trainer(), lab.path) is None
    monkeypatch.setattr(warm, "IDLE_S", 600.0)
    monkeypatch.setattr(waiting, "_has_row", lambda _queue: False)
    monkeypatch.setattr(waiting, "TAKEN_S", 0.0)
    assert waiting._wait(ear, Trainer(), lab.path) is None
    os.close(ear)
    os.close(end)
    queue.close()


def test_it_is_wanted_by_variable_then_choice_then_memory(lab, monkeypatch):
    import psutil

    database = Queue(lab.path)._database
    monkeypatch.delenv(warm.VARIABLE)
    assert warm.is_wanted(database) is (psutil.virtual_memory().total >= 8 * 2**30)
    warm.choose(database, is_on=False)
    assert not warm.is_wanted(database)
    warm.choose(database, is_on=True)
    assert warm.is_wanted(database)
    monkeypatch.setenv(warm.VARIABLE, "0")
    assert not warm.is_wanted(database)
    assert not warm.ensure(database, "tensorflow")
    database.close()


def test_none_is_started_while_runs_need_the_slots(lab, monkeypatch):
    monkeypatch.setenv(warm.VARIABLE, "1")
    run = lab.run()
    queue = lab.queue("while not (run / 'go').exists(): time.sleep(0.01)")
    queue.submit(run)
    lab.wait_for(run, "running")
    assert not warm.ensure(queue._database, "tensorflow", trainer=["false"])
    (run / "go").touch()
    lab.wait_for(run, "completed")
