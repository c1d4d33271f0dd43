"""Several processes at the same queue, some of them killed: every run starts once."""

import os
import signal
import sqlite3
import subprocess
import sys

import pytest

from cnnlab.launch.engines.base import LAUNCH_VARIABLE, Launch
from cnnlab.launch.engines.local import PACKAGE_ROOT
from cnnlab.launch.jobs import Wanted
from cnnlab.processes import is_alive
from cnnlab.runs.status import read_status

pytestmark = pytest.mark.processes

# Holds a file named after its slot while it runs: two runs on one slot clash.
HOLD_SLOT = """
import json
with open(run / 'starts', 'a') as file:
    file.write('x')
held = [run.parent.parent / slot for slot in json.loads((run / 'status.json').read_text())['slot']]
for path in held:
    path.open('x').close()
time.sleep(0.02)
for path in held:
    path.unlink()
"""


def test_four_dispatchers_start_each_run_once_and_share_no_slot(lab, monkeypatch):
    monkeypatch.setenv("CNNLAB_SLOTS", "4")
    runs = lab.runs(*(f"run{number:02}" for number in range(30)))
    command = lab.command(HOLD_SLOT)
    submitters = [
        lab.python(
            f"""
            queue = Queue(root / 'queue.sqlite', command={command!r})
            for number in range({offset}, 30, 4):
                queue.submit(runs / f'run{{number:02}}')
            while queue.entries():
                time.sleep(0.02)
            """
        )
        for offset in range(4)
    ]
    for submitter in submitters:
        assert submitter.wait(60) == 0
    assert {run.name: read_status(run).state for run in runs} == {run.name: "completed" for run in runs}
    assert [(run / "starts").read_text() for run in runs] == ["x"] * 30


def test_dispatcher_killed_between_reservation_and_start(lab, monkeypatch):
    run = lab.run()
    command = lab.command("with open(run / 'starts', 'a') as file: file.write('x')")
    dispatcher = lab.python(
        f"""
        from cnnlab.launch.engines.local import LocalEngine
        class Dying(LocalEngine):
            def submit(self, launch):
                os.kill(os.getpid(), 9)
        Queue(root / 'queue.sqlite', engine=Dying(), command={command!r}).submit(runs / 'one')
        """
    )
    assert dispatcher.wait(60) == -signal.SIGKILL
    queue = lab.queue()
    assert [entry.state for entry in queue.entries()] == ["running"]  # reserved, and not given up at once
    assert read_status(run).state == "queued"
    monkeypatch.setattr("cnnlab.launch.dispatch.RESERVATION_S", 0.0)
    queue.tick()
    assert lab.wait_for(run, "completed").attempt == 1
    assert (run / "starts").read_text() == "x"


def test_start_under_an_expired_reservation_does_nothing(lab):
    run = lab.run()
    queue = lab.queue("time.sleep(600)")
    queue.submit(run)
    lab.wait_for(run, "running")
    late = Launch(str(run), 1, (sys.executable, "-c", "1/0"), queue=str(lab.path), token="expired")
    assert start_parent(late) == 3
    assert read_status(run).state == "running"


def test_second_parent_of_an_attempt_does_nothing(lab):
    run = lab.run()
    lab.queue("time.sleep(600)").submit(run)
    lab.wait_for(run, "running")
    assert start_parent(Launch(str(run), 1, (sys.executable, "-c", "1/0"))) == 3
    assert read_status(run).state == "running"


def test_parent_needs_no_queue_and_returns_the_exit_code(lab):
    run = lab.run()
    assert start_parent(Launch(str(run), 1, (sys.executable, "-S", "-c", "raise SystemExit(7)"))) == 7
    assert (read_status(run).state, read_status(run).exit_code) == ("failed", 7)
    other = lab.run("two")
    missing = str(lab.root / "missing" / "queue.sqlite")
    assert start_parent(Launch(str(other), 1, (sys.executable, "-S", "-c", "pass"), queue=missing)) == 0
    assert not (lab.root / "missing").exists()


def start_parent(launch: Launch) -> int:
    environment = os.environ | {LAUNCH_VARIABLE: launch.to_json(), "PYTHONPATH": str(PACKAGE_ROOT)}
    command = [sys.executable, "-m", "cnnlab.launch.parent", launch.run_dir, str(launch.attempt)]
    return subprocess.run(command, env=environment, timeout=60, check=False).returncode


def waiters(lab) -> list[tuple[int, float]]:
    connection = sqlite3.connect(lab.path)
    try:
        return connection.execute("SELECT pid, pid_created FROM waiter").fetchall()
    finally:
        connection.close()


def test_one_process_waits_while_runs_wait(lab):
    first, second = lab.runs("first", "second")
    queue = lab.queue("while not (run / 'go').exists(): time.sleep(0.01)")
    queue.submit(first)
    assert waiters(lab) == []
    queue.submit(second)
    (one,) = waiters(lab)
    queue.tick()
    assert waiters(lab) == [one]
    os.kill(one[0], signal.SIGKILL)
    lab.wait(lambda: not is_alive(*one))
    queue.tick()
    (another,) = waiters(lab)
    assert another != one
    for run in (first, second):
        (run / "go").touch()
    lab.wait_for(second, "completed")
    lab.wait(lambda: not is_alive(*another), "the waiting process to leave")
    assert waiters(lab) == []


def test_tick_from_a_terminal(lab):
    run = lab.run()
    queue = lab.queue("pass")
    with queue._database.transaction():
        pass
    monkey = lab.command("pass")
    queue._enter(run, 1, Wanted((*monkey, str(run))))
    command = [sys.executable, "-m", "cnnlab.launch.tick", str(lab.path)]
    assert subprocess.run(command, timeout=60, check=False).returncode == 0
    lab.wait_for(run, "completed")


def test_parent_imports_nothing_heavy():
    heavy = {"pydantic", "numpy", "polars", "pyarrow", "yaml", "keras", "psutil"}
    code = f"import sys, cnnlab.launch.parent; print(sorted({heavy!r} & set(sys.modules)))"
    environment = os.environ | {"PYTHONPATH": str(PACKAGE_ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
