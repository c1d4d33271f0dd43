"""Who says how a run stands, and what is believed when its parent is silent."""

import os
import socket
import stat
from dataclasses import replace

import pytest

from cnnlab import processes
from cnnlab.processes import created_of, is_alive, process_space
from cnnlab.runs import status as status_module
from cnnlab.runs.status import (
    ADVICE,
    ENDED,
    FAILURES,
    STATES,
    RunStatus,
    failure,
    locked,
    read_status,
    request_cancel,
    settle,
    silence_s,
    wants_cancel,
    write_status,
)


def running(**changes) -> RunStatus:
    here = RunStatus(
        state="running",
        host=processes.host_name(),
        process_space=process_space(),
        pid=os.getpid(),
        pid_created=created_of(os.getpid()),
    )
    return replace(here, **changes)


def age(path, seconds: float) -> None:
    moment = path.stat().st_mtime - seconds
    os.utime(path, (moment, moment))


def test_status_comes_back_as_written(tmp_path):
    status = running(slot=("gpu0", "gpu1"), failure=failure("nan_loss", "NaN in epoch 2."), signal="SIGKILL")
    write_status(tmp_path, status)
    assert read_status(tmp_path) == status


def test_new_folder_is_queued(tmp_path):
    assert read_status(tmp_path) == RunStatus(state="queued", attempt=1)
    assert settle(tmp_path).state == "queued"


def test_every_failure_has_advice():
    assert set(FAILURES) == {
        "out_of_memory",
        "nan_loss",
        "bad_data",
        "download",
        "killed",
        "code_error",
        "lost",
        "not_started",
    }
    assert all(text.endswith(".") for text in ADVICE.values())
    assert failure("unheard_of", "x")["kind"] == "code_error"
    assert set(ENDED) < set(STATES)


@pytest.mark.parametrize("text", ["", "{", '{"state": "runn', "[]", '{"state": "happy"}', '{"attempt": "x"}', "\0\0"])
def test_damaged_status_falls_back_on_the_claims(tmp_path, text):
    (tmp_path / "status.json").write_text(text)
    assert read_status(tmp_path) == RunStatus(state="queued", attempt=1)
    (tmp_path / "attempt-1.claim").write_text("{}")
    (tmp_path / "attempt-3.claim").write_text(
        f'{{"pid": {os.getpid()}, "pid_created": {created_of(os.getpid())}, '
        f'"host": "{socket.gethostname()}", "process_space": "{process_space()}"}}'
    )
    assert (read_status(tmp_path).state, read_status(tmp_path).attempt) == ("running", 3)
    assert settle(tmp_path).state == "running"


def test_unknown_fields_of_a_later_version_are_passed_over(tmp_path):
    (tmp_path / "status.json").write_text('{"state": "completed", "attempt": 2, "weather": "fine"}')
    assert read_status(tmp_path) == RunStatus(state="completed", attempt=2)


def test_living_parent_is_believed(tmp_path):
    write_status(tmp_path, running())
    assert settle(tmp_path).state == "running"


def test_reused_pid_is_not_the_parent(tmp_path):
    (tmp_path / "heartbeat").touch()
    write_status(tmp_path, running(pid_created=created_of(os.getpid()) - 5.0))
    settled = settle(tmp_path)
    assert (settled.state, settled.failure["kind"]) == ("lost", "lost")
    assert settled.failure["message"] == (
        "The process that watched over the training ended without a word, and the training with it."
    )
    assert read_status(tmp_path) == settled


def test_end_of_a_lost_run_is_its_last_heartbeat(tmp_path):
    (tmp_path / "heartbeat").touch()
    age(tmp_path / "heartbeat", 3600)
    write_status(tmp_path, running(pid_created=-1.0))
    ended = settle(tmp_path).ended_at
    assert ended < status_module.now()
    assert ended[:13] != status_module.now()[:13]


def test_last_words_of_the_trainer_outlive_its_parent(tmp_path):
    write_status(tmp_path, running(pid_created=-1.0))
    (tmp_path / "failure.json").write_text('{"kind": "bad_data", "message": "No images of class 3."}')
    settled = settle(tmp_path)
    assert (settled.state, settled.failure["message"]) == ("failed", "No images of class 3.")


def test_other_machines_are_never_judged(tmp_path):
    write_status(tmp_path, running(host="elsewhere", pid=None))
    assert settle(tmp_path).state == "running"
    assert silence_s(tmp_path) == float("inf")


def test_other_container_is_judged_by_its_heartbeat(tmp_path):
    write_status(tmp_path, running(process_space="another boot", pid=999_999_999))
    (tmp_path / "heartbeat").touch()
    assert settle(tmp_path).state == "running"
    age(tmp_path / "heartbeat", 60)
    assert 55 < silence_s(tmp_path) < 3600
    assert settle(tmp_path).state == "lost"


def test_cancelled_before_it_began(tmp_path):
    write_status(tmp_path, RunStatus(state="queued"))
    request_cancel(tmp_path)
    assert wants_cancel(tmp_path)
    assert settle(tmp_path).state == "cancelled"


def test_ended_runs_stay_as_they_ended(tmp_path):
    request_cancel(tmp_path)
    for state in ENDED:
        write_status(tmp_path, RunStatus(state=state))
        assert settle(tmp_path).state == state


def test_last_word_of_the_parent_wins_over_a_reader(tmp_path, monkeypatch):
    """The parent writes `completed` and leaves between a reader's two looks."""
    write_status(tmp_path, running())

    def parent_leaves(_pid, _created):
        write_status(tmp_path, running(state="completed"))
        return False

    monkeypatch.setattr(status_module, "is_alive", parent_leaves)
    assert settle(tmp_path).state == "completed"


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root writes everywhere")
def test_store_that_may_only_be_read_is_settled_in_words(tmp_path):
    write_status(tmp_path, running(pid_created=-1.0))
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        assert settle(tmp_path).state == "lost"
    finally:
        tmp_path.chmod(0o700)


def test_write_that_fails_leaves_the_verdict(tmp_path, monkeypatch):
    write_status(tmp_path, running(pid_created=-1.0))

    def full(*_arguments, **_keywords):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(status_module, "write_json", full)
    assert settle(tmp_path).state == "lost"
    monkeypatch.undo()
    assert read_status(tmp_path).state == "running"


def test_lock_is_free_again_after_use(tmp_path):
    for _ in range(2):
        with locked(tmp_path):
            pass


# === Processes ===


def test_alive_is_pid_and_creation():
    me, created = os.getpid(), created_of(os.getpid())
    assert is_alive(me, created)
    assert is_alive(me, None)
    assert not is_alive(me, created + 1)
    assert not is_alive(None, None)
    assert not is_alive(0, None)
    assert not is_alive(-1, None)


def test_zombie_counts_as_ended():
    pid = os.posix_spawn("/bin/true", ["true"], {})
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        assert not is_alive(pid, None)
    finally:
        os.waitpid(pid, 0)
    assert created_of(pid) is None


def test_creation_time_of_other_systems(monkeypatch):
    monkeypatch.setattr(processes, "_IS_LINUX", False)
    assert is_alive(os.getpid(), created_of(os.getpid()))
    assert created_of(2**22 + 1) is None
