"""Studies with real processes and a stand-in for the trainer, which measures in milliseconds what the test says."""

import contextlib
import os
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from cnnlab.launch.queue import Queue
from cnnlab.runs import trials
from cnnlab.runs.store import Store
from cnnlab.runs.studies import Study, study_dir
from cnnlab.runs.study_status import StudyStatus, read_status
from cnnlab.settings.study import StudyConfig, study_from_dict
from cnnlab.tuning.control import start_study

DEADLINE_S = 120.0
RATE = "training.learning_rate"
# After its first epoch it waits at the gate, a file that says how many runs may pass; it can pause, and counts starts.
TRAINER = """
import json, os, pathlib, re, signal, sys, time
run = pathlib.Path(sys.argv[1])
root = run.parent.parent.parent
text = (run / "config.yaml").read_text()
rate = float(re.search(r"\\n  learning_rate: (\\S+)", text).group(1))
seed = int(re.search(r"\\n  seed: (\\d+)", text).group(1))
epochs = int(re.search(r"\\n  epochs: (\\d+)", text).group(1))
start = len((run / "starts").read_text()) + 1 if (run / "starts").exists() else 1
if not (run / "place").exists():
    (run / "place").write_text(str(sum(not one.name.startswith(".") for one in run.parent.iterdir())))
place = int((run / "place").read_text())
with open(run / "starts", "a") as file:
    file.write("x")

def measure(epoch, accuracy=None):
    if accuracy is None:
        accuracy = max(0.0, 1 - abs(rate - 0.05)) * (0.5 + 0.5 * epoch / epochs) - 0.01 * seed
    rows = [("val", "label", "accuracy", accuracy), ("val", "", "loss", 1 - accuracy)]
    with open(run / "metrics.jsonl", "a") as file:
        for split, output, metric, value in rows:
            row = {"run_id": run.name, "epoch": epoch, "step": epoch, "split": split, "output": output,
                   "metric": metric, "value": value, "elapsed_s": float(epoch)}
            file.write(json.dumps(row) + "\\n")

def is_shut(gate):
    # In one call: between a look whether it is there and reading it the test may take it away.
    try:
        return place > int(gate.read_text() or 0)
    except FileNotFoundError:
        return False

def wait_at(gate):
    while is_shut(gate):
        if (run / "pause").exists():
            sys.exit(75)
        time.sleep(0.01)

def keep():
    (run / "checkpoints").mkdir(exist_ok=True)
    for name in ("model.keras", "checkpoints/training.npz"):
        (run / name).write_bytes(b"weights")
    result = {"num_params": 10 + seed, "macs": 100, "main_output": "label"}
    (run / "result.json").write_text(json.dumps(result))

if (run / "metrics.jsonl").exists():
    (run / "metrics.jsonl").unlink()
(run / "progress.json").write_text("{}")
"""
TRAINING = """
measure(1)
wait_at(root / "gate")
for epoch in range(2, epochs + 1):
    measure(epoch)
keep()
"""


class StudyLab:
    """A store and a queue in one folder, and what they started."""

    def __init__(self, root: Path, training: str = TRAINING):
        self.root = root
        self.store = Store(root / "store")
        script = root / "trainer.py"
        script.write_text(TRAINER + textwrap.dedent(training), encoding="utf-8")
        self.queue = Queue(root / "queue.sqlite", command=[sys.executable, "-S", "-E", str(script)])
        self.gate = root / "gate"  # runs after the first so many wait at it
        self.folder = root

    def start(self, **values: Any) -> Study:
        """Start a study of learning rates."""
        made = start_study(self.store, config(**values), queue=self.queue)
        self.folder = study_dir(self.store, made.study_id)
        return made

    def trials(self) -> dict[str, dict[str, Any]]:
        return trials.trials(self.folder)

    def counts(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for row in self.trials().values():
            found[row["status"]] = found.get(row["status"], 0) + 1
        return found

    def runs(self) -> list[Path]:
        """The runs whose trainers were started, in that order."""
        found = [run for run_id in self.store.run_ids() if ((run := self.store.runs_dir / run_id) / "place").exists()]
        return sorted(found, key=lambda run: int((run / "place").read_text()))

    def starts(self) -> list[int]:
        """How often each run's trainer was started, in the order of their first starts."""
        return [len((run / "starts").read_text()) for run in self.runs() if (run / "starts").exists()]

    def wait(self, condition: Callable[[], Any], what: str) -> Any:
        deadline = time.monotonic() + DEADLINE_S
        while not (found := condition()):
            assert time.monotonic() < deadline, f"waited in vain for {what}: {self.state()}"
            time.sleep(0.02)
            self.queue.tick()
        return found

    def wait_until_at_rest(self) -> StudyStatus:
        self.wait(lambda: read_status(self.folder).has_ended, "the study to come to rest")
        return read_status(self.folder)

    def wait_for_epoch(self, count: int = 1) -> None:
        """Wait until so many trials have told an epoch and train."""
        self.wait(
            lambda: (
                sum(bool(row.get("epochs_done")) and row["status"] == "running" for row in self.trials().values())
                >= count
            ),
            f"{count} trials to train",
        )

    def kill(self, *parts: str) -> list[psutil.Process]:
        """Kill the processes of the study that run these modules, as a machine short of memory does."""
        found = [one for part in parts for one in self.wait(lambda part=part: self.processes(part), part)]
        for process in found:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(found, timeout=60)
        return found

    def processes(self, part: str) -> list[psutil.Process]:
        found = []
        for process in processes_of(self.root):
            with contextlib.suppress(psutil.Error):
                if any(word == f"cnnlab.tuning.{part}" for word in process.cmdline()):
                    found.append(process)
        return found

    def state(self) -> str:
        log = self.folder / "log.txt"
        words = log.read_text(errors="replace")[-3000:] if log.exists() else ""
        return f"{read_status(self.folder)} {self.trials()} {words}"

    def close(self) -> None:
        deadline = time.monotonic() + 20
        while (left := processes_of(self.root)) and time.monotonic() < deadline:
            for process in left:
                with contextlib.suppress(psutil.Error):
                    process.kill()
            psutil.wait_procs(left, timeout=0.05)
        self.queue.close()


def config(**values: Any) -> StudyConfig:
    """A random search over the learning rate of two epochs, of four trials."""
    base: dict[str, Any] = {
        "space": {RATE: "float(1e-3, 1e-1, log)"},
        "run": {"training": {"epochs": 2}},
        "budget": {"trials": 4},
    }
    return study_from_dict(base | values)


def processes_of(root: Path) -> list[psutil.Process]:
    """Return what runs for this test: its folder is in the command line."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.pid != os.getpid() and any(str(root) in part for part in process.cmdline()):
                found.append(process)
    return found
