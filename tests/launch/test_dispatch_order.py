"""Any mix of runs, slots, priorities and ends: no slot twice, nobody overtaken, nobody forgotten."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlab.launch import queue as queue_module
from cnnlab.launch.engines.base import Handle
from cnnlab.launch.queue import Queue
from cnnlab.runs.status import RunStatus, write_status

SLOTS = 3
jobs = st.lists(st.tuples(st.integers(1, SLOTS), st.integers(0, 2)), min_size=1, max_size=8)


class Recorder:
    def __init__(self):
        self.running: dict[str, tuple[str, ...]] = {}
        self.order: list[str] = []

    def submit(self, launch):
        held = {slot for slots in self.running.values() for slot in slots}
        assert not held & set(launch.slots), "a slot was given twice"
        name = Path(launch.run_dir).name
        assert name not in self.order, "a run was started twice"
        self.running[name] = launch.slots
        self.order.append(name)
        return Handle(1, None)

    def status(self, _handle):
        return "alive"

    def cancel(self, _handle):
        return None

    def logs(self, _run_dir, _lines=200):
        return ""


@pytest.fixture(autouse=True)
def _quiet(monkeypatch):
    monkeypatch.setenv("CNNLAB_SLOTS", str(SLOTS))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    monkeypatch.setattr(queue_module.tick, "ensure_waiter", lambda _database: None)
    monkeypatch.setattr("os.fsync", lambda _file: None)


@settings(max_examples=25, deadline=None)
@given(jobs=jobs, data=st.data())
def test_line_is_kept_strictly(jobs, data):
    with tempfile.TemporaryDirectory() as folder:
        engine = Recorder()
        queue = Queue(Path(folder) / "queue.sqlite", engine=engine)
        dirs = []
        # A full machine at first, so that the whole line is there before the first of it starts.
        blocker = Path(folder) / "blocker"
        blocker.mkdir()
        queue.submit(blocker, slots=SLOTS, priority=9)
        for number, (slots, priority) in enumerate(jobs):
            run = Path(folder) / f"run{number}"
            run.mkdir()
            queue.submit(run, slots=slots, priority=priority)
            dirs.append(run)
        while engine.running:
            name = data.draw(st.sampled_from(sorted(engine.running)))
            write_status(Path(folder) / name, RunStatus(state="completed"))
            del engine.running[name]
            queue.tick()
        queue.close()
    expected = sorted(range(len(jobs)), key=lambda number: (-jobs[number][1], number))
    assert engine.order == ["blocker", *(f"run{number}" for number in expected)]
