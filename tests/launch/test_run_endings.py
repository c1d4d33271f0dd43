"""How a run ends, with real parents and trainers: the status tells every ending apart."""

import json
import os
import signal

import pytest

from cnnlab.launch.logs import log_tail
from cnnlab.processes import is_alive
from cnnlab.runs.lines import read_lines
from cnnlab.runs.status import ADVICE, RunStatus, read_status, settle

pytestmark = pytest.mark.processes

SLEEP = "(run / 'up').write_text(str(os.getpid())); time.sleep(600)"


def test_completed_run_leaves_status_log_and_journal(lab):
    run = lab.run()
    lab.queue("print('trained', os.environ['OMP_NUM_THREADS'] != '', os.getcwd() == str(run))").submit(run)
    status = lab.wait_for(run, "completed")
    assert (status.exit_code, status.signal, status.failure, status.attempt) == (0, None, None, 1)
    assert status.slot == ("cpu0",)
    assert status.queued_at <= status.started_at <= status.ended_at
    assert log_tail(run) == "trained True True"
    assert (run / "heartbeat").exists()
    lab.wait(lambda: len(read_lines(run / "events.jsonl")) == 2)
    assert [line["event"] for line in read_lines(run / "events.jsonl")] == ["started", "completed"]


def test_trainer_says_why_it_failed(lab):
    run = lab.run()
    lab.queue(
        """
        (run / 'failure.json').write_text('{"kind": "nan_loss", "message": "The loss was NaN in epoch 3."}')
        sys.exit(1)
        """
    ).submit(run)
    status = lab.wait_for(run, "failed")
    assert status.exit_code == 1
    assert status.failure == {
        "kind": "nan_loss",
        "message": "The loss was NaN in epoch 3.",
        "advice": ADVICE["nan_loss"],
    }


def test_error_in_the_code_quotes_the_last_line(lab):
    run = lab.run()
    lab.queue("raise ValueError('no such layer')").submit(run)
    status = lab.wait_for(run, "failed")
    assert status.failure["kind"] == "code_error"
    assert status.failure["message"] == "The training ended with exit code 1: ValueError: no such layer."


def test_killed_trainer_fails_with_its_signal(lab):
    run = lab.run()
    lab.queue(SLEEP).submit(run)
    os.kill(int(lab.wait_for_file(run / "up")), signal.SIGKILL)
    status = lab.wait_for(run, "failed")
    assert (status.signal, status.exit_code, status.failure["kind"]) == ("SIGKILL", None, "killed")
    assert status.failure["message"] == "The training was killed from outside (SIGKILL)."


def test_crashed_trainer_is_told_from_a_killed_one(lab):
    run = lab.run()
    lab.queue("os.kill(os.getpid(), signal.SIGSEGV)").submit(run)
    status = lab.wait_for(run, "failed")
    assert (status.signal, status.failure["kind"]) == ("SIGSEGV", "code_error")


def test_command_that_cannot_start_is_not_started(lab):
    run = lab.run()
    queue = lab.queue()
    queue._command = (str(lab.root / "missing"),)
    queue.submit(run)
    assert lab.wait_for(run, "failed").failure["kind"] == "not_started"


def test_trainer_dies_with_its_parent_and_the_run_is_lost(lab):
    run, following = lab.runs("one", "two")
    queue = lab.queue("(run / 'up').write_text(str(os.getpid()))\nif run.name == 'one': time.sleep(600)")
    queue.submit(run)
    lab.wait_for_file(run / "up")
    lab.wait(lambda: read_status(run).child_pid)
    status = read_status(run)
    os.kill(status.pid, signal.SIGKILL)
    lab.wait(lambda: not is_alive(status.child_pid, status.child_created), "the trainer to die")
    settled = settle(run)
    assert (settled.state, settled.failure["kind"]) == ("lost", "lost")
    assert settled.failure["advice"] == ADVICE["lost"]
    assert read_status(run) == settled
    queue.submit(following)
    lab.wait_for(following, "completed")


def test_queue_moves_on_by_itself_when_a_parent_was_killed(lab):
    run, following = lab.runs("one", "two")
    queue = lab.queue("if run.name == 'one': time.sleep(600)")
    queue.submit(run)
    queue.submit(following)
    status = lab.wait_for(run, "running")
    os.kill(status.pid, signal.SIGKILL)
    lab.wait_for(following, "completed")  # nobody looked: the waiting process saw it
    assert read_status(run).state == "lost"


def test_parent_told_to_end_says_so(lab):
    run = lab.run()
    lab.queue(SLEEP).submit(run)
    child = int(lab.wait_for_file(run / "up"))
    lab.wait(lambda: read_status(run).child_pid)
    os.kill(read_status(run).pid, signal.SIGTERM)
    status = lab.wait_for(run, "failed")
    assert status.failure["kind"] == "killed"
    assert "told to end (SIGTERM), as at a shutdown" in status.failure["message"]
    assert not is_alive(child, None)


def test_deleted_run_folder_ends_the_training(lab):
    run = lab.run()
    lab.queue(SLEEP).submit(run)
    child = int(lab.wait_for_file(run / "up"))
    run.rename(lab.root / "trash")
    lab.wait(lambda: not is_alive(child, None), "the trainer to end")


# === Cancelling ===

STUBBORN = """
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for kind in ('child', 'orphan'):
        if os.fork() == 0:
            if kind == 'orphan':
                os.setsid()
                if os.fork():
                    os._exit(0)
            with open(run / 'pids', 'a') as file:
                file.write(f'{os.getpid()}\\n')
            time.sleep(600)
    with open(run / 'pids', 'a') as file:
        file.write(f'{os.getpid()}\\n')
    time.sleep(600)
"""


