"""Pausing, going on and retrying, with real parents: slots come free, checkpoints stay or go."""

import json
import os
import signal

import numpy as np
import pytest

from cnnlab.errors import QueueError
from cnnlab.runs.checkpoint import checkpoint_path
from cnnlab.runs.lines import read_lines
from cnnlab.runs.status import read_status, request_pause, settle

pytestmark = pytest.mark.processes

# Does what the trainer does: looks for the file, writes its checkpoint and leaves with 75.
PAUSABLE = """
(run / 'up').write_text(str(os.getpid()))
while not (run / 'go').exists():
    if (run / 'pause').exists():
        sys.exit(75)
    time.sleep(0.01)
"""


def write_checkpoint(run, epoch: int = 3, step: int = 12) -> None:
    """A checkpoint as the trainer's, as far as it is looked at here."""
    checkpoint_path(run).parent.mkdir()
    about = {"format": 1, "fingerprint": "abc-0", "position": {"epoch": epoch, "step": step}}
    np.savez(checkpoint_path(run), about=np.frombuffer(json.dumps(about).encode(), np.uint8))


def test_a_paused_run_frees_its_slot_and_goes_on_later(lab):
    run, following = lab.runs("one", "two")
    queue = lab.queue(PAUSABLE)
    queue.submit(run, priority=2, environment={"COLOUR": "blue"})
    queue.submit(following)
    lab.wait_for_file(run / "up")
    queue.pause(run)
    status = lab.wait_for(run, "paused")
    assert (status.exit_code, status.failure, status.is_at_rest, status.has_ended) == (75, None, True, False)
    lab.wait_for(following, "running")
    (following / "go").touch()
    lab.wait_for(following, "completed")
    assert settle(run).state == "paused"
    assert not [entry for entry in queue.entries() if entry.run_id == "one"]
    write_checkpoint(run)
    (run / "go").touch()
    assert queue.resume(run).words == "from its checkpoint, after epoch 3 and 12 steps"
    status = lab.wait_for(run, "completed")
    assert status.attempt == 2
    assert checkpoint_path(run).exists()
    lab.wait(lambda: len(read_lines(run / "events.jsonl")) == 4)
    assert [line["event"] for line in read_lines(run / "events.jsonl")] == ["started", "paused", "started", "completed"]


def test_a_waiting_run_is_paused_out_of_the_line(lab):
    first, second = lab.runs("first", "second")
    queue = lab.queue("while run.name == 'first' and not (run / 'go').exists(): time.sleep(0.01)")
    queue.submit(first)
    queue.submit(second)
    queue.pause(second)
    assert read_status(second).state == "paused"
    (first / "go").touch()
    lab.wait_for(first, "completed")
    assert [entry.run_id for entry in queue.entries()] == []
    assert not list(second.glob("attempt-*.claim"))
    assert queue.resume(second).words == "from the start"
    assert lab.wait_for(second, "completed").attempt == 1


def test_a_run_that_is_asked_to_pause_before_its_trainer_is_there_starts_none(lab):
    run = lab.run()
    request_pause(run)
    lab.queue("(run / 'up').touch()").submit(run)
    assert lab.wait_for(run, "paused").child_pid is None
    assert not (run / "up").exists()


def test_cancel_ends_a_paused_run(lab):
    run = lab.run()
    queue = lab.queue(PAUSABLE)
    queue.submit(run)
    lab.wait_for_file(run / "up")
    queue.pause(run)
    lab.wait_for(run, "paused")
    queue.cancel(run)
    assert read_status(run).state == "cancelled"


def test_a_cancelled_pause_is_a_cancel(lab):
    run = lab.run()
    queue = lab.queue("(run / 'up').touch()\ntime.sleep(600)")
    queue.submit(run)
    lab.wait(lambda: (run / "up").exists())
    queue.pause(run)
    queue.cancel(run)
    assert lab.wait_for(run, "cancelled").failure is None


def test_exit_code_75_with_a_reason_is_a_failure(lab):
    run = lab.run()
    lab.queue("(run / 'failure.json').write_text('{\"kind\": \"bad_data\"}')\nsys.exit(75)").submit(run)
    assert lab.wait_for(run, "failed").failure["kind"] == "bad_data"


@pytest.mark.parametrize(
    ("action", "sentence"),
    [
        ("pause", "Run 'one' is completed already. Submit its config as a new run to train it again, or train it"),
        ("resume", "Run 'one' is completed. Submit its config as a new run to train it again, or train it for more"),
        ("retry", "Run 'one' is completed. Submit its config as a new run to train it again, or train it for more"),
    ],
)
def test_what_does_not_fit_a_completed_run_is_refused(lab, action, sentence):
    run = lab.run()
    queue = lab.queue()
    queue.submit(run)
    lab.wait_for(run, "completed")
    with pytest.raises(QueueError) as raised:
        getattr(queue, action)(run)
    assert str(raised.value).startswith(sentence)


def test_a_paused_run_is_resumed_and_not_retried(lab):
    run = lab.run()
    queue = lab.queue(PAUSABLE)
    queue.submit(run)
    lab.wait_for_file(run / "up")
    with pytest.raises(QueueError, match=r"^Run 'one' is running\. Wait for its end, or pause or cancel it first\.$"):
        queue.resume(run)
    queue.pause(run)
    lab.wait_for(run, "paused")
    with pytest.raises(QueueError, match=r"^Run 'one' is paused\. Resume it to go on, or cancel it\.$"):
        queue.retry(run)


def test_retry_goes_on_from_the_checkpoint_unless_told_otherwise(lab):
    run = lab.run()
    queue = lab.queue("sys.exit(1)")
    queue.submit(run)
    lab.wait_for(run, "failed")
    write_checkpoint(run, step=0)
    assert queue.retry(run).words == "from its checkpoint, after epoch 3"
    lab.wait_for(run, "failed")
    lab.wait(lambda: read_status(run).attempt == 2)
    assert queue.retry(run, from_start=True).words == "from the start"
    assert not checkpoint_path(run).exists()


def test_a_damaged_checkpoint_is_said_and_left(lab):
    run = lab.run()
    queue = lab.queue("sys.exit(1)")
    queue.submit(run)
    lab.wait_for(run, "failed")
    write_checkpoint(run)
    checkpoint_path(run).write_bytes(checkpoint_path(run).read_bytes()[:-30])
    assert queue.retry(run).words == "from the start, for its checkpoint is damaged"
    assert not checkpoint_path(run).exists()


def test_a_trainer_killed_while_it_pauses_can_be_retried(lab):
    run = lab.run()
    queue = lab.queue("(run / 'up').write_text(str(os.getpid()))\nwhile not (run / 'go').exists(): time.sleep(0.01)")
    queue.submit(run)
    child = int(lab.wait_for_file(run / "up"))
    queue.pause(run)
    os.kill(child, signal.SIGKILL)
    lab.wait_for(run, "failed")
    (run / "go").touch()
    queue.retry(run)
    assert lab.wait_for(run, "completed").attempt == 2  # the wish to pause was of the attempt before
