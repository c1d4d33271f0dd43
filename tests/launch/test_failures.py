"""Out of memory, NaN loss, bad data, killed and code error are told apart."""

import json
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from cnnlab.launch import failures, logs, parent
from cnnlab.launch.engines.base import Launch
from cnnlab.launch.failures import explain, oom_kills, signal_of
from cnnlab.launch.logs import log_tail, rotate
from cnnlab.runs.status import ADVICE, RunStatus, read_status


@pytest.mark.parametrize(
    ("code", "signal_name", "was_oom", "log", "kind"),
    [
        (None, "SIGKILL", True, "", "out_of_memory"),
        (None, "SIGKILL", False, "", "killed"),
        (None, "SIGKILL", False, "an earlier word on out of memory", "killed"),
        (None, "SIGTERM", False, "MemoryError", "killed"),
        (None, "SIGABRT", False, "terminate called after throwing an instance of 'std::bad_alloc'", "out_of_memory"),
        (None, "SIGSEGV", False, "", "code_error"),
        (1, None, False, "jaxlib.XlaRuntimeError: RESOURCE_EXHAUSTED: Out of memory", "out_of_memory"),
        (1, None, False, "torch.OutOfMemoryError: CUDA out of memory.", "out_of_memory"),
        (1, None, False, "MemoryError", "out_of_memory"),
        (1, None, False, "KeyError: 'x'", "code_error"),
        (2, None, False, "", "code_error"),
    ],
)
def test_kind_from_what_is_left(tmp_path, code, signal_name, was_oom, log, kind):
    (tmp_path / "log.txt").write_text(log)
    found = explain(tmp_path, code, signal_name, was_oom)
    assert found["kind"] == kind
    assert found["advice"] == ADVICE[kind]
    assert found["message"].endswith(".")


@pytest.mark.parametrize("kind", ["out_of_memory", "nan_loss", "bad_data", "code_error"])
def test_the_trainers_own_word_comes_first(tmp_path, kind):
    (tmp_path / "failure.json").write_text(json.dumps({"kind": kind, "message": "Said so."}))
    assert explain(tmp_path, None, "SIGKILL", True) == {"kind": kind, "message": "Said so.", "advice": ADVICE[kind]}


def test_torn_word_of_the_trainer_is_passed_over(tmp_path):
    (tmp_path / "failure.json").write_text('{"kind": "nan')
    assert explain(tmp_path, 1, None, False)["kind"] == "code_error"


def test_full_disk_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: namedtuple("usage", "free")(1000))
    assert explain(tmp_path, 1, None, False)["message"] == (
        "The disk that holds the store is full. Free some space, then retry the run."
    )


def test_signal_of_return_codes():
    assert signal_of(0) is None
    assert signal_of(1) is None
    assert signal_of(-9) == "SIGKILL"
    assert signal_of(137) == "SIGKILL"
    assert signal_of(-64 - 1) == "signal 65"


def test_kernel_count_of_memory_kills(tmp_path, monkeypatch):
    assert oom_kills() >= 0
    events = tmp_path / "memory.events"
    events.write_text("low 0\noom 3\noom_kill 2\noom_group_kill 0\n")
    monkeypatch.setattr(failures, "_oom_files", lambda: [tmp_path / "missing", events])
    assert oom_kills() == 2


# === Log ===


def test_log_is_capped_and_its_tail_goes_across(tmp_path: Path):
    log = tmp_path / "log.txt"
    with open(log, "ab", buffering=0) as writer:
        writer.write(b"".join(b"line %d\n" % number for number in range(100)))
        rotate(tmp_path, cap_bytes=10_000)
        assert not (tmp_path / "log.1.txt").exists()
        rotate(tmp_path, cap_bytes=100)
        assert log.stat().st_size == 0
        writer.write(b"line 100\n")  # the trainer's own handle goes on at the new end
    assert log.read_bytes() == b"line 100\n"
    assert log_tail(tmp_path, 3) == "line 98\nline 99\nline 100"
    assert log_tail(tmp_path, 1) == "line 100"
    assert log_tail(tmp_path / "missing") == ""


def test_log_that_is_no_text_is_shown_all_the_same(tmp_path):
    (tmp_path / "log.txt").write_bytes(b"\xff\xfe\x00 loss\n")
    assert "loss" in log_tail(tmp_path)


def test_missing_log_needs_no_rotation(tmp_path):
    rotate(tmp_path, cap_bytes=logs.CAP_BYTES)
    assert not list(tmp_path.iterdir())


def test_last_word_waits_for_room_on_the_disk(tmp_path, monkeypatch):
    tries = []

    def write(run_dir, status):
        tries.append(status.state)
        if len(tries) < 3:
            raise OSError(28, "No space left on device")
        real(run_dir, status)

    real = parent.write_status
    monkeypatch.setattr(parent, "write_status", write)
    monkeypatch.setattr(parent, "HEARTBEAT_S", 0.0)
    supervisor = parent.Supervisor(tmp_path, 1, Launch(str(tmp_path), 1, ()))
    supervisor._end(RunStatus(state="completed"))
    assert tries == ["completed"] * 3
    assert read_status(tmp_path).state == "completed"