def test_cancel_ends_the_whole_tree_even_where_it_ignores_sigterm(lab):
    run = lab.run()
    queue = lab.queue("print('epoch 1', flush=True)\n" + STUBBORN.replace("\n    ", "\n"))
    queue.submit(run)
    lab.wait(lambda: (run / "pids").exists() and len((run / "pids").read_text().split()) == 3, "three processes")
    pids = [int(pid) for pid in (run / "pids").read_text().split()]
    parent = read_status(run)
    queue.cancel(run)
    status = lab.wait_for(run, "cancelled")
    assert not [pid for pid in pids if is_alive(pid, None)]
    assert status.failure is None
    assert log_tail(run) == "epoch 1"
    lab.wait(lambda: not is_alive(parent.pid, parent.pid_created), "the parent to leave")


def test_orphans_of_a_completed_run_are_ended(lab):
    run = lab.run()
    lab.queue(
        """
        if os.fork() == 0:
            os.setsid()
            (run / 'orphan').write_text(str(os.getpid()))
            time.sleep(600)
        while not (run / 'orphan').exists() or not (run / 'orphan').read_text():
            time.sleep(0.01)
        """
    ).submit(run)
    lab.wait_for(run, "completed")
    assert not is_alive(int((run / "orphan").read_text()), None)


def test_cancelled_while_waiting_never_starts(lab):
    first, second, third = lab.runs("first", "second", "third")
    queue = lab.queue("while run.name == 'first' and not (run / 'go').exists(): time.sleep(0.01)")
    for run in (first, second, third):
        queue.submit(run)
    queue.cancel(second)
    assert read_status(second).state == "cancelled"
    assert [entry.run_id for entry in queue.entries()] == ["first", "third"]
    (first / "go").touch()
    lab.wait_for(third, "completed")
    assert not list(second.glob("attempt-*.claim"))


def test_cancel_survives_the_death_of_the_parent(lab):
    run = lab.run()
    queue = lab.queue(SLEEP)
    queue.submit(run)
    child = int(lab.wait_for_file(run / "up"))
    (run / "cancel").touch()
    os.kill(lab.wait_for(run, "running", "cancelled").pid, signal.SIGKILL)
    lab.wait(lambda: settle(run).state == "cancelled")
    assert not is_alive(child, None)


def test_cancel_from_another_machine_needs_only_the_file(lab):
    run = lab.run()
    lab.queue(SLEEP).submit(run)
    lab.wait_for_file(run / "up")
    (run / "cancel").touch()
    lab.wait_for(run, "cancelled")


# === Survival ===


def test_run_survives_the_kill_of_its_submitter(lab):
    run = lab.run()
    lab.command("while not (run / 'go').exists(): time.sleep(0.01)")
    script = next(lab.root.glob("trainer-*.py"))
    submitter = lab.python(
        f"""
        Queue(root / 'queue.sqlite', command=[sys.executable, {str(script)!r}]).submit(runs / 'one')
        print('submitted', flush=True)
        time.sleep(600)
        """,
        stdout=-1,
        start_new_session=True,
    )
    with submitter:
        assert submitter.stdout.readline() == b"submitted\n"
        os.killpg(submitter.pid, signal.SIGINT)
        os.killpg(submitter.pid, signal.SIGKILL)
    lab.wait_for(run, "running")
    (run / "go").touch()
    assert lab.wait_for(run, "completed").attempt == 1


def test_retry_is_the_next_attempt_with_the_same_settings(lab):
    run = lab.run()
    queue = lab.queue(
        "print(os.environ['CNNLAB_ATTEMPT'], os.environ['COLOUR'])\nsys.exit(0 if (run / 'go').exists() else 1)"
    )
    queue.submit(run, priority=3, environment={"COLOUR": "blue"})
    lab.wait_for(run, "failed")
    (run / "go").touch()
    (run / "failure.json").write_text(json.dumps({"kind": "bad_data", "message": "old"}))
    queue.retry(run)
    status = lab.wait_for(run, "completed")
    assert status.attempt == 2
    assert log_tail(run) == "1 blue\n2 blue"


def test_cancelled_run_can_be_retried(lab):
    run = lab.run()
    queue = lab.queue("while not (run / 'go').exists(): time.sleep(0.01)")
    queue.submit(run)
    lab.wait_for(run, "running")
    queue.cancel(run)
    lab.wait_for(run, "cancelled")
    (run / "go").touch()
    queue.retry(run)
    assert lab.wait_for(run, "completed").attempt == 2


def test_torn_status_of_a_living_run_is_tolerated(lab):
    run = lab.run()
    queue = lab.queue("(run / 'up').write_text('up')\nwhile not (run / 'go').exists(): time.sleep(0.01)")
    queue.submit(run)
    lab.wait_for_file(run / "up")
    lab.wait(lambda: read_status(run).child_pid)
    (run / "status.json").write_text('{"state": "runn')
    assert settle(run).state == "running"
    assert [entry.state for entry in queue.entries()] == ["running"]
    (run / "go").touch()
    lab.wait_for(run, "completed")


def test_heartbeat_goes_on(lab):
    run = lab.run()
    lab.queue(SLEEP).submit(run)
    lab.wait_for_file(run / "up")
    first = (run / "heartbeat").stat().st_mtime_ns
    lab.wait(lambda: (run / "heartbeat").stat().st_mtime_ns > first, "another heartbeat")
    assert isinstance(settle(run), RunStatus)
